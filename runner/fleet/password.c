/*
 * The password of sudo: a worker holds none, it asks when a sudo of its own
 * does. A wrong one costs one try at one host, as accounts lock and often one
 * account is that of many hosts: it goes to one host first, and the others
 * wait. Once it was taken somewhere, what a host refuses is its own trouble;
 * that host is not tried again.
 */
#include "fleet/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/secret.h"

/* NULL: it has none. */
static struct password *
password_of(const struct link *link)
{
	struct fleet *fleet = link->fleet;
	struct password *password;

	if (link->how.password == NULL || strcmp(link->how.become, "sudo") != 0)
		return NULL;
	STAILQ_FOREACH(password, &fleet->passwords, next)
	if (password->secret == link->how.password)
		return password;
	password = xcalloc(1, sizeof(*password));
	password->secret = link->how.password;
	STAILQ_INSERT_TAIL(&fleet->passwords, password, next);
	return password;
}

static void
password_send(struct link *link, struct bytes secret, const char *refused)
{
	struct number dial, prompt;
	struct bytes fields[] = {number_field(&dial, link->dial),
	    number_field(&prompt, link->prompt), secret, bytes_of(refused)};

	link->prompt = 0;
	if (link->hand->seam != NULL)
		hand_send(
		    link->hand, SEAM_SECRET, link->host, 0, -1, fields, 4);
}

static void
password_give(struct link *link, const struct password *password)
{
	link->password_given = true;
	password_send(link, secret_bytes(password->secret), "");
}

/* Why it is not given to this host; NULL: it may be. */
static const char *
password_barred(struct link *link, const struct password *password)
{
	if (link->password_refused)
		return arena_printf(link->arena,
		    _("sudo on %s did not take the password before; it is not "
		      "tried again"),
		    link->how.ssh->name);
	if (password->is != PASSWORD_BAD)
		return NULL;
	return arena_printf(link->arena,
	    _("sudo on %s did not take this password, so it was tried nowhere "
	      "else; put the right one where the inventory's become: has it "
	      "from, or give that host a become: of its own"),
	    password->name);
}

static void
password_pass(struct link *link, struct password *password)
{
	const char *barred = password_barred(link, password);

	if (barred != NULL) {
		password_send(link, bytes_of(""), barred);
		return;
	}
	switch (password->is) {
	case PASSWORD_NEW:
		password->is = PASSWORD_TRIED;
		password->host = link->host;
		password_give(link, password);
		return;
	case PASSWORD_TRIED:
		if (password->host == link->host)
			password_send(link, bytes_of(""),
			    _("a second prompt for a password in one login"));
		return; /* the others wait */
	case PASSWORD_GOOD:
		password_give(link, password);
		return;
	case PASSWORD_BAD:
		return;
	}
}

/* What it waited for is known. */
static void
password_wake(struct fleet *fleet, struct password *password)
{
	for (size_t i = 0; i < fleet->link_size; i++) {
		struct link *link = fleet->links[i];

		if (link != NULL && link->prompt != 0 &&
		    link->how.password == password->secret)
			password_pass(link, password);
	}
}

static bool
password_is_tried(const struct link *link, const struct password *password)
{
	return password != NULL && password->is == PASSWORD_TRIED &&
	       password->host == link->host;
}

void
password_needed(struct link *link, const struct seam_message *message)
{
	struct password *password = password_of(link);

	if (link->state != LINK_OPENING && link->state != LINK_OPEN)
		return;
	link->prompt = seam_field_int(message, "prompt", 0);
	if (password == NULL)
		password_send(link, bytes_of(""),
		    _("sudo asks for a password and none is set"));
	else
		password_pass(link, password);
}

bool
password_is_barred(struct link *link, const char **why)
{
	const struct password *password = password_of(link);

	*why = password != NULL ? password_barred(link, password) : NULL;
	return *why != NULL;
}

void
password_opened(struct link *link)
{
	struct password *password = password_of(link);

	if (!password_is_tried(link, password))
		return;
	password->is = PASSWORD_GOOD;
	password_wake(link->fleet, password);
}

void
password_closed(struct link *link, const char *why)
{
	struct password *password = password_of(link);

	if (strcmp(why, "password") != 0 || !link->password_given)
		return;
	link->password_refused = true;
	if (!password_is_tried(link, password))
		return;
	password->is = PASSWORD_BAD;
	password->name = xstrdup(link->how.ssh->name);
	password_wake(link->fleet, password);
}

void
password_reset(struct link *link)
{
	struct password *password =
	    link->password_given ? password_of(link) : NULL;

	link->prompt = 0;
	link->password_given = false;
	if (!password_is_tried(link, password))
		return;
	/* it went away before anybody could say */
	password->is = PASSWORD_NEW;
	password_wake(link->fleet, password);
}

void
passwords_free(struct fleet *fleet)
{
	struct password *password;

	while ((password = STAILQ_FIRST(&fleet->passwords)) != NULL) {
		STAILQ_REMOVE_HEAD(&fleet->passwords, next);
		free(password->name);
		free(password);
	}
}
