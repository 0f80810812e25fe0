#!/usr/bin/perl
# The manual pages say what the program does: every command, option, exit
# status and key stands in them, and nothing that is not there; what a page
# shows as a plan or an inventory is right.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my $hoshu = abs_path($ENV{HOSHU} // 'hoshu');
$ENV{LC_ALL} = 'C';
my %page;
for my $name (qw(hoshu.1 hoshu-plan.5 hoshu-inventory.5)) {
    open my $in, '<', "runner/man/$name" or die "runner/man/$name: $!";
    $page{$name} = [<$in>];
}

# The lines of a section, of several one after the other.
sub section {
    my ($name, @wanted) = @_;
    my ($inside, @lines);
    for my $line (@{ $page{$name} }) {
        $inside = grep { $line =~ /^\.S[hs] \Q$_\E$/ } @wanted if $line =~ /^\.S[hs]/;
        push @lines, $line if $inside;
    }
    die "$name: no section @wanted" if !@lines;
    return @lines;
}

# Words that stand behind a macro: `.Ic a , b` gives a and b.
sub marked {
    my ($macro, @lines) = @_;
    my %words;
    for my $line (@lines) {
        next unless $line =~ /^\.(?:It )?\Q$macro\E (.*)/;
        for my $word (split ' ', $1) {
            last if $word =~ /^[A-Z][a-z]$/;
            $words{$word} = 1 if $word =~ /^\w/;
        }
    }
    return %words;
}

sub read_all {
    my $text = '';
    for my $file (@_) {
        open my $in, '<', $file or die "$file: $!";
        local $/;
        $text .= <$in>;
    }
    return $text;
}

sub sorted { return join ' ', sort @_ }

# ---- hoshu.1: commands and options ----

my @help = `$hoshu help`;
my @commands = map { /^  (\w+) / ? $1 : () } @help;
cmp_ok(scalar @commands, '>', 10, '`hoshu help` names commands');
my (%shown, %options_shown);
for my $line (section('hoshu.1', 'Commands')) {
    my ($command, $rest) = $line =~ /^\.It Cm (\w+)(.*)/ or next;
    $shown{$command} = 1;
    $options_shown{$command} //= {};
    $options_shown{$command}{$_} = 1 for $rest =~ /Fl -(\w+)/g;
}
is(sorted(keys %shown), sorted(@commands), 'the commands are those of `hoshu help`');

my %common = map { $_ => 1 } qw(json folder help);
my %documented = map { map { $_ => 1 } /Fl -(\w+)/g } section('hoshu.1', 'Options');
my %all;
for my $command (@commands) {
    my @options = map { /^  --(\w+)/ ? $1 : () } `$hoshu $command --help`;
    is(join(' ', grep { !$documented{$_} } @options), '', "$command: every option stands in hoshu.1");
    @all{@options} = ();
    is(sorted(keys %{ $options_shown{$command} }), sorted(grep { !$common{$_} } @options),
        "$command: its line shows its own options");
}
is(join(' ', grep { !exists $all{$_} } sort keys %documented), '', 'no option stands there that is none');

# ---- exit statuses, environment ----

my %status = map { $_ => 1 } 0, read_all('runner/base/err.h') =~ /^\tX\(ERR_\w+, (\d+)\)/mg;
my %told = map { /^\.It (\d+)$/ ? ($1 => 1) : () } section('hoshu.1', 'EXIT STATUS');
is(join(' ', sort { $a <=> $b } keys %told), join(' ', sort { $a <=> $b } keys %status),
    'the exit statuses are those of base/err.h');
