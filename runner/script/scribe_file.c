/*
 * The scribe's words for files: keep, put, put_back, remove. A file appears
 * whole or not at all; what it replaces is kept by its digest.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "digest/digest.h"
#include "script/scribe_parts.h"

/* A path of a script: absolute, no folder itself. Raises. */
static const char *
path_word(lua_State *L, int index, size_t *len)
{
	const char *path = scribe_word(L, index, len);

	if (*path != '/' || path[*len - 1] == '/')
		luaL_error(L, _("'%s' is no absolute path of a file"), path);
	return path;
}

/* raises */
static const char *
digest_word(lua_State *L, int index)
{
	const char *hex = luaL_checkstring(L, index);
	unsigned char raw[DIGEST_RAW];

	if (digest_from_hex(hex, raw) < 0)
		luaL_error(L, _("'%s' is no SHA-256 digest"), hex);
	return hex;
}

/* "SHA256.PATH": where a kept file's times, lists and attributes are; of the
 * path, because files of one content may differ in these */
static const char *
kept_meta(struct scribe *scribe, const char *hex, const char *path, size_t len)
{
	struct digest digest;

	digest_of((struct bytes){path, len}, &digest);
	return arena_printf(
	    scribe->arena, "%s.%.*s", hex, SCRIBE_SHORT, digest.hex);
}

/* sh:keep(path, sha256): the pre-image, by digest */
int
scribe_sh_keep(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	size_t len;
	const char *path = path_word(L, 2, &len);
	const char *hex = digest_word(L, 3);

	if (scribe->keeps_nothing) {
		scribe->uses |= SHELL_SAME;
		buf_puts(&scribe->body, "same ");
		scribe_put_word(scribe, path, len);
		buf_printf(&scribe->body, " %s || exit $?\n", hex);
		return 0;
	}
	scribe->uses |= SHELL_KEEP;
	buf_puts(&scribe->body, "keep ");
	scribe_put_word(scribe, path, len);
	buf_printf(&scribe->body, " %s %s || exit $?\n", hex,
	    kept_meta(scribe, hex, path, len));
	return 0;
}

/* sh:remove(path) */
int
scribe_sh_remove(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	size_t len;
	const char *path = path_word(L, 2, &len);

	buf_puts(&scribe->body, "rm -f ");
	scribe_put_word(scribe, path, len);
	buf_puts(&scribe->body, " || exit $?\n");
	return 0;
}

/* "FOLDER/.hoshu-XXXXXXXXXXXXXXXX": the new file, beside the old one */
static const char *
new_beside(struct scribe *scribe, const char *path, size_t len)
{
	const char *slash = strrchr(path, '/');
	struct digest digest;

	digest_of((struct bytes){path, len}, &digest);
	return arena_printf(scribe->arena, "%.*s.hoshu-%.*s",
	    (int)(slash + 1 - path), path, SCRIBE_SHORT, digest.hex);
}

/* "owner:group", either may be missing. Raises. */
static const char *
owner_word(lua_State *L, struct scribe *scribe, int owner, int group)
{
	size_t owner_len, group_len;
	const char *o = scribe_optional_word(L, owner, &owner_len);
	const char *g = scribe_optional_word(L, group, &group_len);

	if (owner_len + group_len == 0)
		return "";
	if (*o == '-' || strchr(o, ':') != NULL || strchr(g, ':') != NULL)
		luaL_error(L, _("'%s:%s' is no owner and group"), o, g);
	return group_len == 0 ? arena_strdup(scribe->arena, o)
			      : arena_printf(scribe->arena, "%s:%s", o, g);
}

/* raises */
static const char *
mode_word(lua_State *L, int index)
{
	const char *mode = luaL_checkstring(L, index);
	size_t len = strlen(mode);

	if (len < 3 || len > 5 || strspn(mode, "01234567") != len)
		luaL_error(L, _("'%s' is no mode: four octal digits"), mode);
	return mode;
}

/* "put PATH NEW MODE OWNER " */
static const char *
put_start(struct scribe *scribe, const char *path, size_t len, const char *mode,
    const char *owner)
{
	const char *temporary = new_beside(scribe, path, len);

	scribe->uses |= SHELL_PUT;
	buf_puts(&scribe->body, "put ");
	scribe_put_word(scribe, path, len);
	buf_putc(&scribe->body, ' ');
	scribe_put_word(scribe, temporary, strlen(temporary));
	buf_printf(&scribe->body, " %s ", mode);
	scribe_put_word(scribe, owner, strlen(owner));
	return temporary;
}

static void
put_land(
    struct scribe *scribe, const char *temporary, const char *path, size_t len)
{
	buf_puts(&scribe->body, "land ");
	scribe_put_word(scribe, temporary, strlen(temporary));
	buf_putc(&scribe->body, ' ');
	scribe_put_word(scribe, path, len);
	buf_puts(&scribe->body, " || exit $?\n");
}

static void
need_blob(struct scribe *scribe, const char *hex)
{
	for (size_t i = 0; i < scribe->blob_count; i++)
		if (strcmp(scribe->blobs[i], hex) == 0)
			return;
	*arena_push(scribe->arena, scribe->blobs, scribe->blob_count,
	    scribe->blob_cap) = arena_strdup(scribe->arena, hex);
}

