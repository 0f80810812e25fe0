/*
 * The fleet as a whole: opening, closing, and what every worker is given
 * (modules and blobs). Knows nothing of plans or of what hosts say.
 */
#include "fleet/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIALS_AT_ONCE = 64 };

struct bytes
number_field(struct number *number, int64_t value)
{
	int len =
	    snprintf(number->text, sizeof(number->text), "%" PRId64, value);

	return (struct bytes){number->text, (size_t)len};
}

int
fleet_open(struct loop *loop, const struct fleet_options *options,
    struct fleet **out, struct err *err)
{
	struct fleet *fleet = xcalloc(1, sizeof(*fleet));
	int r;

	if (options->workers < 1 || options->workers > 64)
		bug("fleet_open: %d workers", options->workers);
	fleet->door.ops = &real_ops;
	fleet->loop = loop;
	fleet->world = options->world != NULL ? options->world : &world_real;
	fleet->program = xstrdup(
	    options->program != NULL ? options->program : "/proc/self/exe");
	fleet->dials_at_once =
	    options->dials_at_once > 0 ? options->dials_at_once : DIALS_AT_ONCE;
	fleet->library = xstrdup("");
	fleet->known = openssh_known_files_open();
	TAILQ_INIT(&fleet->waiting);
	TAILQ_INIT(&fleet->late);
	STAILQ_INIT(&fleet->given);
	STAILQ_INIT(&fleet->bad);
	STAILQ_INIT(&fleet->passwords);
	LIST_INIT(&fleet->signing);
	r = hands_start(fleet, options->workers, err);
	if (r < 0) {
		real_close(fleet);
		return r;
	}
	watchdog_start(fleet);
	*out = fleet;
	return 0;
}

static void
given_free(struct fleet *fleet)
{
	struct given *given;

	while ((given = STAILQ_FIRST(&fleet->given)) != NULL) {
		STAILQ_REMOVE_HEAD(&fleet->given, next);
		free(given->name);
		buf_free(&given->content);
		free(given);
	}
}

void
real_close(struct fleet *fleet)
{
	struct signing *signing;
	struct job *job;

	if (fleet == NULL)
		return;
	for (size_t i = 0; i < fleet->link_size; i++) {
		link_free(fleet->links[i]);
		fleet->links[i] = NULL;
	}
	loop_timer_stop(fleet->tick);
	loop_timer_stop(fleet->pump);
	loop_timer_stop(fleet->late_timer);
	hands_stop(fleet);
	while ((job = TAILQ_FIRST(&fleet->late)) != NULL)
		job_drop(job);
	if (fleet->agent != NULL)
		ssh_agent_close(fleet->agent);
	openssh_known_files_close(fleet->known);
	while ((signing = LIST_FIRST(&fleet->signing)) != NULL) {
		LIST_REMOVE(signing, next);
		free(signing);
	}
	given_free(fleet);
	faults_free(fleet);
	passwords_free(fleet);
	free(fleet->links);
	free(fleet->slots);
	free(fleet->library);
	free(fleet->program);
	free(fleet);
}

static void
give(struct fleet *fleet, enum seam_type type, const char *name,
    struct bytes content)
{
	struct bytes fields[] = {bytes_of(name), content};
	struct given *given;

	STAILQ_FOREACH(given, &fleet->given, next)
	{
		if (given->type == type && strcmp(given->name, name) == 0)
			break;
	}
	if (given == NULL) {
		given = xcalloc(1, sizeof(*given));
		given->type = type;
		given->name = xstrdup(name);
		STAILQ_INSERT_TAIL(&fleet->given, given, next);
	} else if (type == SEAM_BLOB) {
		return; /* the same name is the same bytes */
	}
	buf_reset(&given->content);
	buf_put(&given->content, content.data, content.len);
	for (int i = 0; i < fleet->hand_count; i++) {
		if (fleet->hands[i].seam != NULL)
			hand_send(&fleet->hands[i], type, 0, 0, -1, fields, 2);
	}
}

void
fleet_module(struct fleet *fleet, const char *name, struct bytes source)
{
	give(fleet, SEAM_MODULE, name, source);
}

void
fleet_blob(struct fleet *fleet, const char *sha256, struct bytes content)
{
	give(fleet, SEAM_BLOB, sha256, content);
}

const char *
fleet_library(const struct fleet *fleet)
{
	return fleet->library;
}

const char *
fleet_shut_in(const struct fleet *fleet)
{
	return fleet->shut_in;
}
