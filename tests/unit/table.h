/*
 * Tables of text for unit tests: a case a line, columns parted by a word
 * such as " | "; lines that begin with # and empty lines are for people (a case
 * that begins so is written \x23). Reads from the working folder, which is the repository's.
 */
#ifndef HOSHU_TEST_TABLE_H
#define HOSHU_TEST_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_COLUMNS = 6, TABLE_LINE = 8192 };

struct table {
	FILE *in;
	const char *name;
	const char *between;
	int line;
	int cases;
	char text[TABLE_LINE];
	char *column[TABLE_COLUMNS];
	int count;
};

static inline void
table_open(struct table *table, const char *name, const char *between)
{
	char path[512];

	memset(table, 0, sizeof(*table));
	snprintf(path, sizeof(path), "tests/tables/%s", name);
	table->name = name;
	table->between = between;
	table->in = fopen(path, "r");
	if (table->in == NULL) {
		fprintf(
		    stderr, "%s: not here; run from the repository\n", path);
		abort();
	}
}

static inline char *
table_trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && (end[-1] == ' ' || end[-1] == '\n'))
		*--end = '\0';
	while (*text == ' ')
		text++;
	return text;
}

/* The next case into table->column[0..count); 0 at the end. */
static inline int
table_next(struct table *table)
{
	char *at, *found;

	for (;;) {
		if (fgets(table->text, sizeof(table->text), table->in) ==
		    NULL) {
			fclose(table->in);
			table->in = NULL;
			return 0;
		}
		table->line++;
		if (table->text[0] == '\n' || table->text[0] == '#')
			continue;
		break;
	}
	table->cases++;
	table->count = 0;
	at = table->text;
	while ((found = strstr(at, table->between)) != NULL &&
	       table->count < TABLE_COLUMNS - 1) {
		*found = '\0';
		table->column[table->count++] = table_trim(at);
		at = found + strlen(table->between);
	}
	table->column[table->count++] = table_trim(at);
	return 1;
}

/* 1 where the case has another answer than it should, which is said; else 0.
 * Every case is judged before the test fails, so that one run shows them all. */
static inline int
table_wrong(const struct table *table, const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return 0;
	fprintf(stderr, "%s:%d: is '%s', should be '%s'\n", table->name,
	    table->line, got, wanted);
	return 1;
}

/* \n \t \r \0 \\ \xNN become bytes, in place; returns the length. */
static inline size_t
table_unescape(char *text)
{
	char *out = text, hex[3] = "";

	for (char *in = text; *in != '\0'; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		if (*in == 'x') {
			hex[0] = in[1];
			hex[1] = in[2];
			*out++ = (char)strtol(hex, NULL, 16);
			in += 2;
		} else if (*in == 'n')
			*out++ = '\n';
		else if (*in == 't')
			*out++ = '\t';
		else if (*in == 'r')
			*out++ = '\r';
		else if (*in == '0')
			*out++ = '\0';
		else
			*out++ = *in;
	}
	*out = '\0';
	return (size_t)(out - text);
}

#endif
