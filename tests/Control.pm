package Control;
# A project on a light fleet of its own, for what a person does to a running change: one person
# approves alone, each step of a plan appends its number to a file on its host.
# Two lines would be a step run twice, none a step lost.
use strict;
use warnings;
use File::Path qw(remove_tree make_path);
use Cwd qw(abs_path);

# Control->new(NAME, HOSTS): in build/NAME. Dies when the fleet does not come.
sub new {
    my ($class, $name, $hosts) = @_;
    my $dir = abs_path('.') . "/build/$name";
    my $self = bless { dir => $dir, hosts => $hosts, hoshu => abs_path($ENV{HOSHU} // './hoshu'), owner => $$ }, $class;
    system "timeout 60 tests/fleet/light down $dir >/dev/null 2>&1" if -d $dir;
    remove_tree($dir);
    local $ENV{LIGHT_APART} = 1;
    system("timeout 120 tests/fleet/light up $hosts $dir >/dev/null") == 0 or die "no fleet\n";
    make_path("$dir/files");
    system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
    my $key = join ' ', (split ' ', `cat $dir/key.pub`)[0, 1];
    $self->put('approvers', "alice namespaces=\"approve\@hoshu,release\@hoshu\" $key\n");
    my $modules = abs_path('modules');
    $self->put('hoshu.yml', <<"YML");
inventory: inventory.yml
store: store
approvals: solo
approvers: approvers
modules: [$modules]
files: files
YML
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$ || $ENV{KEEP};
    local $?;
    system "timeout 60 tests/fleet/light down $self->{dir} >/dev/null 2>&1";
    remove_tree($self->{dir});
}

sub put {
    my ($self, $name, $text) = @_;
    open my $out, '>', "$self->{dir}/$name" or die "$name: $!";
    print $out $text;
    close $out;
}

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
    return map { my $host = $_; join '', map { s/\n//r } `cat $self->{dir}/hosts/light$host/round-$round 2>/dev/null` } 1 .. $self->{hosts};
}

sub records {
    my ($self, $chg) = @_;
    my ($status, $said) = $self->hoshu({}, 'audit', 'show', $chg, '--json');
    require JSON::PP;
    return map { JSON::PP::decode_json($_) } grep { /^\{/ } split /\n/, $said;
}

1;