my %env = read_all(glob 'runner/*/*.c') =~ /getenv\("(HOSHU_\w+)"()/g;
my %env_told = marked('Ev', section('hoshu.1', 'ENVIRONMENT'));
is(join(' ', grep { !$env_told{$_} } sort keys %env), '', 'every variable HOSHU_... stands there');

# ---- keys of plans ----

my $source = read_all(glob 'runner/plan/*.c');
my %built = map { $_ => 1 } $source =~ /\{"(\w+)",\s*YAML_(?!NOT_YET)/g;
my %not_yet = map { $_ => 1 } $source =~ /FIELD_NOT_YET\("(\w+)"\)/g;
cmp_ok(scalar keys %built, '>', 30, 'the keys of plans were found');
cmp_ok(scalar keys %not_yet, '>', 3, 'and those that are not built');
$built{each} = 1;    # taken out by hand (plan/reuse.c)
# what modules take beside them is their own
$built{$_} = 1 for map { /"(\w+)"/g } read_all(glob 'modules/*/*.lua') =~ /beside = \{([^}]*)\}/g;
my @built_sections = ('THE PLAN', 'ROLLING OUT IN WAVES', 'PHASES', 'ROUND EVERY TOUCH', 'STEPS', 'Steps written once', 'HANDLERS', 'CHECKS', 'FAILURE AND THE WAY BACK');
my %plan_told = marked('Ic', section('hoshu-plan.5', @built_sections));
my %later_told = marked('Ic', section('hoshu-plan.5', 'NOT BUILT YET'));
is(join(' ', grep { !$plan_told{$_} } sort keys %built), '', 'every key stands in hoshu-plan.5');
my %param = map { $_ => 1 } read_all(glob 'modules/*/*.lua') =~ /^    (\w+) = \{/mg;
is(join(' ', grep { !$built{$_} && !$param{$_} && $_ ne 'hoshu' && $_ ne 'modules' } sort keys %plan_told), '',
    'and no other');
is(sorted(keys %later_told), sorted(keys %not_yet), 'those that are not built yet stand in their section');

# ---- keys of inventories and hoshu.yml ----

my $inventory = read_all(glob('runner/hosts/*.c'), 'runner/project/project.c');
my %inventory = map { $_ => 1 } $inventory =~ /\{"(\w+)",\s*YAML_(?!NOT_YET)/g;
my %inventory_later = map { $_ => 1 } $inventory =~ /\.key = "(\w+)", \.want = YAML_NOT_YET/g;
my %inventory_told = marked('Ic', @{ $page{'hoshu-inventory.5'} });
is(join(' ', grep { !$inventory_told{$_} } sort keys %inventory, keys %inventory_later), '',
    'every key stands in hoshu-inventory.5');

# ---- what the pages show is right ----

my $folder = tempdir(CLEANUP => 1);
sub spit {
    my ($file, $text) = @_;
    open my $out, '>', "$folder/$file" or die "$file: $!";
    print $out $text;
    close $out;
}
sub shown {
    my ($name, $first) = @_;
    my $text = join '', @{ $page{$name} };
    return map { s/\\e/\\/gr } grep { /^\Q$first\E/ } $text =~ /^\.Bd -literal.*?\n(.*?)^\.Ed$/msg;
}
mkdir "$folder/$_" for qw(modules files files/app);
spit('hoshu.yml', "inventory: hosts.yml\nmodules: [@{[abs_path('modules')]}]\n");
spit('hosts.yml', "groups:\n  web: { hosts: [web1, web2] }\n  maintenance: { hosts: [web2] }\n"
    . "  shop: { groups: [web] }\nhosts: { web1: { vars: { rack: a } }, web2: { vars: { rack: b } }, web3: }\n");
my @plans = shown('hoshu-plan.5', 'change:');
cmp_ok(scalar @plans, '>=', 3, 'hoshu-plan.5 shows plans');
for my $plan (@plans) {
    my ($title) = $plan =~ /^change: (.*)/;
    spit('plan.yml', $plan);
    my $set = $plan =~ /^inputs:/m ? '--set version=2.4.1' : '';
    my $said = `cd $folder && $hoshu check plan.yml $set 2>&1`;
    is($?, 0, "the plan \"$title\" is right") or diag($said);
}
my ($steps) = shown('hoshu-plan.5', '- name: Configuration');
spit('files/app/app.conf', "x\n");
spit('plan.yml', "change: c\nreason: r\ntargets: web\nwaves: [{ hosts: rest }]\nsteps:\n$steps"
    . "handlers:\n  restart app: { service: { name: app, state: restarted } }\n");
my $said = `cd $folder && $hoshu check plan.yml 2>&1`;
is($?, 0, 'the steps that it shows are right') or diag($said);
my ($hosts) = shown('hoshu-inventory.5', 'ssh_config:');
spit('hosts.yml', $hosts);
for my $selector ('all', 'shop & !~^db', '~^web[0-9]', 'first(web)', 'web | db1') {
    $said = `cd $folder && $hoshu hosts '$selector' 2>&1`;
    is($?, 0, "the inventory that hoshu-inventory.5 shows knows $selector") or diag($said);
}
my ($settings) = shown('hoshu-inventory.5', 'inventory:');
mkdir "$folder/inventory";
rename "$folder/hosts.yml", "$folder/inventory/hosts.yml";
spit('hoshu.yml', $settings);
$said = `cd $folder && $hoshu hosts 2>&1`;
is($?, 0, 'the hoshu.yml that it shows is right') or diag($said);

# ---- and well written ----

SKIP: {
    skip 'no mandoc here', 1 if system('command -v mandoc >/dev/null') != 0;
    my @lint = grep { !/outdated mandoc\.db|referenced manual not found/ }
        `cd runner/man && mandoc -T lint hoshu.1 hoshu-plan.5 hoshu-inventory.5 2>&1`;
    is(join('', @lint), '', 'mandoc finds nothing');
}
done_testing();
