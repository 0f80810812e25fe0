/*
 * What OpenSSH would use for a host: `ssh -G` and nothing else. It knows what
 * `ssh -G` leaves unexpanded (identity files), and reads no ssh_config itself.
 * Who asks ssh and what is kept of it: settings_ask.c, settings_cache.c.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "openssh/settings.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

struct files {
	const char **paths;
	size_t count, cap;
};

/* Lists that grow while the lines come. */
struct reading {
	struct arena *arena;
	struct ssh_settings *to;
	const char *proxy_command;
	const char *agent;
	const char **identities; /* as written */
	size_t identity_count, identity_cap;
	struct files user_files, global_files;
};

/* Names go into `Match exec` and ProxyCommand of people's ssh_config by %h and
 * %r: the same bytes are refused as ssh refuses since 9.6. */
static bool
is_safe_word(const char *text)
{
	if (*text == '\0' || *text == '-')
		return false;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f ||
		    strchr("'`\"$\\;&<>|(){}", *text) != NULL)
			return false;
	}
	return true;
}

static const char *
home_folder(void)
{
	const struct passwd *who = getpwuid(getuid());

	/* as ssh: the account's folder, not $HOME */
	return who != NULL ? who->pw_dir : "/";
}

/* Put what %token stands for; false when it is one that we do not know. */
static bool
put_token(struct buf *out, char token, const struct ssh_settings *settings)
{
	const struct passwd *who;

	switch (token) {
	case '%':
		buf_putc(out, '%');
		return true;
	case 'd':
		buf_puts(out, home_folder());
		return true;
	case 'h':
		buf_puts(out, settings->address);
		return true;
	case 'i':
		buf_printf(out, "%u", (unsigned)getuid());
		return true;
	case 'k':
		buf_puts(out, settings->host_key_alias != NULL
				  ? settings->host_key_alias
				  : settings->address);
		return true;
	case 'n':
		buf_puts(out, settings->name);
		return true;
	case 'p':
		buf_printf(out, "%d", settings->port);
		return true;
	case 'r':
		buf_puts(out, settings->user);
		return true;
	case 'u':
		who = getpwuid(getuid());
		buf_puts(out, who != NULL ? who->pw_name : "");
		return true;
	}
	return false;
}

/* A path as `ssh -G` prints it: ~ and %tokens still in it. NULL when it uses
 * what we do not know. */
static const char *
expand_path(
    struct arena *arena, const char *path, const struct ssh_settings *settings)
{
	struct buf out = BUF_INIT;
	const char *p = path, *full = NULL;

	if (p[0] == '~' && (p[1] == '/' || p[1] == '\0')) {
		buf_puts(&out, home_folder());
		p++;
	}
	for (; *p != '\0'; p++) {
		if (*p != '%')
			buf_putc(&out, *p);
		else if (!put_token(&out, *++p, settings))
			goto out;
	}
	full = arena_strdup(arena, buf_str(&out));
	/* ssh takes a relative path from where it was started, and so would
	 * every one of our children; it must mean one file */
	if (*full != '/') {
		char *here = getcwd(NULL, 0);

		full = here != NULL ? file_join(arena, here, full) : NULL;
		free(here);
	}
out:
	buf_free(&out);
	return full;
}

/* "/a/one /b/two". Paths with blanks come unquoted; as all are absolute, a
 * piece that is not goes on with the one before it. */
static void
read_files(struct arena *arena, struct files *files, const char *value)
{
	const char *end, *piece;

	for (; *value != '\0'; value = *end != '\0' ? end + 1 : end) {
		end = value + strcspn(value, " ");
		piece = arena_copy(arena, value, (size_t)(end - value));
		if (*piece == '/')
			*arena_push(arena, files->paths, files->count,
			    files->cap) = piece;
		else if (files->count > 0 && strcmp(piece, "none") != 0)
			files->paths[files->count - 1] = arena_printf(arena,
			    "%s %s", files->paths[files->count - 1], piece);
	}
}

/* The keys of ssh's lines that are read here, and which is which. */
enum said {
	SAID_ADDRESS,
	SAID_PORT,
	SAID_USER,
	SAID_ALIAS,
	SAID_USER_FILES,
	SAID_GLOBAL_FILES,
	SAID_IDENTITY,
	SAID_IDENTITIES_ONLY,
	SAID_AGENT,
	SAID_JUMP,
	SAID_COMMAND,
	SAID_TIMEOUT,
	SAID_NOTHING,
};
static const char *const said_words[] = {"hostname", "port", "user",
    "hostkeyalias", "userknownhostsfile", "globalknownhostsfile",
    "identityfile", "identitiesonly", "identityagent", "proxyjump",
    "proxycommand", "connecttimeout"};

static enum said
said_which(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	int i;

	if (blank == NULL)
		return SAID_NOTHING;
	len = (size_t)(blank - line);
	for (i = 0; i < SAID_NOTHING; i++) {
		if (strlen(said_words[i]) == len &&
		    memcmp(said_words[i], line, len) == 0)
			break;
	}
	return i;
}

bool
settings_uses(const char *line, size_t len)
{
	return said_which(line, len) != SAID_NOTHING;
}

