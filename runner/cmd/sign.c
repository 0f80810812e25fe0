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
