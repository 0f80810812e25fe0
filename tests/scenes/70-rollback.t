#!/usr/bin/perl
# A person takes changes back: one that ended well, a part of one, one that a
# later change stands on, one where somebody else changed things since, and one
# whose way back reaches its limits and pauses. And a change goes on with the
# hosts left over.
# covers: P4, P5, P7
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;
use Text::ParseWords qw(shellwords);

$ENV{HOSHU_PERSON} = 'alice';
my $it = Light->up(3);
my ($status, $said);
sub hoshu { ($status, $said) = $it->hoshu(map { shellwords($_) } @_); $said }
sub file_step { my ($name, $content) = @_; "  - file: { path: \"\${{ facts.home }}/$name\", content: \"$content\\n\" }\n" }
sub home { "$it->{fleet}/hosts/light$_[0]" }

# --- one that ended well, host by host ---
my $one = $it->change('One', "limits: { failed: 3 }\nhandlers:\n  told: { shell: 'echo told >>\"\$HOME/told\"' }",
    file_step('a', 'one') . "    notify: told\n");
hoshu("run $one");
is($status, 0, 'a change is done') or diag($said);
is($it->there('a'), 'one one one', 'on every host');
hoshu("rollback $one --hosts 'light2 & light1'");
is($status, 3, 'hosts that match nothing are an error');
hoshu("rollback $one --hosts light9");
is($status, 3, 'so is a host that the change does not have');
like($said, qr/light9/, 'which is named');
hoshu("rollback $one --hosts light2 --because 'a part of it'");
is($status, 7, 'a part of it is taken back') or diag($said);
is($it->there('a'), 'one - one', 'on that host alone');
is($it->look('light2', 'told'), "told\ntold\n", 'and its handler ran again');
like($said, qr/light2 +a person takes it back: a part of it/, 'it says who is asked for');
hoshu("rollback $one --hosts light2");
is($status, 5, 'what is back is not taken back again');

# --- a later change stands on it ---
my $two = $it->change('Two', '', file_step('a', 'two') . file_step('b', 'two'));
hoshu("run $two");
is($status, 0, 'a later change of the same file') or diag($said);
hoshu("rollback $one");
is($status, 5, 'is in the way');
like($said, qr/$two has touched the same on light1/, 'and is named, with the host');
is($it->there('a'), 'two two two', 'nothing was touched');
hoshu("rollback $two");
is($status, 7, 'first it is taken back') or diag($said);
is($it->there('a'), 'one - one', 'to what stood before it');
hoshu("rollback $one");
is($status, 7, 'then the earlier one') or diag($said);
is($it->there('a'), '- - -', 'to what stood before that');
hoshu("rollback $one");
is($status, 5, 'nothing of it stands any more');

# --- somebody else changed it since ---
my $three = $it->change('Three', '', file_step('a', 'three'));
hoshu("run $three");
$it->put('fleet/hosts/light3/a', "mine\n");
hoshu("rollback $three");
is($status, 8, 'one host is not proved back, the others are') or diag($said);
is($it->there('a'), '- - mine', 'what somebody else wrote is not overwritten');
like($said, qr/CONFLICT/, 'it is called a conflict');
like($said, qr/not proved back:\n +light3 .*\n.*\n +by hand: sh \S+\/undo\/[0-9a-f]{16}\.sh\n +it overwrites/, 'the host is listed with its script, and what that would do');
unlink(home(3) . '/a');
hoshu("run $three");
is($status, 7, 'put right by hand, it is proved by the next run') or diag($said);

# --- the way back has limits of its own ---
my $four = $it->change('Four', 'limits: { failed: 1 }', file_step('a', 'four'));
hoshu("run $four");
$it->put("fleet/hosts/light$_/a", "mine\n") for 2, 3;
hoshu("rollback $four");
is($status, 10, 'at a limit the way back pauses') or diag($said);
like($said, qr/the way back pauses: not brought back: 2, limit 2/, 'and says why');
is((split ' ', $it->there('a'))[0], 'four', 'the hosts behind it were not touched');
like(hoshu('status'), qr/$four.*hoshu run $four/s, 'status says how it goes on');
hoshu("run $four");
is($status, 8, 'a person says to go on: the others are brought back') or diag($said);
is($it->there('a'), '- mine mine', 'the stuck ones stay as they are');
unlink(home($_) . '/a') for 2, 3;
hoshu("run $four");
is($status, 7, 'until they are put right') or diag($said);

# --- kept is not back ---
my $five = $it->change('Five', 'limits: { failed: 3 }', "  - { name: Kept, run: [touch, \"\${{ facts.home }}/kept\"], rollback: keep, because: harmless }\n");
hoshu("run $five");
hoshu("rollback $five");
is($status, 7, 'a change whose steps are kept') or diag($said);
unlike($said, qr/proved back/, 'is not called proved back');
like($said, qr/reverted, 3 kept/, 'it says how much was kept');

# --- the hosts left over ---
my $six = $it->change('Six', "limits: { excluded: 2 }\nchecks:\n  - { command: [test, '!', -e, \"\${{ facts.home }}/busy\"], at: before }",
    file_step('b', 'six'));
$it->put('fleet/hosts/light3/busy', '');
hoshu("run $six");
is($status, 9, 'a host is left over') or diag($said);
like($said, qr/hoshu run $six --remaining/, 'it says what to type');
hoshu("run $six");
is($status, 5, 'a plain run of a change that has ended is refused');
unlink home(3) . '/busy';
hoshu("run $six --remaining");
is($status, 0, 'the hosts left over are done under the same approval') or diag($said);
is($it->there('b'), 'six six six', 'now it is on every host');
hoshu("run $six --remaining");
is($status, 5, 'then nothing is left over');
my $seven = $it->change('Seven', "limits: { failed: 1 }\nrollback: { host_failed: hold, limit: hold }",
    "  - { name: Break, run: [\"false\"], rollback: keep, because: nothing }\n");
hoshu("run $seven");
is($status, 6, 'the first host fails and stops it') or diag($said);
hoshu("run $seven --remaining");
is($status, 5, 'the stop rule stands: the others are not tried after all');
like($said, qr/hosts that failed: 1, limit 1/, 'and it says so');
hoshu('audit verify');
is($status, 0, 'the journal holds') or diag($said);
done_testing();
