#!/usr/bin/perl
# A host that was lost in mid-step came back, its probe said "as before", and it was called reverted; but nobody had
# asked what became of the launch, so one that had never begun could still begin behind the way back. Now the host is
# asked first, which seals what never ran. covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;
use Time::HiRes qw(sleep time);

my $it = Light->up(1);
my $home = $it->home;
my $own = "$it->{fleet}/hosts/light1";
$it->put('plan.yml', <<"YML");
change: Lost in the middle
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 2, unreachable: 2 }
steps:
  - file: { path: $home/app.conf, content: "new\\n", validate: [sh, -c, 'touch ~/begun; sleep 3', "%"] }
YML
my $chg = $it->approved('plan.yml');
my $out = "$it->{dir}/out";
my $pid = fork // die;
if ($pid == 0) {
    open STDOUT, '>', $out; open STDERR, '>&', \*STDOUT;
    $ENV{LC_ALL} = 'C';
    exec 'timeout', 150, $it->{hoshu}, 'run', '-C', $it->{dir}, $chg;
    die;
}
sub until_true { my ($what, $is, $for) = @_; my $end = time + ($for // 30); while (time < $end) { return 1 if $is->(); sleep 0.1 } BAIL_OUT("never: $what") }
sub said { open my $in, '<', $out or return ''; local $/; return scalar <$in> // '' }

until_true('the step begins', sub { -e "$own/begun" });
system("tests/fleet/light deny light1 $it->{fleet} && tests/fleet/light drop light1 $it->{fleet}") == 0 or BAIL_OUT('drop');
until_true('the step ends on the host', sub { -e "$own/app.conf" });
until_true('the host is lost', sub { said() =~ /^\S+ light1 .*LOST/m }, 90);
# as if it had never begun: no claim in either place, the file is not there
sleep 1;
my (undef, $journal) = $it->hoshu('audit', 'show', $chg, '--json');
my ($xid) = map { /"kind":"step-intent"/ && /"xid":"(\w+)"/ ? $1 : () } split /\n/, $journal;
ok($xid, 'the intent is in the journal');
my @claims = split /\n/, `find $own/.host -name '$xid*'`;
cmp_ok(scalar @claims, '>', 0, 'the launch had left its claim');
unlink @claims, "$own/app.conf";
system("tests/fleet/light allow light1 $it->{fleet}") == 0 or BAIL_OUT('allow');
waitpid $pid, 0;
is($? >> 8, 7, 'reverted') or diag(said());
my ($claim) = split /\n/, `find $own/.host/run -name '$xid'`;
ok($claim && -e $claim, 'the host was asked what became of the launch') or diag(`find $own/.host`);
like($claim ? `cat $claim` : '', qr/^sealed /, 'and sealed it: it never will run');
done_testing;
