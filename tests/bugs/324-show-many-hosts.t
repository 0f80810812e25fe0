#!/usr/bin/perl
# show said the same of each of a thousand hosts, and the one that failed was somewhere between them.
# covers: P4
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(16);
$it->put('plan.yml', <<'YML');
change: A page
reason: a test
targets: all
waves: [{ hosts: 1 }, { hosts: rest }]
rollback: { host_failed: host }
limits: { failed: 5 }
steps:
  - { name: Page, file: { path: "${{ facts.home }}/page", content: "new\n" } }
checks:
  - { name: it is well, command: [test, '!', -e, "${{ facts.home }}/ill"], at: after }
YML
for my $ill (4, 9) {
    open my $out, '>', "$it->{fleet}/hosts/light$ill/ill" or die;
    close $out;
}
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'two hosts fail') or diag $said;
($status, $said) = $it->hoshu('show', $chg);
my ($hosts) = $said =~ /^hosts:\n(.*)/ms;
my @names = grep { !/^light(?:1|4|9)$/ } $hosts =~ /\b(light\d+)\b/g;
like($hosts, qr/^  light1 +wave 1  done\n      1 Page: done\n/m, 'one of a kind is shown as ever');
like($hosts, qr/^  13 hosts +wave 2  done\n     (?: light\d+){12} and 1 more\n      1 Page: done\n/m, 'the same is said once, of all');
is(scalar(@names), 12, 'and of nobody twice');
like($hosts, qr/^  light$_ +wave 2  reverted\n      why: .*\n      1 Page: done, /m, "light$_ has a reason and stands alone") for 4, 9;
done_testing;
