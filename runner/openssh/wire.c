/*
 * The agent protocol as bytes. Everything read here is hostile: an agent's
 * answers, and the payload that a worker asks to have signed.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "digest/digest.h"
#include "openssh/wire.h"

enum {
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_IDENTITIES_ANSWER = 12,
	AGENT_SIGN_REQUEST = 13,
	AGENT_SIGN_RESPONSE = 14,
	AGENT_RSA_SHA2_256 = 2,
	AGENT_RSA_SHA2_512 = 4,
	USERAUTH_REQUEST = 50,
	/* a key is some 600 bytes; RSA 16384 two thousand */
	KEY_MAX_BYTES = 16384,
	KEYS_MAX = 1000,
};

/* A key's type, the algorithm that signs with it, the agent's flags for it.
 * ssh-rsa as an algorithm is SHA-1 and not among them. */
static const struct {
	const char *type;
	const char *algorithm;
	uint32_t flags;
} algorithms[] = {
    {"ssh-ed25519", "ssh-ed25519", 0},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", 0},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", 0},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", 0},
    {"ssh-rsa", "rsa-sha2-256", AGENT_RSA_SHA2_256},
    {"ssh-rsa", "rsa-sha2-512", AGENT_RSA_SHA2_512},
};
enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

uint8_t
wire_u8(struct wire_reader *reader)
{
	if (reader->bad || reader->left < 1) {
		reader->bad = true;
		return 0;
	}
	reader->left--;
	return *reader->data++;
}

