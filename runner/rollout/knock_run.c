/*
 * Who of the hosts that were away answers by now? A login each, over the shell
 * that cannot write, and out again: so a timer may ask often, and the journal
 * has nothing of it.
 */
#include "rollout/run.h"

struct knock {
	struct loop *loop;
	struct fleet *fleet;
	struct lease *lease;
	struct loop_timer *renewing;
	int left; /* answers to come */
	struct err err;
};

struct knock_host {
	struct knock *knock;
	int index;
	bool *answers;
};

static void
knock_answered(void *arg, const struct answer *answer)
{
	struct knock_host *host = arg;
	struct knock *knock = host->knock;

	*host->answers = answer->kind == ANSWER_OPENED;
	if (*host->answers)
		fleet_disconnect(knock->fleet, host->index);
	if (--knock->left == 0)
		loop_stop(knock->loop);
}

static void
knock_renew(void *arg)
{
	struct knock *knock = arg;

	knock->renewing = NULL;
	if (lease_hold(knock->lease, &knock->err) < 0)
		loop_stop(knock->loop);
	else
		knock->renewing = loop_timer_start(knock->loop,
		    lease_length_ms(knock->lease) / 3, knock_renew, knock);
}

int
run_knock(struct loop *loop, struct fleet *fleet, const struct change *change,
    const struct fleet_host *reach, struct lease *lease, const bool *whom,
    bool *answers, struct err *err)
{
	struct knock knock = {
	    .loop = loop, .fleet = fleet, .lease = lease, .err = ERR_INIT};
	struct arena *arena = arena_new();
	struct knock_host *hosts =
	    arena_array(arena, struct knock_host, change->host_count + 1);
	int r = 0;

	for (size_t h = 0; h < change->host_count; h++) {
		answers[h] = false;
		if (!whom[h])
			continue;
		hosts[h] = (struct knock_host){&knock, (int)h, &answers[h]};
		knock.left++;
		fleet_connect(fleet, (int)h, &reach[h], FLEET_READONLY,
		    knock_answered, &hosts[h]);
	}
	if (lease != NULL)
		knock_renew(&knock);
	if (knock.left > 0 && knock.err.code == ERR_NONE)
		loop_run(loop);
	loop_timer_stop(knock.renewing);
	if (knock.err.code != ERR_NONE)
		r = err_set(err, knock.err.code, "%s", knock.err.text);
	arena_free(arena);
	return r;
}
