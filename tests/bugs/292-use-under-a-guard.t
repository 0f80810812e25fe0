#!/usr/bin/perl
# A file of steps that used itself under a guard ended hoshu check with SIGSEGV:
# the steps under a guard were counted from nought, at every depth.
# covers: P11
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $dir = tempdir(CLEANUP => 1);
$ENV{LC_ALL} = 'C';
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
put('hoshu.yml', "inventory: hosts.yml\nstore: store\n");
put('hosts.yml', "hosts: { h1: {} }\n");
my $plan = "change: Again\nreason: a test\ntargets: all\nwaves: [ { hosts: rest } ]\nsteps:\n";
my $shell = "{ shell: 'true', rollback: keep, because: nothing }";

sub refused {
    my ($files, $want, $name) = @_;
    put($_, $files->{$_}) for keys %$files;
    my $said = `timeout 20 $hoshu check -C $dir $dir/plan.yml 2>&1`;
    is(($? >> 8) . '/' . ($? & 127), '3/0', "$name: refused") or diag($said);
    like($said, $want, 'with its place and what is allowed');
}
refused({ 'plan.yml' => "$plan  - use: more.yml\n", 'more.yml' => "- guard: 1m\n  steps:\n    - use: more.yml\n" },
    qr{^hoshu: (?:.*/)?more\.yml:1:3: guard: .*there is none within another}m, 'itself, under a guard');
refused({ 'plan.yml' => "$plan  - guard: 1m\n    steps:\n      - guard: 1m\n        steps: [ $shell ]\n" },
    qr{^hoshu: (?:.*/)?plan\.yml:8:9: guard: .*there is none within another}m, 'a guard in a guard');
my $each = '[ ' . join(', ', 1 .. 60) . ' ]';
refused({ 'plan.yml' => $plan . join('', map { "  - guard: 1m\n    steps:\n      - { each: $each, shell: 'echo \${{ each }}', rollback: keep, because: nothing }\n" } 1 .. 20) },
    qr{^hoshu: (?:.*/)?plan\.yml:\d+:\d+: more than 1000 steps in one plan; split it}m, 'guards with 1,200 steps between them');
done_testing;
