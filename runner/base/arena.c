/*
 * The arena: a chain of blocks, given out from the front. The only place,
 * with buf.c, where malloc is called.
 */
#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 8192, ARENA_ALIGN = 16 };

struct block {
	struct block *next;
	size_t used;
	size_t size;
	_Alignas(ARENA_ALIGN) char data[];
};

struct arena {
	struct block *head;
};

void
out_of_memory(size_t size)
{
	char asked[48] = "";

	if (size > 0)
		snprintf(asked, sizeof(asked), " (%zu bytes asked for)", size);
	fprintf(stderr,
	    "hoshu: out of memory%s; what was recorded is kept, the same "
	    "command goes on from it\n",
	    asked);
	abort_told();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

char *
xstrdup(const char *text)
{
	size_t len = strlen(text) + 1;

	return memcpy(xmalloc(len), text, len);
}

struct arena *
arena_new(void)
{
	struct arena *arena = xmalloc(sizeof(*arena));

	arena->head = NULL;
	return arena;
}

void
arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (arena == NULL)
		return;
	for (block = arena->head; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->head;
	size_t want;
	void *p;

	if (size > SIZE_MAX / 2)
		out_of_memory(size);
	want = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (block == NULL || block->size - block->used < want) {
		size_t room = want > ARENA_BLOCK / 4 ? want : ARENA_BLOCK;

		block = xmalloc(sizeof(*block) + room);
		block->size = room;
		block->used = 0;
		if (room == want && arena->head != NULL) {
			/* a large piece goes behind, the rest stays in use */
			block->next = arena->head->next;
			arena->head->next = block;
		} else {
			block->next = arena->head;
			arena->head = block;
		}
	}
	p = block->data + block->used;
	block->used += want;
	memset(p, 0, want);
	return p;
}

char *
arena_copy(struct arena *arena, const void *data, size_t len)
{
	char *p = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(p, data, len);
	return p;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		bug("bad format '%s'", fmt);
	p = arena_alloc(arena, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}

size_t
arena_size_of(size_t size, size_t count)
{
	if (size != 0 && count > SIZE_MAX / 2 / size)
		bug("array of %zu elements of %zu bytes", count, size);
	return size * count;
}

void *
arena_grow(
    struct arena *arena, void *array, size_t size, size_t count, size_t *cap)
{
	void *p;
	size_t want;

	if (count < *cap)
		return array;
	want = *cap > 0 ? *cap * 2 : 8;
	p = arena_alloc(arena, arena_size_of(size, want));
	if (count > 0)
		memcpy(p, array, size * count);
	*cap = want;
	return p;
}
