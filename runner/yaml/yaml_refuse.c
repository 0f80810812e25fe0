/*
 * What is wrong with a YAML text, said so that the person who wrote it knows
 * what to change: the characters, and libyaml's complaints in our words.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "yaml/inside.h"

#include <string.h>

/*
 * YAML 1.1 takes U+0085, U+2028 and U+2029 for line ends, an editor does not:
 * one could hide a key from the approver's eyes. A lone CR and the characters
 * that turn text around do the same.
 */
int
yaml_check_text(const char *file, const char *text, size_t len, struct err *err)
{
	struct place place = {file, 1, 1};
	uint32_t code = 0;
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		step = text_decode(text + at, len - at, &code);
		if (step == 0)
			return err_at(err, ERR_PLAN, place,
			    _("the byte 0x%02x is no UTF-8; save the file as "
			      "UTF-8"),
			    (unsigned char)text[at]);
		if (code == '\n') {
			place.line++;
			place.col = 1;
			continue;
		}
		if (code == '\r' && at + 1 < len && text[at + 1] == '\n')
			continue;
		if (code != '\t' && text_is_unsafe(code))
			return err_at(err, ERR_PLAN, place,
			    _("the character U+%04X cannot be seen or changes "
			      "what is seen; take it out, or write it as "
			      "\"\\u%04x\" in double quotes"),
			    (unsigned)code, (unsigned)code);
		place.col++;
	}
	return 0;
}

/* The text from mark on; marks count characters, not bytes. */
static const char *
source_at(
    const struct yaml_reader *reader, const yaml_mark_t *mark, size_t *left)
{
	const char *p = reader->text, *end = p + reader->len;
	uint32_t code;

	for (size_t line = 0; line < mark->line; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL) {
			*left = 0;
			return end;
		}
		p++;
	}
	for (size_t col = 0; col < mark->column && p < end; col++)
		p += text_decode(p, (size_t)(end - p), &code);
	*left = (size_t)(end - p);
	return p;
}

int
yaml_refuse_mark(
    const struct yaml_reader *reader, const yaml_mark_t *mark, struct err *err)
{
	struct place place = yaml_place_of(reader, mark);
	size_t left = 0, len = 0;
	const char *p = source_at(reader, mark, &left);

	while (len < left && len < 60 && strchr(" \t\r\n,]}", p[len]) == NULL)
		len++;
	len = text_utf8_prefix(p, len);
	if (left > 1 && *p == '!' && strchr("!<", p[1]) != NULL)
		return err_at(err, ERR_PLAN, place,
		    _("the tag '%.*s' is not allowed; values are read as they "
		      "are written, take it out"),
		    (int)len, p);
	if (left > 0 && *p == '!')
		return err_at(err, ERR_PLAN, place,
		    _("YAML takes '%.*s' for a tag, and tags are not allowed; "
		      "put the whole text in quotes, or for \"not\" write "
		      "'all & %.*s'"),
		    (int)len, p, (int)len, p);
	if (left > 0 && *p == '&')
		return err_at(err, ERR_PLAN, place,
		    _("YAML takes '%.*s' for an anchor, and anchors are not "
		      "allowed; put the whole text in quotes"),
		    (int)len, p);
	return err_at(err, ERR_PLAN, place,
	    _("YAML takes '%.*s' for an alias, and aliases are not allowed; "
	      "put the whole text in quotes, or write 'all' for every host"),
	    (int)len, p);
}

/* libyaml's words, and what most likely happened. at_context: the place where
 * the thing began says more than the place where it broke. */
