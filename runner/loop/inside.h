/*
 * What the files of loop/ share. Only they may include it: uv.h stays here.
 */
#ifndef HOSHU_LOOP_INSIDE_H
#define HOSHU_LOOP_INSIDE_H

#include <uv.h>

#include "base/arena.h"
#include "loop/loop.h"

struct loop {
	uv_loop_t uv;
};

/* Called at loop_close for every process handle: was its child killed, so
 * that only its end is still waited for? */
bool child_is_abandoned(const uv_handle_t *handle);

#endif
