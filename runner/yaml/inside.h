/*
 * Of yaml/ alone: the reader, shared by the builder and by what turns
 * libyaml's complaints into messages.
 */
#ifndef HOSHU_YAML_INSIDE_H
#define HOSHU_YAML_INSIDE_H

#include <yaml.h>

#include "yaml/yaml.h"

enum {
	YAML_LIMIT_BYTES = 1 << 20,
	YAML_LIMIT_DEPTH = 64,
	YAML_LIMIT_NODES = 50000,
};

struct yaml_reader {
	yaml_parser_t parser;
	struct arena *arena;
	const char *file; /* lives in arena */
	const char *text;
	size_t len;
	int depth;
	int nodes;
};

struct place yaml_place_of(
    const struct yaml_reader *reader, const yaml_mark_t *mark);

/* Refuses bytes that are no UTF-8, and characters that YAML forbids or that
 * a reader of the text would not see as they are. */
int yaml_check_text(
    const char *file, const char *text, size_t len, struct err *err) MUST_USE;

/* What libyaml has to say, after yaml_parser_parse failed. */
int yaml_refuse_syntax(const struct yaml_reader *reader, struct err *err);
/* An anchor, alias or tag written at mark. */
int yaml_refuse_mark(
    const struct yaml_reader *reader, const yaml_mark_t *mark, struct err *err);

#endif
