/* For tests: all that a fold holds, as text; two folds are equal when their
 * texts are. A field that is added to the fold is added here. */
#ifndef HOSHU_TEST_FOLD_TEXT_H
#define HOSHU_TEST_FOLD_TEXT_H

#include <inttypes.h>

#include "journal/fold.h"

static inline void
fold_text_step(const struct step_fold *step, int id, struct buf *out)
{
	buf_printf(out,
	    "  %d %s|%s attempts %d sealed %d undos %d xid %s ran %s life %s "
	    "seen %s after %s undo %s want %s uptime %s\n",
	    id, step_state_word(step->state), undo_state_word(step->undo),
	    step->attempts, step->sealed, step->undo_attempts, step->xid,
	    step->ran, step->life, step->seen, step->after, step->undo_script,
	    step->want, step->uptime);
	buf_printf(out,
	    "    undo sealed %d %d%d%d%d%d left %s boot %s "
	    "times %" PRId64 " %" PRId64 "\n",
	    step->undo_sealed, step->undo_ran, step->blind, step->on_way_back,
	    step->asked_again, step->unasked, step->left, step->boot,
	    step->launched_ms, step->ended_ms);
}

static inline void
fold_text(const struct change_fold *fold, struct buf *out)
{
	buf_printf(out,
	    "%d epoch %" PRId64 " last %" PRId64 " %s title %s by %s frozen "
	    "%s times %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
	    " result %s %d soak %" PRId64 " limit %d %s back %d\n",
	    fold->number, fold->epoch, fold->last_number,
	    change_state_word(fold->state), fold->title, fold->submitter,
	    fold->frozen, fold->submitted_ms, fold->preview_ms,
	    fold->started_ms, fold->ended_ms, fold->result, fold->status,
	    fold->soak_from_ms, fold->limit_reached, fold->limit_text,
	    fold->back);
	buf_printf(out, "%s %s %s at %" PRId64 " resumed %d, %s %s %s, %s %s\n",
	    fold->paused ? "paused" : "not paused", fold->paused_by,
	    fold->paused_because, fold->paused_ms, fold->resumed,
	    fold->aborted ? "aborted" : "not aborted", fold->aborted_by,
	    fold->aborted_because, fold->rejected ? "rejected" : "not rejected",
	    fold->rejected_by);
	buf_printf(out, "way %d all %d limit %d %s\n", (int)fold->way,
	    fold->asked_all, fold->back_limit, fold->back_limit_text);
	buf_printf(out,
	    "settled %d lost %d owed %d %" PRId64 " %s later %d over %d\n",
	    fold->settled, fold->lost, fold->owed, fold->owed_until_ms,
	    fold->owed_hosts, fold->later_run, fold->later_over);
	for (size_t i = 0; i < fold->ask_count; i++) {
		const struct ask_fold *ask = &fold->asks[i];

		buf_printf(out,
		    "asks %d %d %d%d %" PRId64 " %" PRId64
		    " %s|%s|%s %d %" PRId64 " %s %s\n",
		    ask->phase, ask->times, ask->stands, ask->over,
		    ask->asked_ms, ask->until_ms, ask->name, ask->of, ask->say,
		    (int)ask->answer, ask->answered_ms, ask->by, ask->because);
	}
	for (size_t i = 0; i < fold->place_count; i++)
		buf_printf(out, "place %s life %s opened %s\n",
		    fold->places[i].name, fold->places[i].now.life,
		    fold->places[i].now.opened);
	for (size_t w = 1; w <= fold->wave_count; w++)
		buf_printf(out, "wave %d\n", (int)fold->waves[w]);
	for (size_t a = 0; a < fold->approval_count; a++)
		buf_printf(out, "approval %d %" PRId64 " %" PRId64 " %s\n",
		    fold->approvals[a].rejects, fold->approvals[a].number,
		    fold->approvals[a].wall_ms, fold->approvals[a].person);
	buf_printf(out, "counts %d %d %d\n", fold->failed, fold->unreachable,
	    fold->excluded);
	for (size_t h = 0; h < fold->host_count; h++) {
		const struct host_fold *host = &fold->hosts[h];

		buf_printf(out, "%s %d%d%d%d%d %s %s\n", host->name,
		    host->failed, host->unreachable, host->excluded,
		    host->asked, host->lost, host->facts, host->plan_vars);
		for (int id = 1; id <= fold->step_count; id++)
			fold_text_step(&host->steps[id], id, out);
	}
	for (size_t p = 0; p < fold->part_count; p++) {
		const struct part_fold *part = &fold->parts[p];

		buf_printf(out,
		    "part %s %d %s life %s opened %s %d%d wave %d kept %d\n",
		    part->host->name, part->phase, host_state_word(part->state),
		    part->now.life, part->now.opened, part->touched,
		    part->asking, part->wave, part->kept);
		buf_printf(out, "  stuck %" PRId64 " %d%d%d%d\n",
		    part->stuck_epoch, part->was_lost, part->gone,
		    part->not_back, part->due);
	}
}

#endif
