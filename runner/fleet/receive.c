/*
 * What workers say: who it is for, whether it may be said at all, and on to
 * the link or the job. Everything here is suspect.
 */
#include "fleet/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

/* Does this answer say that the host's connection is gone? A probe or check
 * that hangs takes its shell with it; a launch is stopped instead. */
static bool
takes_the_link(const struct job *job, const struct answer *answer)
{
	if (answer->kind != ANSWER_FAILED || job->host < 0 ||
	    job->type == SEAM_CHECK_NET)
		return false;
	return strcmp(answer->why, "connection") == 0 ||
	       (strcmp(answer->why, "deadline") == 0 &&
		   job->type != SEAM_LAUNCH);
}

/* A worker is up. That it is not shut in is said once: it works all the
 * same, but a host's bytes are nearer to this machine. */
static void
ready_came(struct fleet *fleet, const struct seam_message *message)
{
	struct bytes said = seam_field(message, "shut_in");
	bool first = fleet->shut_in[0] == '\0';

	free(fleet->library);
	fleet->library = xstrdup(seam_field_text(message, "libssh2"));
	(void)text_cleanse(
	    fleet->shut_in, sizeof(fleet->shut_in), said.data, said.len);
	if (first && strcmp(fleet->shut_in, "whole") != 0)
		fprintf(stderr,
		    _("hoshu: warning: workers are not shut in by the kernel: "
		      "%s\n"),
		    fleet->shut_in);
}

static int
answer_came(
    struct hand *hand, const struct seam_message *message, struct err *err)
{
	struct job *job = job_of(hand->fleet, message->job);
	struct link *lost = NULL;
	struct answer answer;
	struct arena *arena;
	int r;

	if (job == NULL)
		return 0; /* given up meanwhile */
	if (job->hand != hand)
		return err_set(err, ERR_INTERNAL,
		    "worker %d answers a job of another's", hand->index);
	memset(&answer, 0, sizeof(answer));
	arena = arena_new();
	r = answer_read(arena, job, message, &answer, err);
	if (r < 0)
		goto out;
	/* before done is called, so that it can connect again */
	if (takes_the_link(job, &answer))
		lost = link_find(hand->fleet, job->host);
	if (lost != NULL)
		link_forget(lost);
	job_finish(job, &answer);
	if (lost != NULL)
		jobs_fail_all(
		    &lost->jobs, "connection", _("the connection is lost"));
out:
	arena_free(arena);
	return r;
}

/* The link that a message is about; NULL when it is about an older dial. */
static struct link *
link_meant(struct hand *hand, const struct seam_message *message)
{
	struct link *link = message->host < HOSTS_MAX
				? link_find(hand->fleet, (int)message->host)
				: NULL;

	if (link == NULL || link->hand != hand ||
	    link->dial != seam_field_int(message, "dial", -1))
		return NULL;
	return link;
}

int
receive_message(
    struct hand *hand, const struct seam_message *message, struct err *err)
{
	struct link *link;

	switch ((int)message->type) {
	case SEAM_READY:
		ready_came(hand->fleet, message);
		return 0;
	case SEAM_PONG:
		if (seam_field_int(message, "number", -1) == hand->ping_number)
			hand->ping_at = 0;
		return 0;
	case SEAM_SIGN:
		link = link_meant(hand, message);
		if (link != NULL)
			sign_asked(link, message);
		return 0;
	case SEAM_NEED:
		link = link_meant(hand, message);
		if (link != NULL)
			password_needed(link, message);
		return 0;
	case SEAM_OPENED:
		link = link_meant(hand, message);
		if (link != NULL)
			link_opened(link, message);
		return 0;
	case SEAM_CLOSED:
		link = link_meant(hand, message);
		if (link != NULL)
			link_closed(link, message);
		return 0;
	case SEAM_DESCRIBED:
	case SEAM_SEEN:
	case SEAM_VERDICT:
	case SEAM_MORE:
	case SEAM_CHECKED:
	case SEAM_VALUE:
	case SEAM_FAILED:
		return answer_came(hand, message, err);
	}
	return err_set(err, ERR_INTERNAL, "a worker sent a message %s",
	    seam_name(message->type));
}
