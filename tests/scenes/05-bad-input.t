#!/usr/bin/perl
# Everything that a person, a host or a module can get wrong: a clear message,
# with a place where there is one, and an exit status of the table; no hang, no
# crash, no process left behind, and no host touched that must not be.
# covers: P2, P4, P8, P9, P11
use strict;
use warnings;
use Cwd qw(getcwd abs_path);
use Digest::MD5;
use File::Copy qw(copy);
use File::Find;
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(time);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) {
    chomp $why;
    plan skip_all => $why;
}

# ---- one program, one fleet, one project after the other ----

my $owner = $$;
$SIG{INT} = $SIG{TERM} = sub { exit 1 };    # END cleans up
my $root = getcwd;
my $scene = "$root/build/scene-bad/$$";    # two of us may run at once
my $fleet = "$scene/fleet";
my $mark = "HOSHU_SCENE_BAD=$$.";    # in every process that hoshu starts
my $here;                            # the project at hand
my $last = '';                       # what was said last, for diagnosis

for my $old (glob "$root/build/scene-bad/[0-9]*") {    # of one that was killed
    next if kill 0, $old =~ m{(\d+)[^/]*$};
    system("tests/fleet/light down $old/fleet >/dev/null 2>&1");
    remove_tree($old);
}
make_path("$scene/keys");
copy($ENV{HOSHU} // 'hoshu', "$scene/hoshu") or die "hoshu: $!";
chmod 0755, "$scene/hoshu";
$ENV{LIGHT_APART} = 1;
system("tests/fleet/light up 3 $fleet >&2") == 0 or die 'no fleet';
END {
    if ($$ == $owner) {
        my $status = $?;
        system("tests/fleet/light down $fleet >/dev/null 2>&1");
        remove_tree($scene);
        rmdir "$root/build/scene-bad";
        $? = $status;
    }
}

sub spit {
    my ($file, $text) = @_;
    my ($folder) = $file =~ m{^(.*)/};
    make_path($folder);
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
}

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return scalar(<$in>) // '';
}

# A TCP port that takes connections and never says a word.
my $silent = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1')
    or die "no port: $!";
my $silent_port = $silent->sockport;
my $port = slurp("$fleet/port") + 0;
my $host_key = join ' ', (split ' ', slurp("$fleet/host_key.pub"))[0, 1];

my $approvers = '';
for my $who (qw(alice bob carol mallory)) {
    system("ssh-keygen -q -t ed25519 -N '' -C $who -f $scene/keys/$who") == 0
        or die 'ssh-keygen';
    my $key = join ' ', (split ' ', slurp("$scene/keys/$who.pub"))[0, 1];
    $approvers .= "$who namespaces=\"approve\@hoshu,reject\@hoshu\" $key\n"
        if $who ne 'mallory';
}
my $other_key = join ' ', (split ' ', slurp("$scene/keys/mallory.pub"))[0, 1];

sub ssh_config {
    my (%changed) = @_;
    my $text = '';
    my %host = (
        light1 => "HostName 127.1.0.1\n",
        light2 => "HostName 127.1.0.2\n",
        light3 => "HostName 127.1.0.3\n",
        dark1 => "HostName 127.1.255.1\nPort 1\n",
        hangs => "HostName 127.0.0.1\nPort $silent_port\nConnectTimeout 1\n",
        changed => "HostName 127.1.0.1\nUserKnownHostsFile $here/known_changed\n",
        unknown => "HostName 127.1.0.1\nUserKnownHostsFile $here/known_none\n",
        refuses => "HostName 127.1.0.1\nIdentityFile $scene/keys/mallory\n",
        %changed,
    );
    $text .= "Host $_\n$host{$_}" for sort keys %host;
    return $text . <<"END";
Host *
Port $port
User @{[scalar getpwuid $<]}
IdentityFile $fleet/user_key
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile $here/known_hosts
GlobalKnownHostsFile /dev/null
ConnectTimeout 10
END
}

