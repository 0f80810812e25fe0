#!/usr/bin/perl
# Hosts whose sudo asks for a password: it goes to the prompt that hoshu named
# and to nothing else, once a prompt and once in vain; it stands in no argument,
# environment, journal or message. The sudo is ours, so that it can go wrong.
# covers: P10 P11
use strict;
use warnings;
use lib 'tests';
use File::Find;
use Light;
use Test::More;

my $it = Light->up(3);
my $fleet = $it->{fleet};
my $word = q(pa"ss $w0rd's);
mkdir "$it->{dir}/bin";
# What it does stands in the host's sudo-mode; each answer to a prompt of its in sudo-log.
$it->put('bin/sudo', <<"PL");
#!/usr/bin/perl
use strict;
use warnings;
\$| = 1;
my (\@options, \$prompt, \$n);
while (defined(my \$o = shift)) { last if \$o eq '--'; \$n = 1 if \$o eq '-n'; \$prompt = shift if \$o eq '-p' }
open my \$in, '<', "\$ENV{HOME}/sudo-mode" or die "no mode";
chomp(my \$mode = <\$in>);
sub said { open my \$log, '>>', "\$ENV{HOME}/sudo-log" or die; print \$log "\$_[0]\\n" }
sub line { my (\$line, \$c) = ('', ''); \$line .= \$c while sysread(STDIN, \$c, 1) && \$c ne "\\n"; said(\$line) if \$line ne ''; return \$line }
sub watched { exec '/bin/sh', '-c', 'tee -a "\$HOME/stdin" | "\$\@"', 'sh', \@ARGV }
if (!defined \$prompt) { print STDERR "sudo: a password is required\\n"; exit 1 }
if (\$mode eq 'right' || \$mode eq 'wrong') {
    print STDERR "A lecture, first.\\n", \$prompt;
    for (1 .. 3) {
        my \$line = line();
        exit 1 if \$line eq '';
        exec \@ARGV if \$mode eq 'right' && \$line eq q(pa"ss \$w0rd's);
        print STDERR "Sorry, try again.\\n", \$prompt;
    }
    exit 1;
}
if (\$mode eq 'once') { print STDERR \$prompt; line(); print STDERR "\\nsudo: 1 incorrect password attempt\\n"; exit 1 }
if (\$mode eq 'silent') { watched() }
# a shell that prints what it runs
if (\$mode eq 'echoes') { print STDERR "+ sudo -k -S -p \$prompt"; select undef, undef, undef, 0.3; print STDERR " -- /bin/sh\\n"; watched() }
if (\$mode eq 'other') { print STDERR "[sudo] password for root: "; line(); exit 1 }
if (\$mode eq 'guesses') { print STDERR substr(\$prompt, 0, 31) . ((hex(substr \$prompt, 31) + 1) % 16); line(); exit 1 }
if (\$mode eq 'talks') { print STDERR 'x' x 65536 while 1 }
if (\$mode eq 'denies') { print STDERR \$prompt; line(); print STDERR "root is not in the sudoers file.\\n"; exit 1 }
die "mode \$mode";
PL
chmod 0755, "$it->{dir}/bin/sudo";
{
    open my $in, '<', "$fleet/enter" or die;
    local $/;
    my $enter = <$in>;
    $enter =~ s/^export HOME PWD HOSHU_LIGHT\n/${&}PATH=$it->{dir}\/bin:\$PATH\n/m or BAIL_OUT('another forced command');
    $it->put('fleet/enter', $enter);
    open $in, '<', "$fleet/ssh_config" or die;
    $it->put('fleet/ssh_config', "ConnectTimeout 4\n" . <$in>);
    open $in, '<', "$fleet/inventory.yml" or die;
    $it->put('fleet/inventory.yml', <$in> . "become: { method: sudo, password: { command: [sh, $it->{dir}/password] } }\n");
}
sub password { $it->put('password', "echo run >>$it->{dir}/runs\ncat $it->{dir}/word\n"); $it->put('word', "$_[0]\nother lines\n") }
sub modes { my $n = 0; for (@_) { $n++; $it->put("fleet/hosts/light$n/sudo-mode", "$_\n"); unlink map { "$fleet/hosts/light$n/$_" } qw(sudo-log stdin) } }
sub tries { return grep { defined } map { my $log = $it->look("light$_", 'sudo-log'); defined $log ? split /\n/, $log : undef } 1 .. 3 }
sub runs { open my $in, '<', "$it->{dir}/runs" or return 0; my @lines = <$in>; unlink "$it->{dir}/runs"; return scalar @lines }
my $all = '';
sub hoshu { my ($status, $said) = $it->hoshu(@_); $all .= $said; return ($status, $said) }

# --- as it should be ------------------------------------------------------------
password($word);
modes(qw(right right silent));
my $long = join '', map { "# a line that makes it long, number $_\n      " } 1 .. 500;
$it->put('plan.yml', <<"YML");
change: With a password
reason: a test
targets: fleet
waves: [ { hosts: rest, at_once: 3 } ]
limits: { failed: 3 }
rollback: { host_failed: hold, limit: hold }
steps:
  - name: Looks
    shell: 'for p in /proc/[0-9]*; do tr "\\0" "\\n" <\$p/cmdline; tr "\\0" "\\n" <\$p/environ; done 2>/dev/null | grep -cxF -f $it->{dir}/word || :'
    rollback: keep
    because: a test
  - name: Long
    shell: |
      $long
      echo long; head -n 1 $it->{dir}/word; exit 0
    rollback: keep
    because: a test
  - name: Late
    shell: 'sleep 60'
    timeout: 1s
    rollback: keep
    because: a test
YML
my $chg = $it->approved('plan.yml');
is(runs(), 1, 'the command was run once, for three hosts'); # of the submit; approving asks no host
my ($status, $said) = hoshu('run', $chg);
is($status, 6, 'it ran to its last step, which was stopped') or diag($said);
is(runs(), 1, 'and once for the run');
like($said, qr/light$_ +3 Late: FAILED: its deadline passed and it was stopped/, "light$_: stopping goes through sudo too") for 1 .. 3;
my @tries = tries();
cmp_ok(scalar @tries, '>=', 8, 'each sudo that asked was told');
is(scalar(grep { $_ ne $word } @tries), 0, 'the password, all of it, and nothing else');
unlike($it->look('light3', 'stdin'), qr/\Q$word\E/, 'a sudo that asks nothing is told nothing');
(undef, $said) = hoshu('show', $chg, '--output');
like($said, qr/--- stdout\nlong\n\*{13}\n/, 'what a step prints of it is masked') or diag($said);
is(scalar(() = $said =~ /^--- stdout\n0$/mg), 3, 'it is in no process\'s arguments and environment');

# --- as it should not -------------------------------------------------------------
$it->put('plan.yml', "change: Again\nreason: a test\ntargets: fleet\nwaves: [ { hosts: rest } ]\nsteps:\n"
    . "  - shell: 'true'\n    rollback: keep\n    because: a test\n");
sub preview { runs(); return hoshu('preview', "$it->{dir}/plan.yml") }
modes(qw(wrong wrong wrong));
($status, $said) = preview();
is($status, 6, 'a wrong password');
is(scalar(tries()), 1, 'is tried once, at one host') or diag(tries());
like($said, qr/sudo on (light\d) does not take the password of root: Sorry, try again\.; it was tried once/, 'which is said');
like($said, qr/sudo on light\d did not take this password, so it was tried nowhere else/, 'and why the others were not asked');
password('another');
modes(qw(right right right));
preview();
is(scalar(tries()), 1, 'the same where the command gives another');
password($word);
modes(qw(once denies right));
($status, $said) = preview();
cmp_ok(scalar(tries()), '<=', 3, 'one try a host at most');
modes(qw(right wrong right));
$it->put('word', "$word\n");
my %host;
for (1 .. 20) { # who is first is not said; until a good one is
    modes(qw(right wrong right));
    ($status, $said) = preview();
    last if $said !~ /tried nowhere else/;
}
my @wrong = split /\n/, $it->look('light2', 'sudo-log');
is(scalar(@wrong), 1, 'where it was good elsewhere a host that refuses it is tried once');
like($said, qr/2 hosts will change/, 'and the others are asked');
for my $mode (qw(silent echoes other guesses talks)) {
    modes(($mode) x 3);
    ($status, $said) = preview();
    is($status, $mode =~ /silent|echoes/ ? 0 : 6, "a sudo that is $mode") or diag($said);
    is(scalar(tries()), 0, 'is told nothing') or diag(tries());
    unlike($it->look('light1', 'stdin') // '', qr/\Q$word\E/, 'nor the shell behind it');
}

# --- the command --------------------------------------------------------------------
modes(qw(right right right));
for my $bad ([ 'exit 3' => qr/the password of sudo: sh failed/ ], [ 'echo' => qr/the first line that sh prints is none/ ],
    [ 'head -c 5000 /dev/zero' => qr/the password of sudo: sh failed/ ]) {
    $it->put('password', "$bad->[0]\n");
    ($status, $said) = preview();
    isnt($status, 0, "a command that does `$bad->[0]`");
    like($said, $bad->[1], 'is said');
    is(scalar(tries()), 0, 'and nothing was tried');
}
# --- and where it is not ---------------------------------------------------------------
my $part = qr/ss \$w0rd/; # as it would stand in JSON too
unlike($all, $part, 'no message has it');
my @files;
find(sub { push @files, $File::Find::name if -f }, "$it->{dir}/store");
my @with = grep { open my $in, '<', $_ or die; local $/; (<$in> // '') =~ $part } @files;
cmp_ok(scalar @files, '>', 0, 'there is a store');
is("@with", '', 'and no file of it has it');
done_testing();
