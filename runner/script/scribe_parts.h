/*
 * What scribe.c and scribe_file.c share. All raise.
 */
#ifndef HOSHU_SCRIPT_SCRIBE_PARTS_H
#define HOSHU_SCRIPT_SCRIBE_PARTS_H

#include "script/inside.h"

enum { SCRIBE_SHORT = 16 }; /* hex digits of a digest in a name */

/* The scribe of the running method; an error when its function is over. */
struct scribe *scribe_of(lua_State *L);
/* A text without NUL; the optional one is "" for nil. */
const char *scribe_word(lua_State *L, int index, size_t *len);
const char *scribe_optional_word(lua_State *L, int index, size_t *len);
/* Append it, quoted where it must be. */
void scribe_put_word(struct scribe *scribe, const char *text, size_t len);
/* Append the words of the list at index, each with a blank before it; "%"
 * becomes instead, when that is given. Says how often. */
int scribe_put_argv(
    lua_State *L, struct scribe *scribe, int index, const char *instead);

/* Methods, as the module writers' manual has them. */
int scribe_sh_keep(lua_State *L);
int scribe_sh_put(lua_State *L);
int scribe_sh_put_back(lua_State *L);
int scribe_sh_remove(lua_State *L);

#endif
