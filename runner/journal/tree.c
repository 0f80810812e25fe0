/*
 * RFC 6962 hashing: frontier, root, inclusion proofs. Pure: no I/O, no
 * clock; knows nothing of records.
 */
#include "journal/tree.h"

#include <string.h>

#include "base/err.h"

enum { LEAF_PREFIX = 0, NODE_PREFIX = 1 };

static void
node(const unsigned char *left, const unsigned char *right,
    unsigned char out[DIGEST_RAW])
{
	digest_node(NODE_PREFIX, (struct bytes){left, DIGEST_RAW},
	    (struct bytes){right, DIGEST_RAW}, out);
}

void
tree_leaf(struct bytes bytes, unsigned char leaf[DIGEST_RAW])
{
	digest_node(LEAF_PREFIX, bytes, (struct bytes){"", 0}, leaf);
}

void
tree_append(struct tree *tree, const unsigned char leaf[DIGEST_RAW])
{
	unsigned char hash[DIGEST_RAW];
	int level = 0;

	memcpy(hash, leaf, DIGEST_RAW);
	while ((tree->count >> level) & 1) {
		node(tree->nodes[level], hash, hash);
		level++;
	}
	if (level >= TREE_LEVELS)
		bug("the tree is full");
	memcpy(tree->nodes[level], hash, DIGEST_RAW);
	tree->count++;
}

void
tree_root(const struct tree *tree, unsigned char root[DIGEST_RAW])
{
	bool have = false;
	int level;

	digest_raw((struct bytes){"", 0}, root);
	for (level = 0; level < TREE_LEVELS; level++) {
		if (((tree->count >> level) & 1) == 0)
			continue;
		if (have)
			node(tree->nodes[level], root, root);
		else
			memcpy(root, tree->nodes[level], DIGEST_RAW);
		have = true;
	}
}

void
tree_save(const struct tree *tree, struct buf *out)
{
	int level;

	for (level = 0; level < TREE_LEVELS; level++)
		if ((tree->count >> level) & 1)
			buf_put(out, tree->nodes[level], DIGEST_RAW);
}

bool
tree_load(struct tree *tree, int64_t count, struct bytes saved)
{
	struct tree loaded = {.count = count};
	const unsigned char *at = saved.data;
	size_t left = saved.len;
	int level;

	if (count < 0 || count >> (TREE_LEVELS - 1) != 0)
		return false;
	for (level = 0; level < TREE_LEVELS; level++) {
		if (((count >> level) & 1) == 0)
			continue;
		if (left < DIGEST_RAW)
			return false;
		memcpy(loaded.nodes[level], at, DIGEST_RAW);
		at += DIGEST_RAW;
		left -= DIGEST_RAW;
	}
	if (left != 0)
		return false;
	*tree = loaded;
	return true;
}

/* The root over some leaves in a row. */
static void
root_of(const unsigned char (*leaves)[DIGEST_RAW], int64_t count,
    unsigned char root[DIGEST_RAW])
{
	struct tree tree = {0};
	int64_t i;

	for (i = 0; i < count; i++)
		tree_append(&tree, leaves[i]);
	tree_root(&tree, root);
}

/* The largest power of two below count (count > 1). */
static int64_t
split(int64_t count)
{
	int64_t half = 1;

	while (half * 2 < count)
		half *= 2;
	return half;
}

void
tree_prove(const unsigned char (*leaves)[DIGEST_RAW], int64_t count,
    int64_t index, struct buf *out)
{
	unsigned char other[DIGEST_RAW];
	int64_t half;

	if (index < 0 || index >= count)
		bug("no leaf %lld in a tree of %lld", (long long)index,
		    (long long)count);
	if (count == 1)
		return;
	half = split(count);
	if (index < half) {
		tree_prove(leaves, half, index, out);
		root_of(leaves + half, count - half, other);
	} else {
		tree_prove(leaves + half, count - half, index - half, out);
		root_of(leaves, half, other);
	}
	buf_put(out, other, DIGEST_RAW);
}

bool
tree_proof_holds(const unsigned char leaf[DIGEST_RAW], int64_t index,
    int64_t count, struct bytes proof, const unsigned char root[DIGEST_RAW])
{
	const unsigned char *at = proof.data;
	int64_t place = index, last = count - 1;
	unsigned char hash[DIGEST_RAW];
	size_t left = proof.len;

	if (index < 0 || index >= count || left % DIGEST_RAW != 0)
		return false;
	memcpy(hash, leaf, DIGEST_RAW);
	for (; left > 0; at += DIGEST_RAW, left -= DIGEST_RAW) {
		if (last == 0)
			return false;
		if ((place & 1) != 0 || place == last) {
			node(at, hash, hash);
			/* a right edge has no partner on the levels between */
			while ((place & 1) == 0 && place != 0) {
				place >>= 1;
				last >>= 1;
			}
		} else
			node(hash, at, hash);
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, DIGEST_RAW) == 0;
}
