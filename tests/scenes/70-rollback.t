#!/usr/bin/perl
# A person takes changes back: one that ended well, a part of one, one that a
# later change stands on, one where somebody else changed things since, and one
# whose way back reaches its limits and pauses. And a change goes on with the
# hosts left over.
# covers: P4, P5, P7
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
my $dir = tempdir(CLEANUP => 1);
my $fleet = "$dir/fleet";
$ENV{LC_ALL} = 'C';
$ENV{HOSHU_PERSON} = 'alice';
system("tests/fleet/light up 3 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die "$name: $!"; print $o $text; close $o }
sub slurp { open my $i, '<', $_[0] or return ''; local $/; <$i> }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");

my ($status, $said);
sub hoshu { $said = `timeout 120 $hoshu -C $dir @_ 2>&1`; $status = $? >> 8; $said }
# Submitted and approved: its name.
sub change {
    my ($title, $more, $steps) = @_;
    put('plan.yml', "change: $title\nreason: a test\ntargets: all\nwaves: [{ hosts: 1 }, { hosts: rest }]\n$more\nsteps:\n$steps");
    my ($chg) = hoshu("submit $dir/plan.yml") =~ /^(CHG-\d+) submitted/m;
    BAIL_OUT("not submitted: $said") unless $chg;
    hoshu("approve $chg --key $dir/key");
    BAIL_OUT("not approved: $said") if $status;
    return $chg;
}
sub file_step { my ($name, $content) = @_; "  - file: { path: \"\${{ facts.home }}/$name\", content: \"$content\\n\" }\n" }
sub home { "$fleet/hosts/light$_[0]" }
sub there { my ($name) = @_; join ' ', map { my $t = slurp(home($_) . "/$name"); $t =~ s/\n//; $t eq '' ? '-' : $t } 1 .. 3 }

# --- one that ended well, host by host ---
my $one = change('One', "limits: { failed: 3 }\nhandlers:\n  told: { shell: 'echo told >>\"\$HOME/told\"' }",
    file_step('a', 'one') . "    notify: told\n");
hoshu("run $one");
is($status, 0, 'a change is done') or diag($said);
is(there('a'), 'one one one', 'on every host');
hoshu("rollback $one --hosts 'light2 & light1'");
is($status, 3, 'hosts that match nothing are an error');
hoshu("rollback $one --hosts light9");
is($status, 3, 'so is a host that the change does not have');
like($said, qr/light9/, 'which is named');
hoshu("rollback $one --hosts light2 --because 'a part of it'");
is($status, 7, 'a part of it is taken back') or diag($said);
is(there('a'), 'one - one', 'on that host alone');
is(slurp(home(2) . '/told'), "told\ntold\n", 'and its handler ran again');
like($said, qr/light2 +a person takes it back: a part of it/, 'it says who is asked for');
hoshu("rollback $one --hosts light2");
is($status, 5, 'what is back is not taken back again');

# --- a later change stands on it ---
my $two = change('Two', '', file_step('a', 'two') . file_step('b', 'two'));
hoshu("run $two");
is($status, 0, 'a later change of the same file') or diag($said);
hoshu("rollback $one");
is($status, 5, 'is in the way');
like($said, qr/$two has touched the same on light1/, 'and is named, with the host');
is(there('a'), 'two two two', 'nothing was touched');
hoshu("rollback $two");
is($status, 7, 'first it is taken back') or diag($said);
is(there('a'), 'one - one', 'to what stood before it');
hoshu("rollback $one");
is($status, 7, 'then the earlier one') or diag($said);
is(there('a'), '- - -', 'to what stood before that');
hoshu("rollback $one");
is($status, 5, 'nothing of it stands any more');

# --- somebody else changed it since ---
my $three = change('Three', '', file_step('a', 'three'));
hoshu("run $three");
put('fleet/hosts/light3/a', "mine\n");
hoshu("rollback $three");
is($status, 8, 'one host is not proved back, the others are') or diag($said);
is(there('a'), '- - mine', 'what somebody else wrote is not overwritten');
like($said, qr/CONFLICT/, 'it is called a conflict');
like($said, qr/not proved back:\n +light3 .*\n.*\n +by hand: sh \S+\/undo\/[0-9a-f]{16}\.sh\n +it overwrites/, 'the host is listed with its script, and what that would do');
unlink(home(3) . '/a');
hoshu("run $three");
is($status, 7, 'put right by hand, it is proved by the next run') or diag($said);

# --- the way back has limits of its own ---
my $four = change('Four', 'limits: { failed: 1 }', file_step('a', 'four'));
hoshu("run $four");
put("fleet/hosts/light$_/a", "mine\n") for 2, 3;
hoshu("rollback $four");
is($status, 10, 'at a limit the way back pauses') or diag($said);
like($said, qr/the way back pauses: not brought back: 2, limit 2/, 'and says why');
is((split ' ', there('a'))[0], 'four', 'the hosts behind it were not touched');
like(hoshu('status'), qr/$four.*hoshu run $four/s, 'status says how it goes on');
hoshu("run $four");
is($status, 8, 'a person says to go on: the others are brought back') or diag($said);
is(there('a'), '- mine mine', 'the stuck ones stay as they are');
unlink(home($_) . '/a') for 2, 3;
hoshu("run $four");
is($status, 7, 'until they are put right') or diag($said);

# --- kept is not back ---
my $five = change('Five', 'limits: { failed: 3 }', "  - { name: Kept, run: [touch, \"\${{ facts.home }}/kept\"], rollback: keep, because: harmless }\n");
hoshu("run $five");
hoshu("rollback $five");
is($status, 7, 'a change whose steps are kept') or diag($said);
unlike($said, qr/proved back/, 'is not called proved back');
like($said, qr/reverted, 3 kept/, 'it says how much was kept');

# --- the hosts left over ---
my $six = change('Six', "limits: { excluded: 2 }\nchecks:\n  - { command: [test, '!', -e, \"\${{ facts.home }}/busy\"], at: before }",
    file_step('b', 'six'));
put('fleet/hosts/light3/busy', '');
hoshu("run $six");
is($status, 9, 'a host is left over') or diag($said);
like($said, qr/hoshu run $six --remaining/, 'it says what to type');
hoshu("run $six");
is($status, 5, 'a plain run of a change that has ended is refused');
unlink home(3) . '/busy';
hoshu("run $six --remaining");
is($status, 0, 'the hosts left over are done under the same approval') or diag($said);
is(there('b'), 'six six six', 'now it is on every host');
hoshu("run $six --remaining");
is($status, 5, 'then nothing is left over');
my $seven = change('Seven', "limits: { failed: 1 }\nrollback: { host_failed: hold, limit: hold }",
    "  - { name: Break, run: [\"false\"], rollback: keep, because: nothing }\n");
hoshu("run $seven");
is($status, 6, 'the first host fails and stops it') or diag($said);
hoshu("run $seven --remaining");
is($status, 5, 'the stop rule stands: the others are not tried after all');
like($said, qr/hosts that failed: 1, limit 1/, 'and it says so');
hoshu('audit verify');
is($status, 0, 'the journal holds') or diag($said);
done_testing();
