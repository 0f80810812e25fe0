/*
 * Recorded English back into a form and its arguments, and out again in the
 * person's language. Knows no record; tests/rules/translations.t holds every
 * form against the messages of the sources and the modules.
 */
#include "base/said.h"
#include "base/arena.h"
#include "base/i18n.h"

#include <string.h>

enum { SAID_ARGS = 5, SAID_DEPTH = 4 };

/* phrases: which arguments are again texts of hoshu's (1 << index); the others
 * are names, numbers, or what a host said, and stay. The first form that
 * matches counts, so the narrow ones stand first. */
static const struct {
	const char *text;
	unsigned phrases;
} forms[] = {
    /* rollout/ */
    {N_("step \"%s\": the host is no longer as it was previewed (drift); "
	"submit the plan again"),
	0},
    {N_("step \"%s\" is not proved back: %s"), 1u << 1},
    {N_("rollback step \"%s\": %s"), 1u << 1},
    {N_("step \"%s\": %s"), 1u << 1},
    {N_("check \"%s\": %s: %.400s"), 1u << 1 | 1u << 2},
    {N_("failed: %d, limit %d"), 0},
    {N_("unreachable: %d, limit %d"), 0},
    {N_("excluded: %d, limit %d"), 0},
    /* fleet/, loop/, remote/ */
    {N_("host %s: %s"), 1u << 1},
    {N_("cannot connect to %s port %d: %s; is the host up, and is that its "
	"address?"),
	0},
    {N_("cannot connect to %s: %s"), 0},
    {N_("the connection to %s was lost in %s: %s"), 1u << 1 | 1u << 2},
    {N_("the connection to %s was closed"), 0},
    {N_("%s did not get through %s within %lld ms"), 1u << 1},
    {N_("connected in %lld ms"), 0},
    {N_("no answer within %s"), 0},
    /* http/ */
    {N_("%s, wanted %d"), 0},
    {N_("%s, wanted 2xx (redirects are not followed)"), 0},
    {N_("%s, wanted 2xx"), 0},
    {N_("%s, but the body does not hold the text wanted"), 0},
    {N_("%s, but the body does not match"), 0},
    {N_("%s, and the pattern is too costly for this body"), 0},
    /* worker/; a command's first line may follow */
    {N_("%s is %s, wanted active"), 0},
    {N_("%s did not end in time"), 0},
    {N_("%s ended with %d"), 0},
    {N_("%s ended with %d: %s"), 0},
    {N_("cannot run %s"), 0},
    /* frozen with a preview */
    {N_("depends on whether '%s' changes anything"), 0},
    {N_("depends on an earlier step: %s"), 1u << 0},
    {N_("%s is writable"), 0},
    /* modules/ */
    {N_("folder %s does not exist"), 0},
    {N_("unit %s does not exist"), 0},
    {N_("unless: there is no command '%s'"), 0},
    {N_("without unless: it runs each time"), 0},
    {N_("restart %s"), 0},
    {N_("downtime %s is stopped"), 0},
    {N_("run reload of %s"), 0},
    {N_("run start of %s"), 0},
    {N_("run %s"), 0},
    {N_("write %s is removed"), 0},
    {N_("write %s is enabled"), 0},
    {N_("write %s is disabled"), 0},
    {N_("write %s"), 0},
};

static void put(
    struct buf *out, struct arena *arena, const char *text, int depth);

/* Behind a conversion such as %s, %.400s, %lld or %1$zu. */
static const char *
conversion_end(const char *at)
{
	size_t len = 1 + strcspn(at + 1, "sdu");

	return at[len] != '\0' ? at + len + 1 : at + len;
}

/* Is the text of this form? Then its arguments. */
static bool
match(struct arena *arena, const char *form, const char *text,
    const char *args[SAID_ARGS])
{
	const char *next, *end;
	size_t count = 0, literal;

	while (*form != '\0') {
		if (*form != '%') {
			if (*form++ != *text++)
				return false;
			continue;
		}
		next = conversion_end(form);
		literal = strcspn(next, "%");
		end = literal > 0 ? memmem(text, strlen(text), next, literal)
				  : text + strlen(text);
		if (end == NULL || count == SAID_ARGS ||
		    (next[-1] != 's' &&
			text + strspn(text, "0123456789") != end))
			return false;
		args[count++] = arena_copy(arena, text, (size_t)(end - text));
		text = end;
		form = next;
	}
	return *text == '\0';
}

/* The translated form; its conversions may be numbered. */
static void
put_form(struct buf *out, struct arena *arena, const char *form,
    const char *const args[SAID_ARGS], unsigned phrases, int depth)
{
	size_t next = 0;

	while (*form != '\0') {
		size_t which = next;

		if (*form != '%') {
			buf_putc(out, *form++);
			continue;
		}
		next++;
		if (form[1] >= '1' && form[1] <= '9' && form[2] == '$')
			which = (size_t)(form[1] - '1');
		if (which < SAID_ARGS && args[which] != NULL) {
			if ((phrases >> which & 1) != 0)
				put(out, arena, args[which], depth + 1);
			else
				buf_puts(out, args[which]);
		}
		form = conversion_end(form);
	}
}

static void
put(struct buf *out, struct arena *arena, const char *text, int depth)
{
	const char *there = _(text);

	if (there != text || depth == SAID_DEPTH) {
		buf_puts(out, there);
		return;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *args[SAID_ARGS] = {NULL};

		there = _(forms[i].text);
		if (there == forms[i].text ||
		    !match(arena, forms[i].text, text, args))
			continue;
		put_form(out, arena, there, args, forms[i].phrases, depth);
		return;
	}
	buf_puts(out, text);
}

void
said_put(struct buf *out, const char *text)
{
	struct arena *arena = arena_new();

	put(out, arena, text, 0);
	arena_free(arena);
}

void
said_put_list(struct buf *out, const char *texts)
{
	struct arena *arena = arena_new();
	const char *comma;

	while ((comma = strstr(texts, ", ")) != NULL) {
		put(out, arena,
		    arena_copy(arena, texts, (size_t)(comma - texts)), 0);
		buf_puts(out, ", ");
		texts = comma + 2;
	}
	put(out, arena, texts, 0);
	arena_free(arena);
}
