/*
 * Commands as data: one file a command, one entry in the table of table.c.
 * Usage, --help and the check of options come from the entry.
 */
#ifndef HOSHU_CMD_CMD_H
#define HOSHU_CMD_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

enum { CMD_OPTIONS_MAX = 20 };

struct cmd_option {
	const char *name; /* "set"; NULL ends the list */
	const char *arg;  /* "k=v"; NULL = a flag */
	const char *help;
	bool many; /* may be given more than once */
};

struct cmd_call;

struct cmd {
	const char *name;
	const char *args;     /* "PLAN" */
	const char *summary;  /* one line */
	const char *text;     /* a paragraph for --help */
	const char *examples; /* lines; each a whole command */
	struct cmd_option options[CMD_OPTIONS_MAX];
	int min_words, max_words;
	bool hidden;
	/* An exit status, or -ERR_* with err set. */
	int (*run)(struct cmd_call *call, struct err *err);
};

/* One call of a command: its words and options, ready to use. */
struct cmd_call {
	const struct cmd *cmd;
	struct arena *arena;
	const char *folder; /* -C, or NULL */
	bool json;	    /* --json */
	const char **words;
	int word_count;
	struct {
		const char *name, *value;
	} * given;
	int given_count;
};

/* NULL-terminated. */
extern const struct cmd *const cmd_table[];

/* The value of an option ("" for a flag), or NULL when it was not given. */
const char *cmd_given(const struct cmd_call *call, const char *name);
/* The first word and each --set, as they would be typed again. */
const char *cmd_typed_plan(const struct cmd_call *call);
/* Parse argv behind the program's name and run the command: the process's
 * exit status. */
int cmd_main(int argc, char **argv);
/* The near word among all commands, or NULL. */
const struct cmd *cmd_find(const char *name);
void cmd_usage(FILE *out);
void cmd_help(FILE *out, const struct cmd *cmd);

/* A person's name for records and statements: --as, $HOSHU_PERSON, or the
 * login name. */
const char *cmd_person(const struct cmd_call *call);

#endif
