/*
 * hoshu: argv -> command table -> exit status. The same program is its own
 * worker: `hoshu worker`, with the seam on descriptor 3.
 */
#include "base/err.h"
#include "base/i18n.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "digest/digest.h"
#include "loop/loop.h"

#include <signal.h>

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	abort_start();
	/* out of memory is the same everywhere: base/arena.h */
	digest_start();
	loop_start();
	json_start();
	i18n_start();
	return cmd_main(argc, argv);
}
