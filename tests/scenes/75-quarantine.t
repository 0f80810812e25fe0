#!/usr/bin/perl
# A host that a change left failed, or not proved back, is left alone by other
# changes until it is taken back or a person releases it.
# covers: P4, P7
use strict;
use warnings;
use Test::More;
use JSON::PP ();
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
put('approvers', 'alice namespaces="approve@hoshu,release@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
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

my $one = change('One', "limits: { failed: 3 }\nrollback: { host_failed: hold, limit: hold }",
    file_step('a', 'one') . "  - { name: Break, shell: 'case \$HOME in *light2) exit 1 ;; esac', rollback: keep, because: nothing }\n");
hoshu("run $one");
is($status, 6, 'a host fails and is left as it is') or diag($said);
like(hoshu('status'), qr/in quarantine.*:\n +light2 +failed by $one/, 'it is in quarantine');
my $two = change('Two', 'limits: { excluded: 2 }', file_step('b', 'two'));
hoshu("preview $dir/plan.yml");
like($said, qr/in quarantine; .*\n +light2 +failed by $one/, 'a preview names it');
my ($held) = @{ JSON::PP::decode_json(hoshu("preview $dir/plan.yml --json"))->{quarantined} };
is_deeply([ @{$held}{qw(host change why)} ], [ 'light2', $one, 'failed' ], 'and so does its --json');
($held) = grep { $_->{state} eq 'quarantined' } @{ JSON::PP::decode_json(hoshu('status --json')) };
is_deeply([ @{$held}{qw(host change why)} ], [ 'light2', $one, 'failed' ], 'and that of status');
hoshu("run $two");
is($status, 9, 'another change leaves it alone') or diag($said);
like($said, qr/light2 +EXCLUDED, not touched: in quarantine: failed by $one/, 'and counts it');
is(there('b'), 'two - two', 'it was not touched');
my $at = change('At it', 'limits: { excluded: 3 }', file_step('b', 'at') . "  - { name: There, on: light2, run: [touch, there], rollback: keep, because: nothing }\n");
hoshu("preview $dir/plan.yml");
is(scalar(() = $said =~ /^ +light2 +failed by $one/mg), 1, 'a place is named once, though it is a target, too') or diag($said);
hoshu("run $at");
is($status, 6, 'nor is a step of another host run there') or diag($said);
like($said, qr/light3 +EXCLUDED, not touched: at light2: in quarantine: failed by $one/, 'the host is left out, and says why');
is(there('b'), 'two - two', 'nobody was touched for that');
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
is(there('b'), 'two two two', 'on that host, too');
like(hoshu("audit show $one"), qr/light2 +released from quarantine: looked at it \(by alice\), key SHA256:/, 'the word stands in the journal, with its key');
my $approvers = slurp("$dir/approvers");
put('approvers', $approvers =~ s/,release\@hoshu//r);
like(hoshu('status'), qr/light2 +failed by $one.*\n +record \d+ would release it, but is not signed by who may/, 'nobody goes by a word whose signature does not hold');
put('approvers', $approvers);
unlike(hoshu('status'), qr/quarantine/, 'where it holds it counts');

# --- its own way back frees it, too ---
my $three = change('Three', '', file_step('c', 'three'));
hoshu("run $three");
put("fleet/hosts/light3/c", "mine\n");
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
