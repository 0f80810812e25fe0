/* JSON that came from a host or a worker. What is taken is written so that it
 * is taken again, as the same bytes. */
#include "base/json.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct json *value = NULL, *again = NULL;
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct err err = ERR_INIT;

	if (json_parse(arena, (const char *)data, size, "fuzz", &value, &err) <
	    0) {
		fuzz_check(err.code == ERR_PLAN && err.text[0] != '\0');
		goto out;
	}
	json_write(&first, value);
	fuzz_check(json_parse(arena, buf_str(&first), first.len, "canonical",
		       &again, &err) == 0);
	fuzz_check(json_equal(value, again));
	json_write(&second, again);
	fuzz_check(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	buf_reset(&second);
	json_write_pretty(&second, value);
	again = NULL;
	fuzz_check(json_parse(arena, buf_str(&second), second.len, "pretty",
		       &again, &err) == 0);
	fuzz_check(json_equal(value, again));
out:
	buf_free(&first);
	buf_free(&second);
	arena_free(arena);
	return 0;
}
