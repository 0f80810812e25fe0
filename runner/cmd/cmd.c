/*
 * From argv to a command's call. Knows no command by name.
 */
#include "cmd/cmd.h"
#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cmd_option common_options[] = {
    {"json", NULL, N_("print JSON, for programs"), false},
    {"folder", "DIR", N_("the project of DIR (also -C DIR, anywhere)"), false},
    {"help", NULL, N_("say what the command does, with examples"), false},
    {NULL, NULL, NULL, false},
};

const struct cmd *
cmd_find(const char *name)
{
	for (int i = 0; cmd_table[i] != NULL; i++)
		if (strcmp(cmd_table[i]->name, name) == 0)
			return cmd_table[i];
	return NULL;
}

void
cmd_usage(FILE *out)
{
	fprintf(out, _("usage: hoshu COMMAND [options] [words]\n\n"));
	for (int i = 0; cmd_table[i] != NULL; i++) {
		const struct cmd *cmd = cmd_table[i];

		if (!cmd->hidden)
			fprintf(out, "  %-9s %-19s %s\n", cmd->name, cmd->args,
			    _(cmd->summary));
	}
	fprintf(out,
	    _("\n`hoshu COMMAND --help` says more; exit statuses and files are "
	      "in hoshu(1).\n"));
}

static void
help_options(FILE *out, const struct cmd_option *options)
{
	char left[64];

	for (; options->name != NULL; options++) {
		snprintf(left, sizeof(left), "--%s%s%s", options->name,
		    options->arg != NULL ? " " : "",
		    options->arg != NULL ? options->arg : "");
		fprintf(out, "  %-20s %s\n", left, _(options->help));
	}
}

void
cmd_help(FILE *out, const struct cmd *cmd)
{
	fprintf(out, _("usage: hoshu %s %s\n\n%s\n"), cmd->name, cmd->args,
	    _(cmd->summary));
	if (cmd->text != NULL)
		fprintf(out, "\n%s\n", _(cmd->text));
	fprintf(out, _("\noptions:\n"));
	help_options(out, cmd->options);
	help_options(out, common_options);
	if (cmd->examples != NULL)
		fprintf(out, _("\nexamples:\n%s"), cmd->examples);
}

const char *
cmd_given(const struct cmd_call *call, const char *name)
{
	for (int i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].name, name) == 0)
			return call->given[i].value;
	return NULL;
}

const char *
cmd_typed_plan(const struct cmd_call *call)
{
	struct buf text = BUF_INIT;
	const char *typed;

	quote_put_argv(&text, call->words, 1);
	for (int i = 0; i < call->given_count; i++) {
		if (strcmp(call->given[i].name, "set") != 0)
			continue;
		buf_printf(&text, " --set ");
		quote_put_argv(&text, &call->given[i].value, 1);
	}
	typed = arena_strdup(call->arena, buf_str(&text));
	buf_free(&text);
	return typed;
}

const char *
cmd_person(const struct cmd_call *call)
{
	const char *name = cmd_given(call, "as");
	const struct passwd *entry;

	if (name == NULL)
		name = getenv("HOSHU_PERSON");
	if (name != NULL && name[0] != '\0')
		return name;
	errno = 0;
	entry = getpwuid(getuid());
	if (entry == NULL && errno == ENOMEM)
		out_of_memory(0); /* somebody is not nobody */
	return entry != NULL ? arena_strdup(call->arena, entry->pw_name)
			     : "unknown";
}

/* It is shown to other people, beside what they decide on. */
static int
person_check(const struct cmd_call *call, struct err *err)
{
	const char *name = cmd_person(call);
	struct buf safe = BUF_LIMIT(256);
	bool same;

	text_cleanse_to(&safe, name, strlen(name), true);
	same = strcmp(buf_str(&safe), name) == 0;
	buf_free(&safe);
	if (same)
		return 0;
	return err_set(err, ERR_USAGE,
	    _("%s: the name of a person (--as, $HOSHU_PERSON) is one short "
	      "line without control characters"),
	    call->cmd->name);
}

