/*
 * The scribe: what apply and undo hold. It writes one self-contained POSIX sh
 * script and never acts. The same calls give the same bytes: no time, no
 * number of a change, nothing random. Words of others stand in it only as
 * the quoter wrote them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"
#include "digest/digest.h"
#include "script/scribe_parts.h"

void
scribe_start(struct scribe *scribe, struct arena *arena, const char *title)
{
	memset(scribe, 0, sizeof(*scribe));
	scribe->arena = arena;
	scribe->title = title;
	scribe->body.max = SCRIPT_MAX;
	scribe->open = true;
}

void
scribe_drop(struct scribe *scribe)
{
	buf_free(&scribe->body);
}

/* raises when the function it was given to is over */
struct scribe *
scribe_of(lua_State *L)
{
	struct scribe *scribe = lua_touserdata(L, lua_upvalueindex(1));

	luaL_checktype(L, 1, LUA_TTABLE); /* sh:run, not sh.run */
	if (!scribe->open)
		luaL_error(L, "%s", _("this script is finished already"));
	if (scribe->body.full)
		luaL_error(
		    L, _("the script has more than %d bytes"), (int)SCRIPT_MAX);
	return scribe;
}

/* raises */
const char *
scribe_word(lua_State *L, int index, size_t *len)
{
	const char *text = luaL_checklstring(L, index, len);

	if (memchr(text, '\0', *len) != NULL)
		luaL_error(
		    L, "%s", _("a script cannot hold a NUL byte in a word"));
	return text;
}

void
scribe_put_word(struct scribe *scribe, const char *text, size_t len)
{
	quote_put_readable(&scribe->body, text, len);
}

const char *
scribe_optional_word(lua_State *L, int index, size_t *len)
{
	*len = 0;
	return lua_isnoneornil(L, index) ? "" : scribe_word(L, index, len);
}

/* Words of the list at index; "%" becomes instead, when that is given. Says
 * how often. Raises. */
int
scribe_put_argv(
    lua_State *L, struct scribe *scribe, int index, const char *instead)
{
	lua_Integer count;
	int found = 0;
	size_t len;

	luaL_checktype(L, index, LUA_TTABLE);
	count = (lua_Integer)lua_rawlen(L, index);
	for (lua_Integer i = 1; i <= count; i++) {
		const char *text;

		lua_rawgeti(L, index, i);
		text = scribe_word(L, -1, &len);
		if (i == 1 &&
		    (len == 0 || *text == '-' || strchr(text, '=') != NULL))
			luaL_error(L, _("'%s' is no name of a command"), text);
		buf_putc(&scribe->body, ' ');
		if (instead != NULL && strcmp(text, "%") == 0) {
			scribe_put_word(scribe, instead, strlen(instead));
			found++;
		} else {
			scribe_put_word(scribe, text, len);
		}
		lua_pop(L, 1);
	}
	if (count == 0)
		luaL_error(L, "%s", _("a command without words"));
	return found;
}

/* "A=x; export A; " of the map at index, in the order of the names. Raises. */
static void
put_env(lua_State *L, struct scribe *scribe, int index)
{
	struct json *env;

	if (lua_isnoneornil(L, index))
		return;
	env = values_to_json(L, index, scribe->arena, "env");
	if (env->type != JSON_MAP)
		luaL_error(L, "%s", _("env must be a map"));
	/* canonical order: by the bytes of the keys */
	for (size_t done = 0; done < env->count; done++) {
		size_t least = done;
		struct json *item;
		const char *key;

		for (size_t i = done + 1; i < env->count; i++)
			if (strcmp(env->keys[i], env->keys[least]) < 0)
				least = i;
		key = env->keys[least];
		item = env->items[least];
		env->keys[least] = env->keys[done];
		env->items[least] = env->items[done];
		env->keys[done] = key;
		env->items[done] = item;
		if (key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				    "pqrstuvwxyz_0123456789")] != '\0' ||
		    *key == '\0' || (*key >= '0' && *key <= '9'))
			luaL_error(
			    L, _("'%s' is no name for the environment"), key);
		if (item->type != JSON_TEXT ||
		    memchr(item->text, '\0', item->len) != NULL)
			luaL_error(L, _("env '%s' must be a text"), key);
		buf_printf(&scribe->body, "%s=", key);
		scribe_put_word(scribe, item->text, item->len);
		buf_printf(&scribe->body, "; export %s; ", key);
	}
}

/* exec: argv meets no builtin, function or alias of the shell */
static void
put_exec(lua_State *L, struct scribe *scribe, int user, int env)
{
	size_t len;
	const char *name = scribe_optional_word(L, user, &len);

	buf_puts(&scribe->body, "( ");
	if (len > 0) {
		if (*name == '-')
			luaL_error(L, _("'%s' is no name of a user"), name);
		scribe->uses |= SHELL_AS;
		buf_puts(&scribe->body, "become ");
		scribe_put_word(scribe, name, len);
		buf_puts(&scribe->body, " || exit $?; ");
	}
	put_env(L, scribe, env);
	buf_puts(&scribe->body, "exec");
	if (len > 0) {
		buf_puts(&scribe->body, " runuser -u ");
		scribe_put_word(scribe, name, len);
		buf_puts(&scribe->body, " --");
	}
}

/* sh:run{argv} */
static int
sh_run(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);

	put_exec(L, scribe, 4, 3);
	scribe_put_argv(L, scribe, 2, NULL);
	buf_puts(&scribe->body, " ) || exit $?\n");
	return 0;
}