static void
read_line(struct reading *reading, enum said said, const char *value)
{
	struct ssh_settings *to = reading->to;
	int64_t number;

	switch (said) {
	case SAID_ADDRESS:
		to->address = value;
		break;
	case SAID_PORT:
		if (text_int(value, 1, 65535, &number))
			to->port = (int)number;
		break;
	case SAID_USER:
		to->user = value;
		break;
	case SAID_ALIAS:
		to->host_key_alias = value;
		break;
	case SAID_USER_FILES:
		read_files(reading->arena, &reading->user_files, value);
		break;
	case SAID_GLOBAL_FILES:
		read_files(reading->arena, &reading->global_files, value);
		break;
	case SAID_IDENTITY:
		*arena_push(reading->arena, reading->identities,
		    reading->identity_count, reading->identity_cap) = value;
		break;
	case SAID_IDENTITIES_ONLY:
		to->identities_only = strcmp(value, "yes") == 0;
		break;
	case SAID_AGENT:
		reading->agent = value;
		break;
	case SAID_JUMP:
		to->jump = value;
		break;
	case SAID_COMMAND:
		reading->proxy_command = value;
		break;
	case SAID_TIMEOUT:
		if (text_int(value, 1, 86400, &number))
			to->connect_timeout_ms = number * 1000;
		break;
	case SAID_NOTHING:
		break;
	}
}

static void
read_output(struct reading *reading, char *text)
{
	char *line, *rest = NULL;

	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		read_line(reading, said_which(line, strlen(line)),
		    strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : "");
}

/* What can be said only when every line is known. */
static void
settle_paths(struct reading *reading)
{
	struct ssh_settings *to = reading->to;
	const char *agent = reading->agent, *path;
	size_t i, cap;

	/* The person's files first, whatever order ssh prints: the first is
	 * the one that a new key is to be added to. */
	cap = reading->user_files.cap;
	to->known_hosts = reading->user_files.paths;
	to->known_hosts_count = reading->user_files.count;
	for (i = 0; i < reading->global_files.count; i++)
		*arena_push(reading->arena, to->known_hosts,
		    to->known_hosts_count, cap) =
		    reading->global_files.paths[i];
	cap = 0;
	for (i = 0; i < reading->identity_count; i++) {
		path = expand_path(reading->arena, reading->identities[i], to);
		if (path != NULL && file_exists(path))
			*arena_push(reading->arena, to->identities,
			    to->identity_count, cap) = path;
	}
	if (agent == NULL || strcmp(agent, "SSH_AUTH_SOCK") == 0)
		agent = getenv("SSH_AUTH_SOCK");
	else if (agent[0] == '$')
		agent = getenv(agent + 1);
	else if (strcmp(agent, "none") == 0)
		agent = NULL;
	else
		agent = expand_path(reading->arena, agent, to);
	if (agent != NULL && *agent != '\0')
		to->agent = arena_strdup(reading->arena, agent);
}

static int
check_settings(const struct reading *reading, struct err *err)
{
	const struct ssh_settings *to = reading->to;

	if (to->address == NULL || to->port == 0 || to->user == NULL)
		return err_set(err, ERR_INTERNAL,
		    _("host %s: `ssh -G` gave no hostname, port or user; is "
		      "the `ssh` in PATH OpenSSH's?"),
		    to->name);
	if (!is_safe_word(to->address))
		return err_set(err, ERR_PLAN,
		    _("host %s: '%s' cannot be an address; correct HostName "
		      "in ssh_config, or the inventory"),
		    to->name, to->address);
	if (reading->proxy_command != NULL &&
	    strcmp(reading->proxy_command, "none") != 0)
		return err_set(err, ERR_REFUSED,
		    _("host %s: ssh_config gives it the ProxyCommand '%s', "
		      "and ProxyCommand is not built yet; use ProxyJump, or "
		      "set `ProxyCommand none` for this host"),
		    to->name, reading->proxy_command);
	return 0;
}

static int
check_wanted(const struct openssh_wanted *wanted, struct err *err)
{
	const char *name = wanted->name, *user = wanted->user;

	if (!is_safe_word(name))
		return err_set(err, ERR_PLAN,
		    _("'%s' cannot be a host's name for ssh; give the host "
		      "another name in the inventory"),
		    name);
	if (user != NULL && *user != '\0' && !is_safe_word(user))
		return err_set(err, ERR_PLAN,
		    _("host %s: '%s' cannot be a user's name for ssh; "
		      "correct it in the inventory"),
		    name, user);
	return 0;
}

static int
read_settings(struct arena *arena, const char *name, const char *text,
    struct ssh_settings **out, struct err *err)
{
	struct reading reading = {.arena = arena};
	int r;

	reading.to = arena_new_of(arena, struct ssh_settings);
	reading.to->name = arena_strdup(arena, name);
	reading.to->connect_timeout_ms = CONNECT_TIMEOUT_MS;
	read_output(&reading, arena_strdup(arena, text));
	r = check_settings(&reading, err);
	if (r < 0)
		return r;
	settle_paths(&reading);
	*out = reading.to;
	return 0;
}

int
openssh_settings_all(struct arena *arena, const char *config, const char *cache,
    const struct openssh_wanted *wanted, size_t count,
    struct ssh_settings **out, struct err *err)
{
	const char **texts = arena_array(arena, const char *, count);
	struct settings_cache *kept = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < count && r == 0; i++)
		r = check_wanted(&wanted[i], err);
	if (r < 0)
		return r;
	if (cache != NULL && *cache != '\0')
		kept = settings_cache_open(cache, config);
	if (kept != NULL)
		settings_cache_get(kept, wanted, count, texts);
	r = settings_ask(arena, config, wanted, count, texts, err);
	for (i = 0; i < count && r == 0; i++)
		r = read_settings(
		    arena, wanted[i].name, texts[i], &out[i], err);
	if (kept != NULL && r == 0)
		settings_cache_put(kept, config, wanted, count, texts);
	settings_cache_close(kept);
	return r;
}

int
openssh_settings(struct arena *arena, const char *config, const char *name,
    int port, const char *user, struct ssh_settings **out, struct err *err)
{
	struct openssh_wanted wanted = {name, port, user};

	return openssh_settings_all(arena, config, NULL, &wanted, 1, out, err);
}
