/*
 * The inside of struct ssh_agent, for the files agent*.c alone.
 */
#ifndef HOSHU_OPENSSH_AGENT_H
#define HOSHU_OPENSSH_AGENT_H

#include "openssh/openssh.h"
#include "openssh/wire.h"

/* One agent that listens somewhere: the person's or our own. */
struct agent_socket {
	struct agent_socket *next;
	struct ssh_agent *agent;
	const char *path;
	bool listed;
	struct wire_key *keys;
	size_t key_count;

	/* the connection for signing, open while requests wait (agent_sign) */
	struct loop_dial *dial;
	int fd; /* -1 = none */
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct buf in;
	struct buf out;
};

/* What became of an identity file. */
struct agent_file {
	struct agent_file *next;
	const char *path;
	const char *fingerprint; /* NULL = not asked, "" = not to be had */
	const char *key;	 /* in our own agent; NULL = not there */
	const char *why_not;	 /* it could not be added; NULL = not tried */
};

struct sign_request;

struct ssh_agent {
	struct loop *loop;
	struct arena *arena;
	struct agent_socket *sockets;
	struct agent_file *files;
	struct sign_request *requests; /* in the order of arrival */

	/* our own ssh-agent, once a file needed one */
	struct agent_socket *own;
	char *own_folder;
	struct loop_child *own_child;
	int own_leash; /* it ends when this is closed; -1 = none */
};

/* The socket's record; made when it is new. */
struct agent_socket *agent_socket_get(
    struct ssh_agent *agent, const char *path);
/* Ask which keys it has (blocks, 5 s at most). */
int agent_socket_list(struct agent_socket *socket, struct err *err) MUST_USE;
/* Start our own ssh-agent if it does not run. */
int agent_own_start(struct ssh_agent *agent, struct err *err) MUST_USE;
/* Drop the connection for signing and every request; nobody is told. */
void agent_sign_drop(struct ssh_agent *agent);

#endif