/* sh:run_as(user, argv, env): user nil = as who runs the script */
static int
sh_run_as(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);

	lua_settop(L, 4);
	put_exec(L, scribe, 2, 4);
	scribe_put_argv(L, scribe, 3, NULL);
	buf_puts(&scribe->body, " ) || exit $?\n");
	return 0;
}

/* sh:script(text, args): the module's own fixed text, in a subshell, with
 * args as $1... Its exit status counts; it must end itself by `|| exit`. */
static int
sh_script(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	size_t len, words;
	const char *text = scribe_word(L, 2, &len);

	if (strstr(text, "<<") != NULL)
		return luaL_error(L, "%s",
		    _("no here-documents: a shell that is cut off runs half "
		      "of one"));
	buf_puts(&scribe->body, "( set --");
	words = lua_istable(L, 3) ? lua_rawlen(L, 3) : 0;
	for (size_t i = 1; i <= words; i++) {
		size_t word_len;
		const char *arg;

		lua_rawgeti(L, 3, (lua_Integer)i);
		arg = scribe_word(L, -1, &word_len);
		buf_putc(&scribe->body, ' ');
		scribe_put_word(scribe, arg, word_len);
		lua_pop(L, 1);
	}
	buf_putc(&scribe->body, '\n');
	buf_put(&scribe->body, text, len);
	if (len > 0 && text[len - 1] != '\n')
		buf_putc(&scribe->body, '\n');
	buf_puts(&scribe->body, ") || exit $?\n");
	return 0;
}

/* sh:text(body, env, stdin, user): a person's text, a file of its own */
static int
sh_text(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	struct buf *out = &scribe->body;
	size_t len, stdin_len, user_len;
	const char *body = scribe_word(L, 2, &len);
	const char *input, *user;
	bool has_input;

	lua_settop(L, 5);
	has_input = !lua_isnil(L, 4);
	input = scribe_optional_word(L, 4, &stdin_len);
	user = scribe_optional_word(L, 5, &user_len);
	(void)user;
	scribe->uses |= SHELL_TEXT;
	buf_puts(out, "store \"$x.sh\" ");
	scribe_put_word(scribe, body, len);
	buf_puts(out, " || exit $?\n");
	if (has_input) {
		buf_puts(out, "store \"$x.in\" ");
		scribe_put_word(scribe, input, stdin_len);
		buf_puts(out, " || exit $?\n");
	}
	if (user_len > 0) /* its folder is root's: the user reads by fd 8 */
		buf_puts(out, "chmod 644 \"$x.sh\" || exit $?\n");
	put_exec(L, scribe, 5, 3);
	buf_puts(out, user_len > 0 ? " sh /proc/self/fd/8 ) 8<\"$x.sh\""
				   : " sh \"$x.sh\" )");
	buf_puts(out, has_input ? " <\"$x.in\"" : " </dev/null");
	buf_puts(out, "\ns=$?; rm -f \"$x.sh\"");
	if (has_input)
		buf_puts(out, " \"$x.in\"");
	buf_puts(out, "; [ $s = 0 ] || exit $s\n");
	return 0;
}

/* sh:person(text): what a person must do; the script says it and goes on */
static int
sh_person(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	size_t len;
	const char *text = scribe_word(L, 2, &len);

	buf_puts(&scribe->body, "printf '%s\\n' ");
	scribe_put_word(scribe, text, len);
	buf_puts(&scribe->body, " >&2\n");
	return 0;
}

void
scribe_push(lua_State *L, struct scribe *scribe)
{
	static const luaL_Reg methods[] = {
	    {"run", sh_run},
	    {"run_as", sh_run_as},
	    {"script", sh_script},
	    {"text", sh_text},
	    {"person", sh_person},
	    {"keep", scribe_sh_keep},
	    {"remove", scribe_sh_remove},
	    {"put", scribe_sh_put},
	    {"put_back", scribe_sh_put_back},
	    {NULL, NULL},
	};

	luaL_newlibtable(L, methods);
	lua_pushlightuserdata(L, scribe);
	luaL_setfuncs(L, methods, 1);
}

struct bytes
scribe_finish(struct scribe *scribe, struct bytes undo)
{
	struct buf out = BUF_LIMIT(SCRIPT_MAX);
	struct bytes script = {NULL, 0};
	struct digest digest;
	unsigned parts = scribe->uses;

	scribe->open = false;
	for (size_t i = 0; i < scribe->blob_count; i++)
		buf_printf(&out, "# needs blob %s\n", scribe->blobs[i]);
	buf_printf(&out, "# hoshu: %s\n", scribe->title);
	if (undo.len > 0)
		parts |= SHELL_UNDO;
	shell_put_head(&out, parts);
	shell_put_parts(&out, parts);
	if (undo.len > 0) {
		digest_of(undo, &digest);
		buf_printf(&out, "undo_ready %.*s ", SCRIBE_SHORT, digest.hex);
		quote_put(&out, undo.data, undo.len);
		buf_puts(&out, " || exit $?\n");
	}
	if (scribe->body.len == 0)
		buf_puts(&out, ": # there is nothing to do\n");
	buf_put(&out, scribe->body.data, scribe->body.len);
	if (!out.full && !scribe->body.full) {
		script.len = out.len;
		script.data = arena_copy(scribe->arena, out.data, out.len);
	}
	buf_free(&out);
	return script;
}
