#!/usr/bin/perl
# Every message of the sources has a translation that is whole, fits its
# arguments and uses the glossary's words; and the program speaks it.
use strict;
use warnings;
use utf8;
use Encode qw(decode);
use File::Path qw(make_path remove_tree);
use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $place = 'build/translations';
my $po    = 'runner/po/ja.po';
remove_tree($place);
make_path($place);
END { remove_tree($place) if defined $place }

# ---- the catalogue ----

sub unquote {
    my ($text) = @_;
    $text =~ s/\\(.)/$1 eq 'n' ? "\n" : $1 eq 't' ? "\t" : $1/ge;
    return $text;
}

# Entries of a .po or .pot: id, plural, text, fuzzy, old, from (files).
sub entries {
    my ($file) = @_;
    my (@all, $entry, $field);
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    while (<$in>) {
        chomp;
        if ($_ eq '') { $entry = undef; next }
        if (!$entry) {
            $entry = { id => '', plural => '', text => '', from => {} };
            push @all, $entry;
        }
        $entry->{old} = 1 if s/^#~ ?//;
        if (/^#: (.*)/) { $entry->{from}{$_} = 1 for split ' ', $1 }
        elsif (/^#, .*\bfuzzy\b/) { $entry->{fuzzy} = 1 }
        elsif (/^#/) { }
        elsif (/^(msgid_plural|msgid|msgstr(?:\[\d\])?) "(.*)"$/) {
            $field = $1 eq 'msgid' ? 'id' : $1 eq 'msgid_plural' ? 'plural' : 'text';
            $entry->{$field} .= unquote($2);
        } elsif (/^"(.*)"$/) { $entry->{$field} .= unquote($1) }
        else { die "$file:$.: $_" }
    }
    return grep { $_->{id} ne '' } @all;
}

sub none {
    my ($name, @wrong) = @_;
    is(join("\n", @wrong), '', $name);
}

is(system("sh tests/messages.sh $place/hoshu.pot"), 0, 'the messages are collected');
my $said = `msgfmt --check -o /dev/null $po 2>&1`;
is($said, '', 'msgfmt finds nothing wrong');
my @source = entries("$place/hoshu.pot");
my @there  = entries($po);
my %there  = map { $_->{id} => $_ } grep { !$_->{old} } @there;
my %source = map { $_->{id} => $_ } @source;
ok(@source > 700, 'there are messages to hold to it');
none('every message of the sources is in ja.po (make po)',
    grep { !$there{$_} } sort keys %source);
none('ja.po has no other (make po)', grep { !$source{$_} } sort keys %there);
none('nothing obsolete is kept', map { $_->{id} } grep { $_->{old} } @there);
none('nothing is untranslated', map { $_->{id} } grep { $_->{text} eq '' } @there);
none('nothing is fuzzy', map { $_->{id} } grep { $_->{fuzzy} } @there);
none('no argument changes places where Lua formats', map { $_->{id} }
    grep { $_->{text} =~ /%\d\$/ && grep { m{^runner/script/} } keys %{ $_->{from} } }
    values %there);
none('a line of many stays one, a margin stays', map { $_->{id} } grep {
    ($_->{id} =~ /\n\z/ xor $_->{text} =~ /\n\z/)
        || ($_->{id} =~ /^\n/ xor $_->{text} =~ /^\n/)
        || ($_->{id} =~ /^ / && $_->{text} !~ /^[ 、]/)
        || ($_->{id} !~ /^ / && $_->{text} =~ /^ /)
} values %there);

# ---- the glossary ----

my %word;
open my $readme, '<:encoding(UTF-8)', 'runner/po/README.md' or die "README.md: $!";
while (<$readme>) {
    next unless /^\| ([a-z, ]+) \| (\P{ASCII}.*?) \|$/;
    my ($forms, $japanese) = ($1, $2);
    $word{$_} = [ split m{ / }, $japanese ] for split /, /, $forms;
}
close $readme;
ok(keys %word > 60, 'the glossary was found');

# Without what is code (quotes, commands, paths, keys, calls, options, the
# words of at:) and words of another sense.
sub prose {
    my ($text) = @_;
    $text =~ s/`[^`]*`|"[^"]*"|(?<!\w)'[^']*'(?!\w)|\{[^}]*\}/ /g;
    $text =~ s/hoshu \w+(?: [A-Z]+)?|before, after, soak/ /g;
    $text =~ s{\S*[/_()<>{}=]\S*|--\w+|\w+:}{ }g;
    $text =~ s/regular expression|check its address|head of a text/ /g;
    return $text;
}

my @wrong;
for my $entry (sort { $a->{id} cmp $b->{id} } values %there) {
    my $prose = prose($entry->{id});
    for my $english (keys %word) {
        next unless $prose =~ /(?<![\w-])$english(?![\w-])/i;
        push @wrong, "$english: $entry->{id} -> $entry->{text}"
            unless grep { index($entry->{text}, $_) >= 0 } @{ $word{$english} };
    }
}
none('one English word, one Japanese word', sort @wrong);

# ---- columns, and forms of recorded texts ----

sub width { # the columns that a text takes
    my ($text) = @_;
    my $wide = () = $text =~ /[\p{East_Asian_Width=W}\p{East_Asian_Width=F}]/g;
    return length($text) + $wide;
}

my %widths;
for my $entry (values %there) {
    next unless grep { m{^runner/preview/render} } keys %{ $entry->{from} };
    $widths{ width($1) }++
        if $entry->{id} =~ /^(?:  \w.{9} | {12})\S?/ && $entry->{text} =~ /^(  \S+ +| +)/;
}
is(join(' ', keys %widths), 14, 'the preview\'s labels take the same columns');

# What said.c translates must be what somebody says, word by word.
my %own = map { $_ => 1 } ('failed: %d, limit %d', 'unreachable: %d, limit %d',
    'excluded: %d, limit %d',    # rollout/gate.c puts the word in
    '%s ended with %d: %s');     # worker/checks.c adds a command's first line
my $lua = join '', map { local (@ARGV, $/) = $_; scalar <> } glob 'modules/*/*.lua';
my @forms = grep { $_->{from}{'runner/base/said.c'} } @source;
ok(@forms > 20, 'there are forms');
none('every form is a message of the sources or the modules', map { $_->{id} } grep {
    my $entry = $_;
    keys %{ $entry->{from} } == 1 && !$own{ $entry->{id} }
        && grep { index($lua, $_) < 0 } grep { /\w/ } split /%s/, $entry->{id}
} @forms);

# ---- the program ----

my $hoshu = $ENV{HOSHU} // './hoshu';
sub run { # what it says, and its exit status, in a language
    my ($env, @words) = @_;
    open my $out, '-|', 'env', '-u', 'LANGUAGE', '-u', 'LC_MESSAGES', split(' ', $env),
        'sh', '-c', 'exec "$0" "$@" 2>&1', $hoshu, @words or die "$hoshu: $!";
    my $text = decode('UTF-8', do { local $/; <$out> } // '');
    close $out;
    return ($text, $? >> 8);
}
my $japanese = qr/[\p{Hiragana}\p{Han}]/;

my ($english) = run('LC_ALL=C', 'help');
unlike($english, qr/\P{ASCII}/, 'LC_ALL=C: English');
for my $env ('LC_ALL=ja_JP.UTF-8', 'LC_ALL=C.UTF-8 LANGUAGE=ja', 'LC_ALL= LANG=ja_JP.UTF-8') {
    my ($text, $status) = run($env, 'help');
    like($text, qr/承認された変更を、ウェーブごとに実施する/, "$env: Japanese");
    is($status, 0, "$env: the exit status is the same");
}
unlike((run('LC_ALL=ja_JP.UTF-8 LANGUAGE=en', 'help'))[0], $japanese, 'LANGUAGE=en wins');

my ($help) = run('LC_ALL=ja_JP.UTF-8', 'help');
my @lines = grep { /^  [a-z]/ } split /\n/, $help;
ok(@lines > 10, 'help lists the commands');
none('their summaries begin in one column', grep { !/^[ -~]{31} \S/ } @lines);

open my $plan, '>', "$place/wrong.yml" or die;
print $plan "change: A\nreason: B\ntargets: all\nwaves: [{ hosts: rest }]\n",
    "limits: { failed: 1 }\nsteps:\n  - file: { path: /etc/a, contnet: b }\n";
close $plan;
my ($wrong, $status) = run('LC_ALL=ja_JP.UTF-8', 'check', "$place/wrong.yml");
like($wrong, qr/wrong\.yml:7:\d+: .*'contnet'.*'content' のことですか/,
    'a wrong plan: place and near word, in Japanese');
is($status, 3, 'and the exit status of a wrong plan');
is_deeply([ run('LC_ALL=ja_JP.UTF-8', 'modules', 'file', '--json') ],
    [ run('LC_ALL=C', 'modules', 'file', '--json') ], '--json is the same in every language');
done_testing();
