/*
 * What a fleet is to its callers: a table of the operations of fleet.h. The
 * real one (workers, SSH) stands in door.c, the simulated one in sim.c.
 * A fleet's struct begins with its door; a `struct fleet *` of fleet.h is
 * looked into by the operations of its own kind alone.
 *
 * fleet_module, fleet_blob and fleet_describe are not here: they are about
 * modules, which a simulated fleet has none of.
 */
#ifndef HOSHU_FLEET_OPS_H
#define HOSHU_FLEET_OPS_H

#include "fleet/fleet.h"

struct fleet_ops {
	void (*close)(struct fleet *fleet);
	void (*eval)(struct fleet *fleet, struct bytes expressions,
	    struct bytes data, int64_t timeout_ms, fleet_done *done, void *arg);
	void (*connect)(struct fleet *fleet, int host,
	    const struct fleet_host *how, enum fleet_shell shell,
	    fleet_done *done, void *arg);
	void (*disconnect)(struct fleet *fleet, int host);
	bool (*connected)(const struct fleet *fleet, int host);
	void (*probe)(struct fleet *fleet, int host, const char *module,
	    struct bytes params, struct bytes data, int64_t timeout_ms,
	    fleet_done *done, void *arg);
	void (*launch)(struct fleet *fleet, int host,
	    const struct ticket *ticket, struct bytes script,
	    int64_t timeout_ms, fleet_done *done, void *arg);
	void (*settle)(struct fleet *fleet, int host, const char *xid,
	    const char *life, fleet_done *done, void *arg);
	void (*stop)(
	    struct fleet *fleet, int host, const char *xid, int64_t grace_ms);
	void (*output)(struct fleet *fleet, int host, const char *xid,
	    int stream, int64_t offset, fleet_done *done, void *arg);
	void (*sync)(
	    struct fleet *fleet, int host, fleet_done *done, void *arg);
	void (*check)(struct fleet *fleet, int host, const char *kind,
	    struct bytes spec, int64_t timeout_ms, fleet_done *done, void *arg);
};

struct fleet_door {
	const struct fleet_ops *ops;
};

/* The real fleet's; each stands in the file of its subject. */
extern const struct fleet_ops real_ops;
void real_close(struct fleet *fleet);
void real_eval(struct fleet *fleet, struct bytes expressions, struct bytes data,
    int64_t timeout_ms, fleet_done *done, void *arg);
void real_connect(struct fleet *fleet, int host, const struct fleet_host *how,
    enum fleet_shell shell, fleet_done *done, void *arg);
void real_disconnect(struct fleet *fleet, int host);
bool real_connected(const struct fleet *fleet, int host);
void real_probe(struct fleet *fleet, int host, const char *module,
    struct bytes params, struct bytes data, int64_t timeout_ms,
    fleet_done *done, void *arg);
void real_launch(struct fleet *fleet, int host, const struct ticket *ticket,
    struct bytes script, int64_t timeout_ms, fleet_done *done, void *arg);
void real_settle(struct fleet *fleet, int host, const char *xid,
    const char *life, fleet_done *done, void *arg);
void real_stop(
    struct fleet *fleet, int host, const char *xid, int64_t grace_ms);
void real_output(struct fleet *fleet, int host, const char *xid, int stream,
    int64_t offset, fleet_done *done, void *arg);
void real_sync(struct fleet *fleet, int host, fleet_done *done, void *arg);
void real_check(struct fleet *fleet, int host, const char *kind,
    struct bytes spec, int64_t timeout_ms, fleet_done *done, void *arg);

#endif
