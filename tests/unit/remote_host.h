/*
 * For the tests of remote/: a real sshd on loopback in a folder of its own,
 * keys made and used through libcrypto, and a small driver of the loop.
 * Included once a program.
 */
#ifndef TESTS_UNIT_REMOTE_HOST_H
#define TESTS_UNIT_REMOTE_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/world.h"
#include "digest/digest.h"
#include "remote/inside.h"

/* not every program uses every helper */
#define HELPER static __attribute__((unused))

enum { GUARD_MS = 60000, SAID_MAX = 64 };

/* --- keys ----------------------------------------------------------------- */

enum key_kind { KEY_ED25519, KEY_ECDSA, KEY_RSA };

struct key {
	enum key_kind kind;
	EVP_PKEY *pkey;
	struct buf blob;
	char line[4096]; /* "type base64" */
};

HELPER void
put_string(struct buf *out, const void *data, size_t len)
{
	buf_put_u32(out, (uint32_t)len);
	buf_put(out, data, len);
}

HELPER void
put_mpint(struct buf *out, const BIGNUM *n)
{
	unsigned char raw[1024];
	int len = BN_bn2bin(n, raw + 1);

	raw[0] = 0;
	if (len > 0 && (raw[1] & 0x80))
		put_string(out, raw, (size_t)len + 1);
	else
		put_string(out, raw + 1, (size_t)len);
}

HELPER void
key_make(struct key *key, enum key_kind kind)
{
	static const char *const types[] = {
	    "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"};
	const char *type = types[kind];
	struct buf text = BUF_INIT;
	unsigned char raw[256];
	size_t len = sizeof(raw);
	BIGNUM *n = NULL, *e = NULL;

	memset(key, 0, sizeof(*key));
	key->kind = kind;
	put_string(&key->blob, type, strlen(type));
	switch (kind) {
	case KEY_ED25519:
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		assert_int_equal(
		    EVP_PKEY_get_raw_public_key(key->pkey, raw, &len), 1);
		put_string(&key->blob, raw, len);
		break;
	case KEY_ECDSA:
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		assert_int_equal(
		    EVP_PKEY_get_octet_string_param(key->pkey,
			OSSL_PKEY_PARAM_PUB_KEY, raw, sizeof(raw), &len),
		    1);
		put_string(&key->blob, "nistp256", 8);
		put_string(&key->blob, raw, len);
		break;
	case KEY_RSA:
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
		EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e);
		EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n);
		put_mpint(&key->blob, e);
		put_mpint(&key->blob, n);
		BN_free(e);
		BN_free(n);
		break;
	}
	buf_printf(&text, "%s ", type);
	digest_base64(&text, buf_bytes(&key->blob));
	snprintf(key->line, sizeof(key->line), "%s", buf_str(&text));
	buf_free(&text);
}

HELPER void
key_free(struct key *key)
{
	EVP_PKEY_free(key->pkey);
	buf_free(&key->blob);
}

/* The raw signature, as an agent would give it without the algorithm. */
HELPER void
key_sign(
    struct key *key, const char *algorithm, struct bytes data, struct buf *out)
{
	const EVP_MD *md = NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char raw[1024];
	const unsigned char *p = raw;
	size_t len = sizeof(raw);
	ECDSA_SIG *sig;

