#!/usr/bin/perl
# What steps printed stayed in the spool for ever: after some ten thousand steps
# its 64 MiB were full, and every step that printed anything failed with no
# reason. Old outputs go when there are many; fresh ones and claims stay.
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
my $dir = tempdir(CLEANUP => 1);
my $fleet = "$dir/fleet";
$ENV{LIGHT_APART} = 1;
system("tests/fleet/light up 1 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die "$name: $!"; print $o $text; close $o }

# as root each host has a spool of its own below its home, otherwise always
my $home = "$fleet/hosts/light1";
my $spool = -d "$fleet/home" ? "$home/.host/run" : "$home/.local/state/hoshu";
plan skip_all => 'hosts share one spool here: root without mount namespaces' if $> == 0 && !-d "$fleet/home";

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
sub change {
    my ($word) = @_;
    put('plan.yml', <<"YML");
change: Say $word
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - shell: 'echo $word'
    rollback: keep
    because: a test
YML
    my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
    system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null") == 0 or BAIL_OUT('not approved');
    my $said = `LC_ALL=C $hoshu -C $dir run $chg 2>&1`;
    is($? >> 8, 0, "$word: done") or diag($said);
}

change('one');
my @claims = grep { /\/[0-9a-f]{32}$/ } glob "$spool/*";
cmp_ok(scalar @claims, '>', 0, 'the first left its claim') or diag(`find $home`);
my $old = time - 7200;
for my $n (1 .. 2500) {
    my $file = sprintf '%s/out/%032x.1', $spool, $n;
    open my $o, '>', $file or die "$file: $!";
    print $o "old\n";
    close $o;
    utime $old, $old, $file;
}
change('two');
my @left = glob "$spool/out/*";
cmp_ok(scalar @left, '<', 20, 'old outputs are gone');
cmp_ok(scalar @left, '>', 1, 'fresh ones are not');
ok(-e $_, 'the claim stays') for $claims[0];
done_testing();
