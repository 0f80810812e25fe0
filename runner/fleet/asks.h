/* Sending a job to the worker that has its host. */
#ifndef HOSHU_FLEET_ASKS_H
#define HOSHU_FLEET_ASKS_H

#include "fleet/inside.h"

/* The open link of the job's host; NULL when there is none: the job is then
 * answered in the next turn. */
struct link *ask_link(struct job *job);
void ask_send(struct job *job, struct link *link, const struct bytes *fields,
    size_t count);

#endif