static const struct cmd_option *
option_find(const struct cmd_option *options, const char *name, size_t len)
{
	for (; options->name != NULL; options++)
		if (strlen(options->name) == len &&
		    strncmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static int
option_unknown(const struct cmd *cmd, const char *word, struct err *err)
{
	const char *names[CMD_OPTIONS_MAX + 4];
	const char *near;
	size_t count = 0;

	for (const struct cmd_option *o = cmd->options; o->name != NULL; o++)
		names[count++] = o->name;
	for (const struct cmd_option *o = common_options; o->name != NULL; o++)
		names[count++] = o->name;
	near = text_near(word + strspn(word, "-"), names, count);
	if (near != NULL)
		return err_set(err, ERR_USAGE,
		    _("%s: unknown option %s (did you mean --%s?)"), cmd->name,
		    word, near);
	return err_set(err, ERR_USAGE,
	    _("%s: unknown option %s; see `hoshu %s --help`"), cmd->name, word,
	    cmd->name);
}

struct parse {
	struct cmd_call *call;
	int argc;
	char **argv;
	int at;
};

static void
parse_give(struct parse *parse, const char *name, const char *value)
{
	struct cmd_call *call = parse->call;

	call->given[call->given_count].name = name;
	call->given[call->given_count].value = value;
	call->given_count++;
}

/* One word that begins with '-'. */
static int
parse_option(struct parse *parse, struct err *err)
{
	struct cmd_call *call = parse->call;
	const char *word = parse->argv[parse->at];
	const char *name = strcmp(word, "-C") == 0   ? "folder"
			   : strcmp(word, "-h") == 0 ? "help"
						     : word + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct cmd_option *option;

	if (word[1] != '-' && name == word + 2)
		return option_unknown(call->cmd, word, err);
	option = option_find(call->cmd->options, name, len);
	if (option == NULL)
		option = option_find(common_options, name, len);
	if (option == NULL)
		return option_unknown(call->cmd, word, err);
	if (!option->many && cmd_given(call, option->name) != NULL)
		return err_set(err, ERR_USAGE, _("%s: --%s is given twice"),
		    call->cmd->name, option->name);
	if (option->arg == NULL && equals != NULL)
		return err_set(err, ERR_USAGE, _("%s: --%s takes no value"),
		    call->cmd->name, option->name);
	if (option->arg == NULL) {
		parse_give(parse, option->name, "");
	} else if (equals != NULL) {
		parse_give(parse, option->name, equals + 1);
	} else if (parse->at + 1 < parse->argc) {
		parse_give(parse, option->name, parse->argv[++parse->at]);
	} else {
		return err_set(err, ERR_USAGE, _("%s: --%s wants %s"),
		    call->cmd->name, option->name, option->arg);
	}
	return 0;
}

static int
cmd_parse(struct cmd_call *call, int argc, char **argv, struct err *err)
{
	struct parse parse = {call, argc, argv, 0};
	bool only_words = false;
	int r;

	call->words = arena_array(call->arena, const char *, (size_t)argc + 1);
	call->given = arena_alloc(
	    call->arena, arena_size_of(sizeof(call->given[0]), (size_t)argc));
	for (; parse.at < argc; parse.at++) {
		const char *word = argv[parse.at];

		if (only_words || word[0] != '-' || word[1] == '\0') {
			call->words[call->word_count++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_words = true;
		} else {
			r = parse_option(&parse, err);
			if (r < 0)
				return r;
		}
	}
	call->json = cmd_given(call, "json") != NULL;
	if (cmd_given(call, "folder") != NULL)
		call->folder = cmd_given(call, "folder");
	if (cmd_given(call, "help") != NULL)
		return 0;
	if (call->word_count < call->cmd->min_words ||
	    call->word_count > call->cmd->max_words)
		return err_set(err, ERR_USAGE,
		    _("%s: wants %s; see `hoshu %s --help`"), call->cmd->name,
		    call->cmd->args[0] != '\0' ? call->cmd->args
					       : _("no words"),
		    call->cmd->name);
	return 0;
}

static int
cmd_unknown(const char *word, struct err *err)
{
	const char *names[64];
	const char *near;
	size_t count = 0;

	for (int i = 0; cmd_table[i] != NULL; i++)
		names[count++] = cmd_table[i]->name;
	near = text_near(word, names, count);
	if (near != NULL)
		return err_set(err, ERR_USAGE,
		    _("unknown command '%s' (did you mean '%s'?)"), word, near);
	return err_set(err, ERR_USAGE,
	    _("unknown command '%s'; `hoshu help` lists them"), word);
}

int
cmd_main(int argc, char **argv)
{
	struct cmd_call call = {0};
	struct err err = ERR_INIT;
	int r;

	if (argc > 2 && strcmp(argv[1], "-C") == 0) {
		call.folder = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2) {
		cmd_usage(stderr);
		return err_exit_status(ERR_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		argv[1] = "help";
	if (strcmp(argv[1], "--version") == 0)
		argv[1] = "version";
	call.cmd = cmd_find(argv[1]);
	if (call.cmd == NULL) {
		cmd_unknown(argv[1], &err);
		return err_print(stderr, &err);
	}
	call.arena = arena_new();
	r = cmd_parse(&call, argc - 2, argv + 2, &err);
	if (r == 0 && cmd_given(&call, "help") != NULL)
		cmd_help(stdout, call.cmd);
	else if (r == 0 && (r = person_check(&call, &err)) == 0)
		r = call.cmd->run(&call, &err);
	arena_free(call.arena);
	if (r < 0) {
		fflush(stdout); /* in a log, the error is the last word */
		return err_print(stderr, &err);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, _("hoshu: the output could not be written\n"));
		return err_exit_status(ERR_SYSTEM);
	}
	return r;
}
