#!/usr/bin/perl
# A soak ended by wall time: a clock that was set forward made it shorter, and set back, longer.
# covers: P5
use strict;
use warnings;
use lib 'tests';
use Test::More;
use JSON::PP qw(decode_json);
use Light;

my $it = Light->up(2);
system("cc -O1 -shared -fPIC -o $it->{dir}/clock.so tests/later_clock.c") == 0 or plan skip_all => 'no shared object can be made';
$it->put('plan.yml', <<'YML');
change: A page
reason: a test
targets: all
waves: [{ hosts: 1, soak: 4s }, { hosts: rest }]
steps:
  - { name: Page, file: { path: "${{ facts.home }}/page", content: "new\n" } }
YML

# The soak begins, its coordinator is killed, the next one's clock is ahead:
# how long it was, in ms by the clock that nobody sets.
sub soaked {
    my ($ahead) = @_;
    $it->put('plan.yml', $it->{plan} =~ s/new/new $ahead/r);
    my $chg = $it->approved('plan.yml');
    my $pid = open my $says, '-|' // die;
    if ($pid == 0) { exec $it->{hoshu}, 'run', '-C', $it->{dir}, $chg; die }
    while (<$says>) { last if /soaking/ }
    kill KILL => $pid;
    close $says;
    local $ENV{LD_PRELOAD} = "$it->{dir}/clock.so";
    local $ENV{LATER_CLOCK} = $ahead;
    local $ENV{LIGHT_TIMEOUT} = 30;
    my ($status, $said) = $it->hoshu('run', $chg);
    # behind, the approval is one of the future: no new wave begins
    is($status, $ahead > 0 ? 0 : 4, "$ahead s ahead: it goes on, and ends") or diag $said;
    delete local @ENV{qw(LD_PRELOAD LATER_CLOCK)};
    my %at = map { $_->{step} == 1 ? ($_->{kind} => $_->{mono_ms}) : () }
      map { decode_json($_) } grep { /^\{/ } split /\n/, ($it->hoshu('audit', 'show', $chg, '--json'))[1];
    return ($at{'wave-ended'} // 0) - ($at{'wave-soaking'} // 0);
}
open my $in, '<', "$it->{dir}/plan.yml" or die;
$it->{plan} = do { local $/; <$in> };
my $ms = soaked(3600);
cmp_ok($ms, '>=', 4000, 'a clock set forward makes it no shorter');
$ms = soaked(-3600);
cmp_ok($ms, '>=', 4000, 'nor one that is set back');
cmp_ok($ms, '<', 25000, 'which makes it no longer');
done_testing;
