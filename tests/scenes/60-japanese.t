#!/usr/bin/perl
# A change that breaks and goes back, run by somebody who reads Japanese: the
# screen is Japanese, the journal and all that was frozen are English, and a
# colleague reads the same journal in English. covers: P9
use strict;
use warnings;
use Encode qw(decode);
use File::Path qw(make_path remove_tree);
use Test::More;

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) {
    chomp $why;
    plan skip_all => $why;
}
binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $scene = 'build/scene-japanese';
my $hoshu = $ENV{HOSHU} // './hoshu';
my $owner = $$;
system("tests/fleet/light down $scene/fleet >/dev/null 2>&1");
remove_tree($scene);
make_path("$scene/keys", "$scene/modules");
$ENV{LIGHT_APART} = 1;
system("tests/fleet/light up 2 $scene/fleet >&2") == 0 or die 'no fleet';
END {
    if ($$ == $owner) {
        my $status = $?;
        system("tests/fleet/light down $scene/fleet >/dev/null 2>&1");
        remove_tree($scene);
        $? = $status;
    }
}

sub spit {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
}

system("ssh-keygen -q -t ed25519 -N '' -C ann -f $scene/keys/ann") == 0 or die;
open my $key, '<', "$scene/keys/ann.pub" or die;
spit("$scene/approvers", 'ann namespaces="approve@hoshu,reject@hoshu" '
    . join(' ', (split ' ', <$key>)[0, 1]) . "\n");
spit("$scene/hoshu.yml", "inventory: fleet/inventory.yml\nstore: store\n"
    . "approvals: solo\napprovers: approvers\nmodules: [modules, ../../modules]\n");
# Waves without a name, a step that cannot be foretold, a check that fails on
# the second host.
spit("$scene/plan.yml", <<'YAML');
change: Say it
reason: a test
targets: light1 | light2
waves: [{ hosts: 1 }, { hosts: rest }]
limits: { failed: 1 }
rollback: { host_failed: host, limit: change }
checks:
  - name: only light1 is good
    command: [test, "${{ host.name }}", "=", light1]
    at: [after]
steps:
  - name: said
    file: { path: "${{ facts.home }}/said", content: "x\n" }
  - file: { path: "${{ facts.home }}/again", content: "y\n" }
    when: changed("said")
  - shell: 'true'
    rollback: keep
    because: it does nothing
YAML
my $last = '';
sub said {
    my ($language, @words) = @_;
    my $command = join ' ', map { s/'/'\\''/gr =~ s/(.*)/'$1'/sr } $hoshu, '-C', $scene, @words;
    $last = decode('UTF-8', `env -u LANGUAGE LC_ALL=$language $command 2>&1` // '');
    return $? >> 8;
}
my $kana = qr/[\p{Hiragana}\p{Katakana}\p{Han}]/;
my @lines;

is(said('ja_JP.UTF-8', 'submit', "$scene/plan.yml", '--as', 'ann'), 0, 'submitted') or diag $last;
like($last, qr/\x{30a6}\x{30a7}\x{30fc}\x{30d6} 2: \x{30db}\x{30b9}\x{30c8} 1/,
    'a wave without a name has a Japanese one');
like($last, qr/^ +unless $kana/m, 'why it cannot be foretold is said in Japanese');
is(said('ja_JP.UTF-8', 'approve', 'CHG-0001', '--as', 'ann', '--key', "$scene/keys/ann"), 0,
    'approved') or diag $last;
my ($signed) = $last =~ /^(hoshu-statement.*?)^nonce/ms;
unlike($signed, $kana, 'the signed statement is not translated');
like((split /^hoshu-statement/m, $last)[0], qr/$kana/, 'what is said of it above is');
is(said('ja_JP.UTF-8', 'run', 'CHG-0001'), 7, 'broken, and taken back') or diag $last;
for (split /\n/, $last) {
    push @lines, $_ if /^\d\d:\d\d:\d\d/ && !/$kana/;
}
is(join("\n", @lines), '', 'every line of the run is Japanese');

is(said('C', 'audit', 'verify'), 0, 'the evidence holds');
is(said('C', 'audit', 'show', '--json'), 0, 'the journal can be read');
cmp_ok(scalar(split /\n/, $last), '>', 20, 'there are records');
my $journal = $last;
unlike($journal, qr/\P{ASCII}/, 'no record has a word that is not English');
like($journal, qr/check \\"only light1 is good\\": fail/, 'but English ones');
my $blobs = join '', map { pack 'H*', $_ }
    split /\n/, `sqlite3 $scene/store/journal.db 'select hex(bytes) from blob'`;
cmp_ok(length $blobs, '>', 1000, 'there are frozen files');
unlike($blobs, qr/[\x80-\xff]/, 'and nothing frozen has one');

is(said('ja_JP.UTF-8', 'audit', 'show', '--json'), 0, 'read by the Japanese colleague,');
is($last, $journal, 'for programs it is the same');
said('C', 'show', 'CHG-0001');
unlike($last, qr/\P{ASCII}/, 'the English colleague reads English');
said('ja_JP.UTF-8', 'show', 'CHG-0001');
like($last, qr/$kana/, 'the other one Japanese');
done_testing();
