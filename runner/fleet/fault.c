/*
 * Who is to blame when a worker ends: the shared page names the job that had
 * it. That job gets the answer of its own; everybody else only lost the
 * connection.
 */
#include "fleet/inside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

enum { BLAMED_MAX = 2 };

static void
blame(struct link *link, const char *module)
{
	if (link->blamed == NULL || strcmp(link->blamed, module) != 0) {
		free(link->blamed);
		link->blamed = xstrdup(module);
		link->blamed_times = 0;
	}
	link->blamed_times++;
}

bool
fault_is_blamed(const struct link *link, const char *module)
{
	return link->blamed_times >= BLAMED_MAX &&
	       strcmp(link->blamed, module) == 0;
}

/* The wall (worker/wall.c) ended it. Said aloud whoever had it: it is either
 * an attack or a fault of ours on this machine. */
static void
say_refused_call(const struct hand *hand)
{
	fprintf(stderr,
	    _("hoshu: a worker was ended because it tried the system call %u, "
	      "which no worker may make; if no host or module of yours is to "
	      "blame, please report it\n"),
	    (unsigned)hand->page->call);
}

void
fault_judge(struct hand *hand, int signal)
{
	uint32_t id = hand->page->job;
	struct job *job = id != 0 ? job_of(hand->fleet, id) : NULL;
	struct buf text = BUF_LIMIT(1024);
	const char *why, *module;
	struct link *link;

	if (hand->doom == DOOM_MALFORMED)
		fprintf(stderr, "hoshu: %s\n", hand->why.text);
	if (signal == SIGSYS)
		say_refused_call(hand);
	/* the page is the worker's word: believed only for a job of its own */
	if (job == NULL || job->hand != hand)
		return;
	link = job->host >= 0 ? link_find(hand->fleet, job->host) : NULL;
	module = job->module != NULL ? job->module : _("an expression");
	if (hand->doom == DOOM_SILENT) {
		why = "budget";
		buf_printf(&text,
		    _("module %s did not come back and its worker was killed; "
		      "look for a loop or a costly pattern in it"),
		    module);
	} else if (signal == SIGKILL && hand->doom != DOOM_MALFORMED) {
		return; /* somebody's kill -9, or no memory: nobody's fault */
	} else {
		why = "module";
		buf_printf(&text,
		    _("module %s ended its worker (signal %d); this is a "
		      "fault of hoshu too: please report it"),
		    module, signal);
	}
	if (link != NULL && job->module != NULL)
		blame(link, job->module);
	job_fail(job, why, buf_str(&text));
	buf_free(&text);
}
