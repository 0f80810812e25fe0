#!/usr/bin/perl
# A plan with a guard could not be rehearsed: the simulated hosts did not know
# what they were told about their dead-man, and hoshu ended with a bug.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
my $dir = tempdir(CLEANUP => 1);
$ENV{LC_ALL} = 'C';
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
put('hoshu.yml', "inventory: hosts.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('approvers', '');
put('hosts.yml', "hosts:\n" . join '', map { "  h$_: {}\n" } 1 .. 8);
put('plan.yml', <<'YML');
change: Harden
reason: a test
targets: all
waves: [ { hosts: 1 }, { hosts: rest } ]
limits: { failed: 4, unreachable: 4 }
rollback: { host_failed: host, limit: change }
steps:
  - guard: 2m
    steps:
      - name: Keys only
        file: { path: /etc/ssh/sshd_config.d/10.conf, content: "x\n" }
        notify: reload ssh
handlers:
  reload ssh: { service: { name: ssh, state: reloaded } }
YML

sub json {
    my $out = `cd $dir && timeout 60 $hoshu rehearse plan.yml --seed 3 --seeds 5 --json @_ 2>&1`;
    is($?, 0, "rehearse @_") or diag($out);
    return eval { decode_json($out) } // {};
}
my $well = json('--fail', '0%');
is($well->{one}{result}, 'done', 'where nothing goes wrong it ends well') or diag(explain($well));
my $cut = json('--cut', '100%');
is($cut->{one}{result}, 'reverted', 'where the step locks everybody out, the hosts take it back') or diag(explain($cut));
done_testing();
