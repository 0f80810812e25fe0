#!/usr/bin/perl
# Do the tests notice when a decider decides otherwise? Each file named is changed in one place at
# a time (a comparison, a condition dropped or turned round, a statement left out, one more or less)
# and the tests run against it until one fails. A mutant that none of them notices survives: a test
# is missing, or the change means nothing. A file has some hundred; each takes about two seconds.
#
# `make mutate` says how to compile and link (COMPILE, LINK, OBJECTS, LIBS) and with what
# (TESTS, from cheap to dear). ONLY=text: mutants whose line in the list holds it. JOBS=n at once;
# EVERY=n: each nth of them.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use File::Path qw(make_path remove_tree);

my ($compile, $link, $objects, $libs) = map { $ENV{$_} // die "make mutate says $_\n" } qw(COMPILE LINK OBJECTS LIBS);
my $dir = $ENV{MUTATE_DIR} // 'build/mutate';
my @tests = split ' ', $ENV{TESTS} // '';
my ($jobs, $only, $every) = ($ENV{JOBS} // 1, $ENV{ONLY} // '', $ENV{EVERY} // 1);
$ENV{LC_ALL} = 'C.UTF-8';
$| = 1;

sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> // '' }
sub put_file { my ($path, $text) = @_; open my $o, '>', $path or die "$path: $!"; print $o $text; close $o or die }
sub quiet { return system("timeout 90 @_ >/dev/null 2>&1") }

# The source with what is no code made blank, at the same places.
sub code_of {
    my ($text) = @_;
    $text =~ s{(/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])+'|^\#.*?$)}{$1 =~ s/[^\n]/ /gr}gsme;
    return $text;
}

# Where the operand that ends (way -1) or begins (way 1) at a place has its other end.
sub operand {
    my ($code, $at, $way) = @_;
    my $depth = 0;
    for (; $at >= 0 && $at < length $code; $at += $way) {
        my $c = substr $code, $at, 1;
        if ($c =~ /[(\[]/) { $depth += $way }
        elsif ($c =~ /[)\]]/) { $depth -= $way }
        last if $depth < 0;
        next if $depth > 0;
        last if $c =~ /[;,{}?:]/;
        last if $way > 0 ? substr($code, $at, 2) =~ /^(?:&&|\|\|)/ : substr($code, $at - 1, 2) =~ /^(?:&&|\|\|)/;
        last if $way < 0 && $c eq '=' && substr($code, $at - 1, 2) !~ /[=!<>+-]=/ && substr($code, $at, 2) ne '==';
        last if $way < 0 && substr($code, 0, $at + 1) =~ /\breturn\z/;
    }
    return $at;
}

# [place, length, what stands there instead]
sub mutants {
    my ($code) = @_;
    my @m;
    my %turned = ('==' => '!=', '!=' => '==', '<=' => '<', '>=' => '>', '<' => '<=', '>' => '>=', '&&' => '||', '||' => '&&', '+=' => '-=');
    push @m, [$-[1], length $1, $turned{$1}] while $code =~ /(?<=\s)(==|!=|<=|>=|<|>|&&|\|\||\+=)(?=\s)/g;
    push @m, [$-[0], 1, '-'] while $code =~ /(?<=\s)\+(?=\s)/g;
    push @m, [$-[0], 1, ''] while $code =~ /!(?=[\w(])/g;
    push @m, [$-[1], length $1, $1 eq 'true' ? 'false' : 'true'] while $code =~ /\b(true|false)\b/g;
    push @m, [$-[1], 1, 1 - $1] while $code =~ /(?<![\w.\[])([01])(?![\w.\]])/g;
    while ($code =~ /(?<=\s)(&&|\|\|)(?=\s)/g) {
        my ($from, $to) = ($-[1], $+[1]);
        my $end = operand($code, $to, 1);
        my $begin = operand($code, $from - 1, -1) + 1;
        push @m, [$from, $end - $from, ' '], [$begin, $to - $begin, ' '];
    }
    while ($code =~ /(?<=\s)\?(?=\s)/g) {
        my ($to, $begin) = ($-[0], operand($code, $-[0] - 1, -1) + 1);
        push @m, [$begin, $to - $begin, ' !(' . substr($code, $begin, $to - $begin) . ') ', 1];
    }
    while ($code =~ /\bif (\()/g) {
        my ($begin, $end) = ($+[1], operand_close($code, $+[1]));
        push @m, [$begin, $end - $begin, '!(' . substr($code, $begin, $end - $begin) . ')', 1];
    }
    while ($code =~ /\breturn ([^;]*);/g) {
        my ($begin, $length, $what) = ($-[1], length $1, $1);
        push @m, [$begin, $length, "!($what)", 1] if $what !~ /^(?:true|false|NULL|-?\w+)$/;
    }
    # statements, as far as the eye can tell them from declarations
    while ($code =~ /(?<=[;{}):])\s*\n[\t ]*+(?!(?:return [^;]|const |struct |enum |static |int |bool |size_t |char |int64_t |uint|for |while |if |else|do |case |default|switch |goto |\}|\{|[a-z_]+:))([^;{}]+;)/g) {
        push @m, [$-[1], length $1, ';'];
        pos($code) = $-[1];
    }
    return sort { $a->[0] <=> $b->[0] } @m;
}
sub operand_close {
    my ($code, $at) = @_;
    for (my $depth = 1; $at < length $code; $at++) {
        my $c = substr $code, $at, 1;
        $depth += $c eq '(' ? 1 : $c eq ')' ? -1 : 0;
        return $at if $depth == 0;
    }
    die;
}

my $place = "$dir/mutants";
remove_tree($place);
make_path("$place/$_") for 0 .. $jobs;
for my $test (@tests) {
    quiet("$compile -Itests/unit -c -o $place/$test.o tests/unit/$test.c") == 0 or die "$test does not compile\n";
}
my ($all, $left, %noticed) = (0, 0);

sub judge {
    my ($in, $source, $right) = @_;
    my $object = $source =~ s{^runner/(.*)\.c$}{$dir/$1.o}r;
    my $others = join ' ', grep { $_ ne $object } split ' ', $objects;
    quiet("$compile -c -o $in/m.o $in/m.c") == 0 or return 'no C';
    return 'same' if $right && md5_hex(slurp("$in/m.o")) eq $right;
    return md5_hex(slurp("$in/m.o")) if !$right;
    # whoever noticed most goes first; the last, which is dear, stays last
    for my $test ((sort { ($noticed{$b} // 0) <=> ($noticed{$a} // 0) } @tests[0 .. $#tests - 1]), $tests[-1]) {
        quiet("$link -o $in/t $place/$test.o $in/m.o $others $libs") == 0 or die "$test does not link\n";
        next if quiet("$in/t") == 0;
        $noticed{$test}++;
        return $test;
    }
    return 'survived';
}

for my $source (@ARGV) {
    my $text = slurp($source);
    my $code = code_of($text);
    my @m = mutants($code);
    put_file("$place/0/m.c", $text);
    my @pids;
    my $right = '';
    for my $job (0 .. $jobs - 1) {
        my $in = "$place/$job";
        put_file("$in/m.c", $text);
        my $pid = fork // die;
        if ($pid) { push @pids, $pid; next }
        $right = judge($in, $source, '');
        open my $out, '>', "$in/told" or die;
        for (my $i = $job; $i < @m; $i += $jobs) {
            next if int($i / $jobs) % $every;
            my ($at, $length, $new) = @{ $m[$i] };
            my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
            my $old = substr $text, $at, $length;
            # lines stay where they are
            my $with = $m[$i][3] ? $new : $new . ($old =~ s/[^\n]//gr);
            my $whole = (split /\n/, $text)[ $line - 1 ] =~ s/^\s+//r;
            my $title = join ' ', split ' ', "$source:$line: '$old' -> '$new' in: $whole";
            next if index($title, $only) < 0;
            my $mutant = $text;
            substr $mutant, $at, $length, $with;
            put_file("$in/m.c", $mutant);
            print $out judge($in, $source, $right), "\t$title\n";
            $out->flush;
        }
        close $out;
        exit 0;
    }
    for my $pid (@pids) { waitpid $pid, 0; die "a job died\n" if $? }
    my %count;
    for my $told (map { split /\n/, slurp("$place/$_/told") } 0 .. $jobs - 1) {
        my ($by, $title) = split /\t/, $told, 2;
        $count{$by}++;
        print "survived: $title\n" if $by eq 'survived';
    }
    my $sum = 0;
    $sum += $count{$_} for grep { $_ ne 'no C' && $_ ne 'same' } keys %count;
    my $lives = $count{survived} // 0;
    $all += $sum;
    $left += $lives;
    print "$source: $sum mutants, ", $sum - $lives, " noticed, $lives survived (", join(', ', map { "$_ $count{$_}" } sort keys %count), ")\n";
}
printf "%d mutants, %d noticed, %d survived\n", $all, $all - $left, $left;
