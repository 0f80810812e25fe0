/*
 * The Merkle tree of RFC 6962 by its frontier: the roots of the complete
 * subtrees, largest first, are all that appending needs. Pure.
 *
 *	struct tree tree = { 0 };
 *	tree_leaf(bytes, leaf);
 *	tree_append(&tree, leaf);
 *	tree_root(&tree, root);
 */
#ifndef HOSHU_JOURNAL_TREE_H
#define HOSHU_JOURNAL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "digest/digest.h"

enum { TREE_LEVELS = 53 }; /* numbers end at 2^53 */

struct tree {
	int64_t count; /* leaves */
	/* [level] is set where that bit of count is */
	unsigned char nodes[TREE_LEVELS][DIGEST_RAW];
};

/* SHA-256(0x00 || bytes). */
void tree_leaf(struct bytes bytes, unsigned char leaf[DIGEST_RAW]);
void tree_append(struct tree *tree, const unsigned char leaf[DIGEST_RAW]);
/* SHA-256 of nothing for an empty tree. */
void tree_root(const struct tree *tree, unsigned char root[DIGEST_RAW]);

/* The frontier as bytes, smallest subtree first, and back; false when it is
 * not what a tree of count leaves has, or when count is so large that
 * appending could overflow. */
void tree_save(const struct tree *tree, struct buf *out);
bool tree_load(struct tree *tree, int64_t count, struct bytes saved);

/*
 * The hashes that prove leaf index within a tree of count leaves (RFC 6962
 * 2.1.1), lowest first, appended to out. leaves: count hashes.
 */
void tree_prove(const unsigned char (*leaves)[DIGEST_RAW], int64_t count,
    int64_t index, struct buf *out);
/* Does proof lead from leaf to root? */
bool tree_proof_holds(const unsigned char leaf[DIGEST_RAW], int64_t index,
    int64_t count, struct bytes proof, const unsigned char root[DIGEST_RAW]);

#endif
