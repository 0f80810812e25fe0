/*
 * The way through jump hosts: an `ssh -W`, as ssh itself makes one for
 * ProxyJump. Whoever runs it gives it a socket as stdin and stdout.
 */
#include <string.h>

#include "base/i18n.h"
#include "openssh/openssh.h"

/* The last hop is logged in to by our ssh; it is led there by the ones before
 * it, which is ssh's own business (-J). */
static const char *
last_hop(struct arena *arena, const char *jump, const char **before)
{
	const char *comma = strrchr(jump, ',');

	*before = NULL;
	if (comma != NULL) {
		*before = arena_copy(arena, jump, (size_t)(comma - jump));
		jump = comma + 1;
	}
	/* "user@host:port" is understood as a URI only */
	if (strncmp(jump, "ssh://", 6) == 0)
		return jump;
	return arena_printf(arena, "ssh://%s", jump);
}

int
openssh_jump_argv(struct arena *arena, const struct ssh_settings *settings,
    const char *config, const char *const **out, struct err *err)
{
	const char *before, *hop;
	const char **argv = NULL;
	size_t count = 0, cap = 0;

	if (settings->jump == NULL)
		bug("openssh_jump_argv: %s has no jump host", settings->name);
	hop = last_hop(arena, settings->jump, &before);
	if (strcmp(hop, "ssh://") == 0 || strpbrk(hop, " \t") != NULL)
		return err_set(err, ERR_PLAN,
		    _("host %s: ProxyJump '%s' cannot be understood; it is "
		      "[USER@]HOST[:PORT], several parted by commas"),
		    settings->name, settings->jump);

	*arena_push(arena, argv, count, cap) = "ssh";
	if (config != NULL && *config != '\0') {
		*arena_push(arena, argv, count, cap) = "-F";
		*arena_push(arena, argv, count, cap) = config;
	}
	*arena_push(arena, argv, count, cap) = "-oBatchMode=yes";
	*arena_push(arena, argv, count, cap) =
	    arena_printf(arena, "-oConnectTimeout=%lld",
		(long long)(settings->connect_timeout_ms / 1000));
	if (before != NULL) {
		*arena_push(arena, argv, count, cap) = "-J";
		*arena_push(arena, argv, count, cap) = before;
	}
	*arena_push(arena, argv, count, cap) = "-W";
	*arena_push(arena, argv, count, cap) =
	    arena_printf(arena, "[%s]:%d", settings->address, settings->port);
	*arena_push(arena, argv, count, cap) = "--";
	*arena_push(arena, argv, count, cap) = hop;
	*arena_push(arena, argv, count, cap) = NULL;
	*out = argv;
	return 0;
}
