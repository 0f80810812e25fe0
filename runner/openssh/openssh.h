/*
 * All that hoshu runs or reads of OpenSSH: `ssh -G` for settings, known_hosts
 * for host keys, ssh-agent for signatures (keys, passphrases and FIDO are its
 * business), `ssh-keygen -Y` for approvals.
 */
#ifndef HOSHU_OPENSSH_OPENSSH_H
#define HOSHU_OPENSSH_OPENSSH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

/* What OpenSSH would use for one host. */
struct ssh_settings {
	const char *name;    /* as in the inventory */
	const char *address; /* HostName */
	int port;
	const char *user;
	const char *host_key_alias; /* NULL = address */
	const char **known_hosts;   /* user's and global files, absolute */
	size_t known_hosts_count;
	const char **identities; /* IdentityFile, absolute, existing ones */
	size_t identity_count;
	bool identities_only;
	const char *agent; /* IdentityAgent or SSH_AUTH_SOCK, or NULL */
	const char *jump;  /* ProxyJump, or NULL */
	int64_t connect_timeout_ms; /* default 10 s */
};

/* Who is asked for. port 0 and user NULL or "" leave it to ssh. */
struct openssh_wanted {
	const char *name;
	int port;
	const char *user;
};

/* Run `ssh -G [-F config] [-p port] [-l user] name`. config NULL or "" leaves
 * it to ssh. A ProxyCommand is ERR_REFUSED. */
int openssh_settings(struct arena *arena, const char *config, const char *name,
    int port, const char *user, struct ssh_settings **out,
    struct err *err) MUST_USE;
/* The same for many hosts, some at once; out[i] is of wanted[i]. The err is the
 * first one's. What ssh said is kept in the folder cache (NULL = nowhere) for
 * as long as ssh and the files that it reads stay as they are; where that
 * cannot be known (settings.h) nothing is kept. */
int openssh_settings_all(struct arena *arena, const char *config,
    const char *cache, const struct openssh_wanted *wanted, size_t count,
    struct ssh_settings **out, struct err *err) MUST_USE;

/*
 * The keys that known_hosts has for the host, hashed (|1|) and [host]:port
 * forms, wildcards and @revoked among them; @cert-authority lines are passed
 * over. keys: "type base64". types: algorithm names for the handshake, comma
 * separated, plain types only, known ones (ssh-rsa as
 * rsa-sha2-512,rsa-sha2-256). ERR_REFUSED when no key is known, with the
 * command that shows and adds it (ssh-keyscan | ssh-keygen -lf - ...).
 */
struct host_keys {
	const char **keys;
	struct place *places; /* of each key */
	size_t count;
	const char *types;
};
int openssh_known_hosts(struct arena *arena,
    const struct ssh_settings *settings, struct host_keys **out,
    struct err *err) MUST_USE;
/* The same for many hosts: each file is read once, and again only when it has
 * changed. */
struct known_files;
struct known_files *openssh_known_files_open(void);
void openssh_known_files_close(struct known_files *files); /* NULL allowed */
int openssh_known_hosts_in(struct known_files *files, struct arena *arena,
    const struct ssh_settings *settings, struct host_keys **out,
    struct err *err) MUST_USE;

/* The err for a host that showed another key than keys has: CHANGED, where the
 * known one stands, and how to take it out. shown: "type SHA256:..." or "".
 * Returns -ERR_REFUSED. */
int openssh_key_changed(const struct ssh_settings *settings,
    const struct host_keys *keys, const char *shown, struct err *err);

/*
 * The argv (NULL-terminated, in arena) of an `ssh -W` that gives a connection
 * to the host through settings->jump on its stdin and stdout. config as in
 * openssh_settings. It asks nobody (BatchMode).
 */
int openssh_jump_argv(struct arena *arena, const struct ssh_settings *settings,
    const char *config, const char *const **argv, struct err *err) MUST_USE;

/*
 * The agent: asks SSH_AUTH_SOCK's for keys that are there, and starts an own
 * `ssh-agent` (killed at close, and gone by itself when this process dies)
 * into which key files are added by `ssh-add` when they are not. Signs
 * asynchronously over its socket. It checks what it signs: an
 * SSH_MSG_USERAUTH_REQUEST for that user, service ssh-connection, method
 * publickey, that key, no SHA-1 (else refused).
 */
struct ssh_agent;
int ssh_agent_open(
    struct loop *loop, struct ssh_agent **out, struct err *err) MUST_USE;
void ssh_agent_close(struct ssh_agent *agent);
/* The one key to offer for these settings, the first of: an identity file whose
 * key the agent has; an identity file that ssh_config names; another key of
 * the agent (unless identities_only); an identity file by OpenSSH's default
 * name. key: "type base64", ed25519, ecdsa or rsa. May run ssh-add, which may
 * ask the person for a passphrase, once a file; without a terminal such a file
 * is passed over. Blocks; ERR_REFUSED when there is none. */
int ssh_agent_key(struct arena *arena, struct ssh_agent *agent,
    const struct ssh_settings *settings, const char **key,
    struct err *err) MUST_USE;
/* key: one that ssh_agent_key gave. payload: the bytes to sign; user: who must
 * be named in them. done gets the raw signature (without the algorithm name;
 * borrowed until it returns) or the err; never from within this call, and not
 * after ssh_agent_close. */
void ssh_agent_sign(struct ssh_agent *agent, const char *key, const char *user,
    struct bytes payload,
    void (*done)(void *arg, struct bytes signature, const struct err *err),
    void *arg);

/*
 * SSHSIG (ssh-keygen -Y). namespaces: approve@hoshu, reject@hoshu,
 * revoke@hoshu, settle@hoshu, answer@hoshu, release@hoshu, breakglass@hoshu,
 * checkpoint@hoshu.
 */
/* Sign text with a private key file, or a .pub of a key in the agent. Appends
 * the armored signature. May ask at the terminal for a passphrase. */
int openssh_sign(const char *key_file, const char *name_space,
    struct bytes text, struct buf *signature, struct err *err) MUST_USE;
/* Who may sign: the principals of allowed_signers whose key made this
 * signature (ssh-keygen -Y find-principals), then verify for that principal.
 * when_wall_ms: the time to judge valid-before/after at. Gives the principal
 * (the line's first, a person) and the key's fingerprint. ERR_APPROVAL when it
 * does not hold. */
int openssh_verify(struct arena *arena, const char *allowed_signers,
    const char *name_space, struct bytes text, struct bytes signature,
    int64_t when_wall_ms, const char **principal, const char **fingerprint,
    struct err *err) MUST_USE;
/* "SHA256:..." of "type base64". */
int openssh_fingerprint(
    const char *key, struct buf *out, struct err *err) MUST_USE;

#endif