# A project of its own for each part: files by name, over a sound default.
my $projects = 0;
sub project {
    my ($name, %files) = @_;
    $here = "$scene/" . sprintf('%02d-%s', ++$projects, $name);
    my %all = (
        'hoshu.yml' => "inventory: hosts.yml\napprovers: approvers\n"
            . "modules: [modules, $root/modules]\n",
        'hosts.yml' => <<'END',
ssh_config: ssh_config
groups:
  web: { hosts: [light1, light2] }
  db: { hosts: [light3] }
  shop: { groups: [web, db] }
hosts: { light1: , light2: , light3: , dark1: , hangs: , changed: , unknown: , refuses: }
END
        'approvers' => $approvers,
        'ssh_config' => ssh_config(),
        'known_hosts' => join('',
            map { "$_ $host_key\n" }
                (map { "[127.1.0.$_]:$port" } 1 .. 3),
            '[127.1.255.1]:1', "[127.0.0.1]:$silent_port"),
        'known_changed' => "[127.1.0.1]:$port $other_key\n",
        'known_none' => '',
        'files/here' => "here\n",
        %files,
    );
    for my $file (sort keys %all) {
        spit("$here/$file", $all{$file}) if defined $all{$file};
    }
    make_path("$here/modules");
}

sub plan_text {
    my ($targets, $steps, $more) = @_;
    return "change: A change\nreason: a scene\ntargets: $targets\n"
        . "waves:\n  - { hosts: 1 }\n  - { hosts: rest }\n"
        . ($more // '') . "steps:\n$steps";
}

# The file that the sound plans write, in a host's own home.
sub motd {
    my ($content) = @_;
    return "  - name: Greeting\n"
        . "    file: { path: \"\${{ facts.home }}/motd\", content: \"$content\\n\" }\n";
}

sub module {
    my ($name, $probe, $top) = @_;
    spit("$here/modules/$name/$name.lua", ($top // '') . <<"END");
return {
  name = "$name", summary = "a bad one", params = { x = { "string" } },
  probe = function(host, p)
    $probe
  end,
  apply = function(sh, want, seen) end,
  undo = function(sh, seen, want) end,
}
END
    spit("$here/$name.yml", plan_text('web', "  - $name: { x: y }\n"));
}

# ---- hoshu, its end, and what it leaves behind ----

# Start it: pid and the end of a pipe with all that it says.
sub hoshu_start {
    my (@args) = @_;
    pipe(my $from, my $to) or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        chdir $here or die "$here: $!";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $to;
        open STDERR, '>&', $to;
        delete @ENV{qw(HOSHU_PERSON SSH_AUTH_SOCK)};
        $ENV{LC_ALL} = 'C';
        $ENV{HOSHU_SCENE_BAD} = "$owner.";
        exec "$scene/hoshu", @args or die "hoshu: $!";
    }
    close $to;
    return ($pid, $from);
}

# Its exit status, or a word for what must not be.
sub hoshu_end {
    my ($pid, $from, $within) = @_;
    my $until = time + $within;
    my ($text, $bits) = ('', '');
    vec($bits, fileno $from, 1) = 1;
    while (1) {
        my $left = $until - time;
        if ($left <= 0 || !select(my $ready = $bits, undef, undef, $left)) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
            return ('hang', $text);
        }
        last unless sysread $from, $text, 65536, length $text;
    }
    waitpid $pid, 0;
    return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $text);
}

sub hoshu {
    my (@args) = @_;
    my $begun = time;
    my ($status, $text) = hoshu_end(hoshu_start(@args), 20);
    $last = sprintf "\$ hoshu %s\n%s(status %s, %.2f s)", "@args", $text, $status, time - $begun;
    diag($last) if $ENV{SCENE_SHOW};
    return ($status, $text);
}

# Everything below the hosts' homes, their spools among it: name, mode, time
# and content.
sub touched {
    my @all;
    find({ no_chdir => 1, wanted => sub {
        my @s = lstat;
        my $md5 = -f _ ? Digest::MD5::md5_hex(slurp($_)) : '';
        push @all, join ' ', $_, @s[2, 4, 5, 7, 9], $md5;
    } }, "$fleet/hosts");
    return join "\n", sort @all;
}

# Processes that hoshu started and that are still there.
sub left_behind {
    my @left;
    for my $folder (glob '/proc/[0-9]*') {
        my $exe = readlink("$folder/exe") // '';
        my $state = slurp("$folder/stat") =~ /\) (.)/ ? $1 : 'Z';
        next if $state eq 'Z';
        push @left, "$folder $exe"
            if $exe =~ /^\Q$scene\E\/hoshu/
            || slurp("$folder/environ") =~ /\Q$mark\E/;
    }
    return join ', ', @left;
}

# One case: status, what is said, and nothing touched.
sub refused {
    my ($name, $status, $said, @args) = @_;
    my $before = touched();
    my ($got, $text) = hoshu(@args);
    subtest $name => sub {
        is($got, $status, 'exit status') or diag($last);
        like($text, $said, 'message') or diag($last);
        unlike($text, qr/AddressSanitizer|runtime error|bug:|\(null\)| -\d+ of /, 'no fault');
        is(left_behind(), '', 'no process is left');
        is(touched(), $before, 'no host is touched');
    };
    return $text;
}