	if (key->kind == KEY_ECDSA || strcmp(algorithm, "rsa-sha2-256") == 0)
		md = EVP_sha256();
	else if (key->kind == KEY_RSA)
		md = EVP_sha512();
	assert_int_equal(
	    EVP_DigestSignInit(context, NULL, md, NULL, key->pkey), 1);
	assert_int_equal(
	    EVP_DigestSign(context, raw, &len, data.data, data.len), 1);
	EVP_MD_CTX_free(context);
	if (key->kind != KEY_ECDSA) {
		buf_put(out, raw, len);
		return;
	}
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	put_mpint(out, ECDSA_SIG_get0_r(sig));
	put_mpint(out, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
}

/* --- sshd ------------------------------------------------------------------ */

struct host {
	struct arena *arena;
	char *folder;
	char *host_keys; /* lines */
	char user[64];
	int port;
	pid_t sshd;
	struct key key;
};

HELPER void
shell(const char *fmt, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

HELPER void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

HELPER int
free_port(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	close(fd);
	return ntohs(in.sin_port);
}

HELPER void
host_run_sshd(struct host *host)
{
	char line[1024], conf[512];
	int fds[2];
	FILE *log;

	snprintf(conf, sizeof(conf), "%s/sshd_config", host->folder);
	assert_int_equal(pipe(fds), 0);
	host->sshd = fork();
	if (host->sshd == 0) {
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		setsid();
		execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f",
		    conf, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	log = fdopen(fds[0], "r");
	while (fgets(line, sizeof(line), log) != NULL)
		if (strstr(line, "Server listening") != NULL)
			break;
	if (feof(log))
		fail_msg("sshd did not start: %s", line);
	/* Its later words are nobody's: drained by a child, else it blocks. */
	if (fork() == 0) {
		while (fgets(line, sizeof(line), log) != NULL)
			if (getenv("SSHD_LOG") != NULL)
				fprintf(stderr, "# sshd: %s", line);
		_exit(0);
	}
	fclose(log);
}

HELPER void
host_start(struct host *host)
{
	struct err err = ERR_INIT;
	char path[512], text[8192], keys[4096] = "";
	static const char *const types[] = {"ed25519", "ecdsa", "rsa"};

	memset(host, 0, sizeof(*host));
	host->arena = arena_new();
	assert_int_equal(
	    file_make_temporary(host->arena, &host->folder, &err), 0);
	snprintf(
	    host->user, sizeof(host->user), "%s", getpwuid(getuid())->pw_name);
	key_make(&host->key, KEY_ED25519);
	for (size_t i = 0; i < 3; i++) {
		char type[64], base64[2048];
		FILE *f;

		shell("ssh-keygen -q -t %s -N '' -f %s/host_%s", types[i],
		    host->folder, types[i]);
		snprintf(path, sizeof(path), "%s/host_%s.pub", host->folder,
		    types[i]);
		f = fopen(path, "r");
		assert_int_equal(fscanf(f, "%63s %2047s", type, base64), 2);
		fclose(f);
		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys),
		    "%s %s\n", type, base64);
	}
	host->host_keys = arena_strdup(host->arena, keys);
	snprintf(path, sizeof(path), "%s/authorized_keys", host->folder);
	snprintf(text, sizeof(text), "%s\n", host->key.line);
	write_text(path, text);
	host->port = free_port();
	if (getuid() == 0)
		shell("mkdir -p /run/sshd");
	shell("mkdir -p %s/home %s/bin", host->folder, host->folder);
	snprintf(path, sizeof(path), "%s/sshd_config", host->folder);
	snprintf(text, sizeof(text),
	    "ListenAddress 127.0.0.1:%d\n"
	    "HostKey %s/host_ed25519\nHostKey %s/host_ecdsa\n"
	    "HostKey %s/host_rsa\n"
	    "AuthorizedKeysFile %s/authorized_keys\nPidFile none\n"
	    "StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
	    "PasswordAuthentication yes\nKbdInteractiveAuthentication no\n"
	    "MaxStartups 1000\nMaxSessions 10\nPrintMotd no\n"
	    "SetEnv HOME=%s/home PATH=%s/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
	    host->port, host->folder, host->folder, host->folder, host->folder,
	    host->folder, host->folder);
	write_text(path, text);
	host_run_sshd(host);
}

HELPER void
host_stop(struct host *host)
{
	kill(host->sshd, SIGTERM);
	waitpid(host->sshd, NULL, 0);
	file_remove_tree(host->folder);
	key_free(&host->key);
	arena_free(host->arena);
}

HELPER int
host_dial(const struct host *host)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)host->port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

/* --- a connection under test ----------------------------------------------- */

struct said {
	bool here;
	int order;
	enum remote_end end;
	int status, rc;
	char verdict[16], uptime[32];
	struct buf out, err;
	uint64_t out_size, err_size;
};

struct link {
	struct loop *loop;
	struct remote *remote;
	struct loop_timer *guard;
	struct key *key;
	const char *refuse; /* refuse to sign, with this */
	bool sign_later;    /* by a timer, not at once */
	struct buf signature;
	char algorithm[64];
	bool opened, closed;
	char life[200], uid[16], readonly[16], gaps[2048], timings[200];
	int64_t clock_ms;
	char why[32], text[2048], fingerprint[200];
	struct said said[SAID_MAX];
	int answers;
	int blobs_asked;
	struct bytes blob; /* given for any digest */
};

HELPER void
link_guard(void *arg)
{
	struct link *l = arg;

	l->guard = NULL;
	fail_msg("nothing happened for %d ms", GUARD_MS);
}

HELPER void
link_turn(struct link *l)
{
	l->guard = loop_timer_start(l->loop, GUARD_MS, link_guard, l);
	loop_run(l->loop);
	loop_timer_stop(l->guard);
}

/* Run the loop until the condition holds; each event ends one run. */
#define link_wait(l, condition)                                                \
	do {                                                                   \
		while (!(condition))                                           \
			link_turn(l);                                          \
	} while (0)

HELPER void
on_opened(void *arg, const struct remote_opened *opened)
{
	struct link *l = arg;

	l->opened = true;
	snprintf(l->life, sizeof(l->life), "%s", opened->life);
	snprintf(l->uid, sizeof(l->uid), "%s", opened->uid);
	snprintf(l->readonly, sizeof(l->readonly), "%s", opened->readonly);
	snprintf(l->gaps, sizeof(l->gaps), "%s", opened->gaps);
	snprintf(l->timings, sizeof(l->timings), "%s", opened->timings);
	l->clock_ms = opened->clock_ms;
	loop_stop(l->loop);
}

