/*
 * An arena: memory that lives and dies together (a run's, a host's, a
 * step's). Nothing in it is freed alone.
 *
 * Out of memory ends the process by abort(), after one line on stderr that
 * begins "hoshu: out of memory": what was recorded is kept, and resume is the
 * recovery path. The same holds for what libcrypto, libuv, jansson, pcre2 and
 * libyaml ask for. SQLite's and the C library's failures come back as errors,
 * a module's as the failure of its job.
 */
#ifndef HOSHU_BASE_ARENA_H
#define HOSHU_BASE_ARENA_H

#include <stddef.h>
#include <stdarg.h>

struct arena;

/* Gives a new arena; free it with arena_free (NULL is allowed). */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for any type, that lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((malloc, alloc_size(2), returns_nonnull));
#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count)                                        \
	((type *)arena_alloc((arena), arena_size_of(sizeof(type), (count))))

/* Copies; the copy has a NUL behind it. */
char *arena_copy(struct arena *arena, const void *data, size_t len)
    __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text)
    __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

/* Overflow-checked multiplication; a bug() when it does not fit. */
size_t arena_size_of(size_t size, size_t count);

/*
 * Append to a growing array held in an arena:
 *	struct host *hosts = NULL; size_t count = 0, cap = 0;
 *	struct host *h = arena_push(arena, hosts, count, cap);
 * The array may move: keep no pointers into it while it grows.
 */
#define arena_push(arena, array, count, cap)                                   \
	((array) = arena_grow(                                                 \
	     (arena), (array), sizeof(*(array)), (count), &(cap)),             \
	    &(array)[(count)++])
void *arena_grow(
    struct arena *arena, void *array, size_t size, size_t count, size_t *cap);

/* Ends the process as above; size 0 = not known. */
_Noreturn void out_of_memory(size_t size) __attribute__((cold));
/* malloc and friends that abort when there is no memory; base/ only. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull));

#endif