# Submitted, and approved by those.
sub submitted {
    my ($plan, @by) = @_;
    my ($status, $text) = hoshu('submit', $plan, '--as', 'carol');
    my ($change) = $text =~ /^(CHG-\d+) submitted/m;
    ok($status eq '0' && defined $change, "$plan is submitted") or diag($last);
    for my $who (@by) {
        ($status) = hoshu('approve', $change, '--as', $who, '--key',
            "$scene/keys/$who");
        is($status, 0, "$who approves") or diag($last);
    }
    return $change;
}

# The spools are there before anything is compared.
system("ssh -T -F $fleet/ssh_config light$_ true </dev/null") for 1 .. 3;

# ---- words on the command line ----

project('words', 'good.yml' => plan_text('web', motd('hello')));
refused('no such command', 2, qr/unknown command 'reveiw' \(did you mean 'preview'\?\)/, 'reveiw');
refused('no such option', 2, qr/check: unknown option --sett \(did you mean --set\?\)/, qw(check good.yml --sett a=b));
refused('a word too few', 2, qr/check: wants PLAN/, 'check');
refused('a word too many', 2, qr/check: wants PLAN/, qw(check good.yml good.yml));
refused('an option without its value', 2, qr/approve: --key wants FILE/, qw(approve CHG-0001 --key));
refused('an input that is none', 2, qr/the plan has no such input/, qw(check good.yml --set a=b));
refused('no such plan', 3, qr/^hoshu: nothere\.yml: there is no such plan$/m, qw(check nothere.yml));
refused('a folder for a plan', 3, qr/^hoshu: modules: /m, qw(check modules));
refused('no such project', 3, qr/no hoshu\.yml in .* or above; .*`hoshu init`/, qw(list -C /));

# ---- a wrong plan ----

