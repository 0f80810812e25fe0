/*
 * One sealed Lua state: opened for a job, entered by box_run or lua_resume
 * only, dropped whole. Budget: a count hook; when it is spent, the fiber is
 * left where it stands, or the hook fires at every instruction, so that no
 * pcall outlives it. This is a courtesy, the
 * wall is the worker's process.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

/* Instructions between two looks at the budget and the CPU clock: one C
 * function on the biggest string that the heap holds costs about 2 ms. */
enum { HOOK_EVERY = 250 };

static int64_t
cpu_ns(void)
{
	/* not world.h: no decision rests on it, and a simulated clock would
	 * let a loop run for ever */
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct box *
box_of(lua_State *L)
{
	struct box *box;

	memcpy(&box, lua_getextraspace(L), sizeof(box));
	return box;
}

static void hook(lua_State *L, lua_Debug *debug);

/* raises */
static void
spend(lua_State *L, struct box *box)
{
	box->spent = true;
	lua_sethook(L, hook, LUA_MASKCOUNT, 1);
	luaL_error(L, "%s", _("it runs too long: its budget is spent"));
}

/* A fiber is left where it stands: an error would be caught by each pcall of
 * perhaps 100,000, and each costs a walk over all the others. Elsewhere C's
 * own stack bounds them to 200, and it raises. */
static void
hook(lua_State *L, lua_Debug *debug)
{
	struct box *box = box_of(L);

	(void)debug;
	box->budget -= HOOK_EVERY;
	if (!box->spent && box->budget >= 0 && cpu_ns() <= box->burst_until_ns)
		return;
	if (!lua_isyieldable(L))
		spend(L, box);
	box->spent = true;
	(void)box_where(L); /* a yield steps back by one instruction */
	lua_yield(L, 0);
}

void
box_charge(lua_State *L, int64_t n)
{
	struct box *box = box_of(L);

	box->budget -= n;
	if (box->spent || box->budget < 0 ||
	    (n >= HOOK_EVERY && cpu_ns() > box->burst_until_ns))
		spend(L, box);
}

void
box_burst(struct box *box)
{
	box->burst_until_ns = cpu_ns() + box->cpu_left_ns;
}

void
box_rest(struct box *box)
{
	box->cpu_left_ns = box->burst_until_ns - cpu_ns();
}

static int
panic(lua_State *L)
{
	bug("Lua was entered without protection: %s", lua_tostring(L, -1));
}

void
box_open(struct box *box, struct script *script)
{
	memset(box, 0, sizeof(*box));
	box->script = script;
	box->arena = arena_new();
	box->heap.cap = HEAP_CAP;
	box->budget = BOX_BUDGET;
	box->L = lua_newstate(heap_realloc, &box->heap);
	if (box->L == NULL)
		bug("no Lua state within %d bytes", HEAP_CAP);
	lua_atpanic(box->L, panic);
	memcpy(lua_getextraspace(box->L), &box, sizeof(box));
	lua_sethook(box->L, hook, LUA_MASKCOUNT, HOOK_EVERY);
	box->cpu_left_ns = (int64_t)BOX_CPU_MS * 1000000;
	box_burst(box);
}

void
box_close(struct box *box)
{
	for (size_t i = 0; i < box->match_count; i++) {
		match_free(box->matches[i].match);
		free(box->matches[i].pattern);
		free(box->matches[i].flags);
	}
	free(box->matches);
	heap_drop(&box->heap); /* no lua_close: nothing in there has an end */
	arena_free(box->arena);
	memset(box, 0, sizeof(*box));
}

int
box_where(lua_State *L)
{
	struct box *box = box_of(L);
	lua_Debug debug;

	box->where[0] = '\0';
	box->line = 0;
	for (int level = 0; lua_getstack(L, level, &debug); level++) {
		lua_getinfo(L, "Sl", &debug);
		if (debug.currentline <= 0)
			continue;
		strncpy(box->where, debug.short_src, sizeof(box->where) - 1);
		box->line = debug.currentline;
		break;
	}
	return 1;
}

/* "NAME.lua:12: text" -> text, and the place when it is not known yet. */
static const char *
strip_place(const char *text, struct script_failure *failure)
{
	const char *colon = strstr(text, ".lua:");
	char *end;
	long line;

	if (colon == NULL || memchr(text, ' ', (size_t)(colon - text)) != NULL)
		return text;
	line = strtol(colon + 5, &end, 10);
	if (line <= 0 || strncmp(end, ": ", 2) != 0)
		return text;
	snprintf(failure->file, sizeof(failure->file), "%.*s",
	    (int)(colon + 4 - text), text);
	failure->line = (int)line;
	return end + 2;
}

void
box_failure(struct box *box, lua_State *L, struct script_failure *failure)
{
	const char *text = lua_type(L, -1) == LUA_TSTRING
			       ? lua_tostring(L, -1)
			       : _("it raised an error that is no text");

	memset(failure, 0, sizeof(*failure));
	failure->fault = SCRIPT_MODULE;
	if (box->line > 0) {
		snprintf(
		    failure->file, sizeof(failure->file), "%s", box->where);
		failure->line = box->line;
	}
	text = strip_place(text, failure);
	if (box->spent)
		failure->fault = SCRIPT_BUDGET;
	else if (box->heap.refused && strcmp(text, "not enough memory") == 0) {
		failure->fault = SCRIPT_MEMORY;
		text = _("it needs more memory than a module may have");
	}
	text_cleanse(failure->text, sizeof(failure->text), text, strlen(text));
	lua_pop(L, 1);
}

void
box_spent(const struct box *box, struct script_failure *failure)
{
	const char *text = _("it runs too long: its budget is spent");

	memset(failure, 0, sizeof(*failure));
	failure->fault = SCRIPT_BUDGET;
	failure->line = box->line;
	snprintf(failure->file, sizeof(failure->file), "%s", box->where);
	snprintf(failure->text, sizeof(failure->text), "%s", text);
}

int
box_run(struct box *box, lua_CFunction fn, void *arg,
    struct script_failure *failure)
{
	lua_State *L = box->L;
	int base = lua_gettop(L), status;

	box->line = 0;
	box_burst(box);
	lua_pushcfunction(L, box_where);
	lua_pushcfunction(L, fn);
	lua_pushlightuserdata(L, arg);
	status = lua_pcall(L, 1, 0, base + 1);
	box_rest(box);
	if (status != LUA_OK)
		box_failure(box, L, failure);
	lua_settop(L, base);
	return status == LUA_OK ? 0 : -1;
}

void
box_load(lua_State *L, struct bytes chunk, const char *name, const char *mode)
{
	/* the chunk's _ENV is the registry's table of globals: the proxy */
	if (luaL_loadbufferx(L, chunk.data, chunk.len, name, mode) != LUA_OK)
		lua_error(L);
}
