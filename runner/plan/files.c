/*
 * Files that a plan names: source:, template:, ca:. Only what lies below the
 * project's files folder, symbolic links followed, can be meant: a plan from
 * elsewhere must not fetch the keys of who runs it.
 */
#include "plan/parts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "digest/digest.h"

enum { SOURCE_MAX = 16 << 20, TEXT_MAX = 1 << 20 };

/* No part of the path is "..", none is empty or ".". */
static bool
is_tidy(const char *path)
{
	size_t len;

	for (;;) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

static int
check_path(const struct yaml *node, const char *what, struct err *err)
{
	int r;

	if ((r = word_line(node, what, PATH_MAX, err)) < 0)
		return r;
	if (text_has_expression(node->text))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: the name of a file cannot hold ${{ }}: files are "
		      "frozen at submit, before anything is evaluated"),
		    what);
	if (node->text[0] == '/')
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' is absolute; name a file below the project's "
		      "files folder"),
		    what, node->text);
	if (!is_tidy(node->text))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' may not hold '..', '.' or an empty part; "
		      "name a file below the project's files folder"),
		    what, node->text);
	return 0;
}

/* errno says why. */
static int
unreadable(const struct yaml *node, const char *what, struct err *err)
{
	return err_at(err, ERR_PLAN, node->place,
	    _("%s: '%s' cannot be read in the project's files folder: %s"),
	    what, node->text, strerror(errno));
}

int
bind_file(struct bind *bind, const struct yaml *node, const char *what,
    size_t max_bytes, struct buf *out, struct err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct err why = ERR_INIT;
	struct stat st;
	size_t len;
	int r;

	if ((r = check_path(node, what, err)) < 0)
		return r;
	if (bind->files_folder == NULL ||
	    realpath(bind->files_folder, folder) == NULL)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s': the project has no files folder; make it, "
		      "or set files: in hoshu.yml"),
		    what, node->text);
	if (realpath(file_join(bind->arena, folder, node->text), path) == NULL)
		return unreadable(node, what, err);
	len = strlen(folder);
	if (strncmp(path, folder, len) != 0 || path[len] != '/')
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' leads out of the project's files folder by a "
		      "symbolic link; copy the file into it"),
		    what, node->text);
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return unreadable(node, what, err);
	if (!S_ISREG(st.st_mode))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' is no regular file; name a file"), what,
		    node->text);
	if (st.st_size < 0 || (uintmax_t)st.st_size > max_bytes)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' is larger than the %zu MiB allowed here"), what,
		    node->text, max_bytes >> 20);
	if (file_read(path, max_bytes, out, &why) < 0)
		return err_at(
		    err, ERR_PLAN, node->place, _("%s: %s"), what, why.text);
	return 0;
}

static bool
is_given(struct bind *bind, const char *sha256)
{
	for (size_t i = 0; i < bind->given_count; i++)
		if (strcmp(bind->given[i], sha256) == 0)
			return true;
	return false;
}

int
bind_source(struct bind *bind, const struct yaml *node, const char *what,
    struct json **out, struct err *err)
{
	struct buf content = BUF_LIMIT(SOURCE_MAX);
	struct digest digest;
	struct json *value;
	int r;

	r = bind_file(bind, node, what, SOURCE_MAX, &content, err);
	if (r < 0)
		goto out;
	digest_of(buf_bytes(&content), &digest);
	if (!is_given(bind, digest.hex)) {
		r = bind->blob(bind->arg, digest.hex, buf_bytes(&content), err);
		if (r < 0)
			goto out;
		*arena_push(bind->arena, bind->given, bind->given_count,
		    bind->given_cap) = arena_strdup(bind->arena, digest.hex);
	}
	value = json_map(bind->arena);
	json_put_text(bind->arena, value, "sha256",
	    arena_strdup(bind->arena, digest.hex));
	json_put_int(bind->arena, value, "size", (int64_t)content.len);
	*out = value;
out:
	buf_free(&content);
	return r;
}

int
bind_text(struct bind *bind, const struct yaml *node, const char *what,
    const char **text, struct err *err)
{
	struct buf content = BUF_LIMIT(TEXT_MAX);
	int r;

	r = bind_file(bind, node, what, TEXT_MAX, &content, err);
	if (r < 0)
		goto out;
	if (!text_is_utf8(buf_str(&content), content.len) ||
	    memchr(buf_str(&content), '\0', content.len) != NULL) {
		r = err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' is no UTF-8 text; a file of bytes goes in by "
		      "source:"),
		    what, node->text);
		goto out;
	}
	*text = arena_copy(bind->arena, buf_str(&content), content.len);
out:
	buf_free(&content);
	return r;
}
