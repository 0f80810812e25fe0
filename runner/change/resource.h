/*
 * What a step is about, told by the title of its script ("file /etc/motd",
 * "package openssl libssl3"): the first line of the bytes that ran, with every
 * value filled in as it was for that host.
 */
#ifndef HOSHU_CHANGE_RESOURCE_H
#define HOSHU_CHANGE_RESOURCE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

/* The title of a script, in arena; "" when it has none. */
const char *resource_title(struct arena *arena, struct bytes script);
/*
 * Do two titles name the same thing on one host? They do when the module is
 * the same and a word of what it is about is (two packages, one of them in
 * both), or when both name the same absolute path, whatever the modules. What
 * a command of `run` or `shell` is about nobody can tell: it is the same only
 * as a command of the same words, or where it names a path of another module's
 * step.
 */
bool resource_same(const char *a, const char *b);

#endif
