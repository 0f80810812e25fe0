#!/usr/bin/perl
# Going back needed room for a copy of what it put back, so that a disk that a step had filled kept the change
# half-way. Now the kept file itself goes back, by a link. Here the spool's disk is a small one of its own.
# covers: P5
use strict;
use warnings;
use lib 'tests';
use File::Path qw(make_path);
use Light;
use Test::More;

my $it = Light->up(1);
my $disk = "$it->{fleet}/hosts/light1/.host/lib";
make_path($disk, { mode => 0700 });
chmod 0700, "$it->{fleet}/hosts/light1/.host", $disk;
system("mount -t tmpfs -o size=400k,mode=700 none $disk 2>/dev/null") == 0 or plan(skip_all => 'no tmpfs can be mounted here');
my $pid = $$;
END { system "umount -l $disk 2>/dev/null" if $disk && $pid && $$ == $pid }

my $old = "what was there before\n" x 7000;
$it->put('fleet/hosts/light1/.host/lib/app.conf', $old);
$it->put('plan.yml', <<'YML');
change: Fills its disk
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - file: { path: /var/lib/hoshu/app.conf, content: "new\n" }
  - name: Fills it
    shell: 'cat /var/lib/hoshu/app.conf; cat /dev/zero >/var/lib/hoshu/filler'
    rollback: keep
    because: a file more
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
like($said, qr/Fills it: FAILED/, 'the step filled the disk');
my $full = `df -P $disk`;
like($full, qr/ 100% /, 'it is full still');
is($status, 7, 'taken back, on a full disk') or diag($said);
ok(($it->look('light1', '.host/lib/app.conf') // '') eq $old, 'what was there before is there');
done_testing;
