/* A statement that somebody signed: what is taken is the one form there is. */
#include "approval/approval.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct bytes text = {data, size};
	struct statement statement;
	struct buf again = BUF_INIT;
	struct err err = ERR_INIT;

	memset(&statement, 0, sizeof(statement));
	if (statement_parse(arena, text, &statement, &err) < 0) {
		fuzz_check(err.code == ERR_APPROVAL);
		goto out;
	}
	fuzz_check(strcmp(statement.decision, "approve") == 0 ||
		   strcmp(statement.decision, "reject") == 0);
	fuzz_check(statement.change > 0 && statement.person[0] != '\0');
	statement_write(&again, &statement);
	fuzz_check(bytes_equal(buf_bytes(&again), text));
out:
	buf_free(&again);
	arena_free(arena);
	return 0;
}
