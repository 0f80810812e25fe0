/*
 * From the first byte to a user's session: the handshake, the host key, the
 * one key that is offered. Holds no private key: whoever is asked to sign
 * answers later.
 */
#include "remote/inside.h"

#include <string.h>

#include "base/i18n.h"
#include "digest/digest.h"

/* Of this preference: what costs little and is sound. AES-GCM before
 * ChaCha20, whose path in libssh2 had the worst faults. */
static const struct {
	int method;
	const char *names;
} methods[] = {
    {LIBSSH2_METHOD_KEX,
	"curve25519-sha256,curve25519-sha256@libssh.org,"
	"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	"diffie-hellman-group16-sha512,diffie-hellman-group14-sha256"},
    {LIBSSH2_METHOD_CRYPT_CS,
	"aes256-gcm@openssh.com,aes128-gcm@openssh.com,"
	"chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"},
    {LIBSSH2_METHOD_CRYPT_SC,
	"aes256-gcm@openssh.com,aes128-gcm@openssh.com,"
	"chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"},
    {LIBSSH2_METHOD_MAC_CS,
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	"hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_MAC_SC,
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	"hmac-sha2-256,hmac-sha2-512"},
};

/* Types of keys, of hosts and of users, and the signatures that they make. */
static const struct {
	const char *type;
	const char *signatures;
} key_types[] = {
    {"ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"},
    {"rsa-sha2-512", "rsa-sha2-512"},
    {"rsa-sha2-256", "rsa-sha2-256"},
};
enum { KEY_TYPES = sizeof(key_types) / sizeof(key_types[0]) };

/* NULL when hoshu does not take such keys. */
static const char *
key_signatures(const char *type, size_t len)
{
	for (size_t i = 0; i < KEY_TYPES; i++)
		if (strlen(key_types[i].type) == len &&
		    memcmp(key_types[i].type, type, len) == 0)
			return key_types[i].signatures;
	return NULL;
}

/* "type SHA256:base64", as OpenSSH prints it. */
static void
key_fingerprint(
    struct buf *out, const char *type, size_t type_len, struct bytes blob)
{
	unsigned char raw[DIGEST_RAW];
	struct buf text = BUF_INIT;

	digest_raw(blob, raw);
	digest_base64(&text, (struct bytes){raw, sizeof(raw)});
	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.data[--text.len] = '\0';
	buf_put(out, type, type_len);
	buf_printf(out, " SHA256:%s", buf_str(&text));
	buf_free(&text);
}

/* An SSH string at *at of data; false when it does not fit. */
static bool
ssh_string(struct bytes data, size_t *at, struct bytes *out)
{
	const unsigned char *p = data.data;
	size_t len;

	if (data.len - *at < 4)
		return false;
	p += *at;
	len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 |
	      (size_t)p[3];
	if (len > data.len - *at - 4)
		return false;
	out->data = p + 4;
	out->len = len;
	*at += 4 + len;
	return true;
}

/* The methods that the handshake may choose from. */
int
login_set_methods(struct remote *remote, struct err *err)
{
	const char *types = remote->options.host_key_types;
	struct buf names = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (libssh2_session_method_pref(remote->session,
			methods[i].method, methods[i].names) != 0)
			bug("libssh2 knows none of %s", methods[i].names);
	if (types == NULL || types[0] == '\0')
		types = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
			"ecdsa-sha2-nistp521,ssh-rsa";
	/* Certificates and what is too old are passed over. */
	while (*types != '\0') {
		size_t len = strcspn(types, ",");
		const char *found = key_signatures(types, len);

		if (found != NULL)
			buf_printf(
			    &names, "%s%s", names.len > 0 ? "," : "", found);
		types += len;
		types += *types == ',';
	}
	if (names.len == 0 || libssh2_session_method_pref(remote->session,
				  LIBSSH2_METHOD_HOSTKEY, buf_str(&names)) != 0)
		rc = err_set(err, ERR_REFUSED,
		    _("%s: the host keys known for it are of no type that "
		      "hoshu takes (%s): add its ed25519, ecdsa or rsa key to "
		      "known_hosts"),
		    remote->options.name, remote->options.host_key_types);
	buf_free(&names);
	return rc;
}

/* The public half of the key to offer, from "type base64". */
int
login_set_key(struct remote *remote, struct err *err)
{
	const char *key = remote->options.auth_key;
	size_t len = strcspn(key, " "), at = 0;
	struct bytes type;

	if (key_signatures(key, len) == NULL || strncmp(key, "rsa", 3) == 0)
		return err_set(err, ERR_REFUSED,
		    _("%s: hoshu offers ed25519, ecdsa and rsa keys only, not "
		      "\"%.*s\": choose another with IdentityFile in "
		      "ssh_config"),
		    remote->options.name, (int)(len < 64 ? len : 64), key);
	if (digest_unbase64(&remote->auth_blob,
		key + len + strspn(key + len, " "),
		strcspn(key + len + strspn(key + len, " "), " \n")) < 0 ||
	    !ssh_string(buf_bytes(&remote->auth_blob), &at, &type) ||
	    !bytes_equal(type, (struct bytes){key, len}))
		return err_set(err, ERR_REFUSED,
		    _("%s: the public key to offer is damaged: %.64s"),
		    remote->options.name, key);
	return 0;
}

/* Is "type base64" of the key one of the lines known? */
static bool
host_key_known(const struct remote *remote, const char *line, size_t len)
{
	const char *known = remote->options.host_keys;

	while (known != NULL && *known != '\0') {
		size_t here = strcspn(known, "\n");

		if (here == len && memcmp(known, line, len) == 0)
			return true;
		known += here;
		known += *known == '\n';
	}
	return false;
}

static bool
host_key_check(struct remote *remote)
{
	struct buf line = BUF_INIT, fingerprint = BUF_INIT;
	struct bytes blob, type;
	size_t at = 0;
	int kind;
	bool known;

	blob.data = libssh2_session_hostkey(remote->session, &blob.len, &kind);
	if (blob.data == NULL || !ssh_string(blob, &at, &type) ||
	    type.len > 64) {
		remote_fail(remote, "protocol",
		    _("%s showed no host key that can be read"),
		    remote->options.name);
		return false;
	}
	buf_put(&line, type.data, type.len);
	buf_putc(&line, ' ');
	digest_base64(&line, blob);
	known = host_key_known(remote, buf_str(&line), line.len);
	if (!known) {
		key_fingerprint(&fingerprint, type.data, type.len, blob);
		remote->fingerprint =
		    arena_strdup(remote->arena, buf_str(&fingerprint));
		remote_fail(remote, "hostkey",
		    remote->options.host_keys != NULL &&
			    remote->options.host_keys[0] != '\0'
			? _("%s shows the host key %s, which is not the one "
			    "known for it; nothing was sent to it")
			: _("%s shows the host key %s, and none is known for "
			    "it; nothing was sent to it"),
		    remote->options.name, remote->fingerprint);
	}
	buf_free(&line);
	buf_free(&fingerprint);
	return known;
}

bool
login_handshake(struct remote *remote)
{
	int rc = libssh2_session_handshake(remote->session, remote->wire.fd);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	if (rc == LIBSSH2_ERROR_KEX_FAILURE) {
		remote_fail(remote, "protocol",
		    _("%s and hoshu have no way in common to encrypt, or the "
		      "host has no host key of a type known for it (%s): see "
		      "`ssh -v %s`"),
		    remote->options.name,
		    remote->options.host_key_types != NULL
			? remote->options.host_key_types
			: "",
		    remote->options.name);
		return true;
	}
	if (rc != 0) {
		remote_fail_ssh(remote, rc, _("the handshake"));
		return true;
	}
	if (host_key_check(remote))
		remote->state = STATE_AUTH;
	return true;
}

/*
 * libssh2 wants a signature. Payload: string session id, byte 50, strings
 * user, service, "publickey", byte 1, string algorithm, string key. May be
 * entered again and again while the signature is on its way.
 */
static int
sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
    const unsigned char *data, size_t data_len, void **abstract)
{
	struct remote *remote = *libssh2_session_abstract(session);
	struct bytes payload = {data, data_len}, part;
	size_t at = 0;

	(void)abstract;
	if (remote->refused != NULL)
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	if (remote->sign_ready) {
		*sig = memory_alloc(remote->signature.len + 1,
		    libssh2_session_abstract(session));
		if (*sig == NULL)
			return LIBSSH2_ERROR_ALLOC;
		*sig_len = remote->signature.len;
		memcpy(*sig, buf_str(&remote->signature), *sig_len);
		return 0;
	}
	if (remote->sign_asked)
		return LIBSSH2_ERROR_EAGAIN;
	if (!ssh_string(payload, &at, &part) || at >= data_len)
		return LIBSSH2_ERROR_PROTO;
	at++;
	for (int i = 0; i < 3; i++)
		if (!ssh_string(payload, &at, &part))
			return LIBSSH2_ERROR_PROTO;
	at++;
	if (at > data_len || !ssh_string(payload, &at, &part))
		return LIBSSH2_ERROR_PROTO;
	remote->algorithm = arena_copy(remote->arena, part.data, part.len);
	if (strcmp(remote->algorithm, "ssh-rsa") == 0) {
		remote->refused =
		    _("the host takes only SHA-1 signatures of RSA keys, "
		      "which hoshu does not make: use an ed25519 key");
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	}
	buf_reset(&remote->payload);
	buf_put(&remote->payload, data, data_len);
	remote->sign_asked = true;
	return LIBSSH2_ERROR_EAGAIN;
}

