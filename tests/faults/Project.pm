package Project;
# Control on a fleet of Campaign's, for the campaigns that disturb a command by
# a library under it (disk.t, memory.t): what is left of a failed one stays.
use strict;
use warnings;
use parent 'Control';
use Campaign;

sub new {
    my ($class, $name, $hosts) = @_;
    my $campaign = Campaign->new(name => $name, hosts => $hosts);
    return bless { campaign => $campaign, hosts => $hosts, map { $_ => $campaign->{$_} } qw(dir fleet hoshu) }, $class;
}

# Builds a library of tests/faults to be preloaded; its path.
sub library {
    my ($self, $name) = @_;
    my $path = "$self->{dir}/$name.so";
    system(($ENV{CC} // 'cc') . " -shared -fPIC -O1 -D_GNU_SOURCE -Irunner -o $path tests/faults/$name.c -ldl") == 0
        or Test::More::BAIL_OUT("tests/faults/$name.c does not compile");
    return $path;
}

sub down { } # Campaign's

1;
