/*
 * Which key to offer to a host. One only: sshd's MaxAuthTries and penalties
 * punish whoever tries several.
 */
#include <string.h>

#include "base/i18n.h"
#include "openssh/agent.h"
#include "openssh/run.h"

/* ssh tries these when ssh_config names none. */
static const char *const default_names[] = {"id_rsa", "id_ecdsa", "id_ecdsa_sk",
    "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"};

static bool
is_default(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t i;

	if (name == NULL || name - path < 5 ||
	    memcmp(name - 5, "/.ssh", 5) != 0)
		return false;
	for (i = 0; i < sizeof(default_names) / sizeof(default_names[0]); i++) {
		if (strcmp(name + 1, default_names[i]) == 0)
			return true;
	}
	return false;
}

static struct agent_file *
file_get(struct ssh_agent *agent, const char *path)
{
	struct agent_file *file;

	for (file = agent->files; file != NULL; file = file->next) {
		if (strcmp(file->path, path) == 0)
			return file;
	}
	file = arena_new_of(agent->arena, struct agent_file);
	file->path = arena_strdup(agent->arena, path);
	file->next = agent->files;
	agent->files = file;
	return file;
}

/* Ask ssh-keygen, which finds the public half in the file, without its
 * passphrase, or beside it. */
static const char *
file_fingerprint(struct ssh_agent *agent, struct agent_file *file)
{
	const char *argv[] = {"ssh-keygen", "-l", "-f", file->path, NULL};
	struct openssh_run run = {.argv = argv};
	struct buf out = BUF_INIT;
	const char *p;
	int status;

	if (file->fingerprint != NULL)
		return file->fingerprint;
	file->fingerprint = "";
	/* "256 SHA256:... comment (ED25519)" */
	if (openssh_run(&run, &status, &out, NULL, NULL) == 0 && status == 0 &&
	    (p = strchr(buf_str(&out), ' ')) != NULL)
		file->fingerprint =
		    arena_copy(agent->arena, p + 1, strcspn(p + 1, " \n"));
	buf_free(&out);
	return file->fingerprint;
}

/* The socket's key with this fingerprint, or NULL. */
static const char *
find_fingerprint(const struct agent_socket *socket, const char *fingerprint)
{
	struct buf text = BUF_INIT;
	const char *found = NULL;
	size_t i;

	for (i = 0; found == NULL && i < socket->key_count; i++) {
		buf_reset(&text);
		if (openssh_fingerprint(socket->keys[i].text, &text, NULL) ==
			0 &&
		    strcmp(buf_str(&text), fingerprint) == 0)
			found = socket->keys[i].text;
	}
	buf_free(&text);
	return found;
}

static bool
has_key(const struct wire_key *keys, size_t count, const char *key)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(keys[i].text, key) == 0)
			return true;
	}
	return false;
}

/* The key that ssh-add has just put there: by its fingerprint; or, where the
 * public half beside the file is another's, the one that is new. */
static const char *
find_added(struct ssh_agent *agent, struct agent_file *file,
    const struct wire_key *before, size_t before_count)
{
	const struct agent_socket *own = agent->own;
	const char *key = find_fingerprint(own, file_fingerprint(agent, file));
	size_t i;

	for (i = 0; key == NULL && i < own->key_count; i++) {
		if (!has_key(before, before_count, own->keys[i].text))
			key = own->keys[i].text;
	}
	return key;
}

/* Add the file's key to our own agent. Once: an answer is remembered, so that
 * a person is asked for a passphrase once and not for every host. */
static int
file_add(struct ssh_agent *agent, struct agent_file *file, struct err *err)
{
	const char *argv[] = {"ssh-add", "-q", "--", file->path, NULL};
	struct openssh_run run = {.argv = argv, .may_ask = true};
	struct buf errors = BUF_INIT;
	const struct wire_key *before;
	size_t before_count;
	int r, status;

	r = agent_own_start(agent, err);
	if (r < 0)
		return r;
	before = agent->own->keys;
	before_count = agent->own->key_count;
	run.agent = agent->own->path;
	r = openssh_run(&run, &status, NULL, &errors, err);
	if (r < 0)
		goto out;
	if (status != 0) {
		file->why_not = openssh_said(agent->arena, &errors);
		goto out;
	}
	r = agent_socket_list(agent->own, err);
	if (r < 0)
		goto out;
	file->key = find_added(agent, file, before, before_count);
	if (file->key == NULL)
		file->why_not = _("it is of a type that hoshu cannot use; "
				  "ed25519, ecdsa or rsa is needed");
out:
	buf_free(&errors);
	return r;
}

