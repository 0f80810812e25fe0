#!/usr/bin/perl
# A change in phases on the light fleet: a barrier between them, a host with a
# part in two of them, a flush, checks of one phase; and when the last phase
# fails everything goes back, the later phase first. covers: P5, P7
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(3);    # light1 and light2 are web, light3 is db
my $home = $it->home;
my $log = "$it->{dir}/log";    # all hosts see it: the order in which things ran

sub plan_text {
    my ($last) = @_;
    return <<"YML";
change: Release in phases
reason: a test
targets: all
limits: { failed: 1 }
handlers:
  reload: { shell: 'echo "reload \$H" >> $log', env: { H: "\${{ host.name }}" } }
phases:
  - name: Put it in place
    targets: web
    waves: [{ hosts: 1 }, { hosts: rest }]
    steps:
      - file: { path: $home/app.conf, content: "new\\n" }
        notify: reload
      - flush: true
      - name: Say it
        shell: 'echo "said \$H" >> $log'
        env: { H: "\${{ host.name }}" }
        rollback: keep
        because: a line in a log
    checks:
      - { command: [test, -e, $home/app.conf], at: after }
  - name: Migrate
    targets: db
    steps:
      - file: { path: $home/schema, content: "2\\n" }
      - name: Migrate
        shell: 'echo "migrate \$H" >> $log'
        env: { H: "\${{ host.name }}" }
        rollback: keep
        because: a line in a log
  - name: Switch
    targets: web
    steps:
      - file: { path: $home/current, content: "new\\n" }
    checks:
      - { command: $last, at: after }
YML
}
sub lines { open my $in, '<', $log or return ''; local $/; my $all = <$in>; unlink $log; return $all }

$it->put('plan.yml', plan_text('[test, -e, /]'));
my ($status, $said) = $it->hoshu('preview', "$it->{dir}/plan.yml");
is($status, 0, 'the preview') or diag($said);
like($said, qr/phase 1\s+Put it in place\n\s+targets\s+web: 2 hosts\n\s+waves\s+wave 1: 1 host > wave 2: 1 host\n/, 'shows each phase with its waves');
like($said, qr/phase 2\s+Migrate\n\s+targets\s+db: 1 host\n/, 'and its targets');

$it->put('plan.yml', plan_text('[test, "!", -e, ' . "$home/fail]"));
my $chg = $it->approved('plan.yml');
system("touch $it->{fleet}/hosts/light2/fail") == 0 or die;
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'the last phase fails on one host: the change goes back') or diag($said);
my @log = split /\n/, lines();
is_deeply([@log[0 .. 4]], ['reload light1', 'said light1', 'reload light2', 'said light2', 'migrate light3'], 'phase by phase, a flush before the steps behind it')
    or diag(join "\n", @log);
is_deeply([sort @log[5 .. $#log]], ['reload light1', 'reload light2'], 'on the way back the owed handler again, nothing else');
for my $host (qw(light1 light2 light3)) {
    is($it->look($host, $_), undef, "$host: $_ is gone again") for qw(app.conf schema current);
}
my ($shown, $show) = $it->hoshu('show', $chg);
like($show, qr/^phase 3, Switch:\n\s+light1\s+wave 1\s+reverted/m, 'show tells a host by its phase');
my (undef, $journal) = $it->hoshu('audit', 'show', $chg, '--json');
my @back = map { /"host":"(\w+)"/ ? $1 : () } grep { /"kind":"host-reverted"/ } split /\n/, $journal;
my %first;
$first{$back[$_]} //= $_ for 0 .. $#back;
cmp_ok($first{light3}, '>', $first{light2}, 'phase two goes back behind phase three');
is($back[-1], 'light1', 'and the first wave of phase one last') or diag("@back");

unlink "$it->{fleet}/hosts/light2/fail";
$chg = $it->approved('plan.yml');
($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'all three phases') or diag($said);
is($it->look('light2', 'current'), "new\n", 'the last phase is done');
is($it->look('light3', 'schema'), "2\n", 'and the one between');
is($it->look('light3', 'current'), undef, 'a host that is not of a phase is left alone by it');
done_testing;