/* "text CONTENT" or "file BLOB SHA256". What a source holds is in the script
 * when it is small; that its bytes are here then is demanded, so that the
 * same params give the same script everywhere. Raises. */
static void
put_content(lua_State *L, struct scribe *scribe, int index)
{
	struct bytes content = {NULL, 0};
	const char *hex = NULL;
	lua_Integer size;

	if (lua_type(L, index) == LUA_TTABLE) {
		lua_getfield(L, index, "sha256");
		hex = digest_word(L, -1);
		lua_getfield(L, index, "size");
		size = luaL_checkinteger(L, -1);
		if (size <= INLINE_MAX) {
			content = script_blob_get(box_of(L)->script, hex);
			if (content.data == NULL)
				luaL_error(L,
				    _("the source file %s was not sent here"),
				    hex);
			if (memchr(content.data, '\0', content.len) != NULL)
				content.data = NULL;
		}
	} else {
		content.data = scribe_word(L, index, &content.len);
	}
	if (content.data != NULL) {
		buf_puts(&scribe->body, " text ");
		quote_put(&scribe->body, content.data, content.len);
	} else {
		need_blob(scribe, hex);
		buf_printf(&scribe->body, " file \"$S/blob/%s\" %s", hex, hex);
	}
}

/* sh:put(path, content, mode, owner, group, validate): content is a text or a
 * source {sha256, size}; validate an argv with "%" for the new file */
int
scribe_sh_put(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	struct buf *out = &scribe->body;
	size_t len;
	const char *path = path_word(L, 2, &len), *temporary;

	lua_settop(L, 7);
	temporary = put_start(
	    scribe, path, len, mode_word(L, 4), owner_word(L, scribe, 5, 6));
	put_content(L, scribe, 3);
	buf_puts(out, " || exit $?\n");
	if (!lua_isnil(L, 7)) {
		buf_puts(out, "( exec");
		if (scribe_put_argv(L, scribe, 7, temporary) == 0)
			luaL_error(L, "%s",
			    _("validate has no \"%\" for the new file"));
		buf_puts(out, " ) || { s=$?; rm -f ");
		scribe_put_word(scribe, temporary, strlen(temporary));
		buf_puts(out, "; exit $s; }\n");
	}
	put_land(scribe, temporary, path, len);
	return 0;
}

/* The text at field of the table at index, "" when it is not there. */
static const char *
state_text(lua_State *L, int index, const char *field)
{
	const char *text = "";
	size_t len;

	if (lua_getfield(L, index, field) != LUA_TNIL)
		text = scribe_word(L, -1, &len);
	/* stays on the stack, so that the text stays */
	return text;
}

/* sh:put_back(path, state): as host:stat and the file module describe one */
int
scribe_sh_put_back(lua_State *L)
{
	struct scribe *scribe = scribe_of(L);
	size_t len;
	const char *path = path_word(L, 2, &len), *kind, *owner, *temporary;
	int first;

	luaL_checktype(L, 3, LUA_TTABLE);
	lua_settop(L, 3);
	kind = state_text(L, 3, "kind");
	first = lua_gettop(L) + 1;
	state_text(L, 3, "owner");
	state_text(L, 3, "group");
	owner = owner_word(L, scribe, first, first + 1);
	if (strcmp(kind, "absent") == 0) {
		lua_settop(L, 2);
		return scribe_sh_remove(L);
	}
	if (strcmp(kind, "link") == 0) {
		const char *target = state_text(L, 3, "target");

		scribe->uses |= SHELL_LINK;
		buf_puts(&scribe->body, "relink ");
		scribe_put_word(scribe, path, len);
		buf_putc(&scribe->body, ' ');
		scribe_put_word(scribe, target, strlen(target));
		buf_putc(&scribe->body, ' ');
		scribe_put_word(scribe, owner, strlen(owner));
		buf_puts(&scribe->body, " || exit $?\n");
		return 0;
	}
	if (strcmp(kind, "file") == 0) {
		const char *hex, *meta;

		lua_getfield(L, 3, "mode");
		lua_getfield(L, 3, "sha256");
		hex = digest_word(L, -1);
		meta = kept_meta(scribe, hex, path, len);
		scribe->uses |= SHELL_BACK;
		buf_puts(&scribe->body, "if ! untouched ");
		scribe_put_word(scribe, path, len);
		buf_printf(&scribe->body, " %s %s; then\n", hex, meta);
		temporary =
		    put_start(scribe, path, len, mode_word(L, -2), owner);
		buf_printf(&scribe->body,
		    " kept \"$H/pre/%s\" %s \"$H/pre/%s\" || exit $?\n", hex,
		    hex, meta);
		put_land(scribe, temporary, path, len);
		buf_puts(&scribe->body, "fi\n");
		return 0;
	}
	return luaL_error(L, _("'%s' cannot be put back: it was a %s"), path,
	    *kind == '\0' ? "?" : kind);
}
