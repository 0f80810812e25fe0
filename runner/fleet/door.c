/*
 * The calls of fleet.h, each to the fleet that it is made on: the real one, or
 * a simulated one.
 */
#include "fleet/ops.h"

#include <stddef.h>

const struct fleet_ops real_ops = {
    .close = real_close,
    .eval = real_eval,
    .connect = real_connect,
    .disconnect = real_disconnect,
    .connected = real_connected,
    .probe = real_probe,
    .launch = real_launch,
    .settle = real_settle,
    .stop = real_stop,
    .output = real_output,
    .sync = real_sync,
    .check = real_check,
};

static const struct fleet_ops *
ops_of(const struct fleet *fleet)
{
	return ((const struct fleet_door *)fleet)->ops;
}

void
fleet_close(struct fleet *fleet)
{
	if (fleet != NULL)
		ops_of(fleet)->close(fleet);
}

void
fleet_eval(struct fleet *fleet, struct bytes expressions, struct bytes data,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	ops_of(fleet)->eval(fleet, expressions, data, timeout_ms, done, arg);
}

void
fleet_connect(struct fleet *fleet, int host, const struct fleet_host *how,
    enum fleet_shell shell, fleet_done *done, void *arg)
{
	ops_of(fleet)->connect(fleet, host, how, shell, done, arg);
}

void
fleet_disconnect(struct fleet *fleet, int host)
{
	ops_of(fleet)->disconnect(fleet, host);
}

bool
fleet_connected(const struct fleet *fleet, int host)
{
	return ops_of(fleet)->connected(fleet, host);
}

void
fleet_probe(struct fleet *fleet, int host, const char *module,
    struct bytes params, struct bytes data, int64_t timeout_ms,
    fleet_done *done, void *arg)
{
	ops_of(fleet)->probe(
	    fleet, host, module, params, data, timeout_ms, done, arg);
}

void
fleet_launch(struct fleet *fleet, int host, const struct ticket *ticket,
    struct bytes script, int64_t timeout_ms, fleet_done *done, void *arg)
{
	ops_of(fleet)->launch(
	    fleet, host, ticket, script, timeout_ms, done, arg);
}

void
fleet_settle(struct fleet *fleet, int host, const char *xid, const char *life,
    fleet_done *done, void *arg)
{
	ops_of(fleet)->settle(fleet, host, xid, life, done, arg);
}

void
fleet_stop(struct fleet *fleet, int host, const char *xid, int64_t grace_ms)
{
	ops_of(fleet)->stop(fleet, host, xid, grace_ms);
}

void
fleet_output(struct fleet *fleet, int host, const char *xid, int stream,
    int64_t offset, fleet_done *done, void *arg)
{
	ops_of(fleet)->output(fleet, host, xid, stream, offset, done, arg);
}

void
fleet_sync(struct fleet *fleet, int host, fleet_done *done, void *arg)
{
	ops_of(fleet)->sync(fleet, host, done, arg);
}

void
fleet_check(struct fleet *fleet, int host, const char *kind, struct bytes spec,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	ops_of(fleet)->check(fleet, host, kind, spec, timeout_ms, done, arg);
}
