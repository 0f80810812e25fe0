#!/usr/bin/perl
# `rollback --hosts` of a change that ended well: list, status and show called the whole of it
# reverted, though what it did on the other hosts stood. covers: P4
use strict;
use warnings;
use lib 'tests';
use Test::More;
use Light;

my $it = Light->up(3);
$it->put('plan.yml', <<'YML');
change: A page
reason: a test
targets: all
waves: [{ hosts: rest }]
rollback: { host_failed: host }
limits: { failed: 3 }
steps:
  - { name: Page, file: { path: "${{ facts.home }}/page", content: "new\n" } }
checks:
  - { name: it is well, command: [test, '!', -e, "${{ facts.home }}/ill"], at: after }
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'it is done') or diag $said;

sub told {
    my ($word, $of, $more) = @_;
    like(($it->hoshu('list'))[1], qr/^$chg  \Q$word\E  /m, "list: $word");
    my ($object) = ($it->hoshu('list', '--json'))[1] =~ /(\{[^{}]*"change":"$chg"[^{}]*\})/;
    like($object, qr/"state":"\Q$word\E"/, "also to programs");
    like(($it->hoshu('show', $chg))[1], qr/^state: ended, \Q$word\E \(exit status $of\)\Q$more\E$/m, 'so does show');
    like(($it->hoshu('show', $chg, '--json'))[1], qr/"result":"\Q$word\E"/, 'to programs, too');
}

($status, $said) = $it->hoshu('rollback', $chg, '--hosts', 'light2');
is($status, 7, 'a part of it is taken back');
like($said, qr/^$chg: reverted in part\. 2 done, 1 reverted, 0 failed/m, 'which is not called reverted');
told('reverted in part', 7, '; 1 of 3 hosts are back, 2 stand done');
($status, $said) = $it->hoshu('run', $chg);
is($status, 5, 'it has ended');
like($said, qr/\(reverted in part\).*hoshu rollback $chg$/m, 'the rest can be taken back');

# one of the next part can not be proved back, then it can
open my $page, '>', "$it->{fleet}/hosts/light3/page" or die;
print $page "mine\n";
close $page;
($status, $said) = $it->hoshu('rollback', $chg, '--hosts', 'light3');
is($status, 8, 'a part that is not proved back') or diag $said;
told('unknown', 8, '');
unlink "$it->{fleet}/hosts/light3/page";
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'put right by hand, it is') or diag $said;
told('reverted in part', 7, '; 2 of 3 hosts are back, 1 stand done');

($status, $said) = $it->hoshu('rollback', $chg);
is($status, 7, 'the rest is taken back') or diag $said;
told('reverted', 7, '');

# the same of a host that failed and went back by itself
open my $ill, '>', "$it->{fleet}/hosts/light2/ill" or die;
close $ill;
$chg = $it->approved('plan.yml');
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'a host fails and goes back alone') or diag $said;
told('reverted in part', 7, '; 1 of 3 hosts are back, 2 stand done');
my @columns = map { /^(CHG-\d+ .*?)\d{4}-\d\d-\d\dT/ ? length $1 : () } split /\n/, ($it->hoshu('list'))[1];
is_deeply(\@columns, [($columns[0]) x 2], 'in columns, whatever the words');
done_testing;
