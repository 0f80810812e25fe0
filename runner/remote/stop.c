/*
 * Ending a step: TERM to what it started, and KILL after its grace. By a
 * channel of its own, since the shell waits for the step. Nothing is
 * answered: the step's own launch or settle says how it ended.
 */
#include "remote/inside.h"

#include <stdlib.h>
#include <string.h>

static const char place_sh[] =
#include "place.sh.h"
    ;
static const char stop_sh[] =
#include "stop.sh.h"
    ;

static void
stop_done(struct remote *remote, struct side *side)
{
	(void)remote;
	(void)side;
}

static void
stop_send(struct remote *remote, const char *xid, const char *signal_name)
{
	struct side *side = side_start(remote, stop_done);
	struct buf text = BUF_INIT;

	strcpy(side->key, xid);
	gate_put_mark(&side->gate, &text);
	shell_put_script(&text, place_sh);
	shell_put_script(&text, stop_sh);
	buf_puts(&text, "exec 2>/dev/null; place \"$1\"; stop \"$2\" \"$3\"\n");
	shell_put_sh(remote, &side->gate, &side->command);
	buf_puts(&side->command, " -c");
	shell_put_word(&side->command, buf_str(&text));
	buf_puts(&side->command, " hoshu");
	shell_put_word(&side->command, remote->options.root_spool);
	shell_put_word(&side->command, xid);
	shell_put_word(&side->command, signal_name);
	buf_free(&text);
}

static void
grace_over(void *arg)
{
	struct stop_timer *stop = arg, **at = &stop->remote->stops;

	while (*at != stop)
		at = &(*at)->next;
	*at = stop->next;
	stop_send(stop->remote, stop->xid, "KILL");
	free(stop);
}

void
remote_stop(struct remote *remote, const char *xid, int64_t grace_ms)
{
	struct stop_timer *stop;

	if (!requests_is_xid(xid) || remote->ended)
		return;
	stop_send(remote, xid, "TERM");
	stop = xcalloc(1, sizeof(*stop));
	stop->remote = remote;
	strcpy(stop->xid, xid);
	stop->next = remote->stops;
	remote->stops = stop;
	stop->timer = loop_timer_start(
	    remote->loop, grace_ms > 0 ? grace_ms : 1, grace_over, stop);
}

void
stop_free_all(struct remote *remote)
{
	while (remote->stops != NULL) {
		struct stop_timer *stop = remote->stops;

		remote->stops = stop->next;
		loop_timer_stop(stop->timer);
		free(stop);
	}
}
