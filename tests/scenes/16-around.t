#!/usr/bin/perl
# A bracket round every touch of a host, at another place: each web host is
# taken out of the pool on light3 before its first step and put in again after
# its checks, forward and on the way back; one that is not proved back stays
# out. A place that cannot be reached leaves the host untouched. covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(3);    # light1 and light2 are web, light3 is db
my $home = $it->home;
my $log = "$it->{dir}/log";
my $pool = "$it->{fleet}/hosts/light3/pool";
mkdir $pool or die;
put_in($_) for qw(light1 light2);
sub put_in { open my $o, '>', "$pool/$_[0]" or die; close $o }
sub pool { opendir my $d, $pool or die; return join ' ', sort grep { !/^\./ } readdir $d }
sub lines { open my $in, '<', $log or return (); my @all = <$in>; chomp @all; unlink $log; return @all }

sub plan_text {
    my ($after, $more) = @_;
    return <<"YML";
change: Behind the balancer
reason: a test
targets: web
waves: [{ hosts: rest, at_once: 1 }]
limits: { failed: 2, unreachable: 2 }
around:
  enter:
    - name: Pool out
      on: "db & light\${{ 1 + 2 }}"
      shell: 'rm ~/pool/\$H; echo "out \$H" >> $log'
      env: { H: "\${{ host.name }}" }
      unless: [sh, -c, 'test ! -e ~/pool/\${{ host.name }}']
  leave:
    - name: Pool in
      on: db
      shell: 'touch ~/pool/\$H; echo "in \$H" >> $log'
      env: { H: "\${{ host.name }}" }
      unless: [sh, -c, 'test -e ~/pool/\${{ host.name }}']
steps:
  - file: { path: $home/app.conf, content: "new\\n" }
  - name: Say it
    shell: 'echo "work \$H" >> $log'
    env: { H: "\${{ host.name }}" }
    rollback: [{ name: Unsay it, shell: 'echo "back \$H" >> $log', env: { H: "\${{ host.name }}" } }]
$more
checks:
  - { command: $after, at: after }
YML
}

$it->put('plan.yml', plan_text('[test, "!", -e, ' . "$home/fail]", ''));
my ($status, $said) = $it->hoshu('preview', "$it->{dir}/plan.yml");
is($status, 0, 'the preview') or diag($said);
like($said, qr/^  place     light3$/m, 'names the place');
like($said, qr/^  \S 1 \(before every touch\) Pool out on light3 /m, 'shows what is entered, and where');
like($said, qr/^  > \d \(after the checks\) Pool in on light3 /m, 'and what is left, as a rule');

my $chg = $it->approved('plan.yml');
($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'it goes well') or diag($said);
is_deeply([lines()], ['out light1', 'work light1', 'in light1', 'out light2', 'work light2', 'in light2'], 'out, work, in');
is(pool(), 'light1 light2', 'both are in the pool');

unlink "$it->{fleet}/hosts/$_/app.conf" for qw(light1 light2);
$chg = $it->approved('plan.yml');
system("touch $it->{fleet}/hosts/light2/fail");
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'a failed check takes its host back') or diag($said);
is_deeply([lines()], ['out light1', 'work light1', 'in light1', 'out light2', 'work light2', 'back light2', 'in light2'],
    'in only when it is proved back: it stayed out from its first touch on');
is(pool(), 'light1 light2', 'both are in the pool again');
is($it->look('light2', 'app.conf'), undef, 'light2 is as it was');

# the whole change goes back: light1, left already, is entered again
unlink "$it->{fleet}/hosts/light1/app.conf";
(my $all = plan_text('[test, "!", -e, ' . "$home/fail]", '')) =~ s/failed: 2/failed: 1/;
$it->put('all.yml', $all);
$chg = $it->approved('all.yml');
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'the change goes back') or diag($said);
is_deeply([lines()], ['out light1', 'work light1', 'in light1', 'out light2', 'work light2', 'back light2', 'in light2', 'out light1', 'back light1', 'in light1'],
    'a host that was left is entered again before it is touched');
is(pool(), 'light1 light2', 'both are in the pool');

# not proved back: it stays out
$it->put('stuck.yml', plan_text('[test, "!", -e, ' . "$home/fail]", <<"YML"));
  - name: No way back
    shell: 'echo "stop \$H" >> $log'
    env: { H: "\${{ host.name }}" }
    rollback: stop
    because: a test
YML
$chg = $it->approved('stuck.yml');
($status, $said) = $it->hoshu('run', $chg);
is($status, 8, 'a host that is not proved back') or diag($said);
is(pool(), 'light1', 'stays out of the pool');
put_in('light2');
lines();
unlink "$it->{fleet}/hosts/light2/fail";
unlink "$it->{fleet}/hosts/$_/app.conf" for qw(light1 light2);

# the place cannot be reached: nothing was touched
$chg = $it->approved('plan.yml');
system("tests/fleet/light deny light3 $it->{fleet}") == 0 or BAIL_OUT('deny');
($status, $said) = $it->hoshu('run', $chg);
is($status, 6, 'a place that cannot be reached: the hosts are unreachable, the limit stops') or diag($said);
like($said, qr/UNREACHABLE, not touched: at light3: /, 'the place is named');
is_deeply([lines()], [], 'and nothing ran');
system("tests/fleet/light allow light3 $it->{fleet}");

(my $two = plan_text('[true]', '')) =~ s/on: db$/on: web/m;
$it->put('two.yml', $two);
($status, $said) = $it->hoshu('check', "$it->{dir}/two.yml");
is($status, 3, 'two places for one step are refused');
like($said, qr/two\.yml:\d+:\d+: on: of step "Pool in", for host light1: 'web' matches 2 hosts \(light1, light2 \.\.\.\)/, 'with what to write');
(my $none = plan_text('[true]', '')) =~ s/on: db$/on: db & web/m;
$it->put('none.yml', $none);
($status, $said) = $it->hoshu('check', "$it->{dir}/none.yml");
is($status, 3, 'no place is refused') or diag($said);
done_testing;
