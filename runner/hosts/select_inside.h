/*
 * Of select*.c alone: a selector while it is being read. A set of hosts is
 * one byte a host.
 */
#ifndef HOSHU_HOSTS_SELECT_INSIDE_H
#define HOSHU_HOSTS_SELECT_INSIDE_H

#include <stdbool.h>

#include "hosts/hosts.h"

struct select {
	struct arena *scratch;
	const struct inventory *inventory;
	const char *text;
	struct place place; /* where text begins */
	const char *at;
	int depth;
};

/* The place of a word of the text. */
struct place select_place(const struct select *select, const char *word);
bool select_is_word(char c);
bool select_is_empty(const struct select *select, const unsigned char *set);
int select_refuse_empty(
    const struct select *select, const char *word, struct err *err);

/* Read the name or ~pattern at select->at into set, which is all 0. */
int select_name(struct select *select, unsigned char *set, struct err *err);
int select_pattern(struct select *select, unsigned char *set, struct err *err);

#endif