HELPER void
on_closed(void *arg, const char *why, const char *text, const char *fingerprint)
{
	struct link *l = arg;

	assert_false(l->closed);
	l->closed = true;
	l->remote = NULL;
	snprintf(l->why, sizeof(l->why), "%s", why);
	snprintf(l->text, sizeof(l->text), "%s", text);
	snprintf(l->fingerprint, sizeof(l->fingerprint), "%s", fingerprint);
	loop_stop(l->loop);
}

HELPER void
give_signature(void *arg)
{
	struct link *l = arg;

	if (l->remote != NULL)
		remote_signature(
		    l->remote, buf_bytes(&l->signature), l->refuse);
}

HELPER void
on_sign(void *arg, const char *algorithm, struct bytes payload)
{
	struct link *l = arg;

	snprintf(l->algorithm, sizeof(l->algorithm), "%s", algorithm);
	buf_reset(&l->signature);
	key_sign(l->key, algorithm, payload, &l->signature);
	if (l->sign_later)
		loop_timer_start(l->loop, 20, give_signature, l);
	else
		give_signature(l);
}

HELPER struct bytes
on_blob(void *arg, const char *sha256)
{
	struct link *l = arg;

	(void)sha256;
	l->blobs_asked++;
	return l->blob;
}

HELPER void
on_answer(void *arg, const struct remote_answer *a)
{
	struct {
		struct link *l;
		int at;
	} *which = arg;
	struct link *l = which->l;
	struct said *s = &l->said[which->at];

	free(which);
	assert_false(s->here);
	s->here = true;
	s->order = l->answers++;
	s->end = a->end;
	s->status = a->status;
	s->rc = a->rc;
	snprintf(s->verdict, sizeof(s->verdict), "%s", a->verdict);
	snprintf(s->uptime, sizeof(s->uptime), "%s", a->uptime);
	buf_reset(&s->out);
	buf_reset(&s->err);
	buf_put(&s->out, a->out.data, a->out.len);
	buf_put(&s->err, a->err.data, a->err.len);
	s->out_size = a->out_size;
	s->err_size = a->err_size;
	loop_stop(l->loop);
}

HELPER void *
slot(struct link *l, int at)
{
	struct {
		struct link *l;
		int at;
	} *which = xmalloc(sizeof(*which));

	l->said[at].here = false;
	which->l = l;
	which->at = at;
	return which;
}

static const struct remote_events link_events = {
    .opened = on_opened,
    .closed = on_closed,
    .sign = on_sign,
    .blob = on_blob,
};

HELPER struct remote_options
host_options(const struct host *host)
{
	static char spool[600];

	snprintf(spool, sizeof(spool), "%s/spool", host->folder);
	return (struct remote_options){
	    .fd = -1,
	    .name = "test",
	    .user = host->user,
	    .host_key_types = "ssh-ed25519",
	    .host_keys = host->host_keys,
	    .auth_key = host->key.line,
	    .root_spool = spool,
	    .deadline_ms = 20000,
	};
}

/* Starts; the caller waits for opened or closed. */
HELPER void
link_start(struct link *l, struct host *host, struct remote_options options)
{
	struct err err = ERR_INIT;

	memset(l, 0, sizeof(*l));
	l->key = &host->key;
	assert_int_equal(loop_open(&l->loop, &err), 0);
	if (options.fd < 0)
		options.fd = host_dial(host);
	if (remote_open(l->loop, &options, &link_events, l, &l->remote, &err) <
	    0)
		fail_msg("remote_open: %s", err.text);
}

HELPER void
link_open(struct link *l, struct host *host)
{
	link_start(l, host, host_options(host));
	link_wait(l, l->opened || l->closed);
	if (!l->opened)
		fail_msg("closed: %s: %s", l->why, l->text);
}

HELPER void
link_close(struct link *l)
{
	if (l->remote != NULL) {
		remote_close(l->remote);
		link_wait(l, l->closed);
		assert_string_equal(l->why, "asked");
	}
	for (int i = 0; i < SAID_MAX; i++) {
		buf_free(&l->said[i].out);
		buf_free(&l->said[i].err);
	}
	buf_free(&l->signature);
	loop_close(l->loop);
}

HELPER struct said *
ask(struct link *l, const char *text)
{
	remote_ask(l->remote, text, strlen(text), on_answer, slot(l, 0));
	link_wait(l, l->said[0].here);
	return &l->said[0];
}

HELPER struct said *
launch(struct link *l, const char *xid, const char *script)
{
	remote_launch(l->remote, xid, bytes_of(script), on_answer, slot(l, 0));
	link_wait(l, l->said[0].here);
	return &l->said[0];
}

HELPER struct said *
settle(struct link *l, const char *xid, const char *life)
{
	remote_settle(l->remote, xid, life, on_answer, slot(l, 0));
	link_wait(l, l->said[0].here);
	return &l->said[0];
}

/* A fresh key each time. */
HELPER const char *
new_xid(void)
{
	static char xid[33];

	world_random_hex(&world_real, xid, 16);
	return xid;
}

#endif
