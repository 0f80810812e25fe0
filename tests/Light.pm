# For tests with real hoshu on the light fleet: a fleet of its own, a project
# around it with one person who approves alone, and a change's steps.
#
#   my $it = Light->up(3);                    # or the test is skipped, with the reason
#   $it->put('plan.yml', "change: ...");
#   my $chg = $it->approved('plan.yml');
#   my ($status, $said) = $it->hoshu('run', $chg);
#   $it->look('light1', 'app.conf');          # a file in that host's home, or undef
#
# KEEP=1 leaves the fleet running and its folder in place, to be looked at.
package Light;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir); # whose END comes after ours
use Scalar::Util qw(weaken);
use POSIX ();
use Test::More ();

my @up;

# may_share: also where hosts share one /var/lib/hoshu and cannot have one name for their homes.
sub up {
    my ($class, $hosts, %o) = @_;
    my $why = `tests/fleet/light can`;
    if ($? >> 8 == 77) { chomp $why; Test::More::plan(skip_all => $why) }
    my $dir = tempdir('hoshu-light-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{KEEP});
    my $self = bless {dir => $dir, fleet => "$dir/fleet", hosts => $hosts, hoshu => abs_path($ENV{HOSHU} // './hoshu'), pid => $$}, $class;
    push @up, $self;
    weaken($up[-1]);
    $SIG{$_} //= sub { exit 1 } for qw(HUP INT TERM);
    local $ENV{LIGHT_APART} = 1;
    system("timeout 120 tests/fleet/light up $hosts $self->{fleet} >/dev/null") == 0 or Test::More::BAIL_OUT('no fleet');
    # as root each host has a home, a spool and /var/lib/hoshu of its own
    if (!$o{may_share} && !-d "$self->{fleet}/home") {
        $self->down;
        Test::More::plan(skip_all => 'hosts share one home here: no mount namespaces');
    }
    my $modules = abs_path('modules');
    system "ssh-keygen -q -t ed25519 -N '' -C alice -f $dir/key";
    my ($type, $key) = split ' ', `cat $dir/key.pub`;
    $self->put('approvers', "alice $type $key\n");
    $self->put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [modules, $modules]\n");
    make_path("$dir/modules", "$dir/files");
    return $self;
}

# What hosts call their home; a file there is each host's own.
sub home { return "$_[0]{fleet}/home" }

sub put {
    my ($self, $name, $text) = @_;
    open my $out, '>', "$self->{dir}/$name" or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}

sub look {
    my ($self, $host, $name) = @_;
    open my $in, '<', "$self->{fleet}/hosts/$host/$name" or return undef;
    local $/;
    return <$in>;
}

# What each host has of that file, in a line: "one - one".
sub there {
    my ($self, $name) = @_;
    return join ' ', map { my $text = $self->look("light$_", $name) // ''; $text =~ s/\n//g; $text eq '' ? '-' : $text } 1 .. $self->{hosts};
}

# (exit status or -signal, what it said on both channels); 124 when it did not end. With a hash in
# front, that is added to its environment.
sub hoshu {
    my ($self, @words) = @_;
    my %env = (LC_ALL => 'C', ref $words[0] ? %{ shift @words } : ());
    my @argv = ('timeout', '-k', 5, $ENV{LIGHT_TIMEOUT} // 120, $self->{hoshu}, '-C', $self->{dir}, @words);
    my $pid = open(my $from, '-|') // die "fork: $!";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        @ENV{ keys %env } = values %env;
        { exec @argv }
        POSIX::_exit(127);
    }
    local $/;
    my $said = <$from> // '';
    close $from;
    return ($? & 127 ? -($? & 127) : $? >> 8, $said);
}

# (exit status, what it said, the change's number or undef)
sub submit {
    my ($self, $env, $plan, @more) = @_;
    my ($status, $said) = $self->hoshu($env, 'submit', "$self->{dir}/" . ($plan // 'plan.yml'), '--as', 'alice', @more);
    my ($chg) = $said =~ /^(CHG-\d+) submitted/m;
    return ($status, $said, $chg);
}

sub approve {
    my ($self, $env, $chg) = @_;
    return $self->hoshu($env, 'approve', $chg, '--as', 'alice', '--key', "$self->{dir}/key");
}

# Its number, or the test is over.
sub submitted {
    my ($self, $plan, @more) = @_;
    my ($status, $said, $chg) = $self->submit({}, $plan, @more);
    if (!defined $chg) { Test::More::diag($said); Test::More::BAIL_OUT("submit of $plan: $status") }
    return $chg;
}

sub approved {
    my ($self, @plan) = @_;
    my $chg = $self->submitted(@plan);
    my ($status, $said) = $self->approve({}, $chg);
    if ($status != 0) { Test::More::diag($said); Test::More::BAIL_OUT("approve of $chg: $status") }
    return $chg;
}

# A change of these steps on all hosts, the first alone; $more stands between.
sub change {
    my ($self, $title, $more, $steps) = @_;
    $self->put('plan.yml', "change: $title\nreason: a test\ntargets: all\nwaves: [{ hosts: 1 }, { hosts: rest }]\n$more\nsteps:\n$steps");
    return $self->approved('plan.yml');
}

sub down {
    my ($self) = @_;
    return if !$self->{fleet} || $$ != $self->{pid} || $ENV{KEEP};
    my $was = $?;
    system("timeout 60 tests/fleet/light down $self->{fleet} >/dev/null 2>&1");
    delete $self->{fleet};
    $? = $was;
}

sub DESTROY { $_[0]->down }
END { $_->down for grep { $_ } @up }

1;
