#!/usr/bin/perl
# A module of several writes whose script fails, or is killed, after each of
# them in turn: every time the host is taken back, the half-done step first,
# to what it was byte for byte, and the change says reverted.
# covers: P5
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
my $writes = $ENV{FULL} ? 12 : 4;
my $dir = tempdir(CLEANUP => !$ENV{KEEP});
my $fleet = "$dir/fleet";
$ENV{LIGHT_APART} = 1;
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die "$name: $!"; print $o $text; close $o }

make_path("$dir/modules/writes");
put('modules/writes/writes.lua', <<'LUA');
-- Writes files 1 to n of a folder; ends as `how` says after the write `after`.
local PROBE = [[
i=1
while [ $i -le $2 ]; do
  if [ -f "$1/$i" ]; then
    d=$(sha256sum <"$1/$i") && stat -c "$i file %a %U %G ${d%% *}" -- "$1/$i" || exit
  else echo "$i absent"; fi
  i=$((i+1))
done
]]
return {
  name = "writes", summary = "Write several files one after the other",
  params = {
    folder = { "string", required = true, summary = "where" },
    n = { "int", required = true, summary = "how many" },
    after = { "int", required = true, summary = "the write after which it ends" },
    how = { "enum", "fails", "killed", default = "fails", summary = "how it ends" },
  },
  probe = function(host, p)
    local a = host:ask { script = PROBE, args = { p.folder, tostring(p.n) } }
    if a.rc ~= 0 then error(a.err) end
    local files = {}
    for line in a.out:gmatch("[^\n]+") do
      local i, mode, owner, group, sha256 = line:match("^(%d+) file (%d+) (%S+) (%S+) (%x+)$")
      i = i or line:match("^(%d+)")
      files["f" .. i] = mode and { kind = "file", mode = ("0000" .. mode):sub(-4), owner = owner,
        group = group, sha256 = sha256 } or { kind = "absent" }
    end
    return { state = { files = files } }
  end,
  want = function(p)
    local new = {}
    for i = 1, p.n do new["f" .. i] = digest("new " .. i .. "\n") end
    return { new = new }
  end,
  met = function(seen, want)
    for i, sha256 in pairs(want.new) do
      if seen.state.files[i].sha256 ~= sha256 then return false end
    end
    return true
  end,
  apply = function(sh, want, seen, p)
    for i = 1, p.n do
      local path, was = p.folder .. "/" .. i, seen.state.files["f" .. i]
      if was.kind == "file" then sh:keep(path, was.sha256) end
      sh:put(path, "new " .. i .. "\n", "0600")
      if i == p.after then
        -- what runs is a subshell of the host's shell, and this one of that
        sh:script(p.how == "killed"
          and "read -r me _ _ up _ </proc/self/stat; kill -KILL $up $me; sleep 9" or "exit 9")
      end
    end
  end,
  undo = function(sh, seen, want, p)
    for i = p.n, 1, -1 do
      sh:put_back(p.folder .. "/" .. i, seen.state.files["f" .. i])
    end
  end,
}
LUA
system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\n"
    . "modules: [modules, $modules]\n");

# Every other file is there before, with a mode and a time of its own.
my @homes = map { "$fleet/hosts/light$_" } 1, 2;
for my $home (@homes) {
    make_path("$home/w");
    for (my $i = 1; $i <= $writes; $i += 2) {
        open my $o, '>', "$home/w/$i" or die;
        print $o "old $i\n";
        close $o;
        chmod 0640, "$home/w/$i";
        utime 1e9, 1e9 + $i, "$home/w/$i";
    }
}
sub tree { join '', map { `cd $_ && find w -printf '%p %y %m %u %g %s ' \\( ! -type f -o -printf '%T\@' \\) -printf '\\n' | sort; cat w/* | sha256sum` } @homes }
my $before = tree();
isnt($before, '', 'there is something to compare');

my $wrong = 0;
for my $how (qw(fails killed)) {
    for my $after (1 .. $writes) {
        put('plan.yml', <<"YML");
change: After write $after it $how
reason: to be taken back
targets: all
waves: [{ hosts: rest }]
limits: { failed: 2 }
steps:
  - file: { path: "\${{ facts.home }}/w/first", content: first }
  - writes: { folder: "\${{ facts.home }}/w", n: $writes, after: $after, how: $how }
YML
        my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
        BAIL_OUT('not submitted') unless $chg;
        system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null") == 0 or BAIL_OUT('not approved');
        my $said = `LC_ALL=C timeout 120 $hoshu -C $dir run $chg 2>&1`;
        my $status = $? >> 8;
        if ($how eq 'killed' && $after == $writes && $status == 0) {
            # killed behind its last write: its probe says that it is met, so it is done, and taken back by asking
            $said = `LC_ALL=C timeout 120 $hoshu -C $dir rollback $chg --because test 2>&1`;
            $status = $? >> 8;
        }
        my $proved = () = $said =~ /reverted, proved back/g;
        next if $status == 7 && $proved == 2 && tree() eq $before;
        $wrong++;
        diag("write $after, $how: status $status, $proved proved back");
        diag($said);
        diag("before:\n$before\nnow:\n", tree());
    }
}
note(2 * $writes, ' ends on 2 hosts, ', $wrong, ' not taken back');
is($wrong, 0, 'taken back each time');
system "$hoshu -C $dir audit verify >$dir/verify 2>&1";
is($? >> 8, 0, 'the journal holds') or diag(`cat $dir/verify`);
done_testing();