bool
login_authenticate(struct remote *remote)
{
	int rc = libssh2_userauth_publickey(remote->session,
	    remote->options.user, (unsigned char *)remote->auth_blob.data,
	    remote->auth_blob.len, sign, NULL);

	if (rc == 0) {
		remote->state = STATE_CHANNEL;
		return true;
	}
	if (rc == LIBSSH2_ERROR_EAGAIN) {
		if (remote->payload.len > 0) {
			/* Handed on from here and not from within libssh2:
			 * the answer may come at once. */
			struct buf payload = remote->payload;

			remote->payload = (struct buf)BUF_INIT;
			remote->events.sign(remote->arg, remote->algorithm,
			    buf_bytes(&payload));
			buf_free(&payload);
			return true;
		}
		return false;
	}
	if (remote->refused != NULL)
		remote_fail(remote, "auth", _("%s: %s"), remote->options.name,
		    remote->refused);
	else if (rc != LIBSSH2_ERROR_AUTHENTICATION_FAILED &&
		 remote->disconnect[0] == '\0' &&
		 (remote->wire.ended || rc == LIBSSH2_ERROR_ALLOC))
		remote_fail_ssh(remote, rc, _("the login"));
	else
		remote->state = STATE_REFUSED;
	return true;
}

bool
login_list_methods(struct remote *remote)
{
	const char *user = remote->options.user, *key, *list;
	struct buf fingerprint = BUF_INIT;

	list = libssh2_userauth_list(
	    remote->session, user, (unsigned int)strlen(user));
	if (list == NULL && !remote->wire.told &&
	    libssh2_session_last_errno(remote->session) == LIBSSH2_ERROR_EAGAIN)
		return false;
	key = remote->options.auth_key;
	key_fingerprint(&fingerprint, key, strcspn(key, " "),
	    buf_bytes(&remote->auth_blob));
	remote_fail(remote, "auth",
	    _("%s does not let %s in with the key %s (it offers: %s%s%s): add "
	      "the key to the authorized_keys of %s there, or choose another "
	      "with IdentityFile in ssh_config"),
	    remote->options.name, user, buf_str(&fingerprint),
	    list != NULL ? list : "?", remote->disconnect[0] ? "; " : "",
	    remote->disconnect, user);
	buf_free(&fingerprint);
	return true;
}
