/*
 * The one place where Lua waits, and the only lua_yieldk: a fiber that has
 * asked its host parks here; the door's answer resumes it.
 */
#include <string.h>

#include "base/i18n.h"
#include "script/inside.h"

int
park_wait(lua_State *L, struct script_job *job, lua_KContext context,
    lua_KFunction next)
{
	if (L != job->fiber || !lua_isyieldable(L))
		return luaL_error(L, "%s",
		    _("the host cannot be asked inside a sort or gsub "
		      "function: ask first"));
	return lua_yieldk(L, 0, context, next);
}

/* The reply is borrowed from the door. */
static struct bytes
keep(struct script_job *job, struct bytes from)
{
	const void *data = from.len > 0 ? from.data : "";

	return (struct bytes){
	    arena_copy(job->box.arena, data, from.len), from.len};
}

static void
answered(void *arg, const struct script_reply *reply)
{
	struct script_job *job = arg;
	struct wait *wait = &job->wait;

	if (!wait->open)
		bug("a host answered a question that nobody asked");
	wait->open = false;
	wait->answered = true;
	wait->status = reply->status;
	wait->out = keep(job, reply->out);
	wait->err = keep(job, reply->err);
	probe_resume(job);
}

void
park_ask(struct script_job *job, const char *text, size_t len)
{
	job->wait.asks++;
	job->wait.open = true;
	job->wait.answered = false;
	job->door->ask(job->door->state, text, len, answered, job);
}
