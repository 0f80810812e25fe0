#!/usr/bin/perl
# The disk of a host of the real fleet is full: before the change, and in the
# middle of it. The failure is clear and is no success, and the way back works,
# also while the disk is still full.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use Test::More;

my $c = Campaign->new(name => 'disk-full', fleet => 'real', hosts => 2);
my $dir = $c->{dir};
my $sum = 'cd /srv && sha256sum * && stat -c "%n %a %u:%g %s %y" *';

# real2 is filled by the second step, when the first has already put a new
# release in the place of the old one; the third writes where nothing can be.
sub files { my ($rest) = @_; return <<"YML" }
change: A release on a full disk
reason: to be broken
targets: real1 | real2
waves: [ { hosts: 1 }, { hosts: rest } ]
limits: { failed: 1, unreachable: 1 }
rollback: { host_failed: change, limit: change }
steps:
  - name: Release
    file: { path: /srv/release, source: new, mode: "0640" }
$rest  - name: More
    file: { path: /srv/more, source: more }
YML
put_file("$dir/files/new", join '', map { "new line $_\n" } 1 .. 20000);
put_file("$dir/files/more", join '', map { "more $_\n" } 1 .. 100000);
my $fill = <<'YML';
  - name: Fill
    shell: '[ ! -e /etc/fills ] || ! cat /dev/zero >/var/tmp/filler 2>/dev/null'
    rollback: keep
    because: the test empties it
YML
for my $host (@{ $c->{hosts} }) {
    $c->on($host, 'rm -rf /srv/*; i=0; while [ $i -lt 9000 ]; do echo "old line $i"; i=$((i + 1)); done >/srv/release; chmod 600 /srv/release; chown 1000:1000 /srv/release');
}
my %before = map { $_ => $c->on($_, $sum) } @{ $c->{hosts} };
like($before{real1}, qr/ release$/m, 'the old release is there');

# in the middle: the second host of the second wave
$c->on('real2', 'touch /etc/fills');
my $chg = $c->submit(files($fill));
my $status = $c->run_to_end($chg);
my $said = slurp("$dir/said");
like($said, qr/real2 +3 More: FAILED/, 'full in the middle: the step failed');
like($said, qr/could not be written; df says: .* 100% \//, 'and it says why');
like($c->on('real2', 'df / | tail -1'), qr/ 100% /, 'the disk is full still');
is($status, 7, 'taken back, on a full disk') or diag($said, $c->hoshu('show', $chg));
is($c->on($_, $sum), $before{$_}, "$_ is as it was") for @{ $c->{hosts} };
# the kept file went back itself, for want of room, and is another file again
is($c->on('real2', 'stat -c %h /srv/release'), "1\n", 'a write into it would change no kept copy');
is($c->on('real2', 'cd /var/lib/hoshu/pre && sha256sum $(ls | grep -xE "[0-9a-f]{64}") | grep -c $(sha256sum </srv/release | cut -d" " -f1)'),
    "1\n", 'which is there');

# before it: nothing can even be claimed, or kept, there
$c->on('real2', 'rm -f /var/tmp/filler /etc/fills');
put_file("$dir/said", '');
$chg = $c->submit(files(''));
$c->real('fill', 'real1');
$status = $c->run_to_end($chg);
$said = slurp("$dir/said");
isnt($status, 0, 'full before the change: no success') or diag($said);
like($said, qr/No space left|could not be written; df says: .* 100% /, 'and it says why') or diag($said);
my $full = $c->on('real1', $sum);
$c->real('unfill', 'real1');
is($full, $before{real1}, 'real1 is as it was');
is($c->on('real2', $sum), $before{real2}, 'real2 is as it was');
note("full before: ended with $status");

# and with room again the same plan goes through
put_file("$dir/said", '');
$chg = $c->submit(files(''));
$status = $c->run_to_end($chg);
is($status, 0, 'with room again it ends well') or diag(slurp("$dir/said"), $c->hoshu('show', $chg));
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
