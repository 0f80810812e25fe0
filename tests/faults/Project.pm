package Project;
# For the campaigns that disturb a command by a library under it (disk.t,
# memory.t): Campaign's fleet and project; each step of a plan appends its
# number to a file on its host. Two lines would be a step run twice, none a
# step lost.
use strict;
use warnings;
use Campaign qw(put_file slurp);
use File::Path qw(remove_tree);
use JSON::PP;

sub new {
    my ($class, $name, $hosts) = @_;
    my $campaign = Campaign->new(name => $name, hosts => $hosts);
    return bless { campaign => $campaign, map { $_ => $campaign->{$_} } qw(dir hosts hoshu) }, $class;
}

# Builds a library of tests/faults to be preloaded; its path.
sub library {
    my ($self, $name) = @_;
    my $path = "$self->{dir}/$name.so";
    system(($ENV{CC} // 'cc') . " -shared -fPIC -O1 -D_GNU_SOURCE -Irunner -o $path tests/faults/$name.c -ldl") == 0
        or Test::More::BAIL_OUT("tests/faults/$name.c does not compile");
    return $path;
}

sub forget_store { my ($self) = @_; remove_tree("$self->{dir}/store") }

# A plan of that many steps; $round names the files on the hosts.
sub plan {
    my ($self, $round, $steps) = @_;
    put_file("$self->{dir}/plan.yml", <<"YML" . join '', map { <<"YML" } 1 .. $steps);
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

# (exit status or -signal, what it said); %$env is added to its environment.
sub hoshu {
    my ($self, $env, @args) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        @ENV{ keys %$env } = values %$env;
        exec 'timeout', '-k', '5', '120', $self->{hoshu}, '-C', $self->{dir}, @args;
        exit 127;
    }
    local $/;
    my $said = <$out> // '';
    close $out;
    return ($? & 127 ? -($? & 127) : $? >> 8, $said);
}

sub submit {
    my ($self, $env) = @_;
    my ($status, $said) = $self->hoshu($env, 'submit', "$self->{dir}/plan.yml", '--as', 'alice');
    my ($chg) = $said =~ /^(CHG-\d+) submitted/m;
    return ($status, $said, $chg);
}

sub approve {
    my ($self, $env, $chg) = @_;
    return $self->hoshu($env, 'approve', $chg, '--as', 'alice', '--key', "$self->{dir}/key");
}

# What each host has of that round: "123".
sub lines {
    my ($self, $round) = @_;
    return map { slurp("$self->{dir}/hosts/$_/round-$round") =~ s/\n//gr } @{ $self->{hosts} };
}

sub records {
    my ($self, $chg) = @_;
    my ($status, $said) = $self->hoshu({}, 'audit', 'show', $chg, '--json');
    return map { decode_json($_) } grep { /^\{/ } split /\n/, $said;
}

1;
