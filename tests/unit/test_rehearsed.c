/* The journal of a rehearsal: durable later, in order, and nothing after the
 * coordinator's death. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "journal/rehearsed.h"

struct spot {
	struct loop *loop;
	struct journal *journal;
	char said[256];
	int64_t dies_at; /* the record at which it does; -1 = none */
	struct ticket *ticket;
};

static void
place_say(struct spot *spot, const char *what, int64_t number)
{
	size_t len = strlen(spot->said);

	snprintf(spot->said + len, sizeof(spot->said) - len, "%s%lld@%lld ",
	    what, (long long)number, (long long)loop_now_ms(spot->loop));
}

static bool
place_durable(void *arg, const struct record *record)
{
	struct spot *spot = arg;

	place_say(spot, "kept", record->number);
	return record->number != spot->dies_at;
}

static void
place_appended(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	struct spot *spot = arg;

	assert_null(err);
	assert_int_equal(count, 1);
	place_say(spot, tickets[0] != NULL ? "ticket" : "told", 0);
	if (tickets[0] != NULL)
		spot->ticket = tickets[0];
}

static void
place_append(struct spot *spot, enum record_kind kind)
{
	struct record record = {.change = 1,
	    .epoch = 1,
	    .host = "web1",
	    .step = 2,
	    .xid = "x",
	    .life = "l",
	    .kind = kind,
	    .actor = "hoshu"};

	journal_append(spot->journal, &record, 1, place_appended, spot);
}

static void
place_more(void *arg)
{
	place_append(arg, RECORD_STEP_DONE);
	place_append(arg, RECORD_HOST_DONE);
}

static void
place_open(struct spot *spot, int64_t dies_at)
{
	struct rehearsed_options options = {.commit_ms = 5,
	    .world = &world_real,
	    .count = 10,
	    .durable = place_durable,
	    .arg = spot};

	*spot = (struct spot){.dies_at = dies_at};
	options.loop = spot->loop = loop_open_virtual();
	spot->journal = journal_rehearse(&options);
}

static void
place_close(struct spot *spot)
{
	journal_close(spot->journal);
	loop_close(spot->loop);
}

static void
a_record_is_durable_before_it_is_told(void **state)
{
	struct spot spot;
	char sha256[65];
	struct err err = ERR_INIT;

	place_open(&spot, -1);
	place_append(&spot, RECORD_STEP_INTENT);
	loop_timer_start(spot.loop, 1, place_more, &spot);
	assert_int_equal(
	    journal_put_blob(spot.journal, bytes_of("abc"), sha256, &err), 0);
	assert_memory_equal(sha256, "ba7816bf", 8);
	loop_run(spot.loop);
	/* what comes while one is under way waits for the next */
	assert_string_equal(spot.said, "kept10@5 ticket0@5 kept11@10 kept12@10 "
				       "told0@10 told0@10 ");
	assert_string_equal(ticket_xid(spot.ticket), "x");
	assert_string_equal(ticket_host(spot.ticket), "web1");
	assert_int_equal(journal_count(spot.journal), 13);
	place_close(&spot);
}

static void
nobody_is_told_after_death(void **state)
{
	struct spot spot;

	place_open(&spot, 11);
	place_append(&spot, RECORD_STEP_INTENT);
	loop_timer_start(spot.loop, 1, place_more, &spot);
	loop_run(spot.loop);
	assert_string_equal(spot.said, "kept10@5 ticket0@5 kept11@10 ");
	place_append(&spot, RECORD_RUN_ENDED);
	loop_run(spot.loop);
	assert_string_equal(spot.said, "kept10@5 ticket0@5 kept11@10 ");
	place_close(&spot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_is_durable_before_it_is_told),
	    cmocka_unit_test(nobody_is_told_after_death),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
