/* The first thing that a host's shell says: who it is. What a journal would
 * have to hold can be held. */
#include "base/text.h"
#include "fuzz.h"
#include "remote/inside.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct remote *remote = xcalloc(1, sizeof(*remote));
	struct remote_answer answer;
	struct shell_boot boot;
	bool is_read;

	memset(&answer, 0, sizeof(answer));
	remote->arena = arena_new();
	remote->options.name = "web1";
	remote->options.user = "ops";
	remote->options.shell =
	    fuzz_take(&in, 1) % 2 == 0 ? REMOTE_PLAIN : REMOTE_READONLY;
	answer.out = (struct bytes){in.data, in.size};
	is_read = shell_read_boot(remote, &answer, &boot);
	fuzz_check(is_read || remote->why != NULL);
	/* on its way into another shell it need not say who it is */
	if (is_read &&
	    !(boot.moving && remote->options.shell == REMOTE_PLAIN)) {
		fuzz_check(remote->life != NULL && remote->life[0] != '\0');
		fuzz_check(boot.uid[0] != '\0' && boot.gaps != NULL);
		fuzz_check(text_is_utf8(boot.gaps, strlen(boot.gaps)));
	}
	arena_free(remote->arena);
	free(remote);
	return 0;
}
