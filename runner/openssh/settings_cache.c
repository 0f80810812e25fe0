/*
 * What `ssh -G` said before. One file: a line with the stamp under which all
 * of it was said, then for each host a line "host PORT USER NAME" (- = none)
 * and what ssh printed, ended by an empty line. Another stamp empties it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "openssh/settings.h"

enum { CACHE_MAX_BYTES = 64 << 20 };

struct entry {
	const char *host; /* "PORT USER NAME" */
	const char *text;
};

struct settings_cache {
	struct arena *arena;
	const char *folder;
	const char *path;
	struct digest stamp;
	struct entry *entries; /* sorted by host */
	size_t count, cap;
};

static int
entry_compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return strcmp(one->host, other->host);
}

static const struct entry *
cache_find(const struct settings_cache *cache, const char *host)
{
	struct entry key = {host, NULL};

	if (cache->count == 0)
		return NULL;
	return bsearch(
	    &key, cache->entries, cache->count, sizeof(key), entry_compare);
}

/* No two hosts share a key: neither users nor names hold blanks. */
static const char *
host_key(struct arena *arena, const struct openssh_wanted *wanted)
{
	bool has_user = wanted->user != NULL && *wanted->user != '\0';

	return arena_printf(arena, "%d %s %s", wanted->port,
	    has_user ? wanted->user : "-", wanted->name);
}

/* The file's lines under our stamp; whatever else it may be is no entry. */
static void
cache_read(struct settings_cache *cache, char *text)
{
	size_t head = strlen(cache->stamp.hex);
	char *p, *end, *eol;

	if (strncmp(text, cache->stamp.hex, head) != 0 || text[head] != '\n')
		return;
	for (p = text + head + 1; strncmp(p, "host ", 5) == 0; p = end + 2) {
		struct entry *entry;

		eol = strchr(p, '\n');
		end = strstr(p, "\n\n");
		if (end == NULL || eol == end)
			return; /* cut off */
		*eol = '\0';
		end[1] = '\0';
		entry = arena_push(
		    cache->arena, cache->entries, cache->count, cache->cap);
		entry->host = p + 5;
		entry->text = eol + 1;
	}
}

struct settings_cache *
settings_cache_open(const char *folder, const char *config)
{
	struct settings_cache *cache;
	struct arena *arena;
	struct digest stamp;
	struct buf text = BUF_INIT;

	if (!settings_stamp(config, &stamp))
		return NULL;
	arena = arena_new();
	cache = arena_new_of(arena, struct settings_cache);
	cache->arena = arena;
	cache->folder = arena_strdup(arena, folder);
	cache->path = file_join(arena, folder, "ssh-settings");
	cache->stamp = stamp;
	if (file_read(cache->path, CACHE_MAX_BYTES, &text, NULL) == 0) {
		cache_read(cache, arena_copy(arena, text.data, text.len));
		if (cache->count > 0)
			qsort(cache->entries, cache->count,
			    sizeof(*cache->entries), entry_compare);
	}
	buf_free(&text);
	return cache;
}

void
settings_cache_get(struct settings_cache *cache,
    const struct openssh_wanted *wanted, size_t count, const char **texts)
{
	const struct entry *entry;
	size_t i;

	for (i = 0; i < count; i++) {
		entry = cache_find(cache, host_key(cache->arena, &wanted[i]));
		if (entry != NULL)
			texts[i] = entry->text;
	}
}

static void
put_entry(struct buf *out, const char *host, const char *text)
{
	size_t len = strlen(text);

	buf_printf(out, "host %s\n%s%s\n", host, text,
	    len > 0 && text[len - 1] == '\n' ? "" : "\n");
}

/* What was said while a file changed under ssh's eyes is not kept. */
static bool
still_holds(const struct settings_cache *cache, const char *config)
{
	struct digest now;

	return settings_stamp(config, &now) &&
	       strcmp(now.hex, cache->stamp.hex) == 0;
}

void
settings_cache_put(struct settings_cache *cache, const char *config,
    const struct openssh_wanted *wanted, size_t count, const char *const *texts)
{
	struct buf out = BUF_LIMIT(CACHE_MAX_BYTES);
	size_t i, fresh = 0;

	buf_printf(&out, "%s\n", cache->stamp.hex);
	for (i = 0; i < cache->count; i++)
		put_entry(&out, cache->entries[i].host, cache->entries[i].text);
	for (i = 0; i < count; i++) {
		const char *host = host_key(cache->arena, &wanted[i]);

		/* an empty line would end the entry early */
		if (cache_find(cache, host) != NULL ||
		    strstr(texts[i], "\n\n") != NULL)
			continue;
		put_entry(&out, host, texts[i]);
		fresh++;
	}
	if (fresh > 0 && !out.full && still_holds(cache, config) &&
	    (mkdir(cache->folder, 0700) == 0 || errno == EEXIST))
		(void)!file_write(cache->path, buf_bytes(&out), 0600, NULL);
	buf_free(&out);
}

void
settings_cache_close(struct settings_cache *cache)
{
	if (cache != NULL)
		arena_free(cache->arena);
}
