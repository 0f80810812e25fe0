#!/usr/bin/perl
# Every #include of runner/ is one that runner/README.md allows, and every
# foreign header stands in its one folder.
use strict;
use warnings;
use Test::More;

my %foreign = (
    'lua.h' => 'script', 'lauxlib.h' => 'script', 'lualib.h' => 'script',
    'libssh2.h' => 'remote', 'libssh2_sftp.h' => 'remote',
    'curl/curl.h' => 'http', 'sqlite3.h' => 'journal', 'uv.h' => 'loop',
    'yaml.h' => 'yaml', 'pcre2.h' => 'match', 'jansson.h' => 'base',
);
my %allowed;
open my $readme, '<', 'runner/README.md' or die "runner/README.md: $!";
while (<$readme>) {
    next unless /^\| (\w+) \|([^|]*)\|$/;
    next if $1 eq 'folder';
    $allowed{$1} = { map { $_ => 1 } split ' ', $2 };
}
close $readme;
ok(keys %allowed > 15, 'the table was found');

my @files = glob 'runner/*/*.c runner/*/*.h';
ok(@files > 50, 'there are files to hold to it');
my (@wrong, %seen);
for my $file (@files) {
    my ($folder) = $file =~ m{^runner/(\w+)/};
    next if $folder eq 'man' || $folder eq 'po';
    $seen{$folder} = 1;
    open my $in, '<', $file or die "$file: $!";
    while (<$in>) {
        if (/^#\s*include\s+<([^>]+)>/) {
            my $home = $foreign{$1};
            $home = 'digest' if $1 =~ m{^openssl/};
            push @wrong, "$file:$.: <$1> belongs to $home/"
                if defined $home && $home ne $folder;
        } elsif (/^#\s*include\s+"(([\w]+)\/[^"]+)"/) {
            my ($header, $to) = ($1, $2);
            next if $to eq $folder || $to eq 'base';
            push @wrong, "$file:$.: $folder/ may not include $header"
                unless $allowed{$folder}{$to} || $allowed{$folder}{$header};
        }
    }
    close $in;
}
is(join("\n", @wrong), '', 'nobody includes what the table does not allow');
is(join(' ', grep { !$allowed{$_} } sort keys %seen), '',
    'every folder stands in the table');
done_testing();
