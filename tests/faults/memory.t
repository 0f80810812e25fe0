#!/usr/bin/perl
# Memory runs out: the Nth allocation of a command fails, libraries' own among them, under
# AddressSanitizer where that build is there (HOSHU_ASAN). FULL=1: one N from each place that allocates
# (callers 16 deep, 8 for submit, approve and run), and for what is quick every N; else some of them.
# A command ends by the documented abort, or says what it could not do, or does all that it was to do;
# it never ends well having done less, and what was interrupted goes on.
# covers: P4, P11
use strict;
use warnings;
use lib 'tests', 'tests/faults';
use Test::More;
use Cwd qw(abs_path);
use List::Util qw(min shuffle);
use Project;

my $full = $ENV{FULL};
my $asan = $ENV{HOSHU_ASAN} // 'build/asan/hoshu';
my $p = Project->new('memory', 1);
my $shim = $p->library('memory');
my $plain = $p->{hoshu};
my $tested = -x $asan ? abs_path($asan) : $plain;
note("under test: " . ($tested eq $plain ? 'the release build, no sanitizers' : 'the build with sanitizers'));
my $log = "$p->{dir}/log";
my $deep = $ENV{DEEP} // 16;
my $round = 1;
my (%count, @wrong);
sub wrong { my ($where, $what, $said) = @_; push @wrong, "$where: $what"; diag("$where: $what"); diag($said) if $said }

