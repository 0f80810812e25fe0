/*
 * The one call that changes a host. It takes a ticket: the journal gives one
 * only when the intent is durable.
 */
#include "fleet/asks.h"

#include <string.h>

#include "journal/journal.h"

void
real_launch(struct fleet *fleet, int host, const struct ticket *ticket,
    struct bytes script, int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct job *job =
	    job_new(fleet, SEAM_LAUNCH, host, timeout_ms, done, arg);
	struct link *link = ask_link(job);
	struct number deadline;
	struct bytes fields[] = {bytes_of(ticket_xid(ticket)),
	    bytes_of(ticket_life(ticket)), script,
	    number_field(&deadline, timeout_ms)};

	if (link == NULL)
		return;
	if (!link->how.place &&
	    strcmp(ticket_host(ticket), link->how.ssh->name) != 0)
		bug("fleet_launch: a ticket of %s for %s", ticket_host(ticket),
		    link->how.ssh->name);
	job->xid = xstrdup(ticket_xid(ticket));
	ask_send(job, link, fields, 4);
}
