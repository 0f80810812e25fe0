/*
 * What `ssh -G` would read: finds the files of a configuration by its Include
 * lines alone. It understands no other keyword, but knows the few that make
 * ssh ask something else than its files.
 */
#include <ctype.h>
#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "openssh/settings.h"

enum { CONFIG_MAX_BYTES = 4 << 20, INCLUDE_DEPTH = 16 };

#define SYSTEM_FOLDER "/etc/ssh"

struct stamping {
	struct arena *arena;
	const char *user_folder; /* ~/.ssh */
	const char *home;
	const char *folder; /* that relative names in the file in hand mean */
	struct buf text;    /* what the digest is of */
};

static bool stamp_file(struct stamping *s, const char *path, int depth);

/* A pattern of an Include line. */
static bool
stamp_include(struct stamping *s, const char *word, int depth)
{
	const char *pattern;
	glob_t found = {0};
	bool known = true;

	if (strpbrk(word, "\"'%$\\") != NULL || depth >= INCLUDE_DEPTH)
		return false;
	if (word[0] == '~' && word[1] != '/')
		return false;
	pattern = word[0] == '~' ? file_join(s->arena, s->home, word + 2)
				 : file_join(s->arena, s->folder, word);
	/* the names count as well: another file may come to match */
	buf_printf(&s->text, "include %s\n", pattern);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; known && i < found.gl_pathc; i++)
			known = stamp_file(s, found.gl_pathv[i], depth + 1);
	}
	globfree(&found);
	return known;
}

static bool
is_keyword(const char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	return strncasecmp(line, keyword, len) == 0 &&
	       (line[len] == '=' || line[len] == '\0' ||
		   isspace((unsigned char)line[len]));
}

static bool
stamp_line(struct stamping *s, char *line, int depth)
{
	char *word, *rest = NULL;

	line += strspn(line, " \t\r\f");
	if (*line == '#' || *line == '\0')
		return true;
	if (*line == '"' || strstr(line, "${") != NULL ||
	    is_keyword(line, "CanonicalizeHostname"))
		return false;
	if (is_keyword(line, "Match"))
		return strcasestr(line, "exec") == NULL &&
		       strcasestr(line, "localnetwork") == NULL;
	if (!is_keyword(line, "Include"))
		return true;
	strtok_r(line, " \t\r\f=", &rest);
	while ((word = strtok_r(NULL, " \t\r\f=", &rest)) != NULL) {
		if (!stamp_include(s, word, depth))
			return false;
	}
	return true;
}

static bool
stamp_file(struct stamping *s, const char *path, int depth)
{
	struct buf text = BUF_INIT;
	struct digest digest;
	char *line, *rest = NULL;
	bool known = true;

	if (file_read(path, CONFIG_MAX_BYTES, &text, NULL) < 0) {
		/* one that is not there may come; another cannot be judged */
		buf_printf(&s->text, "none %s\n", path);
		return !file_exists(path);
	}
	digest_of(buf_bytes(&text), &digest);
	buf_printf(&s->text, "file %s %s\n", digest.hex, path);
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		known = false;
	for (line = text.len > 0 ? strtok_r(text.data, "\n", &rest) : NULL;
	     known && line != NULL; line = strtok_r(NULL, "\n", &rest))
		known = stamp_line(s, line, depth);
	buf_free(&text);
	return known;
}

/* The ssh that would run: another one may have other defaults. */
static bool
stamp_program(struct stamping *s)
{
	const char *path = getenv("PATH");
	char *folder, *rest = NULL;
	struct stat st;

	if (path == NULL)
		return false;
	for (folder = strtok_r(arena_strdup(s->arena, path), ":", &rest);
	     folder != NULL; folder = strtok_r(NULL, ":", &rest)) {
		const char *ssh = file_join(s->arena, folder, "ssh");

		if (access(ssh, X_OK) < 0 || stat(ssh, &st) < 0)
			continue;
		buf_printf(&s->text, "ssh %s %lld %lld.%09ld\n", ssh,
		    (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
		return true;
	}
	return false;
}

static bool
stamp_all(struct stamping *s, const char *config)
{
	const struct passwd *who = getpwuid(getuid());
	char machine[256];

	if (who == NULL || gethostname(machine, sizeof(machine)) < 0)
		return false;
	machine[sizeof(machine) - 1] = '\0';
	s->home = arena_strdup(s->arena, who->pw_dir);
	s->user_folder = file_join(s->arena, s->home, ".ssh");
	buf_printf(&s->text, "user %u %s %s\nmachine %s\n", (unsigned)getuid(),
	    who->pw_name, s->home, machine);
	if (!stamp_program(s))
		return false;
	/* relative names: a file given by -F is a user's, wherever it is */
	s->folder = s->user_folder;
	if (config != NULL && *config != '\0')
		return *config == '/' && stamp_file(s, config, 0);
	if (!stamp_file(s, file_join(s->arena, s->user_folder, "config"), 0))
		return false;
	s->folder = SYSTEM_FOLDER;
	return stamp_file(s, SYSTEM_FOLDER "/ssh_config", 0);
}

bool
settings_stamp(const char *config, struct digest *stamp)
{
	struct stamping s = {.arena = arena_new(), .text = BUF_INIT};
	bool known = stamp_all(&s, config);

	if (known)
		digest_of(buf_bytes(&s.text), stamp);
	buf_free(&s.text);
	arena_free(s.arena);
	return known;
}
