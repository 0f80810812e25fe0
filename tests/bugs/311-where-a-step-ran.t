#!/usr/bin/perl
# What was said of a step at a place (on:) named the host that it is for, not
# the one that it ran on: as it ran, and over what it printed. The script to
# try by hand, where it is not proved back, lies at the place. covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use JSON::PP;
use Light;
use Test::More;

my $it = Light->up(3);
my $home = $it->home;
sub done {
    my ($name, $target, $on, $more) = @_;
    $it->put("$name.yml", <<"YML");
change: $name
reason: a test
targets: $target
waves: [{ hosts: rest }]
steps:
  - { $on name: Conf, file: { path: $home/app.conf, content: "$name\\n" } }
$more
YML
    my $chg = $it->approved("$name.yml");
    my ($status, $said) = $it->hoshu('run', $chg);
    is($status, 0, "$name is done") or diag $said;
    return ($chg, $said);
}
sub back { return $it->hoshu('rollback', $_[0], '--because', 'a test', '--as', 'alice') }

my ($one, $said) = done('one', 'light1', 'on: light3,', <<'YML');
  - name: Talk
    on: light3
    shell: 'echo from afar'
    rollback: keep
    because: it only talks
YML
like($said, qr/light1 +1 Conf, on light3: changed/, 'where it ran is said');
my ($status, $shown) = $it->hoshu('show', $one, '--output');
like($shown, qr/^=== light1  2 Talk, on light3  .*\n--- stdout\nfrom afar\n/m, 'and where it printed');
($status, $shown) = $it->hoshu('show', $one, '--output', '--json');
is(decode_json($shown)->[0]{place}, 'light3', 'in JSON, too');

# --- somebody else changed it: what lies where, for a person ---
$it->put('fleet/hosts/light3/app.conf', "by hand\n");
($status, $said) = back($one);
is($status, 8, 'somebody else changed it at the place') or diag $said;
like($said, qr/1 Conf, on light3: CONFLICT/, 'which is said');
my ($script) = $said =~ m{^        by hand, on light3: sh (/\S+\.sh)$}m;
ok(defined $script, 'with the script, and the place where it lies') or diag $said;
like($said, qr/it overwrites what was done there since: look first/, 'and what it would do');
$it->put('fleet/hosts/light3/app.conf', "one\n");
is(system("ssh -F $it->{fleet}/ssh_config light3 sh $script"), 0, 'there it runs');
is($it->look('light3', 'app.conf'), undef, 'and takes it back');
($status, $said) = $it->hoshu('run', $one);
is($status, 7, 'which hoshu proves') or diag $said;
done_testing;
