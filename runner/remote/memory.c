/*
 * The memory that libssh2 takes for one session: counted, so that a host
 * cannot make it hold more than MEMORY_MAX, and freed whole at the end, so
 * that a handshake broken off anywhere leaks nothing.
 */
#include "remote/inside.h"

#include <stddef.h>
#include <stdlib.h>

struct memory_block {
	struct memory_block *next, **prev;
	size_t size;
	_Alignas(max_align_t) char data[];
};

static struct memory_block *
memory_block(void *data)
{
	return (struct memory_block *)((char *)data -
				       offsetof(struct memory_block, data));
}

static void
memory_link(struct remote *remote, struct memory_block *block, size_t size)
{
	block->size = size;
	block->prev = &remote->memory;
	block->next = remote->memory;
	if (block->next != NULL)
		block->next->prev = &block->next;
	remote->memory = block;
	remote->memory_used += size;
}

static void
memory_unlink(struct remote *remote, struct memory_block *block)
{
	*block->prev = block->next;
	if (block->next != NULL)
		block->next->prev = block->prev;
	remote->memory_used -= block->size;
}

void *
memory_alloc(size_t count, void **abstract)
{
	struct remote *remote = *abstract;
	struct memory_block *block;

	if (count > MEMORY_MAX - remote->memory_used)
		return NULL;
	block = xmalloc(sizeof(*block) + count);
	memory_link(remote, block, count);
	return block->data;
}

void *
memory_realloc(void *data, size_t count, void **abstract)
{
	struct remote *remote = *abstract;
	struct memory_block *block;

	if (data == NULL)
		return memory_alloc(count, abstract);
	block = memory_block(data);
	if (count > MEMORY_MAX - remote->memory_used + block->size)
		return NULL;
	memory_unlink(remote, block);
	block = xrealloc(block, sizeof(*block) + count);
	memory_link(remote, block, count);
	return block->data;
}

void
memory_free(void *data, void **abstract)
{
	struct memory_block *block;

	if (data == NULL)
		return;
	block = memory_block(data);
	memory_unlink(*abstract, block);
	free(block);
}

void
memory_free_all(struct remote *remote)
{
	while (remote->memory != NULL) {
		struct memory_block *block = remote->memory;

		memory_unlink(remote, block);
		free(block);
	}
}
