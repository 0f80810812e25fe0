/*
 * What a probe holds: a handle that can ask its host and nothing else. Each
 * ask is one round trip, so a probe makes as few as it can. Every text is
 * built by the quoter; what the host says comes back as text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"
#include "script/inside.h"

/* How the answer becomes Lua values. */
enum answer { ANSWER_RUN, ANSWER_STAT, ANSWER_READ, ANSWER_DIGEST };

static struct script_job *
job_of(lua_State *L)
{
	return (struct script_job *)box_of(L); /* its first member */
}

static void
push_run(lua_State *L, const struct wait *wait)
{
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, wait->status);
	lua_setfield(L, -2, "rc");
	lua_pushlstring(L, wait->out.data, wait->out.len);
	lua_setfield(L, -2, "out");
	lua_pushlstring(L, wait->err.data, wait->err.len);
	lua_setfield(L, -2, "err");
}

/* The next word of *at, up to end of stop; "" at the end. [-0, +1] */
static void
push_until(lua_State *L, const char **at, char stop)
{
	const char *end = strchr(*at, stop);

	if (end == NULL)
		end = *at + strlen(*at);
	lua_pushlstring(L, *at, (size_t)(end - *at));
	*at = *end == '\0' ? end : end + 1;
}

/* Lines "KIND" and "MODE OWNER GROUP UID GID SIZE", then a link's target. */
static int
push_stat(lua_State *L, const struct wait *wait)
{
	static const char *const fields[] = {
	    "mode", "owner", "group", "uid", "gid", "size"};
	const char *at = wait->out.data, *end;

	if (wait->status != 0) {
		lua_pushnil(L);
		lua_pushlstring(L, wait->err.data, wait->err.len);
		return 2;
	}
	lua_newtable(L);
	push_until(L, &at, '\n');
	lua_setfield(L, -2, "kind");
	if (*at == '\0')
		return 1;
	for (size_t i = 0; i < 6; i++) {
		push_until(L, &at, i < 5 ? ' ' : '\n');
		lua_setfield(L, -2, fields[i]);
	}
	end = (const char *)wait->out.data + wait->out.len;
	if (end > at) {
		lua_pushlstring(L, at, (size_t)(end - at) - 1);
		lua_setfield(L, -2, "target");
	}
	return 1;
}

static int
push_answer(lua_State *L, int status, lua_KContext context)
{
	struct script_job *job = job_of(L);
	const struct wait *wait = &job->wait;

	(void)status;
	if (!wait->answered)
		bug("a probe went on without an answer");
	box_charge(L, (int64_t)(wait->out.len + wait->err.len) / 64);
	switch ((enum answer)context) {
	case ANSWER_RUN:
		push_run(L, wait);
		return 1;
	case ANSWER_STAT:
		return push_stat(L, wait);
	case ANSWER_READ:
		if (wait->status == 0) {
			lua_pushlstring(L, wait->out.data, wait->out.len);
			return 1;
		}
		lua_pushnil(L);
		lua_pushlstring(L, wait->err.data, wait->err.len);
		return 2;
	case ANSWER_DIGEST:
		if (wait->status == 0 && wait->out.len >= 64) {
			lua_pushlstring(L, wait->out.data, 64);
			return 1;
		}
		lua_pushnil(L);
		lua_pushlstring(L, wait->err.data, wait->err.len);
		return 2;
	}
	return 0;
}

/* Text is all that a shell can take. Raises. */
static const char *
shell_text(lua_State *L, int index, size_t *len)
{
	const char *text = luaL_checklstring(L, index, len);

	if (memchr(text, '\0', *len) != NULL)
		luaL_error(
		    L, "%s", _("a text for a shell cannot hold a NUL byte"));
	return text;
}

/* Append the words 1..n of the table at index, quoted. Raises. The pieces go
 * through Lua's own buffer: nothing is lost when it raises. */
static void
add_words(lua_State *L, luaL_Buffer *out, int index)
{
	struct buf quoted = BUF_INIT;
	lua_Integer count;
	const char *word, *copy;
	size_t len;

	index = lua_absindex(L, index);
	count = (lua_Integer)lua_rawlen(L, index);
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, index, i);
		word = shell_text(L, -1, &len);
		box_charge(L, (int64_t)len / 4 + 1);
		quote_put(&quoted, word, len);
		copy =
		    arena_copy(box_of(L)->arena, buf_str(&quoted), quoted.len);
		len = quoted.len;
		buf_free(&quoted);
		lua_pop(L, 1);
		luaL_addchar(out, ' ');
		luaL_addlstring(out, copy, len);
	}
}