project('plan');
my $good = plan_text('web', motd('hello'));
my %wrong = (
    'a key that is none' => ["tragets: web\n$good",
        qr/^hoshu: plan\.yml:1:1: plan: unknown key 'tragets' \(did you mean 'targets'\?\)/],
    'a wrong type' => [$good =~ s/waves:\n/waves: two\nx:\n/r, qr/:4:8: plan: 'waves' must be a list, here it is a text/],
    'a missing key' => [$good =~ s/reason: .*\n//r, qr/:1:1: plan: .*'reason'/],
    'a module that is none' => [plan_text('web', "  - fiel: { path: /tmp/x }\n"),
        qr/8:5: there is no module 'fiel' \(did you mean 'file'\?\)/],
    'a param that is none' => [plan_text('web', "  - file: { pth: /tmp/x, content: a }\n"),
        qr/8:13: .*'pth' \(did you mean 'path'\?\)/],
    'a duration without unit' => [plan_text('web', "  - run: [a]\n    rollback: keep\n    because: b\n    timeout: 90\n"),
        qr/11:14: /],
    'an unknown expression' => [plan_text('web', "  - file: { path: /tmp/x, content: \"\${{ vars. }}\" }\n"),
        qr/^hoshu: \S+?:8:\d+: /m],
    'a file that is not there' => [plan_text('web', "  - file: { path: /tmp/x, source: gone }\n"),
        qr/8:35: file: source: 'gone' cannot be read .*No such file/],
    'a file outside files/' => [plan_text('web', "  - file: { path: /tmp/x, source: ../hosts.yml }\n"),
        qr/8:35: file: source: /],
    'an empty file' => ['', qr/plan\.yml:1:1: plan must be a map of keys, here it is nothing/],
    'no YAML' => ["\0\1\2\377", qr/plan\.yml:/],
    'an alias' => ["x: &a 1\ny: *a\n", qr/1:4: /],
    'a depth of ten thousand' => ['[' x 10000, qr/plan\.yml:1:\d+: /],
    'two megabytes' => ["# long\n" x 300_000, qr/plan\.yml: .*larger than/],
    'an escape for the terminal' => ["change: \"a\e[31m\"\n", qr/plan\.yml:/],
    (map { ("$_, which is not built yet" => ["$_: { a: b }\n$good", qr/plan\.yml:1:1: (plan: )?$_: not built yet/]) }
        qw(window secrets)),
    'secrets of a step, which is not built yet' => ["$good    secrets: x\n", qr/plan\.yml:10:5: step 1: secrets: not built yet/],
    'ask of a step' => ["$good    ask: x\n", qr/plan\.yml:10:10: ask: .*before the first host of a phase/],
    'later of a step' => ["$good    later: x\n", qr/plan\.yml:10:5: later: is said of the whole plan/],
    'later of a plan that is no emergency' => ["later: 7d\n$good", qr/plan\.yml:1:1: later: is for risk: emergency only/],
);
for my $case (sort keys %wrong) {
    my ($text, $said) = @{ $wrong{$case} };
    spit("$here/plan.yml", $text);
    my $told = refused("a plan with $case", 3, $said, qw(check plan.yml));
    unlike($told, qr/\e/, '... no escape is let through') if $case =~ /terminal/;
}
spit("$here/plan.yml", plan_text('web', motd('${{ inputs.nope }}')));
refused('what only a host can find wrong', 6,
    qr/2 hosts: light1 light2\n  could not be asked: plan\.yml:8:5: step \"Greeting\", module file: .*inputs has no 'nope'/, qw(preview plan.yml));

# ---- targets: never all of them, never none (P8) ----

my %target = (
    wbe => qr/3:10: no host or group is named 'wbe' \(did you mean 'web'\?\)/,
    'web & db' => qr/3:10: 'web & db' matches no host/,
    'light1 | (web & db)' => qr/3:20: 'web & db' matches no host/,
    'web | dbx' => qr/3:16: no host or group is named 'dbx'/,
    '~^none' => qr/3:10: /,
    'web & !web' => qr/3:10: 'web & !web' matches no host/,
    'web &' => qr/3:1\d: /,
    '!web & *' => qr/3:\d+: /,
);
for my $case (sort keys %target) {
    spit("$here/plan.yml", plan_text("'$case'", motd('x')));
    refused("the target $case", 3, $target{$case}, qw(preview plan.yml));
}
spit("$here/plan.yml", plan_text('""', motd('x')));
refused('an empty target', 3, qr/3:10: /, qw(submit plan.yml));

# ---- a wrong project ----

my %yml = (
    'an unknown key' => ["approvers: approvers\ninvntory: x\n",
        qr{/hoshu\.yml:2:1: hoshu\.yml: unknown key 'invntory' \(did you mean 'inventory'\?\)}],
    'no approvals' => ["approvals: 0\n", qr{/hoshu\.yml:1:12: .*from 1 to 20, or solo}],
    'a wrong type' => ["workers: many\n", qr{/hoshu\.yml:1:10: }],
    'policy, which is not built yet' => ["policy: x\n", qr{/hoshu\.yml:1:1: hoshu\.yml: policy: not built yet}],
    'a folder that is not there' => ["modules: [nowhere]\n", qr{/hoshu\.yml:1:11: .*there is no folder .*nowhere}],
    'an inventory that is not there' => ["inventory: gone.yml\n", qr{/gone\.yml: there is no such inventory; .*inventory: in hoshu\.yml}],
    'no YAML' => ["a: [\n", qr{/hoshu\.yml:}],
);
for my $case (sort keys %yml) {
    project('yml', 'plan.yml' => $good, 'hoshu.yml' => $yml{$case}[0]);
    refused("hoshu.yml with $case", 3, $yml{$case}[1], qw(check plan.yml));
}

my %inventory = (
    'an unknown key' => ["host: { a: }\n", qr{/hosts\.yml:1:1: the inventory: unknown key 'host' \(did you mean 'hosts'\?\)}],
    'no host' => ["groups: { web: { hosts: [] } }\n", qr{/hosts\.yml:}],
    'an unknown group' => ["groups: { shop: { groups: [wbe] }, web: { hosts: [a] } }\n",
        qr{/hosts\.yml:1:28: .*wbe}],
    'groups in a circle' => ["groups: { a: { groups: [b] }, b: { groups: [a] } }\nhosts: { h: }\n",
        qr{/hosts\.yml:1:}],
    'groups that disagree' => ["groups: { a: { hosts: [h], vars: { x: 1 } }, b: { hosts: [h], vars: { x: 2 } } }\n",
        qr{/hosts\.yml:1:}],
    'a port that is none' => ["hosts: { h: { port: 99999 } }\n", qr{/hosts\.yml:1:21: }],
    'a host twice' => ["hosts: { h: , h: }\n", qr{/hosts\.yml:1:15: }],
);
for my $case (sort keys %inventory) {
    project('inventory', 'plan.yml' => $good, 'hosts.yml' => $inventory{$case}[0]);
    refused("an inventory with $case", 3, $inventory{$case}[1], qw(check plan.yml));
}
project('ssh-config', 'plan.yml' => $good, 'ssh_config' => undef);
is((hoshu(qw(check plan.yml)))[0], 0, 'check needs no ssh_config: it reaches no host') or diag($last);
refused('no ssh_config', 3, qr{/hosts\.yml:1:13: ssh_config: there is no file '.*/ssh_config', so no host can be reached},
    qw(preview plan.yml));
spit("$here/ssh_config", "Prot 22\n");
refused('a wrong ssh_config', 3, qr{host light1: ssh does not accept its settings: .*ssh_config.* line 1}, qw(preview plan.yml));
project('no-keys', 'plan.yml' => $good, 'approvers' => undef);
my $change = submitted('plan.yml');
refused('no file of approvers', 4, qr{approvers}, 'approve', $change, '--as', 'alice', '--key', "$scene/keys/alice");

# ---- modules ----

project('modules');
module('broken', 'return { state = {}');
refused('a module with a syntax error', 3, qr{modules/broken/broken\.lua:5: }, qw(preview broken.yml));
refused('... and in the list of modules', 3, qr{(?=.*^hoshu: \S+modules/broken/broken\.lua:5: ).*^service  }ms, 'modules');
my %module = (
    # left where it stands, which may be one instruction before the line
    loops => ['while true do end', qr/loops\.lua:[34]: step "loops y": it runs too long/],
    catches => ['while true do pcall(function() while true do end end) end', qr/catches\.lua:4: .*it runs too long/],
    patterns => ['return { state = { x = ("a"):rep(99999):find(("a-"):rep(30) .. "b") } }', qr/patterns\.lua:4: .*it runs too long/],
    eats => ['local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end', qr/more memory than a module may have/],
    dives => ['local function f(n) return f(n + 1) + 1 end return { state = { n = f(1) } }', qr/more memory|stack overflow|runs too long/],
    crashes => ["local t = nil\n    return { state = t.x }", qr/crashes\.lua:5: step "crashes y": attempt to index a nil value/],
    says => ['error("the \27[31mred\n2nd")', qr/says\.lua:4: step "says y": the \\x1b\[31mred\\n2nd/],
    nothing => ['return nil', qr/probe must return \{ state = /],
    circles => ['local t = {} t.t = t return { state = t }', qr/state is deeper than/],
    huge => ['return { state = { x = ("x"):rep(100000) } }', qr/the state has more than 65536 bytes/],
    reaches => ['os.execute("touch /tmp/reached")', qr/reaches\.lua:4: .*there is no 'os' here/],
);
for my $name (sort keys %module) {
    module($name, $module{$name}[0]);
    my $told = refused("a module that $name", 6, $module{$name}[1], 'preview', "$name.yml");
    unlike($told, qr/\e/, '... no escape is let through') if $name eq 'says';
}
ok(!-e '/tmp/reached', 'a module reaches nothing of this machine');
module('toploops', 'return { state = {} }', 'while true do end ');
refused('a module that loops when it is loaded', 3, qr{toploops/toploops\.lua:1: it runs too long}, qw(check toploops.yml));
module('writes', 'return { state = { rc = host:ask { script = "echo x >$HOME/written" }.rc } }');
refused('a module that writes when it is asked', 0, qr/enforced by every host's kernel|NOT enforced/, qw(preview writes.yml));
spit("$here/modules/long/long.lua", '--' . 'x' x 2_000_000);
spit("$here/long.yml", plan_text('web', "  - long: { x: y }\n"));
refused('a module of two megabytes', 3, qr{long\.lua: .*larger than}, qw(check long.yml));
refused('a change with a module that loops is not submitted', 5,
    qr/not submitted: light1 could not be previewed: loops\.lua:[34]: /, qw(submit loops.yml));

# ---- hosts that cannot be trusted, reached or talked to ----

my %host = (
    dark1 => qr/cannot connect to 127\.1\.255\.1 port 1: Connection refused/,
    hangs => qr/hangs did not get through the handshake within 1000 ms; .*ConnectTimeout/,
    changed => qr{known_changed:1: host changed: the host key of \[127\.1\.0\.1\]:$port has CHANGED.*ssh-keygen -R},
    unknown => qr{host unknown: no host key is known.*ssh-keyscan -p $port 127\.1\.0\.1 >> \S*known_none},
    refuses => qr{refuses does not let \S+ in with the key ssh-ed25519 SHA256:.*ssh-copy-id -p $port},
);
project('hosts');
for my $host (sort keys %host) {
    spit("$here/plan.yml", plan_text("light1 | $host", motd('x')));
    my $told = refused("a host that is $host", 6, $host{$host}, qw(preview plan.yml));
    like($told, qr/1 host will change, 0 stay as they are, 1 could not be asked/, '... the other one answers');
}
spit("$here/plan.yml", plan_text(join(' | ', sort keys %host), motd('x')));
my $told = refused('none but such hosts', 5, qr/not submitted: .*Mend it, or leave it out: targets: \(/s, qw(submit plan.yml));
unlike($told, qr/enforced/, '... nothing is said of how nobody was asked');


# ---- a change and its approvals ----

sub motds {
    return join ' ', map { my $text = slurp("$fleet/hosts/light$_/motd"); chomp $text; $text || '-' } 1 .. 3;
}

project('approvals', 'plan.yml' => plan_text('shop', motd('approved')));
refused('no change yet', 2, qr/there is no CHG-0001/, qw(run CHG-0001));
$change = submitted('plan.yml');
is($change, 'CHG-0001', 'the first change');
for my $command (qw(show approve reject run)) {
    refused("$command of a change that is none", 2, qr/there is no CHG-0099; `hoshu list`/, $command, 'CHG-0099');
    refused("$command of what is no change's number", 2, qr/'seven' is no change; they are named like CHG-0007/, $command, 'seven');
}
refused('run without approvals', 4, qr/CHG-0001.* 0 of .*2/s, 'run', $change);
refused('the submitter approves', 4, qr/carol submitted this change and cannot approve it/,
    'approve', $change, '--as', 'carol', '--key', "$scene/keys/carol");
refused('somebody unknown approves', 4, qr/mallory|allowed|no .*key/,
    'approve', $change, '--as', 'mallory', '--key', "$scene/keys/mallory");
refused("one with another's key", 4, qr{the key \S+/alice is alice's .*, not bob's; say --as alice},
    'approve', $change, '--as', 'bob', '--key', "$scene/keys/alice");
refused('a key that is not there', 2, qr{--key \S+/keys/nobody: there is no such file}, 'approve', $change, '--as', 'bob', '--key', "$scene/keys/nobody");
spit("$here/nokey", "no key\n");
refused('a key that is none', 4, qr{cannot sign with nokey}, 'approve', $change, '--as', 'bob', '--key', 'nokey');
refused('one approval of two', 0, qr/CHG-0001 has 1 of the 2 approvals/,
    'approve', $change, '--as', 'alice', '--key', "$scene/keys/alice");
refused('run with one of two', 4, qr/1 of (the )?2/, 'run', $change);
refused('the same person once more', 0, qr/1 of (the )?2/, 'approve', $change, '--as', 'alice', '--key', "$scene/keys/alice");
refused('run with one person twice', 4, qr/1 of (the )?2/, 'run', $change);

my $rejected = submitted('plan.yml', 'alice');
refused('bob rejects', 0, qr/reject/, 'reject', $rejected, '--as', 'bob', '--key', "$scene/keys/bob");
refused('run of a rejected change', 4, qr/CHG-0002 was rejected; `hoshu show CHG-0002`/, 'run', $rejected);
refused('approve of a rejected change', 5, qr/CHG-0002 is rejected; only a submitted change/, 'approve', $rejected, '--as', 'alice', '--key', "$scene/keys/alice");

# ---- what was approved is what runs (P2), once ----

project('frozen', 'plan.yml' => plan_text('shop',
    "  - mine: { x: y }\n  - file: { path: \"\${{ facts.home }}/motd\", source: here }\n"));
spit("$here/modules/mine/mine.lua", <<'END');
return {
  name = "mine", summary = "writes a word", params = { x = { "string" } },
  probe = function(host, p)
    return { state = { word = host:ask { script = "cat $HOME/word 2>/dev/null; :" }.out } }
  end,
  want = function(p) return { word = "approved\n" } end,
  apply = function(sh, want, seen) sh:text("echo approved >$HOME/word") end,
  undo = function(sh, seen, want) sh:text("rm -f $HOME/word") end,
}
END
$change = submitted('plan.yml', 'alice', 'bob');
spit("$here/plan.yml", plan_text('all', motd('not approved')));
spit("$here/files/here", "not approved\n");
spit("$here/modules/mine/mine.lua", slurp("$here/modules/mine/mine.lua") =~ s/approved/wrong/gr);
my ($status) = hoshu('run', $change);
is($status, 0, 'run, though plan, file and module were edited meanwhile') or diag($last);
is(motds(), 'here here here', '... the file that was approved');
is(join('', map { slurp("$fleet/hosts/light$_/word") } 1 .. 3), "approved\n" x 3, '... and the scripts');
is(left_behind(), '', '... no process is left');
refused('run once more', 5, qr/CHG-0001 has ended \(done\); submit the plan again/, 'run', $change);
unlink glob "$fleet/hosts/light*/word";

# ---- the world changed between preview and run ----

sub ready { # a plan that goes on without the hosts that are not as they were
    my ($content) = @_;
    project('changed', 'plan.yml' => plan_text('shop', motd($content),
        "limits: { failed: 2, unreachable: 2, excluded: 2 }\n"));
    return submitted('plan.yml', 'alice', 'bob');
}
sub one_left { # light2 stays as it was, the others have it
    my ($name, $said, $content, $light2) = @_;
    ($status, my $text) = hoshu('run', $change);
    is($status, 9, "$name: finished with a host left over") or diag($last);
    like($text, $said, '... and says why') or diag($last);
    is(motds(), "$content $light2 $content", '... it is not touched');
    is(left_behind(), '', '... no process is left');
}

$change = ready('two');
spit("$fleet/hosts/light2/motd", "by hand\n");
one_left('drift', qr/light2 +EXCLUDED, not touched: .*(drift|Greeting)/, 'two', 'by hand');

$change = ready('three');
spit("$here/known_hosts", slurp("$here/known_hosts") =~ s/^(\[127\.1\.0\.2\]\S+) .*$/$1 $other_key/mr);
one_left('a changed host key', qr/light2 +UNREACHABLE, not touched: .*has CHANGED/, 'three', 'by hand');

$change = ready('four');
spit("$here/ssh_config", slurp("$here/ssh_config") =~ s/HostName 127\.1\.0\.2/$& \nConnectTimeout 1/r);
system("tests/fleet/light deny light2 $fleet");
one_left('a host that lets nobody in', qr/light2 +UNREACHABLE, not touched: /, 'four', 'by hand');
system("tests/fleet/light allow light2 $fleet");

$change = ready('five');
spit("$here/ssh_config", ssh_config(light2 => "HostName 127.1.0.1\n"));
refused('a name that stands for another address', 5,
    qr/light2: the change was approved for \S+\@127\.1\.0\.2:$port, but .* now say \S+\@127\.1\.0\.1:$port/, 'run', $change);

# ---- two at once ----

project('twice', 'plan.yml' => plan_text('light1', "  - name: Waits\n    shell: 'echo begun >\"\$HOME/said\"; read -r x <\"\$HOME/go\"'\n"
    . "    rollback: keep\n    because: it only waits\n") =~ s/  - \{ hosts: 1 \}\n//r);
system("mkfifo $fleet/hosts/light1/said $fleet/hosts/light1/go") == 0 or die 'mkfifo';
$change = submitted('plan.yml', 'alice', 'bob');
my ($pid, $from) = hoshu_start('run', $change);
my $begun = do {
    local $SIG{ALRM} = sub { die "the step never began\n" };
    alarm 20;
    my $word = slurp("$fleet/hosts/light1/said");
    alarm 0;
    $word;
};
is($begun, "begun\n", 'a change runs');
my ($second, $text) = hoshu('run', $change);
is($second, 5, 'it is not run a second time') or diag($last);
like($text, qr/CHG-0001 is being run by process $pid: `hoshu show CHG-0001`/, '... and says by whom');
is((hoshu('show', $change))[0], 0, '... show looks on') or diag($last);
is((hoshu('audit', 'verify'))[0], 0, '... and the journal holds meanwhile') or diag($last);
spit("$fleet/hosts/light1/go", "on\n");
($status, $text) = hoshu_end($pid, $from, 20);
is($status, 0, '... the first one ends well') or diag($text);
is(left_behind(), '', '... no process is left');

# ---- a tampered journal (P9) ----

# A copy of the store, edited as somebody with its file could.
sub tampered {
    my ($sql, $folder) = @_;
    remove_tree("$here/$folder");
    system("cp -r $here/.hoshu $here/$folder");
    my $edit = <<'END';
import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.executescript(sys.argv[2])
d.commit()
END
    system('python3', '-c', $edit, "$here/$folder/journal.db", $sql) == 0
        or fail("the copy could not be edited: $sql");
}

project('tampered', 'plan.yml' => plan_text('shop', motd('tampered')));
$change = submitted('plan.yml', 'alice', 'bob');
is((hoshu(qw(audit verify)))[0], 0, 'the journal as it is holds') or diag($last);
my %tamper = (
    'an actor' => ["update record set actor = 'mallory' where number = 0", 'record 0 was changed'],
    'a kind' => ["update record set kind = 'rejected' where number = 1", 'record 1 was changed'],
    'the bytes of a record' => ["update record set bytes = cast(replace(cast(bytes as text), 'alice', 'mally') as blob) where number = 1",
        'record 1 was changed'],
    'a record that is gone' => ['delete from record where number = 1', 'record 1'],
    'two records that changed places' => ['update record set number = 99 where number = 1; update record set number = 1 where number = 2; update record set number = 2 where number = 99',
        'record 1'],
    'a record that was put in' => ["insert into record select 3, change, epoch, host, step, attempt, xid, life, kind, actor, wall_ms, mono_ms, bytes, leaf from record where number = 2",
        'record 3'],
    'a stored file' => ["update blob set bytes = cast('echo owned' as blob) where number = 1", 'stored|blob|file|content'],
    'a root' => ['update head set root = zeroblob(32) where number = 1', 'record|head|root|transaction'],
);
for my $case (sort keys %tamper) {
    my ($sql, $said) = @{ $tamper{$case} };
    tampered($sql, 'copy');
    refused("$case: audit verify finds it", 6,
        qr/($said).*audit verify: \d+ faults?: the journal was changed after it was written/s, qw(audit verify --store copy));
}
# Whoever edits it to have a change run that was not approved does not succeed.
my %forged = (
    'every stored script' => ["update blob set bytes = cast(replace(cast(bytes as text), 'motd', 'mine') as blob) where cast(bytes as text) like '%motd%'",
        qr/blob [0-9a-f]{64} was changed by another hand/],
    'an approval that is gone' => ["update record set kind = 'refused' where number = 2", qr/record 2 was changed by another hand/],
    'the submitter' => ["update record set actor = 'alice' where number = 0", qr/record 0 was changed by another hand/],
);
spit("$here/hoshu.yml", slurp("$here/hoshu.yml") . "store: copy\n");
for my $case (sort keys %forged) {
    tampered($forged{$case}[0], 'copy');
    refused("$case: it does not run", 6, $forged{$case}[1], 'run', $change);
}

# ---- a store that cannot be written ----

project('store', 'plan.yml' => plan_text('shop', motd('stored')), 'file' => '');
for my $case (
    ['a store below a file', 'file/store', qr{/file: the folder cannot be made: Not a directory}],
    ['a store that is a file', 'file', qr{/file\b}],
    ['a store where nothing can be', '/proc/store', qr{/proc/store}],
) {
    spit("$here/hoshu.yml", slurp("$here/hoshu.yml") =~ s/^store:.*\n//mr . "store: $case->[1]\n");
    refused($case->[0], 1, $case->[2], qw(submit plan.yml));
}
spit("$here/garbage/journal.db", 'garbage' x 10000);
spit("$here/hoshu.yml", slurp("$here/hoshu.yml") =~ s/^store:.*\n//mr . "store: garbage\n");
refused('a journal of garbage', 1, qr{garbage/journal\.db}, qw(list));
refused('... is not written to', 1, qr{garbage/journal\.db}, qw(submit plan.yml));
SKIP: {
    skip 'only root can mount a small disk', 3 if $< != 0;
    skip 'no mount namespace can be had here (a chroot?)', 3 if system('unshare -m true 2>/dev/null') != 0;
    project('full', 'plan.yml' => plan_text('shop', motd('full')));
    $change = submitted('plan.yml', 'alice', 'bob');
    rename "$here/.hoshu", "$here/store";
    make_path("$here/.hoshu");
    spit("$here/on-a-full-disk", <<"END");
set -e
mount -t tmpfs -o size=1m none .hoshu
cp -r store/. .hoshu
dd if=/dev/zero of=.hoshu/fill bs=4k 2>/dev/null || :
exec "$scene/hoshu" "\$\@"
END
    my $before = touched();
    my $out = `cd $here && timeout 20 unshare -m sh on-a-full-disk run $change 2>&1`;
    is($? >> 8, 1, 'a full disk: run fails') or diag($out);
    like($out, qr/journal|disk|full|space/i, '... and says why') or diag($out);
    is(touched(), $before, '... before any host is touched');
}
is(left_behind(), '', 'in the end no process is left');
done_testing();