# A command with its Nth allocation failing; (status, said, did it come to that?). N = 0: they are
# counted; (status, said, count, the first from each place).
sub try_at {
    my ($in, $at, $ever, @args) = @_;
    unlink $log;
    my ($status, $said) = $p->hoshu({ LD_PRELOAD => $shim, MEMORY_IN => $in, MEMORY_AT => $at, MEMORY_LOG => $log, MEMORY_DEEP => $deep,
        $ever ? (MEMORY_EVER => 1) : (), ASAN_OPTIONS => 'verify_asan_link_order=0:detect_leaks=0:allocator_may_return_null=1' },
        @args);
    my $told = -e $log ? do { local (@ARGV, $/) = ($log); <> // '' } : '';
    return ($status, $said, $told =~ /failed/ ? 1 : 0) if $at;
    my ($count) = $told =~ /of (\d+)/;
    return ($status, $said, $count // 0, split ' ', $told =~ s/of .*//sr);
}

# Is this an end that is allowed where memory ran out?
sub judge {
    my ($where, $status, $said, $right) = @_;
    # glibc 2.36 crashes by itself where its name service switch starts without memory
    if ($said =~ /#[01] .* nss_database|^hoshu: nss_database\.c:/m) { $count{glibc}++ }
    elsif ($status == -11 && $said =~ /^(?:\S*(?:memory\S*\.so|libc\.so\.6)\(\+\S+\)\S*\n)+\S*libc\.so\.6\(__nss_\w+_lookup/m) { $count{glibc}++ }
    # nor can the sanitizer begin a thread without memory
    elsif ($said =~ /^AddressSanitizer: CHECK failed: sanitizer_linux_libcdep\.cpp|^==\d+==AddressSanitizer: CHECK failed: sanitizer_linux_libcdep/m) { $count{glibc}++ }
    elsif ($said =~ /AddressSanitizer|runtime error:|bug at/) { wrong($where, "ended with $status", $said) }
    elsif ($status == -6) { $said =~ /^hoshu: (?:out of memory|a library could not go on)/m ? $count{aborts}++ : wrong($where, 'aborted without a word', $said) }
    elsif ($status == 0) { $right->() ? $count{unmoved}++ : wrong($where, 'ended well, but not all was done', $said) }
    elsif ($status > 0 && $status < 124) { $said =~ /^hoshu: ./m || $status > 5 ? $count{refused}++ : wrong($where, "ended with $status and no reason", $said) }
    else { wrong($where, "ended with $status", $said) }
}

# What may differ from run to run: numbers; what of a reader's shell this machine cannot shut in just now.
sub mask { my ($text) = @_; $text =~ s/^ *read-only not enforced: .*//mg; $text =~ s/\d+/N/g; return $text }

# One command in its place: prepare, arguments, what must hold when it ends well, what must hold after it.
my ($chg, $said_right, $stand) = ('', '', '');
my %commands = (
    check   => [sub { back_to('run') }, sub { ('check', "$p->{dir}/plan.yml") }, \&same, sub { }],
    preview => [sub { back_to('run') }, sub { ('preview', "$p->{dir}/plan.yml") }, \&same, sub { }],
    show    => [sub { back_to('run') }, sub { ('show', $chg) }, \&same, sub { }],
    verify  => [sub { back_to('run') }, sub { ('audit', 'verify') }, \&same, sub { }],
    submit  => [sub { $p->forget_store; $stand = '' }, sub { ('submit', "$p->{dir}/plan.yml", '--as', 'alice') },
        sub { $_[0] =~ /^(CHG-\d+) submitted/m && grep { $_->{kind} eq 'submitted' } $p->records($1) },
        sub { my ($where) = @_; my ($s, $o, $c) = $p->submit({}); wrong($where, 'it could not be submitted afterwards', $o) unless $c }],
    approve => [sub { $stand = ''; back_to('submitted') }, sub { ('approve', $chg, '--as', 'alice', '--key', "$p->{dir}/key") },
        sub { grep { $_->{kind} eq 'approved' } $p->records($chg) },
        sub { my ($where) = @_; my ($s, $o) = $p->approve({}, $chg); wrong($where, 'it could not be approved afterwards', $o) if $s != 0 && $o !~ /already/ }],
    run     => [sub { $stand = ''; back_to('approved') }, sub { ('run', $chg) },
        sub { join('', $p->lines($round)) eq '12' && grep { $_->{kind} eq 'run-ended' } $p->records($chg) }, \&goes_on],
);
sub same { return mask($_[0]) eq $said_right }
# The project as it stood at a moment, and hosts that hoshu never touched.
sub keep { my ($name) = @_; system("cp -a $p->{dir}/store $p->{dir}/store.$name") == 0 or BAIL_OUT('no copy') }
sub back_to {
    my ($name) = @_;
    return if $stand eq $name;
    system("rm -rf $p->{dir}/store $p->{dir}/hosts/*/round-*; cp -a $p->{dir}/store.$name $p->{dir}/store") == 0 or BAIL_OUT('no copy');
    $p->{campaign}->fresh_hosts;
    $stand = $name;
}
sub goes_on {
    my ($where, $status) = @_;
    my ($end, $said) = $status == 0 ? (0, '') : $p->hoshu({}, 'run', $chg);
    $end = 0 if $end == 5 && $said =~ /has ended \(done\)/;
    wrong($where, "gone on with, it ends with $end", $said) if $end != 0;
    my $lines = join '', $p->lines($round);
    wrong($where, "the host has '$lines'") if $lines ne '12';
    ($end, $said) = $p->hoshu({}, 'audit', 'verify');
    wrong($where, 'the journal does not hold', $said) if $end != 0;
}

# How: 'every' allocation, by the release build; each 'place' that allocates, by the build under
# test; a number: so many of these places.
sub campaign {
    my ($name, $in, $ever, $how) = @_;
    my ($prepare, $args, $right, $after) = @{ $commands{$name} };
    my ($before, $done, $missed) = (scalar @wrong, 0, 0);
    my $program = $how eq 'every' ? $plain : $tested;
    my $try = sub { local $p->{hoshu} = $program; return try_at($in, $_[0], $_[1], $args->()) };
    %count = (aborts => 0, refused => 0, unmoved => 0, glibc => 0);
    $prepare->();
    my ($status, $said, $calls, @places) = $try->(0, 0);
    wrong($name, "does not work at all: $status", $said) if $status != 0;
    $said_right = mask($said);
    # a worker ends without counting; it makes about so many
    ($calls, @places) = (4000, 1 .. 4000) if $in eq 'worker';
    my @all = $how eq 'every' ? (1 .. $calls) : @places;
    my @at = $how =~ /^\d/ ? (sort { $a <=> $b } (shuffle @all)[0 .. min($how, scalar @all) - 1]) : @all;
    for my $at (@at) {
        my $where = "$name, allocation $at" . ($ever ? ' and all behind it' : '') . ($in eq 'worker' ? ' of a worker' : '');
        $prepare->();
        my ($status, $said, $failed) = $try->($at, $ever);
        $failed ? $done++ : $missed++; # threads make the last numbers uncertain
        judge($where, $status, $said, sub { $right->($said) });
        $after->($where, $status);
    }
    my $title = $name . ($how eq 'every' ? ', every one (release)' : '') . ($in eq 'worker' ? ', in a worker' : '') . ($ever ? ', and all behind it' : '');
    note(sprintf '%s: %d of %d allocations (%d places) failed in turn: %d documented aborts, %d said why, %d did all the same, %d times glibc or the sanitizer ended by itself',
        $title, $done, $calls, scalar @places, @count{qw(aborts refused unmoved glibc)});
    push @wrong, "$name: hardly anything failed" if $done < $missed;
    cmp_ok(scalar @wrong, '==', $before, "$title: no crash, no false success");
}

srand($ENV{SEED} // 7);
my $only = $ENV{ONLY}; # by hand: commands, how (200, 'every') and in what ('worker')
my @campaigns = $only ? (map { [$_, $ENV{IN} // 'hoshu', 0, $ENV{HOW} // 'places'] } split ' ', $only)
    : $full ? (
        (map { [$_, 'hoshu', 0, 'places'] } qw(check preview show verify submit approve run)),
        (map { [$_, 'hoshu', 0, 'every'] } qw(check show verify)),
        (map { [$_, 'hoshu', 1, 300] } qw(check submit run)),
        ['run', 'worker', 0, 600])
    : ((map { [$_, 'hoshu', 0, 4] } qw(check preview show verify)),
        (map { [$_, 'hoshu', 0, 2] } qw(submit approve run)),
        ['run', 'hoshu', 1, 2], ['run', 'worker', 0, 2]);
{
    my ($status, $said);
    $p->plan($round, 2);
    ($status, $said, $chg) = $p->submit({});
    BAIL_OUT("not submitted: $said") unless $chg;
    keep('submitted');
    ($status, $said) = $p->approve({}, $chg);
    BAIL_OUT("not approved: $said") if $status;
    keep('approved');
    ($status, $said) = $p->hoshu({}, 'run', $chg);
    BAIL_OUT("not run: $said") if $status;
    keep('run');
}
for my $one (@campaigns) {
    $deep = $ENV{DEEP} // ($one->[0] =~ /^(?:submit|approve|run)$/ ? 8 : 16);
    campaign(@$one);
}
done_testing();
