#!/usr/bin/perl
# hoshu rehearse: a plan on simulated hosts. The same seed is the same rollout,
# the bound holds, a stop stops, and what the numbers call for is said.
# covers: P7
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
my $dir = tempdir(CLEANUP => 1);
$ENV{LC_ALL} = 'C';
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
put('hoshu.yml', "inventory: hosts.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('approvers', '');
put('hosts.yml', "groups:\n  web: { hosts: [" . join(', ', map {"web$_"} 1 .. 8) . "] }\nhosts:\n"
    . join '', map { "  web$_: { vars: { rack: r" . ($_ % 4) . " } }\n" } 1 .. 8);

sub plan_text {
    my ($limits) = @_;
    return <<"YML";
change: Patch
reason: a test
targets: web
limits: { $limits }
spread: { rack: 1 }
waves:
  - { name: canary, hosts: 1, soak: 10m }
  - { hosts: 25%, at_once: 5, soak: 5m }
  - { hosts: rest, at_once: 20 }
checks:
  - { command: [check-it], at: [after, soak], every: 30s }
steps:
  - { run: [update], unless: [updated], rollback: keep, because: a package }
  - { run: [switch, over], unless: [is-over], rollback: [{ run: [switch, back], unless: [is-back] }], because: ours }
YML
}
put('plan.yml', plan_text('failed: 3, unreachable: 5%'));
put('absolute.yml', plan_text('failed: 3, unreachable: 3'));

sub run {
    my $out = `cd $dir && timeout 120 $hoshu rehearse @_ 2>&1`;
    return ($out, $? >> 8);
}

sub json {
    my ($out, $status) = run(@_, '--json');
    is($status, 0, "rehearse @_") or diag($out);
    return decode_json($out);
}

my ($text, $status) = run('plan.yml');
is($status, 0, 'it runs');
like($text, qr/^Patch on 8 simulated hosts in 3 waves, at most \d+ in flight$/m, 'says of what it is');
like($text, qr/^assumed: of 100 hosts 1 never answer, 1 fail a step, 1 lose the connection/m, 'and what it assumes');
like($text, qr/^ +0:00:\d\d  wave 1 of 3 \(canary\) starts: 1 host, 1 at once$/m, 'a timeline');
like($text, qr/it soaks for 10m\n +0:10:\d\d  wave 1 ends/, 'a soak takes its time');
like($text, qr/^100 rollouts \(seeds 1 to 100\): \d+ done/m, 'many rollouts');
like($text, qr/it breaks every host at once: stopped when [123] of 8 hosts had it/, 'a bad change is stopped');
ok(!-e "$dir/store", 'no store is made');
is((run('plan.yml'))[0], $text, 'the same seeds are the same rollouts');
isnt((run('plan.yml', '--seed 2'))[0], $text, 'others are not');

# nothing fails: done, whatever the seed
my $well = json('plan.yml', '--fail 0%', '--seeds 20');
is($well->{all}{done}, 20, 'where nothing fails all are done');
is($well->{one}{result}, 'done', 'also the one');
is($well->{all}{stopped}, 0, 'and nothing is stopped');

# larger, with everything
my $large = json('plan.yml', '--hosts 800', '--seeds 10',
    map {"--$_ 2%"} qw(fail hang late lose reboot gone check soak stuck drift));
is($large->{hosts}, 800, 'as many hosts as were asked for');
cmp_ok($large->{all}{in_flight}{worst}, '<=', $large->{in_flight}, 'never more in flight than the bound');
cmp_ok($large->{all}{stopped}, '>', 0, 'some are stopped');
is($large->{all}{late_starts}, 0, 'and no host starts after a stop');
my $worst = $large->{all}{takes_ms};
my $again = json('plan.yml', '--hosts 800', "--seed $worst->{seed}", '--seeds 1',
    map {"--$_ 2%"} qw(fail hang late lose reboot gone check soak stuck drift));
is($again->{one}{takes_ms}, $worst->{worst}, 'the seed of a worst shows it again');

# every host fails: the canary alone is touched
my $all = json('plan.yml', '--fail 100%', '--seeds 10');
cmp_ok($all->{all}{touched_at_stop}{worst}, '<=', 3, 'all fail: three are touched, the limit');
is($all->{all}{stopped}, 10, 'each is stopped');

($text) = run('absolute.yml', '--hosts 800', '--seeds 3');
like($text, qr/About 8 hosts are unreachable on an ordinary day and limits: unreachable is 3/, 'a limit that ordinary days reach is named');

for my $case (
    ['--fail 2', qr/--fail 2: give a part of the hosts/],
    ['--fail 101%', qr/--fail 101%/],
    ['--fail -1%', qr/--fail/],
    ['--hosts 3', qr/the plan's targets are 8 hosts already/],
    ['--seeds 0', qr/--seeds 0: give a number/],
    ['--step soon', qr/--step soon: give a time/],
) {
    my ($out, $got) = run('plan.yml', $case->[0]);
    is($got, 2, "$case->[0] is refused");
    like($out, $case->[1], 'by its name');
}
done_testing();
