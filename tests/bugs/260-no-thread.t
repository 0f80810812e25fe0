#!/usr/bin/perl
# Where no thread could be started for libuv's pool, libuv aborted and hoshu ended without a word. Now it says so, and
# the same command goes on. (Found by tests/faults/memory.t: the memory of a thread is an allocation like others.)
# covers: P4, P11
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(1);
my $so = "$it->{dir}/thread.so";
$it->put('thread.c', <<'C');
#include <errno.h>
#include <pthread.h>
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg) { return EAGAIN; }
C
system(($ENV{CC} // 'cc') . " -shared -fPIC -o $so $it->{dir}/thread.c") == 0 or BAIL_OUT('it does not compile');
$it->put('plan.yml', <<"YML");
change: No thread
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - file: { path: ${\ $it->home }/app.conf, content: "new\\n" }
YML
my $chg = $it->approved('plan.yml');
my $said = `LC_ALL=C.UTF-8 LD_PRELOAD=$so timeout 60 $it->{hoshu} run -C $it->{dir} $chg 2>&1; echo "status \$?"`;
like($said, qr/^status 134$/m, 'it ends by SIGABRT');
like($said, qr/^hoshu: a library could not go on, .*; what was recorded is kept, the same command goes on/m, 'and says what that is');
is(() = $said =~ /^hoshu: /mg, 1, 'in one line');
(my $status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'the same command goes on') or diag($said);
is($it->look('light1', 'app.conf'), "new\n", 'to the right end');
done_testing;
