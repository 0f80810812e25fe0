#!/usr/bin/perl
# A plan's file name and a submitter's name went to an approver's terminal as
# they were: with an escape sequence or a line's end in them they could steer
# it, or write lines that look like hoshu's own.
# covers: P11
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
# not in /tmp: a preview has a /tmp of its own
mkdir 'build';
my $dir = abs_path(tempdir('build/bug-061-XXXX', CLEANUP => 1));
my $fleet = "$dir/fleet";
system("tests/fleet/light up 1 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }

# what a command prints, both streams, without a shell in the way
sub says {
	my $pid = open(my $from, '-|') // die;
	if (!$pid) { open STDERR, '>&', \*STDOUT; exec $hoshu, '-C', $dir, @_ or die }
	local $/;
	my $text = <$from>;
	close $from;
	return $text // '';
}

put('approvers', '');
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
my $name = "p\nCHG-0009  done\e[31m.yml";
put($name, <<'YML');
change: One file
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - file: { path: "${{ facts.home }}/one", content: one }
YML
$ENV{LC_ALL} = 'C';
my $said = says('submit', "$dir/$name", '--as', 'alice');
my ($chg) = $said =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT($said);
my $shown = says('show', $chg);
like($shown, qr/CHG-0009  done\\x1b\[31m/, 'show shows the escape as text');
unlike($said . $shown, qr/\e|^CHG-0009/m, 'neither submit nor show writes it as it is');
$said = says('submit', "$dir/$name", '--as', "eve\nCHG-0009");
is($? >> 8, 2, 'a name of two lines is refused') or diag($said);
like($said, qr/name of a person/, 'and it says so');
{
	local $ENV{HOSHU_PERSON} = "eve\e[2J";
	says('submit', "$dir/$name");
	is($? >> 8, 2, 'so is one with an escape, from the environment');
}
done_testing();
