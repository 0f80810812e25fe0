/*
 * Checkpoints: count and root as text that can leave the machine. Signing and
 * sending are other people's work.
 */
#include "journal/journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "journal/inside.h"

#define ORIGIN "hoshu"

int
journal_root_at(
    struct journal *journal, int64_t count, char root[65], struct err *err)
{
	unsigned char leaf[DIGEST_RAW], raw[DIGEST_RAW];
	struct store_cursor *cursor = NULL;
	struct tree tree = {0};
	struct store_row row;
	struct digest hex;
	int rc;

	if ((rc = store_rows(journal->reader, 0, 0, &cursor, err)) < 0)
		return rc;
	while (tree.count < count &&
	       (rc = store_next_row(cursor, &row, err)) > 0 &&
	       row.record.number == tree.count) {
		tree_leaf(row.bytes, leaf);
		tree_append(&tree, leaf);
	}
	store_cursor_close(cursor);
	if (rc < 0)
		return rc;
	if (tree.count < count)
		return err_set(err, ERR_EVIDENCE,
		    _("%" PRId64 " records are asked for and the journal has "
		      "%" PRId64 ": the end of it was cut off"),
		    count, tree.count);
	tree_root(&tree, raw);
	digest_to_hex(raw, &hex);
	memcpy(root, hex.hex, sizeof(hex.hex));
	return 0;
}

int
journal_checkpoint_text(
    struct journal *journal, struct buf *out, struct err *err)
{
	struct store_head head;
	int rc;

	if ((rc = store_last_head(journal->reader, &head, err)) < 0)
		return rc;
	buf_printf(out, ORIGIN "\n%" PRId64 "\n", head.tree.count);
	digest_base64(out, (struct bytes){head.root, DIGEST_RAW});
	buf_putc(out, '\n');
	return 0;
}

/* One line of text into out; NULL when there is none. */
static const char *
take_line(const char *text, char *out, size_t size)
{
	const char *end = strchr(text, '\n');

	if (end == NULL || (size_t)(end - text) >= size)
		return NULL;
	memcpy(out, text, (size_t)(end - text));
	out[end - text] = '\0';
	return end + 1;
}

static bool
parse(const char *text, int64_t *count, struct digest *root)
{
	char origin[16], number[24], base64[64];
	struct buf raw = BUF_INIT;
	bool ok;

	ok = (text = take_line(text, origin, sizeof(origin))) != NULL &&
	     strcmp(origin, ORIGIN) == 0 &&
	     (text = take_line(text, number, sizeof(number))) != NULL &&
	     text_int(number, 0, INT64_MAX, count) &&
	     (text = take_line(text, base64, sizeof(base64))) != NULL &&
	     (*text == '\0' || *text == '\n') &&
	     digest_unbase64(&raw, base64, strlen(base64)) == 0 &&
	     raw.len == DIGEST_RAW;
	if (ok)
		digest_to_hex((const unsigned char *)raw.data, root);
	buf_free(&raw);
	return ok;
}

int
journal_checkpoint_verify(
    struct journal *journal, const char *text, struct err *err)
{
	struct digest want;
	char root[65];
	int64_t count;
	int rc;

	if (!parse(text, &count, &want))
		return err_set(err, ERR_EVIDENCE,
		    _("this is no checkpoint of hoshu: its lines are \"hoshu\""
		      ", a count, a root in base64"));
	if ((rc = journal_root_at(journal, count, root, err)) < 0)
		return rc;
	if (strcmp(root, want.hex) != 0)
		return err_set(err, ERR_EVIDENCE,
		    _("the first %" PRId64 " records are not those that the "
		      "checkpoint was made of: the journal was rewritten"),
		    count);
	return 0;
}