uint32_t
wire_u32(struct wire_reader *reader)
{
	const unsigned char *p = reader->data;

	if (reader->bad || reader->left < 4) {
		reader->bad = true;
		return 0;
	}
	reader->data += 4;
	reader->left -= 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

struct bytes
wire_string(struct wire_reader *reader)
{
	uint32_t len = wire_u32(reader);
	struct bytes string = {reader->data, len};

	if (reader->bad || reader->left < len) {
		reader->bad = true;
		return (struct bytes){"", 0};
	}
	reader->data += len;
	reader->left -= len;
	return string;
}

static bool
is_text(struct bytes bytes, const char *text)
{
	return bytes_equal(bytes, bytes_of(text));
}

static void
put_string(struct buf *out, struct bytes string)
{
	buf_put_u32(out, (uint32_t)string.len);
	buf_put(out, string.data, string.len);
}

long
wire_message_len(const struct buf *in)
{
	struct wire_reader reader = {
	    (const unsigned char *)in->data, in->len, false};
	uint32_t len;

	if (in->len < 4)
		return 0;
	len = wire_u32(&reader);
	if (len == 0 || len > WIRE_MESSAGE_MAX)
		return -1;
	return reader.left < len ? 0 : (long)len + 4;
}

void
wire_put_list(struct buf *out)
{
	buf_put_u32(out, 1);
	buf_putc(out, AGENT_REQUEST_IDENTITIES);
}

void
wire_put_sign(
    struct buf *out, struct bytes key, struct bytes data, uint32_t flags)
{
	buf_put_u32(out, (uint32_t)(1 + 4 + key.len + 4 + data.len + 4));
	buf_putc(out, AGENT_SIGN_REQUEST);
	put_string(out, key);
	put_string(out, data);
	buf_put_u32(out, flags);
}

/* The type of a key blob that we can use, or NULL. */
static const char *
blob_type(struct bytes blob)
{
	struct wire_reader reader = {blob.data, blob.len, false};
	struct bytes type = wire_string(&reader);
	size_t i;

	for (i = 0; !reader.bad && i < ALGORITHMS; i++) {
		if (is_text(type, algorithms[i].type))
			return algorithms[i].type;
	}
	return NULL;
}

static int
bad_answer(struct err *err)
{
	return err_set(err, ERR_SYSTEM,
	    _("the ssh-agent gave an answer that cannot be understood; is the "
	      "socket (SSH_AUTH_SOCK, IdentityAgent) that of an agent?"));
}

int
wire_get_list(struct arena *arena, struct bytes message, struct wire_key **keys,
    size_t *count, struct err *err)
{
	struct wire_reader reader = {message.data, message.len, false};
	struct wire_key *list = NULL;
	size_t list_count = 0, cap = 0;
	uint32_t i, total;

	if (wire_u8(&reader) != AGENT_IDENTITIES_ANSWER)
		return bad_answer(err);
	total = wire_u32(&reader);
	for (i = 0; i < total && i < KEYS_MAX && !reader.bad; i++) {
		struct bytes blob = wire_string(&reader);
		struct bytes comment = wire_string(&reader);
		const char *type = blob_type(blob);
		struct buf text = BUF_INIT;
		struct wire_key *key;

		if (reader.bad)
			break;
		if (type == NULL || blob.len > KEY_MAX_BYTES)
			continue;
		buf_printf(&text, "%s ", type);
		digest_base64(&text, blob);
		key = arena_push(arena, list, list_count, cap);
		key->text = arena_strdup(arena, buf_str(&text));
		key->comment = arena_copy(arena, comment.data, comment.len);
		buf_free(&text);
	}
	if (reader.bad)
		return bad_answer(err);
	*keys = list;
	*count = list_count;
	return 0;
}

int
wire_get_signature(struct bytes message, const char *algorithm,
    struct bytes *signature, struct err *err)
{
	struct wire_reader reader = {message.data, message.len, false};
	struct bytes whole, made_by, raw;

	if (wire_u8(&reader) != AGENT_SIGN_RESPONSE)
		return err_set(err, ERR_REFUSED,
		    _("the ssh-agent refused to sign: is its key still there "
		      "(`ssh-add -l`), and was its use confirmed?"));
	whole = wire_string(&reader);
	if (reader.bad)
		return bad_answer(err);
	reader = (struct wire_reader){whole.data, whole.len, false};
	made_by = wire_string(&reader);
	raw = wire_string(&reader);
	if (reader.bad || reader.left != 0 || raw.len == 0)
		return bad_answer(err);
	if (!is_text(made_by, algorithm))
		return err_set(err, ERR_REFUSED,
		    _("the ssh-agent signed by another algorithm than %s; an "
		      "agent that knows rsa-sha2 is needed (OpenSSH 7.2 or "
		      "newer)"),
		    algorithm);
	*signature = raw;
	return 0;
}

int
wire_key_blob(const char *key, struct buf *out)
{
	const char *base64 = strchr(key, ' ');
	size_t type_len = base64 != NULL ? (size_t)(base64 - key) : 0;
	struct buf blob = BUF_LIMIT(KEY_MAX_BYTES);
	struct wire_reader reader;
	struct bytes type;
	int r = -1;

	if (type_len == 0)
		return -1;
	base64++;
	if (digest_unbase64(&blob, base64, strcspn(base64, " \n")) < 0 ||
	    blob.full)
		goto out;
	reader =
	    (struct wire_reader){(unsigned char *)blob.data, blob.len, false};
	type = wire_string(&reader);
	/* the type stands twice, and must be one */
	if (reader.bad || !bytes_equal(type, (struct bytes){key, type_len}))
		goto out;
	buf_put(out, blob.data, blob.len);
	r = 0;
out:
	buf_free(&blob);
	return r;
}

int
wire_check_payload(struct bytes payload, const char *user, struct bytes key,
    struct wire_request *out, struct err *err)
{
	struct wire_reader reader = {payload.data, payload.len, false};
	const char *type = blob_type(key), *wrong = NULL;
	struct bytes session, name, service, method, algorithm, blob;
	uint8_t message, has_signature;
	size_t i;

	session = wire_string(&reader);
	message = wire_u8(&reader);
	name = wire_string(&reader);
	service = wire_string(&reader);
	method = wire_string(&reader);
	has_signature = wire_u8(&reader);
	algorithm = wire_string(&reader);
	blob = wire_string(&reader);

	for (i = 0; type != NULL && i < ALGORITHMS; i++) {
		if (strcmp(type, algorithms[i].type) == 0 &&
		    is_text(algorithm, algorithms[i].algorithm))
			break;
	}
	if (reader.bad || reader.left != 0 || message != USERAUTH_REQUEST ||
	    has_signature != 1)
		wrong = _("it is no request to log in");
	else if (session.len < 20 || session.len > 64)
		/* the exchange hash: SHA-1 to SHA-512 */
		wrong = _("it names no session");
	else if (!is_text(name, user))
		wrong = _("it is for another user");
	else if (!is_text(service, "ssh-connection") ||
		 !is_text(method, "publickey"))
		wrong = _("it is for another service or method");
	else if (!bytes_equal(blob, key))
		wrong = _("it is for another key");
	if (wrong != NULL)
		return err_set(err, ERR_REFUSED,
		    _("a worker asked for a signature that is refused: %s; "
		      "this should never happen, please report it"),
		    wrong);
	if (type == NULL || i == ALGORITHMS)
		return err_set(err, ERR_REFUSED,
		    _("a signature by %.*s with a key of type %s is refused; "
		      "where that is ssh-rsa (SHA-1), the host's sshd is too "
		      "old for RSA keys: log in with an ed25519 key"),
		    (int)(algorithm.len < 40 ? algorithm.len : 40),
		    (const char *)algorithm.data, type != NULL ? type : "?");
	(void)snprintf(out->algorithm, sizeof(out->algorithm), "%s",
	    algorithms[i].algorithm);
	out->flags = algorithms[i].flags;
	return 0;
}
