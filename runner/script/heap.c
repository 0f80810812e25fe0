/*
 * The memory of one Lua state: chunks with free lists for small pieces, a
 * list of big ones, a cap over all, dropped whole without lua_close. That a
 * job leaves nothing behind rests on this file alone.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "script/inside.h"

enum {
	FIRST_CHUNK = 40 * 1024, /* a state with one module fits */
	CHUNK = 64 * 1024,
	FINE = 16,	 /* classes of 16 bytes each up to 256 */
	BIG = 16 * 1024, /* above: a piece of its own */
};

struct heap_chunk {
	struct heap_chunk *next;
	max_align_t data[];
};

struct heap_big {
	struct heap_big *next, *prev;
	max_align_t data[];
};

static int
size_class(size_t size, size_t *rounded)
{
	size_t class_size = 512;
	int class = FINE;

	if (size <= 256) {
		class = size == 0 ? 0 : (int)((size - 1) / 16);
		*rounded = ((size_t) class + 1) * 16;
		return class;
	}
	while (class_size < size) {
		class_size *= 2;
		class ++;
	}
	*rounded = class_size;
	return class;
}

static void *
small_alloc(struct heap *heap, size_t size)
{
	size_t rounded, want;
	int class = size_class(size, &rounded);
	void *piece = heap->free[class];
	struct heap_chunk *chunk;

	if (piece != NULL) {
		memcpy(&heap->free[class], piece, sizeof(void *));
		return piece;
	}
	if (heap->left < rounded) {
		/* what is left of the old chunk is lost: at most 16 KiB */
		want = heap->chunks == NULL ? FIRST_CHUNK : CHUNK;
		chunk = xmalloc(sizeof(*chunk) + want);
		chunk->next = heap->chunks;
		heap->chunks = chunk;
		heap->at = (char *)chunk->data;
		heap->left = want;
	}
	piece = heap->at;
	heap->at += rounded;
	heap->left -= rounded;
	return piece;
}

static void
small_free(struct heap *heap, void *piece, size_t size)
{
	size_t rounded;
	int class = size_class(size, &rounded);

	memcpy(piece, &heap->free[class], sizeof(void *));
	heap->free[class] = piece;
}

static struct heap_big *
big_of(void *data)
{
	return (
	    struct heap_big *)((char *)data - offsetof(struct heap_big, data));
}

static void *
big_alloc(struct heap *heap, size_t size)
{
	struct heap_big *big = xmalloc(sizeof(*big) + size);

	big->prev = NULL;
	big->next = heap->bigs;
	if (heap->bigs != NULL)
		heap->bigs->prev = big;
	heap->bigs = big;
	return big->data;
}

static void
big_free(struct heap *heap, void *data)
{
	struct heap_big *big = big_of(data);

	if (big->prev != NULL)
		big->prev->next = big->next;
	else
		heap->bigs = big->next;
	if (big->next != NULL)
		big->next->prev = big->prev;
	free(big);
}

static void
piece_free(struct heap *heap, void *piece, size_t size)
{
	if (size > BIG)
		big_free(heap, piece);
	else
		small_free(heap, piece, size);
}

void *
heap_realloc(void *state, void *old, size_t old_size, size_t size)
{
	struct heap *heap = state;
	size_t had, gets;
	void *piece;

	if (old == NULL)
		old_size = 0; /* Lua passes the kind of object here */
	if (size == 0) {
		if (old != NULL) {
			heap->used -= old_size;
			piece_free(heap, old, old_size);
		}
		return NULL;
	}
	/* Lua counts on a smaller piece being given always. */
	if (size > old_size && size - old_size > heap->cap - heap->used) {
		heap->refused = true;
		return NULL;
	}
	heap->used = heap->used - old_size + size;
	if (old != NULL && old_size <= BIG && size <= BIG &&
	    size_class(old_size, &had) == size_class(size, &gets))
		return old;
	piece = size > BIG ? big_alloc(heap, size) : small_alloc(heap, size);
	if (old != NULL) {
		memcpy(piece, old, old_size < size ? old_size : size);
		piece_free(heap, old, old_size);
	}
	return piece;
}

void
heap_drop(struct heap *heap)
{
	struct heap_chunk *chunk;
	struct heap_big *big;

	while ((chunk = heap->chunks) != NULL) {
		heap->chunks = chunk->next;
		free(chunk);
	}
	while ((big = heap->bigs) != NULL) {
		heap->bigs = big->next;
		free(big);
	}
	memset(heap, 0, sizeof(*heap));
}
