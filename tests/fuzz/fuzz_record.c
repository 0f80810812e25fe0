/* A record of a journal: what is taken is what would be written again, byte
 * for byte, by every way there is to read it. */
#include "fuzz.h"
#include "journal/record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct bytes bytes = {data, size};
	struct buf out = BUF_INIT, text = BUF_INIT;
	struct record record;
	struct err err = ERR_INIT;
	const char *body;

	memset(&record, 0, sizeof(record));
	if (record_parse(arena, bytes, &record, &err) < 0) {
		fuzz_check(err.text[0] != '\0');
		goto out;
	}
	fuzz_check(record.kind != RECORD_NONE);
	fuzz_check(
	    record_kind_of(record_kind_word(record.kind)) == record.kind);
	record_write(&out, &record);
	fuzz_check(bytes_equal(buf_bytes(&out), bytes));
	body = record.body;
	fuzz_check(record_take_body(&text, bytes, &record));
	fuzz_check(strcmp(record.body, body) == 0);
	record.step++;
	fuzz_check(!record_take_body(&text, bytes, &record));
out:
	buf_free(&out);
	buf_free(&text);
	arena_free(arena);
	return 0;
}
