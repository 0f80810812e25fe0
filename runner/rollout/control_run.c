/*
 * What stands beside a run: the lease, the fence in the journal, and what
 * others say of the change while it runs. Decides nothing itself.
 */
#include "rollout/inside.h"
#include "base/i18n.h"
#include "journal/rehearsed.h"

#include <string.h>

static int
control_fold(void *arg, const struct record *record, struct err *err)
{
	struct run *run = arg;
	int r = fold_record(run->o.fold, record, err);

	if (r == 0 && run->o.say != NULL)
		run->o.say(run->o.arg, record);
	return r;
}

/* Something was appended by others, or said by us beside the run. */
static void
control_heard(void *arg, const struct record *record, const struct err *err)
{
	struct run *run = arg;
	struct err why = ERR_INIT;

	if (err != NULL) {
		run_fail(run, err);
		return;
	}
	if (!record_kind_is_outside(record->kind)) {
		(void)!err_set(&why, ERR_REFUSED,
		    _("CHG-%04d: another coordinator took the change over "
		      "(run %lld); this one launches nothing more: `hoshu "
		      "show CHG-%04d` says how far the other is"),
		    record->change, (long long)record->epoch, record->change);
		run_fail(run, &why);
		return;
	}
	if (run->error != 0)
		return;
	if (control_fold(run, record, &why) < 0)
		run_fail(run, &why);
	run_wake(run);
}

bool
control_holds(struct run *run)
{
	struct err err = ERR_INIT;

	if (run->o.lease == NULL || lease_hold(run->o.lease, &err) == 0)
		return true;
	run_fail(run, &err);
	return false;
}

static void
control_renew(void *arg)
{
	struct run *run = arg;

	run->renewing = NULL;
	if (control_holds(run))
		run->renewing = loop_timer_start(run->o.loop,
		    lease_length_ms(run->o.lease) / 3, control_renew, run);
}

/*
 * The fence: behind this record the journal takes nothing more of an older
 * run. Only then is read what the older one had said until here.
 */
static int
control_fence(struct run *run, struct err *err)
{
	struct json *body = json_map(run->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .change = run->o.change->number,
	    .epoch = run->o.fold->epoch + 1,
	    .kind = RECORD_RUN_STARTED,
	    .actor = run->o.actor,
	};
	int r;

	if (run->o.lease != NULL && lease_taken_from(run->o.lease)[0] != '\0')
		json_put_text(run->arena, body, "text",
		    arena_printf(run->arena, _("taken over from %s"),
			lease_taken_from(run->o.lease)));
	json_write(&text, body);
	record.body = buf_str(&text);
	r = journal_append_now(run->o.journal, &record, 1, NULL, err);
	buf_free(&text);
	if (r < 0)
		return r;
	return journal_read(run->o.journal, run->o.change->number,
	    run->o.fold->last_number + 1, control_fold, run, err);
}

int
control_begin(struct run *run, struct err *err)
{
	int r;

	if (journal_is_rehearsed(run->o.journal)) { /* there is nobody else */
		run_record(run, NULL, RECORD_RUN_STARTED, 0, 0, NULL, NULL,
		    NULL, NULL);
		return 0;
	}
	if ((r = control_fence(run, err)) < 0)
		return r;
	run->watch = journal_watch_start(run->o.journal, run->o.change->number,
	    run->o.fold->last_number + 1, run->o.fold->epoch, 0, control_heard,
	    run);
	if (run->o.lease != NULL)
		run->renewing =
		    loop_timer_start(run->o.loop, 0, control_renew, run);
	return 0;
}

void
control_end(struct run *run)
{
	journal_watch_stop(run->watch);
	run->watch = NULL;
	loop_timer_stop(run->renewing);
	run->renewing = NULL;
}
