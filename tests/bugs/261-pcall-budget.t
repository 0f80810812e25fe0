#!/usr/bin/perl
# A module that caught the error of its spent budget, level above level, and went on was ended by the watchdog alone,
# and took its worker with it. Now the module is left where it stands: its host says why, and the worker lives.
# covers: P11
use strict;
use warnings;
use lib 'tests';
use File::Path qw(make_path);
use Light;
use Test::More;

my $it = Light->up(2);
make_path("$it->{dir}/modules/goes_on");
$it->put('modules/goes_on/goes_on.lua', <<'LUA');
return {
  name = "goes_on", summary = "Catches whatever there is",
  params = { bad = { "bool", required = true, summary = "does it" } },
  probe = function(host, p)
    local function again()
      while true do pcall(again) end
    end
    if p.bad then again() end
    return { state = "fine" }
  end,
  apply = function(sh) sh:run{"true"} end,
  undo = function(sh) sh:run{"true"} end,
}
LUA
$it->put('plan.yml', <<'YML');
change: Goes on
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 2, unreachable: 2, excluded: 2 }
steps:
  - name: bad
    goes_on: { bad: true }
    when: host.name == "light1"
  - name: good
    goes_on: { bad: false }
YML
my ($status, $said) = $it->hoshu('preview', "$it->{dir}/plan.yml");
like($said, qr/its budget is spent/, 'the host says why') or diag($said);
unlike($said, qr/worker/, 'no worker ended') or diag($said);
unlike($said, qr/^.*light2.*(?:could not|budget)/m, 'and the other host was asked') or diag($said);
like($said, qr/1 could not be asked/, 'one host, and only one');
done_testing;
