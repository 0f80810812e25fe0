#!/usr/bin/perl
# A module with several required params and no `subject` was titled after
# another of them from one process to the next, in the order in which Lua had
# its table: other script bytes, so that every host looked drifted.
# covers: P2
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
system("tests/fleet/light up 1 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die "$name: $!"; print $o $text; close $o }

make_path("$dir/modules/many");
my @params = qw(alpha bravo charlie delta echo foxtrot);
my $params = join ' ', map { "$_ = { \"string\", required = true, summary = \"s\" }," } @params;
put('modules/many/many.lua', <<"LUA");
return {
  name = "many", summary = "Several params", params = { $params },
  probe = function() return { state = {} } end,
  want = function() return { a = "b" } end,
  apply = function(sh) sh:run { "true" } end,
  undo = function(sh) sh:run { "true" } end,
}
LUA
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\nmodules: [modules, $modules]\n");
my $given = join ', ', map { "$_: of $_" } @params;
put('plan.yml', "change: c\nreason: r\ntargets: all\nwaves: [{ hosts: rest }]\nsteps:\n  - many: { $given }\n");
my %scripts;
for (1 .. 5) {
    my $json = `$hoshu -C $dir preview $dir/plan.yml --json 2>&1`;
    $scripts{$1}++ if $json =~ /"apply":"([0-9a-f]{64})"/;
}
is(scalar(keys %scripts), 1, 'one script') or diag(explain(\%scripts));
is((values %scripts)[0], 5, 'each time');
done_testing();
