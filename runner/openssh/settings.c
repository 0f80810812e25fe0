/*
 * What OpenSSH would use for a host: `ssh -G` and nothing else. It knows what
 * `ssh -G` leaves unexpanded (identity files), and reads no ssh_config itself.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "openssh/openssh.h"
#include "openssh/run.h"

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

static void
read_line(struct reading *reading, const char *key, const char *value)
{
	struct ssh_settings *to = reading->to;
	int64_t number;

	if (strcmp(key, "hostname") == 0)
		to->address = value;
	else if (strcmp(key, "port") == 0 && text_int(value, 1, 65535, &number))
		to->port = (int)number;
	else if (strcmp(key, "user") == 0)
		to->user = value;
	else if (strcmp(key, "hostkeyalias") == 0)
		to->host_key_alias = value;
	else if (strcmp(key, "userknownhostsfile") == 0)
		read_files(reading->arena, &reading->user_files, value);
	else if (strcmp(key, "globalknownhostsfile") == 0)
		read_files(reading->arena, &reading->global_files, value);
	else if (strcmp(key, "identityfile") == 0)
		*arena_push(reading->arena, reading->identities,
		    reading->identity_count, reading->identity_cap) = value;
	else if (strcmp(key, "identitiesonly") == 0)
		to->identities_only = strcmp(value, "yes") == 0;
	else if (strcmp(key, "identityagent") == 0)
		reading->agent = value;
	else if (strcmp(key, "proxyjump") == 0)
		to->jump = value;
	else if (strcmp(key, "proxycommand") == 0)
		reading->proxy_command = value;
	else if (strcmp(key, "connecttimeout") == 0 &&
		 text_int(value, 1, 86400, &number))
		to->connect_timeout_ms = number * 1000;
}

static void
read_output(struct reading *reading, char *text)
{
	char *line, *value, *rest = NULL;

	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		value = strchr(line, ' ');
		if (value == NULL)
			continue;
		*value++ = '\0';
		read_line(reading, line, value);
	}
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

/* argv of `ssh -G`, in arena. */
static const char *const *
settings_argv(struct arena *arena, const char *config, const char *name,
    int port, const char *user)
{
	const char **argv = NULL;
	size_t count = 0, cap = 0;

	*arena_push(arena, argv, count, cap) = "ssh";
	*arena_push(arena, argv, count, cap) = "-G";
	*arena_push(arena, argv, count, cap) = "-T";
	if (config != NULL && *config != '\0') {
		*arena_push(arena, argv, count, cap) = "-F";
		*arena_push(arena, argv, count, cap) = config;
	}
	if (port > 0) {
		*arena_push(arena, argv, count, cap) = "-p";
		*arena_push(arena, argv, count, cap) =
		    arena_printf(arena, "%d", port);
	}
	if (user != NULL && *user != '\0') {
		*arena_push(arena, argv, count, cap) = "-l";
		*arena_push(arena, argv, count, cap) = user;
	}
	*arena_push(arena, argv, count, cap) = "--";
	*arena_push(arena, argv, count, cap) = name;
	*arena_push(arena, argv, count, cap) = NULL;
	return argv;
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

int
openssh_settings(struct arena *arena, const char *config, const char *name,
    int port, const char *user, struct ssh_settings **out, struct err *err)
{
	struct openssh_run run = {0};
	struct reading reading = {.arena = arena};
	struct buf text = BUF_INIT, errors = BUF_INIT;
	int r, status;

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

	run.argv = settings_argv(arena, config, name, port, user);
	r = openssh_run(&run, &status, &text, &errors, err);
	if (r < 0)
		goto out;
	if (status != 0) {
		r = err_set(err, ERR_PLAN,
		    _("host %s: ssh does not accept its settings: %s; see "
		      "`ssh -G %s`"),
		    name, openssh_said(arena, &errors), name);
		goto out;
	}
	reading.to = arena_new_of(arena, struct ssh_settings);
	reading.to->name = arena_strdup(arena, name);
	reading.to->connect_timeout_ms = CONNECT_TIMEOUT_MS;
	read_output(&reading, arena_copy(arena, text.data, text.len));
	r = check_settings(&reading, err);
	if (r < 0)
		goto out;
	settle_paths(&reading);
	*out = reading.to;
out:
	buf_free(&text);
	buf_free(&errors);
	return r;
}
