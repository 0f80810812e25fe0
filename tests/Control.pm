package Control;
# Light's fleet and project for what a person does to a running change: runs in the background, and
# plans of which each step appends its number to a file on its host. Two lines would be a step run
# twice, none a step lost.
#
#   my $p = Control->new(2);                  # or the test is skipped, with the reason
#   my $run = $p->background('run', $chg);
#   until_true(30, sub { $p->out =~ /ASKS/ });
#   is($p->ended($run), 0);
use strict;
use warnings;
use parent 'Light';
use Exporter 'import';
use File::Path qw(remove_tree);
use JSON::PP ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(until_true);

sub new { my ($class, $hosts) = @_; return $class->up($hosts, may_share => 1) }

# That host's home, as this machine sees it.
sub home { my ($self, $host) = @_; return "$self->{fleet}/hosts/light$host" }

sub forget_store { my ($self) = @_; remove_tree("$self->{dir}/store") }

# A plan of that many steps; $round names the files on the hosts.
sub plan {
    my ($self, $round, $steps) = @_;
    $self->put('plan.yml', <<"YML" . join '', map { <<"YML" } 1 .. $steps);
change: Round $round
reason: to be disturbed
targets: all
waves: [ { hosts: 1 }, { hosts: rest } ]
limits: { failed: 1, unreachable: 1 }
steps:
YML
  - name: Step $_
    shell: 'echo $_ >>"\$HOME/round-$round"'
    rollback: keep
    because: a line in a file
YML
}

# What each host has of that round: "123".
sub lines {
    my ($self, $round) = @_;
    return map { ($self->look("light$_", "round-$round") // '') =~ s/\n//gr } 1 .. $self->{hosts};
}

sub records {
    my ($self, $chg) = @_;
    my ($status, $said) = $self->hoshu('audit', 'show', $chg, '--json');
    return map { JSON::PP::decode_json($_) } grep { /^\{/ } split /\n/, $said;
}

# Started, not waited for; its pid.
sub background {
    my ($self, @words) = @_;
    my $out = "$self->{dir}/out." . ++$self->{started};
    open my $to, '>', $out or die "$out: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>&', $to;
        open STDERR, '>&', $to;
        $ENV{LC_ALL} = 'C';
        { exec $self->{hoshu}, '-C', $self->{dir}, @words }
        POSIX::_exit(127);
    }
    $self->{out}{$pid} = $self->{out}{last} = $out;
    return $pid;
}

# What that one has said so far; without a pid, the one that was started last.
sub out {
    my ($self, $pid) = @_;
    open my $in, '<', $self->{out}{ $pid // 'last' } or return '';
    local $/;
    return <$in> // '';
}

# How it ended: its status or -signal; 124 when it did not within 100 s.
sub ended {
    my ($self, $pid) = @_;
    return $? & 127 ? -($? & 127) : $? >> 8 if until_true(100, sub { waitpid($pid, WNOHANG) == $pid });
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return 124;
}

sub until_true {
    my ($seconds, $is) = @_;
    my $end = time + $seconds;
    while (time < $end) { return 1 if $is->(); sleep 0.02 }
    return 0;
}

sub down {
    my ($self) = @_;
    if ($$ == $self->{pid} && $self->{out}) {
        local $?;
        # those that nobody has waited for
        for my $pid (grep { /^\d/ && waitpid($_, WNOHANG) == 0 } keys %{ $self->{out} }) { kill 'KILL', $pid; waitpid $pid, 0 }
    }
    $self->SUPER::down;
}

1;
