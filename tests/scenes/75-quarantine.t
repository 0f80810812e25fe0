#!/usr/bin/perl
# A host that a change left failed, or not proved back, is left alone by other
# changes until it is taken back or a person releases it.
# covers: P4, P7
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;
use JSON::PP ();
use Text::ParseWords qw(shellwords);

$ENV{HOSHU_PERSON} = 'alice';
my $it = Light->up(3);
my $dir = $it->{dir};
my ($status, $said);
sub hoshu { ($status, $said) = $it->hoshu(map { shellwords($_) } @_); $said }
sub file_step { my ($name, $content) = @_; "  - file: { path: \"\${{ facts.home }}/$name\", content: \"$content\\n\" }\n" }
sub home { "$it->{fleet}/hosts/light$_[0]" }

$it->put('fleet/hosts/light2/breaks', '');
my $one = $it->change('One', "limits: { failed: 3 }\nrollback: { host_failed: hold, limit: hold }",
    file_step('a', 'one') . "  - { name: Break, shell: '[ ! -e \"\$HOME/breaks\" ]', rollback: keep, because: nothing }\n");
hoshu("run $one");
is($status, 6, 'a host fails and is left as it is') or diag($said);
like(hoshu('status'), qr/in quarantine.*:\n +light2 +failed by $one/, 'it is in quarantine');
my $two = $it->change('Two', 'limits: { excluded: 2 }', file_step('b', 'two'));
hoshu("preview $dir/plan.yml");
like($said, qr/in quarantine; .*\n +light2 +failed by $one/, 'a preview names it');
my ($held) = @{ JSON::PP::decode_json(hoshu("preview $dir/plan.yml --json"))->{quarantined} };
is_deeply([ @{$held}{qw(host change why)} ], [ 'light2', $one, 'failed' ], 'and so does its --json');
($held) = grep { $_->{state} eq 'quarantined' } @{ JSON::PP::decode_json(hoshu('status --json')) };
is_deeply([ @{$held}{qw(host change why)} ], [ 'light2', $one, 'failed' ], 'and that of status');
hoshu("run $two");
is($status, 9, 'another change leaves it alone') or diag($said);
like($said, qr/light2 +EXCLUDED, not touched: in quarantine: failed by $one/, 'and counts it');
is($it->there('b'), 'two - two', 'it was not touched');
my $at = $it->change('At it', 'limits: { excluded: 3 }', file_step('b', 'at') . "  - { name: There, on: light2, run: [touch, there], rollback: keep, because: nothing }\n");
hoshu("preview $dir/plan.yml");
is(scalar(() = $said =~ /^ +light2 +failed by $one/mg), 1, 'a place is named once, though it is a target, too') or diag($said);
hoshu("run $at");
is($status, 6, 'nor is a step of another host run there') or diag($said);
like($said, qr/light3 +EXCLUDED, not touched: at light2: in quarantine: failed by $one/, 'the host is left out, and says why');
is($it->there('b'), 'two - two', 'nobody was touched for that');
hoshu('release light2');
is($status, 2, 'a release says why');
hoshu("release light1 --because 'no reason' --key $dir/key");
is($status, 5, 'a host that is free is not released');
system "ssh-keygen -q -t ed25519 -N '' -f $dir/other";
hoshu("release light2 --because 'looked at it' --key $dir/other");
is($status, 4, 'nobody releases it whose key may not') or diag($said);
like(hoshu('status'), qr/light2 +failed by $one/, 'it stays there');
hoshu("release light2 --because 'looked at it' --key $dir/key");
is($status, 0, 'a person releases it') or diag($said);
like($said, qr/^hoshu-release\/1\nchange: $one\nhost: light2\nwas: host-failed, record \d+\nbecause: looked at it\nperson: alice\n/m, 'the statement is shown');
unlike(hoshu('status'), qr/quarantine/, 'then it is free');
hoshu("run $two --remaining");
is($status, 0, 'and the change that left it out does it, under the same approval') or diag($said);
is($it->there('b'), 'two two two', 'on that host, too');
like(hoshu("audit show $one"), qr/light2 +released from quarantine: looked at it \(by alice\), key SHA256:/, 'the word stands in the journal, with its key');
my $approvers = do { local (@ARGV, $/) = "$dir/approvers"; <> };
$it->put('approvers', $approvers =~ s/^alice/alice namespaces="approve\@hoshu"/r);
like(hoshu('status'), qr/light2 +failed by $one.*\n +record \d+ would release it, but is not signed by who may/, 'nobody goes by a word whose signature does not hold');
$it->put('approvers', $approvers);
unlike(hoshu('status'), qr/quarantine/, 'where it holds it counts');

# --- its own way back frees it, too ---
my $three = $it->change('Three', '', file_step('c', 'three'));
hoshu("run $three");
$it->put("fleet/hosts/light3/c", "mine\n");
hoshu("rollback $three --hosts light3");
is($status, 8, 'a host is not proved back') or diag($said);
like(hoshu('status'), qr/light3 +not proved back by $three/, 'so it is in quarantine');
unlink home(3) . '/c';
hoshu("run $three");
is($status, 7, 'put right, it is proved back') or diag($said);
unlike(hoshu('status'), qr/quarantine/, 'and free');
hoshu('audit verify');
is($status, 0, 'the journal holds') or diag($said);
done_testing();
