/*
 * Work on another thread: commits, digests of large files. The thread sees
 * nothing of the loop.
 */
#include <stdlib.h>

#include "loop/inside.h"

struct work {
	uv_work_t request;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void
work_run(uv_work_t *request)
{
	struct work *work = request->data;

	work->work(work->arg);
}

static void
work_done(uv_work_t *request, int status)
{
	struct work *work = request->data;

	(void)status; /* nobody cancels */
	work->done(work->arg);
	free(work);
}

void
loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg),
    void *arg)
{
	struct work *w = xcalloc(1, sizeof(*w));
	int rc;

	w->request.data = w;
	w->work = work;
	w->done = done;
	w->arg = arg;
	rc = uv_queue_work(&loop->uv, &w->request, work_run, work_done);
	if (rc < 0)
		bug("loop_work: %s", uv_strerror(rc));
}
