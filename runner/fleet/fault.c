/*
 * Who is to blame when a worker ends: the shared page names the job, or the
 * host whose bytes were being read. That one is tried once more, in the worker
 * that stands apart, and given up when it does it again; everybody else only
 * lost the connection.
 */
#include "fleet/inside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

enum {
	BLAMED_MAX = 2, /* on one host */
	HOSTS_BLAMED_MAX = 3,
};

static struct bad_module *
bad_module(const struct fleet *fleet, const char *module)
{
	struct bad_module *bad;

	STAILQ_FOREACH(bad, &fleet->bad, next)
	{
		if (strcmp(bad->name, module) == 0)
			return bad;
	}
	return NULL;
}

static void
blame(struct link *link, const char *module)
{
	struct bad_module *bad = bad_module(link->fleet, module);

	if (bad == NULL) {
		bad = xcalloc(1, sizeof(*bad));
		bad->name = xstrdup(module);
		STAILQ_INSERT_TAIL(&link->fleet->bad, bad, next);
	}
	if (link->blamed == NULL || strcmp(link->blamed, module) != 0) {
		free(link->blamed);
		link->blamed = xstrdup(module);
		link->blamed_times = 0;
		bad->hosts++;
	}
	link->blamed_times++;
}

void
faults_free(struct fleet *fleet)
{
	struct bad_module *bad;

	while ((bad = STAILQ_FIRST(&fleet->bad)) != NULL) {
		STAILQ_REMOVE_HEAD(&fleet->bad, next);
		free(bad->name);
		free(bad);
	}
}

static bool
is_blamed(const struct link *link, const char *module)
{
	return link->blamed_times >= BLAMED_MAX &&
	       strcmp(link->blamed, module) == 0;
}

const char *
fault_refuses(const struct link *link, const char *module)
{
	const struct bad_module *bad = bad_module(link->fleet, module);

	if (bad == NULL)
		return NULL;
	if (is_blamed(link, module))
		return _("the module ended a worker twice on this host and is "
			 "not tried again");
	if (bad->hosts >= HOSTS_BLAMED_MAX)
		return _("the module ended workers on three hosts and is not "
			 "tried on any other");
	return NULL;
}

bool
fault_is_suspect(const struct link *link)
{
	return link->blamed_times > 0 || link->crashes > 0;
}

bool
fault_is_barred(const struct link *link)
{
	return link->crashes >= BLAMED_MAX;
}

static void
say(const struct link *link, const char *what, const char *then)
{
	fprintf(stderr, _("hoshu: host %s: %s; %s\n"), link->how.ssh->name,
	    what, then);
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

/* What its module or its bytes did, in words; NULL when somebody else ended the
 * worker (kill -9, no memory). */
static const char *
end_of(const struct hand *hand, int signal, const char **why)
{
	*why = "module";
	if (hand->doom == DOOM_SILENT) {
		*why = "budget";
		return _("did not come back and its worker was killed");
	}
	if (signal == SIGSYS)
		return _("tried a system call that no worker may make");
	if (hand->doom == DOOM_MALFORMED)
		return _("made its worker say what is no message");
	if (signal == SIGKILL)
		return NULL;
	return _("crashed its worker, which is a fault of hoshu too: please "
		 "report it");
}

/* The first time is answered as a lost connection, so that whoever asked asks
 * again: alone, now that the host is suspect. */
static struct link *
judge_job(struct hand *hand, struct job *job, const char *why, const char *end)
{
	struct link *link =
	    job->host >= 0 ? link_find(hand->fleet, job->host) : NULL;
	struct buf text = BUF_LIMIT(1024);
	bool again = false;

	if (job->module != NULL)
		buf_printf(&text, _("module %s %s"), job->module, end);
	else
		buf_printf(&text, _("an expression %s"), end);
	if (link != NULL && job->module != NULL) {
		blame(link, job->module);
		again = fault_refuses(link, job->module) == NULL;
	}
	if (again)
		say(link, buf_str(&text), _("it is tried once more, alone"));
	job_fail(job, again ? "connection" : why, buf_str(&text));
	buf_free(&text);
	return link;
}

static struct link *
judge_bytes(struct link *link, const char *end)
{
	struct buf text = BUF_LIMIT(1024);

	link->crashes++;
	buf_printf(&text, _("what it sent %s"), end);
	say(link, buf_str(&text),
	    fault_is_barred(link) ? _("it is left alone from now on")
				  : _("it is tried once more, alone"));
	buf_free(&text);
	return link;
}

struct link *
fault_judge(struct hand *hand, int signal)
{
	/* the page is the worker's word: believed only for what it had */
	const struct seam_page page = *hand->page;
	struct job *job = page.job != 0 ? job_of(hand->fleet, page.job) : NULL;
	struct link *link = page.busy == 1 && page.host < HOSTS_MAX
				? link_find(hand->fleet, (int)page.host)
				: NULL;
	const char *why, *end = end_of(hand, signal, &why);

	if (hand->doom == DOOM_MALFORMED)
		fprintf(stderr, "hoshu: %s\n", hand->why.text);
	if (signal == SIGSYS)
		say_refused_call(hand);
	if (end == NULL)
		return NULL;
	if (job != NULL && job->hand == hand)
		return judge_job(hand, job, why, end);
	if (link != NULL && link->hand == hand)
		return judge_bytes(link, end);
	return NULL;
}
