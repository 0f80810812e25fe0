/*
 * Which host keys are known for a host, of the known_hosts files of its
 * settings. It decides nothing about a key that a host shows; the worker
 * compares, and asks here only for the words.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "openssh/known_hosts.h"
#include "openssh/openssh.h"

/* Key types and what is asked for in the handshake for them, best first: the
 * order in which OpenSSH prefers them. */
static const struct {
	const char *type;
	const char *algorithms;
} known_types[] = {
    {"ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"},
};
enum { KNOWN_TYPES = sizeof(known_types) / sizeof(known_types[0]) };

struct found {
	const char *key; /* "type base64" */
	struct place place;
};

struct search {
	struct known_files *files;
	struct arena *arena;
	const char *host;
	struct found *keys;
	size_t count, cap;
	struct found *revoked;
	size_t revoked_count, revoked_cap;
	const char *other_type; /* a type that we cannot use */
};

static int
type_rank(const char *type, size_t len)
{
	int i;

	for (i = 0; i < KNOWN_TYPES; i++) {
		if (strlen(known_types[i].type) == len &&
		    memcmp(known_types[i].type, type, len) == 0)
			return i;
	}
	return -1;
}

static const struct found *
find(const struct found *list, size_t count, const char *key)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(list[i].key, key) == 0)
			return &list[i];
	}
	return NULL;
}

static void
take_line(void *arg, const struct known_line *line, struct place place)
{
	struct search *search = arg;
	struct found found = {.place = place};

	found.key = arena_printf(search->arena, "%.*s %.*s",
	    (int)line->type_len, line->type, (int)line->key_len, line->key);
	if (line->mark == KNOWN_REVOKED) {
		*arena_push(search->arena, search->revoked,
		    search->revoked_count, search->revoked_cap) = found;
		return;
	}
	if (type_rank(line->type, line->type_len) < 0) {
		search->other_type =
		    arena_copy(search->arena, line->type, line->type_len);
		return;
	}
	if (find(search->keys, search->count, found.key) == NULL)
		*arena_push(search->arena, search->keys, search->count,
		    search->cap) = found;
}

static int
search_files(
    struct search *search, const struct ssh_settings *settings, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->known_hosts_count; i++)
		r = known_files_search(search->files, settings->known_hosts[i],
		    search->host, take_line, search, err);
	return r;
}

/* Take out what is revoked; wherever it stands, it wins. */
static const struct found *
drop_revoked(struct search *search)
{
	const struct found *revoked, *last = NULL;
	size_t i, kept = 0;

	for (i = 0; i < search->count; i++) {
		revoked = find(search->revoked, search->revoked_count,
		    search->keys[i].key);
		if (revoked != NULL)
			last = revoked;
		else
			search->keys[kept++] = search->keys[i];
	}
	search->count = kept;
	return last;
}

/* Name under which OpenSSH looks: the alias as it is, or the address with the
 * port where that is not 22. */
