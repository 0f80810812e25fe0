/*
 * The last word of a process that ends by abort(). Whoever of us calls it has
 * said why. A library that does has not: libuv where no thread can be made for
 * its pool, glibc where its own start finds no memory.
 */
#include "base/err.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void
abort_untold(int number)
{
	static const char line[] =
	    "hoshu: a library could not go on, most likely for want of memory "
	    "or of threads; what was recorded is kept, the same command goes "
	    "on from it\n";

	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	raise(number); /* by now as if nobody had asked for it */
}

void
abort_start(void)
{
	struct sigaction action = {.sa_handler = abort_untold};

	action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
	(void)sigaction(SIGABRT, &action, NULL);
}

void
abort_told(void)
{
	struct sigaction now;

	if (sigaction(SIGABRT, NULL, &now) == 0 &&
	    now.sa_handler == abort_untold)
		(void)signal(SIGABRT, SIG_DFL);
	abort();
}
