/*
 * SSHSIG by `ssh-keygen -Y`: sign, and find out who signed. Nothing here
 * parses a signature or an allowed_signers file.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/i18n.h"
#include "digest/digest.h"
#include "openssh/openssh.h"
#include "openssh/run.h"
#include "openssh/wire.h"

enum { SIGNATURE_MAX_BYTES = 65536 };

int
openssh_sign(const char *key_file, const char *name_space, struct bytes text,
    struct buf *signature, struct err *err)
{
	struct arena *arena = arena_new();
	struct buf errors = BUF_INIT;
	char *folder = NULL;
	const char *file, *argv[10];
	struct openssh_run run = {.argv = argv, .may_ask = true};
	int r, status;

	r = file_make_temporary(arena, &folder, err);
	if (r < 0)
		goto out;
	/* By a file: from stdin ssh-keygen, where no terminal is, would read
	 * the passphrase from the text. */
	file = file_join(arena, folder, "text");
	r = file_write(file, text, 0600, err);
	if (r < 0)
		goto out;
	argv[0] = "ssh-keygen";
	argv[1] = "-q";
	argv[2] = "-Y";
	argv[3] = "sign";
	argv[4] = "-f";
	argv[5] = key_file;
	argv[6] = "-n";
	argv[7] = name_space;
	argv[8] = file;
	argv[9] = NULL;
	r = openssh_run(&run, &status, NULL, &errors, err);
	if (r < 0)
		goto out;
	if (status != 0) {
		r = err_set(err, ERR_APPROVAL,
		    _("cannot sign with %s: %s; give a private key file, or "
		      "the .pub of a key that `ssh-add -l` shows"),
		    key_file, openssh_said(arena, &errors));
		goto out;
	}
	r = file_read(arena_printf(arena, "%s.sig", file), SIGNATURE_MAX_BYTES,
	    signature, err);
out:
	if (folder != NULL)
		file_remove_tree(folder);
	buf_free(&errors);
	arena_free(arena);
	return r;
}

/* "-Overify-time=20261122182000"; openssh_run sets the zone to UTC. */
static const char *
verify_time(struct arena *arena, int64_t when_wall_ms)
{
	time_t when = (time_t)(when_wall_ms / 1000);
	struct tm tm;
	char text[32];

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm) == 0)
		bug("openssh_verify: time %lld", (long long)when_wall_ms);
	return arena_printf(arena, "-Overify-time=%s", text);
}

/* What both questions to ssh-keygen share. */
struct question {
	struct arena *arena;
	const char *allowed_signers;
	const char *signature_file;
	const char *time;
};

static int
find_principal(
    const struct question *q, const char **principal, struct err *err)
{
	const char *argv[] = {"ssh-keygen", "-Y", "find-principals", "-s",
	    q->signature_file, "-f", q->allowed_signers, q->time, NULL};
	struct openssh_run run = {.argv = argv};
	struct buf out = BUF_INIT, errors = BUF_INIT;
	const char *who;
	int r, status;

	r = openssh_run(&run, &status, &out, &errors, err);
	if (r < 0)
		goto out;
	who = arena_copy(q->arena, buf_str(&out), strcspn(buf_str(&out), "\n"));
	if (status != 0 || *who == '\0') {
		r = err_set(err, ERR_APPROVAL,
		    _("%s names nobody whose key made this signature at that "
		      "time (%s); the key's line there is `PERSON KEY`, with "
		      "valid-after and valid-before where it has them"),
		    q->allowed_signers, openssh_said(q->arena, &errors));
		goto out;
	}
	/* Persons are counted: a pattern would be anybody. */
	if (strpbrk(who, "*?!") != NULL) {
		r = err_set(err, ERR_APPROVAL,
		    _("%s: '%s' is a pattern and no person; write the "
		      "person's name in front of the key"),
		    q->allowed_signers, who);
		goto out;
	}
	*principal = who;
out:
	buf_free(&out);
	buf_free(&errors);
	return r;
}

static int
verify_for(const struct question *q, const char *principal,
    const char *name_space, struct bytes text, const char **fingerprint,
    struct err *err)
{
	const char *argv[] = {"ssh-keygen", "-Y", "verify", "-f",
	    q->allowed_signers, "-I", principal, "-n", name_space, "-s",
	    q->signature_file, q->time, NULL};
	struct openssh_run run = {.argv = argv, .input = text};
	struct buf out = BUF_INIT, errors = BUF_INIT;
	const char *p;
	int r, status;

	r = openssh_run(&run, &status, &out, &errors, err);
	if (r < 0)
		goto out;
	/* Good "NAMESPACE" signature for WHO with ED25519 key SHA256:... */
	p = strstr(buf_str(&out), " key SHA256:");
	if (status != 0 || p == NULL) {
		r = err_set(err, ERR_APPROVAL,
		    _("the signature of %s does not hold for this text (%s); "
		      "it must be signed again"),
		    principal, openssh_said(q->arena, &errors));
		goto out;
	}
	p += strlen(" key ");
	*fingerprint = arena_copy(q->arena, p, strcspn(p, " \n"));
out:
	buf_free(&out);
	buf_free(&errors);
	return r;
}

int
openssh_verify(struct arena *arena, const char *allowed_signers,
    const char *name_space, struct bytes text, struct bytes signature,
    int64_t when_wall_ms, const char **principal, const char **fingerprint,
    struct err *err)
{
	struct question q = {
	    .arena = arena, .allowed_signers = allowed_signers};
	const char *who = NULL, *print = NULL;
	char *folder = NULL;
	int r;

	if (!file_exists(allowed_signers))
		return err_set(err, ERR_APPROVAL,
		    _("%s: there is no such file; it says who may approve, "
		      "one line `PERSON KEY` each"),
		    allowed_signers);
	r = file_make_temporary(arena, &folder, err);
	if (r < 0)
		return r;
	q.signature_file = file_join(arena, folder, "signature");
	q.time = verify_time(arena, when_wall_ms);
	r = file_write(q.signature_file, signature, 0600, err);
	if (r < 0)
		goto out;
	r = find_principal(&q, &who, err);
	if (r < 0)
		goto out;
	r = verify_for(&q, who, name_space, text, &print, err);
	if (r < 0)
		goto out;
	*principal = who;
	*fingerprint = print;
out:
	file_remove_tree(folder);
	return r;
}

int
openssh_fingerprint(const char *key, struct buf *out, struct err *err)
{
	unsigned char raw[DIGEST_RAW];
	struct buf blob = BUF_INIT, text = BUF_INIT;

	if (wire_key_blob(key, &blob) < 0) {
		buf_free(&blob);
		return err_set(err, ERR_USAGE,
		    _("this is no public key of the form 'TYPE BASE64'"));
	}
	digest_raw(buf_bytes(&blob), raw);
	digest_base64(&text, (struct bytes){raw, sizeof(raw)});
	/* as ssh-keygen writes it, without the padding */
	buf_puts(out, "SHA256:");
	buf_put(out, text.data, strcspn(buf_str(&text), "="));
	buf_free(&blob);
	buf_free(&text);
	return 0;
}