static const char *
lookup_name(struct arena *arena, const struct ssh_settings *settings)
{
	char *name, *p;

	if (settings->host_key_alias != NULL)
		name = arena_strdup(arena, settings->host_key_alias);
	else if (settings->port != 22)
		name = arena_printf(
		    arena, "[%s]:%d", settings->address, settings->port);
	else
		name = arena_strdup(arena, settings->address);
	for (p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

static void
put_word(struct buf *out, const char *word)
{
	quote_put_readable(out, word, strlen(word));
}

/* The command that fetches the keys that the host shows now. */
static void
put_keyscan(struct buf *out, const struct ssh_settings *settings)
{
	buf_puts(out, "ssh-keyscan ");
	if (settings->port != 22)
		buf_printf(out, "-p %d ", settings->port);
	put_word(out, settings->address);
}

static int
unknown_host(
    const struct ssh_settings *settings, const char *name, struct err *err)
{
	const char *file = settings->known_hosts_count > 0
			       ? settings->known_hosts[0]
			       : "/etc/ssh/ssh_known_hosts";
	struct buf look = BUF_INIT, add = BUF_INIT;
	int r;

	if (settings->jump != NULL) {
		r = err_set(err, ERR_REFUSED,
		    _("host %s: no host key is known for %s in %s; as it is "
		      "reached through %s, log in once with `ssh %s`, compare "
		      "the fingerprint with what the host's own console says, "
		      "and let ssh add it"),
		    settings->name, name, file, settings->jump, settings->name);
		goto out;
	}
	put_keyscan(&look, settings);
	buf_puts(&add, buf_str(&look));
	if (settings->host_key_alias != NULL) {
		struct buf script = BUF_INIT;

		buf_printf(&script, "s/^[^# ]*/%s/", name);
		buf_puts(&add, " | sed ");
		put_word(&add, buf_str(&script));
		buf_free(&script);
	}
	buf_puts(&look, " | ssh-keygen -lf -");
	buf_puts(&add, " >> ");
	put_word(&add, file);
	r = err_set(err, ERR_REFUSED,
	    _("host %s: no host key is known for %s. Look at what it shows: "
	      "`%s`; compare that with what the host's own console says "
	      "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); when they "
	      "are the same, add it: `%s`"),
	    settings->name, name, buf_str(&look), buf_str(&add));
out:
	buf_free(&look);
	buf_free(&add);
	return r;
}

static int
nothing_usable(const struct search *search, const struct found *revoked,
    const struct ssh_settings *settings, struct err *err)
{
	if (revoked != NULL)
		return err_at(err, ERR_REFUSED, revoked->place,
		    _("host %s: the host key known for %s is REVOKED by this "
		      "line; whoever shows it is not the host. Find out from "
		      "whoever revoked it; then take the new key into "
		      "known_hosts"),
		    settings->name, search->host);
	if (search->other_type != NULL)
		return err_set(err, ERR_REFUSED,
		    _("host %s: known_hosts has only a %s key for %s, which "
		      "hoshu cannot use; add its ed25519, ecdsa or rsa key"),
		    settings->name, search->other_type, search->host);
	return unknown_host(settings, search->host, err);
}

static void
fill(struct host_keys *keys, const struct search *search)
{
	struct arena *arena = search->arena;
	bool have[KNOWN_TYPES] = {false};
	const char *types = "";
	size_t i;

	keys->keys = arena_array(arena, const char *, search->count);
	keys->places = arena_array(arena, struct place, search->count);
	keys->count = search->count;
	for (i = 0; i < search->count; i++) {
		const char *key = search->keys[i].key;

		keys->keys[i] = key;
		keys->places[i] = search->keys[i].place;
		have[type_rank(key, strcspn(key, " "))] = true;
	}
	for (i = 0; i < KNOWN_TYPES; i++) {
		if (have[i])
			types = arena_printf(arena, "%s%s%s", types,
			    *types != '\0' ? "," : "",
			    known_types[i].algorithms);
	}
	keys->types = types;
}

int
openssh_known_hosts_in(struct known_files *files, struct arena *arena,
    const struct ssh_settings *settings, struct host_keys **out,
    struct err *err)
{
	struct search search = {.files = files,
	    .arena = arena,
	    .host = lookup_name(arena, settings)};
	struct ssh_settings plain = *settings;
	const struct found *revoked;
	struct host_keys *keys;
	int r;

	r = search_files(&search, settings, err);
	if (r < 0)
		return r;
	/* As OpenSSH: a host on another port may show the key that its name
	 * has on port 22. */
	if (search.count == 0 && search.revoked_count == 0 &&
	    settings->port != 22 && settings->host_key_alias == NULL) {
		const char *with_port = search.host;

		plain.port = 22;
		search.host = lookup_name(arena, &plain);
		r = search_files(&search, settings, err);
		if (r < 0)
			return r;
		if (search.count == 0)
			search.host = with_port;
	}
	revoked = drop_revoked(&search);
	if (search.count == 0)
		return nothing_usable(&search, revoked, settings, err);
	keys = arena_new_of(arena, struct host_keys);
	fill(keys, &search);
	*out = keys;
	return 0;
}

int
openssh_known_hosts(struct arena *arena, const struct ssh_settings *settings,
    struct host_keys **out, struct err *err)
{
	struct known_files *files = openssh_known_files_open();
	int r = openssh_known_hosts_in(files, arena, settings, out, err);

	openssh_known_files_close(files);
	return r;
}

int
openssh_key_changed(const struct ssh_settings *settings,
    const struct host_keys *keys, const char *shown, struct err *err)
{
	size_t i, type_len = strcspn(shown, " ") + 1;
	struct arena *arena = arena_new();
	const char *name = lookup_name(arena, settings);
	struct buf remove = BUF_INIT;
	struct place place;
	int r;

	/* the line that disagrees is the one of the same type */
	for (i = keys->count - 1; i > 0; i--) {
		if (strncmp(keys->keys[i], shown, type_len) == 0)
			break;
	}
	place = keys->places[i];
	buf_puts(&remove, "ssh-keygen -R ");
	put_word(&remove, name);
	buf_puts(&remove, " -f ");
	put_word(&remove, place.file);
	r = err_at(err, ERR_REFUSED, place,
	    _("host %s: the host key of %s has CHANGED: it shows %s, which is "
	      "not the key known by this line. Somebody may be in between, or "
	      "the host was installed anew. Only if you know that it was: "
	      "`%s`, then take the new key into known_hosts"),
	    settings->name, name, *shown != '\0' ? shown : _("another key"),
	    buf_str(&remove));
	buf_free(&remove);
	arena_free(arena);
	return r;
}
