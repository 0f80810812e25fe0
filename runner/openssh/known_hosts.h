/*
 * How the files known_*.c share the work; nobody outside openssh/ includes it.
 *
 *	known_hosts.c  which keys are known for a host
 *	known_files.c  the files, read once and kept in an index
 *	known_line.c   one line, taken apart and matched (pure: no files)
 */
#ifndef HOSHU_OPENSSH_KNOWN_HOSTS_H
#define HOSHU_OPENSSH_KNOWN_HOSTS_H

#include "openssh/openssh.h"

enum known_mark { KNOWN_KEY, KNOWN_REVOKED, KNOWN_AUTHORITY };

/* All point into the line. */
struct known_line {
	enum known_mark mark;
	const char *hosts;
	size_t hosts_len;
	const char *type;
	size_t type_len;
	const char *key; /* base64 */
	size_t key_len;
};

/* false: a comment, an empty line, or not one that can be understood (which
 * OpenSSH passes over as well). */
bool known_line_parse(const char *text, size_t len, struct known_line *out);
/* Is the line for this host? host: "name", "1.2.3.4" or "[name]:port" in
 * lower case. */
bool known_line_is_for(const struct known_line *line, const char *host);
/* Is it a list of plain names: no hash, no wildcard, no negation? */
bool known_line_is_plain(const struct known_line *line);

/* Call fn for each line of the file that is for the host, in the file's order.
 * A file that is not there has none. The line lives as long as files, or until
 * the file has changed and is looked into again. */
int known_files_search(struct known_files *files, const char *path,
    const char *host,
    void (*fn)(void *arg, const struct known_line *line, struct place place),
    void *arg, struct err *err) MUST_USE;

#endif
