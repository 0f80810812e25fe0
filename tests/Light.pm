# For tests with real hoshu on the light fleet: a fleet of its own, a project
# around it with one person who approves alone, and a change's steps.
#
#   my $it = Light->up(3);                    # or the test is skipped, with the reason
#   $it->put('plan.yml', "change: ...");
#   my $chg = $it->approved('plan.yml');
#   my ($status, $said) = $it->hoshu('run', $chg);
#   $it->look('light1', 'app.conf');          # a file in that host's home, or undef
package Light;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir); # whose END comes after ours
use Scalar::Util qw(weaken);
use Test::More ();

my @up;

sub up {
    my ($class, $hosts) = @_;
    my $why = `tests/fleet/light can`;
    if ($? >> 8 == 77) { chomp $why; Test::More::plan(skip_all => $why) }
    my $dir = tempdir('hoshu-light-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self = bless {dir => $dir, fleet => "$dir/fleet", hoshu => abs_path($ENV{HOSHU} // './hoshu'), pid => $$}, $class;
    push @up, $self;
    weaken($up[-1]);
    $SIG{$_} //= sub { exit 1 } for qw(HUP INT TERM);
    local $ENV{LIGHT_APART} = 1;
    system("timeout 120 tests/fleet/light up $hosts $self->{fleet} >/dev/null") == 0 or Test::More::BAIL_OUT('no fleet');
    # as root each host has a home, a spool and /var/lib/hoshu of its own
    if (!-d "$self->{fleet}/home") {
        $self->down;
        Test::More::plan(skip_all => 'hosts share one home here: no mount namespaces');
    }
    my $modules = abs_path('modules');
    system "ssh-keygen -q -t ed25519 -N '' -C alice -f $dir/alice";
    my ($type, $key) = split ' ', `cat $dir/alice.pub`;
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

# (exit status, what it said on both channels); 124 when it did not end.
sub hoshu {
    my ($self, $command, @words) = @_;
    my @argv = ('timeout', $ENV{LIGHT_TIMEOUT} // 120, $self->{hoshu}, $command, '-C', $self->{dir}, @words);
    my $pid = open(my $from, '-|') // die "fork: $!";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        $ENV{LC_ALL} = 'C';
        exec @argv or die "exec: $!";
    }
    local $/;
    my $said = <$from> // '';
    close $from;
    return ($? >> 8, $said);
}

sub submitted {
    my ($self, $plan, @more) = @_;
    my ($status, $said) = $self->hoshu('submit', "$self->{dir}/$plan", '--as', 'alice', @more);
    my ($chg) = $said =~ /^(CHG-\d+) submitted/m;
    if (!defined $chg) { Test::More::diag($said); Test::More::BAIL_OUT("submit of $plan: $status") }
    return $chg;
}

sub approved {
    my ($self, @plan) = @_;
    my $chg = $self->submitted(@plan);
    my ($status, $said) = $self->hoshu('approve', $chg, '--as', 'alice', '--key', "$self->{dir}/alice");
    if ($status != 0) { Test::More::diag($said); Test::More::BAIL_OUT("approve of $chg: $status") }
    return $chg;
}

sub down {
    my ($self) = @_;
    return if !$self->{fleet} || $$ != $self->{pid};
    my $was = $?;
    system("timeout 60 tests/fleet/light down $self->{fleet} >/dev/null 2>&1");
    delete $self->{fleet};
    $? = $was;
}

sub DESTROY { $_[0]->down }
END { $_->down for grep { $_ } @up }

1;
