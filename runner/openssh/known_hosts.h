/*
 * One line of a known_hosts file, taken apart and matched. Pure: no files.
 */
#ifndef HOSHU_OPENSSH_KNOWN_HOSTS_H
#define HOSHU_OPENSSH_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
