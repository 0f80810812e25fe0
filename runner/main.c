/*
 * hoshu: argv -> command table -> exit status. The same program is its own
 * worker: `hoshu worker`, with the seam on descriptor 3.
 */
#include "base/i18n.h"
#include "cmd/cmd.h"

#include <signal.h>

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	i18n_start();
	return cmd_main(argc, argv);
}
