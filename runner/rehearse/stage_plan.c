/*
 * The plan of a rehearsal; see stage_plan.h. Knows plans and what simulated
 * hosts are told, nothing of how they are driven.
 */
#include "rehearse/stage_plan.h"

void
stage_plan(struct arena *arena, struct change *change)
{
	struct plan *plan = change->plan;

	for (int id = 1; id <= plan->last_id; id++) {
		plan->by_id[id]->params = json_map(arena);
		json_put_int(arena, plan->by_id[id]->params, "step", id);
	}
	for (size_t i = 0; i < plan->check_count; i++) {
		plan->checks[i].spec = json_map(arena);
		json_put_int(
		    arena, plan->checks[i].spec, "check", plan->checks[i].id);
	}
	for (size_t i = 0; i < change->host_count + change->place_count; i++) {
		struct change_host *host =
		    i < change->host_count
			? &change->hosts[i]
			: &change->places[i - change->host_count];

		host->address = arena_printf(arena, "sim-%zu", i);
		host->port = 22;
		host->user = "root";
	}
}

const struct sim_step *
stage_plan_steps(
    struct arena *arena, const struct plan *plan, const bool *unprobed)
{
	struct sim_step *steps =
	    arena_array(arena, struct sim_step, (size_t)plan->last_id + 1);

	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];

		steps[id].handler = step->handler;
		steps[id].when = step->when != NULL;
		steps[id].reboots = step->reboots;
		steps[id].guarded = step->guard != NULL;
		steps[id].phase = step->phase;
		steps[id].around = step->around == AROUND_ENTER	  ? SIM_ENTER
				   : step->around == AROUND_LEAVE ? SIM_LEAVE
								  : SIM_STEP;
		steps[id].notify = step->notify;
		steps[id].notify_count = step->notify_count;
		steps[id].without_undo = step->back == STEP_BACK_KEEP ||
					 step->back == STEP_BACK_STOP;
		steps[id].unprobed = unprobed != NULL && unprobed[id];
		for (size_t i = 0; i < step->back_count; i++)
			steps[step->back_steps[i].id].puts_back =
			    i + 1 == step->back_count ? id : -1;
	}
	return steps;
}