static const struct {
	const char *problem;
	const char *context; /* begins so; "" = any */
	const char *message;
	bool at_context;
} complaints[] = {
    {"mapping values are not allowed in this context", "",
	N_("a ': ' is not expected here; put a text that holds ': ' in "
	   "quotes, and look at the indentation"),
	false},
    {"did not find expected key", "while parsing a block mapping",
	N_("no key is here; look at the indentation, and at the quotes "
	   "of the lines before"),
	false},
    {"did not find expected '-' indicator", "",
	N_("the items of a list must begin with '-' in the same column; "
	   "look at the indentation"),
	false},
    {"could not find expected ':'", "",
	N_("a ':' is missing after this key, or a text of many lines is "
	   "not in quotes"),
	true},
    {"found unexpected end of stream", "while scanning a quoted scalar",
	N_("the quote that opens here is never closed"), true},
    {"found unknown escape character", "",
	N_("an unknown escape after '\\' in double quotes; write \\\\ or "
	   "use single quotes"),
	false},
    {"did not find expected ',' or '}'", "",
	N_("a ',' or '}' is missing; put a text that holds { } [ ] or , "
	   "in quotes (\"${{ ... }}\" too)"),
	false},
    {"did not find expected ',' or ']'", "",
	N_("a ',' or ']' is missing; put a text that holds { } [ ] or , "
	   "in quotes (\"${{ ... }}\" too)"),
	false},
    {"found character that cannot start any token", "",
	N_("a value cannot begin with this character; put it in quotes"),
	false},
    {"did not find expected comment or line break",
	"while scanning a block scalar",
	N_("YAML takes this '|' or '>' for the head of a text of many "
	   "lines; put the value in quotes"),
	true},
    {"block sequence entries are not allowed in this context", "",
	N_("a '-' is not expected here; begin the list in a line of its "
	   "own"),
	false},
    {"did not find expected <document start>", "",
	N_("the value ended before this; look at the quotes and the "
	   "indentation"),
	false},
    {"did not find expected node content", "", N_("a value is missing here"),
	false},
    {"found incompatible YAML document", "",
	N_("only YAML 1.1 and 1.2 are read; take this line out"), false},
};
#define COMPLAINT_COUNT (sizeof(complaints) / sizeof(complaints[0]))

static int
refuse_known(const struct yaml_reader *reader, const char *problem,
    const char *context, struct err *err)
{
	const yaml_mark_t *mark;
	size_t len;

	for (size_t i = 0; i < COMPLAINT_COUNT; i++) {
		len = strlen(complaints[i].context);
		if (strcmp(problem, complaints[i].problem) != 0 ||
		    strncmp(context, complaints[i].context, len) != 0)
			continue;
		mark = complaints[i].at_context && context[0] != '\0'
			   ? &reader->parser.context_mark
			   : &reader->parser.problem_mark;
		return err_at(err, ERR_PLAN, yaml_place_of(reader, mark), "%s",
		    _(complaints[i].message));
	}
	return 0;
}

int
yaml_refuse_syntax(const struct yaml_reader *reader, struct err *err)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "";
	const char *context = parser->context != NULL ? parser->context : "";
	const char *p;
	size_t left = 0;
	int r;

	if (parser->error == YAML_MEMORY_ERROR)
		out_of_memory(0);
	if (strcmp(context, "while scanning an anchor") == 0 ||
	    strcmp(context, "while scanning an alias") == 0 ||
	    strcmp(context, "while scanning a tag") == 0 ||
	    strcmp(context, "while parsing a tag") == 0)
		return yaml_refuse_mark(reader, &parser->context_mark, err);
	if (strcmp(problem, "found undefined tag handle") == 0)
		return yaml_refuse_mark(reader, &parser->context_mark, err);
	p = source_at(reader, &parser->problem_mark, &left);
	if (left == 0 && strncmp(context, "while parsing a flow", 20) == 0)
		return err_at(err, ERR_PLAN,
		    yaml_place_of(reader, &parser->context_mark),
		    _("the bracket that opens here is never closed"));
	if (left > 0 && *p == '\t')
		return err_at(err, ERR_PLAN,
		    yaml_place_of(reader, &parser->problem_mark),
		    _("YAML allows no tab here; indent with blanks"));
	r = refuse_known(reader, problem, context, err);
	if (r < 0)
		return r;
	return err_at(err, ERR_PLAN,
	    yaml_place_of(reader, &parser->problem_mark),
	    _("this is no YAML: %s%s%s"), problem,
	    context[0] != '\0' ? ", " : "", context);
}
