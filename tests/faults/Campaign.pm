# What the fault campaigns share: a fleet and a project on it, steps that leave
# evidence on their host, and the truth: what the evidence says happened, held
# against what the journal and the exit status say. The evidence is written by
# the steps alone and never read by hoshu.
#
# A line of evidence: WHAT STEP DIRECTION XID UPTIME, WHAT one of begin (the
# script runs), state (its work is done), fail (it gives up), end (its last act).
package Campaign;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Path qw(remove_tree make_path);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(slurp put_file full);

my @ours;

sub full { $ENV{FULL} ? 1 : 0 }
sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> // '' }
sub put_file { my ($path, $text) = @_; open my $o, '>', $path or die "$path: $!"; print $o $text; close $o or die }

# --- place -------------------------------------------------------------------

# name, fleet => light|real, hosts => N. Skips the whole test where the fleet
# cannot be.
sub new {
    my ($class, %o) = @_;
    my $kind = $o{fleet} // 'light';
    my $why = `tests/fleet/$kind can`;
    if ($? >> 8 == 77) { chomp $why; plan(skip_all => $why) }
    my $dir = abs_path('.') . "/build/faults/$o{name}";
    my $self = bless { dir => $dir, kind => $kind, count => $o{hosts}, owner => $$,
        hoshu => abs_path($ENV{HOSHU} // './hoshu'), seed => $ENV{SEED} // int(time) }, $class;
    srand $self->{seed};
    $self->{fleet} = $kind eq 'light' ? $dir : "$dir-fleet";
    $self->{hosts} = [ map { "$kind$_" } 1 .. $o{hosts} ];
    push @ours, $self;
    $self->down;
    remove_tree($dir);
    make_path($dir);
    local $ENV{LIGHT_APART} = 1;
    system("timeout 600 tests/fleet/$kind up $o{hosts} $self->{fleet} >/dev/null 2>&1") == 0
        or BAIL_OUT("no $kind fleet");
    # where the evidence is, for the host and for us
    $self->{place} = $kind eq 'light' ? '' : '/var/tmp/faults';
    if ($kind eq 'real') { $self->on($_, 'mkdir -p -m 777 /var/tmp/faults') for @{ $self->{hosts} } }
    $self->project;
    return $self;
}
$SIG{$_} = sub { exit 1 } for qw(INT TERM);
END {
    my $rc = $?;
    for my $c (@ours) { if ($c->{owner} == $$) { $c->down; remove_tree($c->{dir}) if $rc == 0 } }
    $? = $rc;
}
sub down { my ($self) = @_; system "timeout 120 tests/fleet/$self->{kind} down $self->{fleet} >/dev/null 2>&1" }

# As root on a host of the real fleet, past network and sshd.
sub on { my ($self, $host, $command) = @_;
    my $q = $command =~ s/'/'\\''/gr;
    return scalar `timeout 60 tests/fleet/real shell $host '$q' $self->{fleet} 2>&1` }
sub real { my ($self, @verb) = @_; return system("timeout 120 tests/fleet/real @verb $self->{fleet} >/dev/null 2>&1") == 0 }

sub project {
    my ($self) = @_;
    my $dir = $self->{dir};
    make_path("$dir/files", "$dir/modules/mark");
    system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
    my $key = join ' ', (split ' ', slurp("$dir/key.pub"))[0, 1];
    put_file("$dir/approvers", "alice namespaces=\"approve\@hoshu\" $key\n");
    my $modules = abs_path('modules');
    my $inventory = $self->{kind} eq 'light' ? 'inventory.yml' : "$self->{fleet}/inventory.yml";
    put_file("$dir/hoshu.yml", <<"YML");
inventory: $inventory
store: store
approvals: solo
approvers: approvers
modules: [modules, $modules]
files: files
YML
    put_file("$dir/modules/mark/mark.lua", slurp('tests/faults/mark.lua'));
}

# --- changes -----------------------------------------------------------------

# One step of a plan: kind mark (a module: a probe, a derived undo), blind (a
# text without a probe, kept on the way back) or asked (a text with `unless`).
# sleep: seconds that its work takes; tail: for which it runs on when that is
# done. It fails where its host has a file fail-NAME.
sub step {
    my ($self, $name, $kind, $sleep, $tail) = @_;
    my $place = $self->{place};
    return "  - name: $name\n    mark: { name: $name, place: \"$place\", sleep: \"$sleep\", tail: \"$tail\" }\n" if $kind eq 'mark';
    my $d = $place eq '' ? '"$HOME"' : $place;
    my $text = "x=\${0##*/} x=\${x%.sh}; cd $d || exit 9; say() { read -r u _ </proc/uptime; echo \"\$1 $name apply \$x \$u\" >>evidence; }; "
        . "say begin; sleep $sleep; [ ! -e fail-$name ] || { say fail; exit 3; }; echo set >state-$name; say state; sleep $tail; say end";
    my $unless = $kind eq 'asked' ? "    unless: [sh, -c, 'test -e $d/state-$name']\n" : '';
    return "  - name: $name\n    shell: '$text'\n$unless    rollback: keep\n    because: a line in a file\n";
}

sub plan_text {
    my ($self, %o) = @_;
    my $waves = $o{waves} // '[ { hosts: 1 }, { hosts: rest } ]';
    my $limits = $o{limits} // '{ failed: 1, unreachable: 1 }';
    my $targets = $o{targets} // 'all';
    my $more = $o{more} // '';
    my @kinds = @{ $o{steps} // [qw(mark blind mark)] };
    my $n = 0;
    my $steps = join '', map { $n++; $self->step("s$n", $_, $o{sleep} // '0.02', $o{tail} // '0') } @kinds;
    if ($o{timeout}) { $steps =~ s/^(  - name: .*\n)/$1    timeout: $o{timeout}\n/mg }
    return "change: A fault campaign\nreason: to be broken\ntargets: $targets\nwaves: $waves\nlimits: $limits\n${more}steps:\n$steps";
}

sub hoshu { my ($self, @words) = @_;
    my $words = join ' ', map { "'" . s/'/'\\''/gr . "'" } @words;
    my $said = `LC_ALL=C.UTF-8 timeout 300 $self->{hoshu} -C $self->{dir} $words 2>&1`;
    return wantarray ? ($? >> 8, $said) : $said }

# Submitted and approved; its number.
sub submit {
    my ($self, $plan) = @_;
    put_file("$self->{dir}/plan.yml", $plan);
    my $said = $self->hoshu('submit', "$self->{dir}/plan.yml", '--as', 'alice');
    my ($chg) = $said =~ /^(CHG-\d+) submitted/m or BAIL_OUT("not submitted: $said");
    my ($rc, $why) = $self->hoshu('approve', $chg, '--as', 'alice', '--key', "$self->{dir}/key");
    BAIL_OUT("not approved: $why") if $rc;
    return $chg;
}

# The moment before the run, to come back to: the store, and hosts that hoshu
# never touched.
sub keep { my ($self) = @_; system "rm -rf $self->{dir}/store.kept; cp -a $self->{dir}/store $self->{dir}/store.kept" }
sub again {
    my ($self) = @_;
    my $dir = $self->{dir};
    system "rm -rf $dir/store && cp -a $dir/store.kept $dir/store";
    my @fail = $self->{kind} eq 'light' ? map { m{([^/]+)/(fail-[^/]+)\z} } glob "$dir/hosts/*/fail-*" : ();
    $self->fresh_hosts;
    while (my ($host, $name) = splice @fail, 0, 2) { put_file("$dir/hosts/$host/$name", '') }
}
sub fresh_hosts {
    my ($self) = @_;
    my $dir = $self->{dir};
    if ($self->{kind} eq 'light') {
        for my $host (@{ $self->{hosts} }) {
            my $home = "$dir/hosts/$host";
            system "rm -rf $home/.host $home/.local $home/evidence $home/state-* $home/fail-*";
        }
    } else {
        $self->on($_, 'rm -rf /var/tmp/faults/*') for @{ $self->{hosts} };
    }
}

# From now on that step fails there (undo-NAME: its way back).
sub let_fail {
    my ($self, $host, $name) = @_;
    if ($self->{kind} eq 'light') { put_file("$self->{dir}/hosts/$host/fail-$name", '') }
    else { $self->on($host, "touch /var/tmp/faults/fail-$name") }
}

# Starts `hoshu run` in a process group of its own; its pid. env: added.
sub start {
    my ($self, $chg, %env) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        setpgrp;
        $ENV{LC_ALL} = 'C.UTF-8';
        $ENV{$_} = $env{$_} for keys %env;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/said"; open STDERR, '>&', \*STDOUT;
        exec $self->{hoshu}, '-C', $self->{dir}, 'run', $chg;
    }
    return $pid;
}
# How a started run ended: its status, -SIGNAL, or -1000 when it took longer.
sub finish {
    my ($self, $pid, $seconds) = @_;
    my $until = time + ($seconds // 120);
    while (waitpid($pid, 1) == 0) {
        if (time > $until) { kill 9, $pid; waitpid $pid, 0; return -1000 }
        sleep 0.003;
    }
    return $? & 127 ? -($? & 127) : $? >> 8;
}
# To its end, however often a coordinator was killed before: the status that
# the change ended with.
sub run_to_end {
    my ($self, $chg, $seconds) = @_;
    my $status = $self->finish($self->start($chg), $seconds);
    # killed right behind its last word: then the journal says how it ended
    return $self->ended($chg) // 5 if $status == 5;
    return $status;
}
sub journal {
    my ($self, $chg) = @_;
    return map { decode_json($_) } grep { /^\{/ }
        split /\n/, scalar `timeout 60 $self->{hoshu} -C $self->{dir} audit show $chg --json 2>/dev/null`;
}
sub ended { my ($self, $chg) = @_; my ($last) = grep { $_->{kind} eq 'run-ended' } $self->journal($chg);
    return $last ? $last->{body}{status} : undef }

# --- processes of a light host ----------------------------------------------

# What runs there now: (key, pid of its supervisor), or nothing.
sub running {
    my ($self, $host) = @_;
    my $home = "$self->{dir}/hosts/$host";
    for my $claim (glob("$home/.host/run/*"), glob("$home/.local/state/hoshu/*")) {
        my ($xid) = $claim =~ m{/([0-9a-f]{32})\z} or next;
        my ($pid) = slurp($claim) =~ /\Arun (\d+) \.\n\z/ or next;
        return ($xid, $pid) if -e "/proc/$pid" && slurp("/proc/$pid/comm") =~ /^(?:sh|dash|bash)$/;
    }
    return;
}
sub children { my ($pid) = @_; return map { split ' ', slurp($_) } glob "/proc/$pid/task/*/children" }
sub below { my ($pid) = @_; return map { ($_, below($_)) } children($pid) }
sub parent { my ($pid) = @_; return slurp("/proc/$pid/stat") =~ /\) \S (\d+)/ ? $1 : 0 }

# kill -9 of sshd (of the session), shell (that hoshu talks to), supervisor,
# step (what the supervisor waits for) or everything. How many times: 0 when it
# was gone already.
sub kill_on {
    my ($self, $host, $what, $supervisor) = @_;
    my $shell = parent($supervisor);
    my $sshd = parent($shell);
    # no parent any more: the connection it came by is gone
    my $alone = $shell <= 1 || slurp("/proc/$shell/comm") !~ /^(?:sh|dash|bash)$/ || slurp("/proc/$sshd/comm") !~ /^sshd/;
    my @step = children($supervisor);
    my %of = (
        sshd       => $alone ? [] : [$sshd],
        shell      => $alone ? [] : [$shell],
        supervisor => [$supervisor],
        step       => [ grep { defined } $step[0] ],
        everything => $alone ? [] : [ $sshd, $shell, $supervisor, below($supervisor) ],
    );
    return kill(9, @{ $of{$what} }) ? 1 : 0;
}

# --- truth -------------------------------------------------------------------

sub evidence {
    my ($self, $host) = @_;
    my $text = $self->{kind} eq 'light' ? slurp("$self->{dir}/hosts/$host/evidence")
        : $self->on($host, 'cat /var/tmp/faults/evidence 2>/dev/null');
    return map { [split ' '] } split /\n/, $text;
}
# Comes back when the first step of a real host has begun, as its evidence tells.
sub wait_for_begin {
    my ($self, $host) = @_;
    for (1 .. 3000) { return if slurp("$self->{fleet}/hosts/$host/root/var/tmp/faults/evidence") =~ /^begin s1/; sleep 0.01 }
}
sub state_of {
    my ($self, $host, $name) = @_;
    my $text = $self->{kind} eq 'light' ? slurp("$self->{dir}/hosts/$host/state-$name")
        : $self->on($host, "cat /var/tmp/faults/state-$name 2>/dev/null");
    chomp $text;
    return $text;
}

# All that is not as it was: a list of texts, empty when the journal tells the
# truth. unknown => how many steps may be unknown (none if left out); killed =>
# keys of scripts that were ended in the middle, so that no end is no wonder;
# rebooted => hosts were, which ends whatever ran.
sub lies {
    my ($self, $chg, $status, %o) = @_;
    my (@lies, %intent, %outcome, %what, $end);
    my %count = (unknown => 0, sealed => 0);
    my @records = $self->journal($chg);
    for my $r (@records) {
        my $xid = $r->{xid};
        if ($r->{kind} =~ /^(step|undo)-intent$/) {
            push @lies, "$r->{host} $xid: two intents" if $intent{$xid};
            $intent{$xid} = $r;
        } elsif ($xid ne '' && $r->{kind} =~ /^(step|undo)-(done|failed|unknown|sealed)$/) {
            # found undone by a probe: nothing was launched for it, and the key is the step's
            next if $r->{kind} eq 'undo-done' && $intent{$xid} && $intent{$xid}{kind} eq 'step-intent';
            push @lies, "$r->{host} $xid: outcome without intent" if !$intent{$xid};
            # unknown is no last word: what was asked again may be so still, or known
            push @lies, "$r->{host} $xid: two outcomes" if $outcome{$xid} && $outcome{$xid}{kind} !~ /-unknown$/;
            $outcome{$xid} = $r;
        }
        $end = $r if $r->{kind} eq 'run-ended';
    }
    push @lies, 'the change has not ended' if !$end;
    push @lies, "it ended with $end->{body}{status} and said $status" if $end && $end->{body}{status} != $status;
    my %ran;
    for my $host (@{ $self->{hosts} }) {
        my %seen;
        for my $line ($self->evidence($host)) {
            my ($word, $name, $way, $xid, $uptime) = @$line;
            push @lies, "$host: $name $way ran without an intent ($xid)" if !$intent{$xid};
            push @lies, "$host: $name $way ran twice under one key" if $word eq 'begin' && $what{$xid}{begin};
            $what{$xid}{$word} = $uptime;
            $ran{"$host $name $way"}{$xid} = 1 if $word eq 'begin';
        }
    }
    push @lies, "$_ ran under " . keys(%{ $ran{$_} }) . ' keys' for grep { keys %{ $ran{$_} } > 1 } sort keys %ran;
    for my $xid (sort keys %intent) {
        my ($i, $o, $t) = ($intent{$xid}, $outcome{$xid}, $what{$xid} // {});
        my $id = "$i->{host} $i->{body}{name} " . ($i->{kind} =~ /^undo/ ? 'undo' : 'apply');
        if (!$o) { push @lies, "$id: lost, no outcome" if $end; next }
        my ($said) = $o->{kind} =~ /-(\w+)$/;
        my $truth = join ' ', sort keys %$t;
        $count{$said}++;
        if ($said eq 'done') {
            push @lies, "$id: done, but: $truth" if !$t->{state} || $t->{fail};
            # /proc/uptime counts hundredths; the record's clock is CLOCK_BOOTTIME of the same kernel
            push @lies, "$id: done while its script ran on: $truth" if ($t->{begin} // '') ne '' && (!$t->{end} || $t->{end} * 1000 > $o->{mono_ms} + 15)
                && !$o{killed}{$xid} && !($o{rebooted} && ($o->{body}{why} // '') =~ /lost/);
        } elsif ($said eq 'failed') {
            push @lies, "$id: failed, but: $truth" if $t->{end} && !$t->{fail};
        } elsif ($said eq 'sealed') {
            push @lies, "$id: never ran, but: $truth" if $t->{begin};
        }
    }
    push @lies, "$count{unknown} steps are unknown" if $count{unknown} > ($o{unknown} // 0);
    push @lies, $self->end_lies($status, \%count);
    $self->{told} = \%count;
    return @lies;
}

# The exit status against the hosts as they are.
sub end_lies {
    my ($self, $status, $count) = @_;
    my @lies;
    for my $host (@{ $self->{hosts} }) {
        for my $name (@{ $self->{steps} // [qw(s1 s2 s3)] }) {
            my $state = $self->state_of($host, $name);
            push @lies, "$host: exit status 0, but $name is '$state'" if $status == 0 && $state ne 'set';
            push @lies, "$host: exit status 7, but $name is '$state'" if $status == 7 && $state ne '' && !($self->{kept} // {})->{$name};
        }
    }
    push @lies, "exit status $status, but $count->{unknown} steps are unknown" if $count->{unknown} && ($status == 0 || $status == 6);
    return @lies;
}

1;