/* First of the files, default ones or the others, that can be added. */
static int
add_first(struct ssh_agent *agent, const struct ssh_settings *settings,
    bool defaults, const char **key, struct err *err)
{
	size_t i;
	int r;

	for (i = 0; *key == NULL && i < settings->identity_count; i++) {
		const char *path = settings->identities[i];
		struct agent_file *file = file_get(agent, path);
		size_t len = strlen(path);

		if (is_default(path) != defaults)
			continue;
		if (len > 4 && strcmp(path + len - 4, ".pub") == 0) {
			file->why_not = _("its private half is not in the "
					  "agent");
			continue;
		}
		if (file->key == NULL && file->why_not == NULL) {
			r = file_add(agent, file, err);
			if (r < 0)
				return r;
		}
		*key = file->key;
	}
	return 0;
}

static const char *
agent_has_first(struct ssh_agent *agent, const struct agent_socket *theirs,
    const struct ssh_settings *settings)
{
	const char *key = NULL, *fingerprint;
	size_t i;

	if (theirs->key_count == 0)
		return NULL;
	for (i = 0; key == NULL && i < settings->identity_count; i++) {
		fingerprint = file_fingerprint(
		    agent, file_get(agent, settings->identities[i]));
		key = find_fingerprint(theirs, fingerprint);
	}
	return key;
}

static int
no_key(struct ssh_agent *agent, const struct ssh_settings *settings,
    const char *agent_said, struct err *err)
{
	struct arena *arena = arena_new();
	const char *text = "";
	size_t i;
	int r;

	for (i = 0; i < settings->identity_count; i++) {
		const struct agent_file *file =
		    file_get(agent, settings->identities[i]);

		text = arena_printf(arena, "%s; %s: %s", text, file->path,
		    file->why_not != NULL ? file->why_not : "?");
	}
	if (settings->identity_count == 0)
		text = _("; no identity file is there");
	r = err_set(err, ERR_REFUSED,
	    _("host %s: there is no key to log in with as %s: %s%s. Add one "
	      "to the agent (`ssh-add FILE`), or name it by IdentityFile in "
	      "ssh_config"),
	    settings->name, settings->user, agent_said, text);
	arena_free(arena);
	return r;
}

int
ssh_agent_key(struct arena *arena, struct ssh_agent *agent,
    const struct ssh_settings *settings, const char **out, struct err *err)
{
	struct agent_socket *theirs = NULL;
	struct err listing = ERR_INIT;
	const char *key = NULL;
	int r;

	if (settings->agent != NULL) {
		theirs = agent_socket_get(agent, settings->agent);
		/* as ssh: one that does not answer is one that has no keys */
		if (!theirs->listed && agent_socket_list(theirs, &listing) < 0)
			theirs->key_count = 0;
	}
	if (theirs != NULL)
		key = agent_has_first(agent, theirs, settings);
	if (key == NULL) {
		r = add_first(agent, settings, false, &key, err);
		if (r < 0)
			return r;
	}
	if (key == NULL && theirs != NULL && theirs->key_count > 0 &&
	    !settings->identities_only)
		key = theirs->keys[0].text;
	if (key == NULL) {
		r = add_first(agent, settings, true, &key, err);
		if (r < 0)
			return r;
	}
	if (key == NULL)
		return no_key(agent, settings,
		    settings->agent == NULL    ? _("no agent is set")
		    : listing.code != ERR_NONE ? listing.text
					       : _("the agent has none "
						   "that may be used"),
		    err);
	*out = arena_strdup(arena, key);
	return 0;
}