/* Ask with the text on top. Raises. */
static int
ask(lua_State *L, enum answer answer)
{
	struct script_job *job = job_of(L);
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	if (!job->probing)
		return luaL_error(L, "%s", _("only probe may ask the host"));
	if (len > ASK_MAX)
		return luaL_error(L,
		    _("a question of more than %d bytes: ask in pieces"),
		    (int)ASK_MAX);
	if (job->wait.asks >= ASKS_MAX)
		return luaL_error(L,
		    _("a probe of more than %d questions: ask for more at "
		      "once"),
		    (int)ASKS_MAX);
	if (L != job->fiber || !lua_isyieldable(L)) /* before it is sent */
		return park_wait(L, job, answer, push_answer);
	park_ask(job, text, len);
	return park_wait(L, job, answer, push_answer);
}

/* host:run{ argv... } -> { rc =, out =, err = } */
static int
host_run(lua_State *L)
{
	luaL_Buffer out;

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	if (lua_rawlen(L, 2) == 0)
		return luaL_error(L, "%s", _("host:run{}: no command"));
	luaL_buffinit(L, &out);
	luaL_addstring(&out, "exec");
	add_words(L, &out, 2);
	luaL_pushresult(&out);
	return ask(L, ANSWER_RUN);
}

/* host:ask{ script = TEXT, args = {} } -> { rc =, out =, err = } */
static int
host_ask(lua_State *L)
{
	luaL_Buffer out;
	size_t len;

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	lua_getfield(L, 2, "script");
	lua_getfield(L, 2, "args");
	shell_text(L, 3, &len);
	luaL_buffinit(L, &out);
	luaL_addstring(&out, "set --");
	if (lua_istable(L, 4))
		add_words(L, &out, 4);
	luaL_addchar(&out, '\n');
	luaL_addlstring(&out, lua_tostring(L, 3), len);
	luaL_pushresult(&out);
	return ask(L, ANSWER_RUN);
}

/* One fixed text with the path (and a number) as its arguments. */
static int
ask_path(
    lua_State *L, const char *script, lua_Integer number, enum answer answer)
{
	luaL_Buffer out;

	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	lua_newtable(L);
	lua_pushvalue(L, 2);
	lua_rawseti(L, 3, 1);
	luaL_buffinit(L, &out);
	luaL_addstring(&out, "set --");
	add_words(L, &out, 3);
	lua_pushfstring(L, " %I\n", number);
	luaL_addvalue(&out);
	luaL_addstring(&out, script);
	luaL_pushresult(&out);
	return ask(L, answer);
}

/* host:stat(path) -> { kind = absent|file|folder|link|other, mode =, owner =,
 * group =, uid =, gid =, size =, target = } */
static int
host_stat(lua_State *L)
{
	return ask_path(L,
	    "k=absent\n"
	    "if [ -L \"$1\" ]; then k=link\n"
	    "elif [ -f \"$1\" ]; then k=file\n"
	    "elif [ -d \"$1\" ]; then k=folder\n"
	    "elif [ -e \"$1\" ]; then k=other; fi\n"
	    "echo $k\n"
	    "[ $k = absent ] || stat -c '%a %U %G %u %g %s' -- \"$1\" || "
	    "exit\n"
	    "[ $k != link ] || readlink -- \"$1\"\n",
	    0, ANSWER_STAT);
}

/* host:read(path, max) -> at most max bytes, or nil and why */
static int
host_read(lua_State *L)
{
	lua_Integer max = luaL_optinteger(L, 3, READ_MAX);

	if (max < 1 || max > READ_MAX)
		return luaL_error(
		    L, _("host:read: at most %d bytes"), (int)READ_MAX);
	return ask_path(L, "head -c \"$2\" <\"$1\"\n", max, ANSWER_READ);
}

/* host:sha256(path) -> 64 hex digits, or nil and why */
static int
host_sha256(lua_State *L)
{
	return ask_path(L, "sha256sum <\"$1\"\n", 0, ANSWER_DIGEST);
}

/* upvalue: the table of methods. host.name, host.vars, host.facts */
static int
host_index(lua_State *L)
{
	struct script_job *job = job_of(L);
	const char *key = luaL_checkstring(L, 2);
	const struct json *host = json_get(job->data, "host");

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (strcmp(key, "name") == 0)
		lua_pushstring(L, json_get_text(host, "name", ""));
	else if (strcmp(key, "vars") == 0)
		values_push(L, json_get(host, "vars"), NULL);
	else if (strcmp(key, "facts") == 0)
		values_push(L, json_get(job->data, "facts"), NULL);
	else
		return luaL_error(L, _("the host has no '%s'"), key);
	if (lua_isnil(L, -1))
		lua_newtable(L);
	return 1;
}

void
host_push(lua_State *L, struct script_job *job)
{
	static const luaL_Reg methods[] = {
	    {"run", host_run},
	    {"ask", host_ask},
	    {"stat", host_stat},
	    {"read", host_read},
	    {"sha256", host_sha256},
	    {NULL, NULL},
	};

	(void)job;
	lua_newtable(L);
	lua_createtable(L, 0, 2);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_pushcclosure(L, host_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}
