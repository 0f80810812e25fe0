/*
 * Signatures: a worker holds no key, so it asks; the agent signs, once a dial,
 * and only what it has checked to be this user's login with this key.
 */
#include "fleet/inside.h"

#include <stdlib.h>

#include "base/i18n.h"

static void
signature_send(struct link *link, struct bytes signature, const char *refused)
{
	struct number number;
	struct bytes fields[] = {
	    number_field(&number, link->dial), signature, bytes_of(refused)};

	hand_send(link->hand, SEAM_SIGNATURE, link->host, 0, -1, fields, 3);
}

static void
sign_done(void *arg, struct bytes signature, const struct err *err)
{
	struct signing *signing = arg;
	struct link *link = link_find(signing->fleet, signing->host);

	/* a newer dial asks for itself */
	if (link != NULL && link->state == LINK_OPENING &&
	    link->dial == signing->dial)
		signature_send(link, err == NULL ? signature : bytes_of(""),
		    err == NULL ? "" : err->text);
	LIST_REMOVE(signing, next);
	free(signing);
}

void
sign_asked(struct link *link, const struct seam_message *message)
{
	struct signing *signing;

	if (link->state != LINK_OPENING)
		return;
	if (link->asked_to_sign) {
		signature_send(link, bytes_of(""),
		    _("a second signature was asked for in one login"));
		return;
	}
	link->asked_to_sign = true;
	signing = xcalloc(1, sizeof(*signing));
	signing->fleet = link->fleet;
	signing->host = link->host;
	signing->dial = link->dial;
	LIST_INSERT_HEAD(&link->fleet->signing, signing, next);
	ssh_agent_sign(link->fleet->agent, link->auth_key, link->how.ssh->user,
	    seam_field(message, "payload"), sign_done, signing);
}
