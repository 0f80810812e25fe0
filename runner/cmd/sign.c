/* A person signs; see sign.h. */
#include "cmd/sign.h"
#include "base/file.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

/* --key, or the first of the person's usual keys. */
static int
sign_key(const struct cmd_call *call, const char **key, struct err *err)
{
	static const char *const usual[] = {
	    "id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"};
	const char *home = getenv("HOME");

	*key = cmd_given(call, "key");
	for (size_t i = 0; *key == NULL && home != NULL &&
			   i < sizeof(usual) / sizeof(usual[0]);
	     i++) {
		const char *path =
		    arena_printf(call->arena, "%s/.ssh/%s", home, usual[i]);

		if (file_exists(path))
			*key = path;
	}
	if (cmd_given(call, "key") != NULL && !file_exists(*key))
		return err_set(err, ERR_USAGE,
		    _("%s: --key %s: there is no such file"), call->cmd->name,
		    *key);
	if (*key == NULL)
		return err_set(err, ERR_USAGE,
		    _("%s: no key to sign with in ~/.ssh; give one with "
		      "--key FILE"),
		    call->cmd->name);
	return 0;
}

int
cmd_sign(struct context *context, const char *name_space, const char *person,
    struct bytes text, int64_t at_ms, struct buf *signature,
    const char **fingerprint, struct err *err)
{
	const char *approvers = context->project->approvers;
	const char *key, *who = NULL;
	int r;

	if ((r = sign_key(context->call, &key, err)) < 0 ||
	    (r = openssh_sign(key, name_space, text, signature, err)) < 0 ||
	    (r = openssh_verify(context->arena, approvers, name_space, text,
		 buf_bytes(signature), at_ms, &who, fingerprint, err)) < 0)
		return r;
	if (strcmp(who, person) == 0)
		return 0;
	return err_set(err, ERR_APPROVAL,
	    _("the key %s is %s's by %s, not %s's; say --as %s or give "
	      "another --key"),
	    key, who, approvers, person, who);
}

int
cmd_say_word(struct context *context, const char *name_space,
    const struct word *by, struct json *body, struct record *record,
    int64_t last, struct err *err)
{
	const char *text = json_get_text(body, "statement", "");
	const char *fingerprint = "";
	struct buf signature = BUF_INIT, bytes = BUF_INIT;
	int r;

	if (!context->call->json)
		printf("%s", text);
	r = cmd_sign(context, name_space, by->person, bytes_of(text), by->at_ms,
	    &signature, &fingerprint, err);
	if (r < 0)
		goto out;
	json_write(&bytes, word_sign(context->arena, body,
			       buf_bytes(&signature), fingerprint));
	record->actor = by->person;
	record->body = buf_str(&bytes);
	r = last < 0
		? journal_append_now(context->journal, record, 1, NULL, err)
		: journal_append_if_last(context->journal, record, last, err);
out:
	buf_free(&signature);
	buf_free(&bytes);
	return r;
}

int
cmd_word_is_signed(const struct context *context, const char *name_space,
    const struct record *record, const struct json *body, const struct word *by,
    struct err *err)
{
	const char *who = "", *fingerprint = "";
	int r = openssh_verify(context->arena, context->project->approvers,
	    name_space, bytes_of(json_get_text(body, "statement", "")),
	    bytes_of(json_get_text(body, "signature", "")), record->wall_ms,
	    &who, &fingerprint, err);

	if (r < 0 || strcmp(who, by->person) == 0)
		return r;
	return err_set(err, ERR_APPROVAL,
	    _("it says %s, but the key that signed is %s's"), by->person, who);
}
