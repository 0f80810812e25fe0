/*
 * known_hosts files, read once for all hosts. Lines of plain names are found
 * by their names; hashed ones and patterns are tried one after the other, as
 * each has to be. It decides nothing: known_line_is_for does.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "openssh/known_hosts.h"

enum { KNOWN_HOSTS_MAX_BYTES = 32 << 20 };

struct entry {
	struct known_line line;
	int number; /* of the line in the file */
};

/* One name of one entry; next is the name behind it in its chain, 0 = none. */
struct name {
	size_t entry;
	size_t next;
};

struct known_file {
	struct known_file *next;
	struct arena *arena; /* everything below; NULL = not read */
	const char *path;
	struct stat was;
	struct entry *entries;
	size_t count, cap;
	size_t *others; /* entries that are no list of plain names */
	size_t others_count, others_cap;
	struct name *names; /* [0] is none */
	size_t names_count, names_cap;
	size_t *heads; /* by hash; where a chain of names begins */
	size_t heads_size;
};

struct known_files {
	struct known_file *first;
};

struct known_files *
openssh_known_files_open(void)
{
	return xcalloc(1, sizeof(struct known_files));
}

static void
file_forget(struct known_file *file)
{
	struct known_file empty = {.next = file->next, .path = file->path};

	arena_free(file->arena);
	*file = empty;
}

void
openssh_known_files_close(struct known_files *files)
{
	struct known_file *file;

	if (files == NULL)
		return;
	while ((file = files->first) != NULL) {
		files->first = file->next;
		file_forget(file);
		free((char *)(uintptr_t)file->path);
		free(file);
	}
	free(files);
}

static size_t
name_hash(const struct known_file *file, const char *name, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint32_t)tolower((unsigned char)name[i])) *
		       16777619u;
	return hash & (file->heads_size - 1);
}

static void
add_names(struct known_file *file, size_t entry)
{
	const struct known_line *line = &file->entries[entry].line;
	const char *p = line->hosts, *end = p + line->hosts_len, *comma;

	for (; p < end; p = comma + 1) {
		struct name *name;
		size_t *head;

		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		head = &file->heads[name_hash(file, p, (size_t)(comma - p))];
		name = arena_push(file->arena, file->names, file->names_count,
		    file->names_cap);
		name->entry = entry;
		name->next = *head;
		*head = file->names_count - 1;
	}
}

static void
read_lines(struct known_file *file, const char *text, size_t len)
{
	const char *p = text, *end = text + len, *eol;
	struct known_line line;
	int number = 0;

	for (; p < end; p = eol + 1) {
		struct entry *entry;

		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL)
			eol = end;
		number++;
		if (!known_line_parse(p, (size_t)(eol - p), &line) ||
		    line.mark == KNOWN_AUTHORITY)
			continue;
		entry = arena_push(
		    file->arena, file->entries, file->count, file->cap);
		entry->line = line;
		entry->number = number;
	}
}

/* From the last entry to the first, so that chains run upwards. */
static void
build_index(struct known_file *file)
{
	file->heads_size = 64;
	while (file->heads_size < 2 * file->count)
		file->heads_size *= 2;
	file->heads = arena_array(file->arena, size_t, file->heads_size);
	(void)arena_push(
	    file->arena, file->names, file->names_count, file->names_cap);
	for (size_t i = file->count; i-- > 0;) {
		if (known_line_is_plain(&file->entries[i].line))
			add_names(file, i);
	}
	for (size_t i = 0; i < file->count; i++) {
		if (!known_line_is_plain(&file->entries[i].line))
			*arena_push(file->arena, file->others,
			    file->others_count, file->others_cap) = i;
	}
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Read it unless it is as it was; one that is not there is an empty one. */
static int
file_look(struct known_file *file, struct err *err)
{
	struct buf text = BUF_LIMIT(KNOWN_HOSTS_MAX_BYTES);
	struct stat st;
	int r;

	/* /dev/null is a usual way to say "none" */
	if (stat(file->path, &st) == 0 ? S_ISCHR(st.st_mode)
				       : errno == ENOENT || errno == ENOTDIR) {
		file_forget(file);
		return 0;
	}
	if (file->arena != NULL && is_same(&st, &file->was))
		return 0;
	file_forget(file);
	r = file_read(file->path, KNOWN_HOSTS_MAX_BYTES, &text, err);
	if (r == 0) {
		file->arena = arena_new();
		file->was = st;
		read_lines(file,
		    arena_copy(file->arena, buf_str(&text), text.len),
		    text.len);
		build_index(file);
	}
	buf_free(&text);
	return r;
}

static struct known_file *
file_get(struct known_files *files, const char *path)
{
	struct known_file *file;

	for (file = files->first; file != NULL; file = file->next) {
		if (strcmp(file->path, path) == 0)
			return file;
	}
	file = xcalloc(1, sizeof(*file));
	file->path = xstrdup(path);
	file->next = files->first;
	files->first = file;
	return file;
}

int
known_files_search(struct known_files *files, const char *path,
    const char *host,
    void (*fn)(void *arg, const struct known_line *line, struct place place),
    void *arg, struct err *err)
{
	struct known_file *file = file_get(files, path);
	struct place place = {.file = path};
	size_t name, other = 0, entry, last = SIZE_MAX;
	int r;

	r = file_look(file, err);
	if (r < 0 || file->arena == NULL)
		return r;
	name = file->heads[name_hash(file, host, strlen(host))];
	while (name != 0 || other < file->others_count) {
		if (other == file->others_count ||
		    (name != 0 &&
			file->names[name].entry < file->others[other])) {
			entry = file->names[name].entry;
			name = file->names[name].next;
		} else {
			entry = file->others[other++];
		}
		place.line = file->entries[entry].number;
		if (entry != last &&
		    known_line_is_for(&file->entries[entry].line, host))
			fn(arg, &file->entries[entry].line, place);
		last = entry;
	}
	return 0;
}
