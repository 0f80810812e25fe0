#!/usr/bin/perl
# A host on which somebody did the change's work by hand between approval and
# run counted as unchanged: no handler was owed, so a service could stay on the
# old files under a change that said done. Any difference is drift.
# covers: P2
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
my $dir = tempdir(CLEANUP => 1);
my $fleet = "$dir/fleet";
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('plan.yml', <<'YML');
change: One file
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { excluded: 2 }
handlers:
  told: { shell: 'echo told >"$HOME/told"' }
steps:
  - file: { path: "${{ facts.home }}/one", content: one }
    notify: told
YML
my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT('not submitted');
is(system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null"), 0, 'approved');
open my $o, '>', "$fleet/hosts/light2/one" or die;
print $o 'one';
close $o;
my $said = `LC_ALL=C $hoshu -C $dir run $chg 2>&1`;
is($? >> 8, 9, 'finished with a host left over') or diag($said);
like($said, qr/light2 +EXCLUDED, not touched: .*drift/, 'the host is held and named');
ok(-e "$fleet/hosts/light1/told", 'the other host has the file and its handler');
ok(!-e "$fleet/hosts/light2/told", 'nothing was done on the one that differs');
done_testing();
