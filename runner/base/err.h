/*
 * Errors: a function that can fail returns 0 or a negative error code and
 * takes a `struct err *` last. The err is untouched on success; on failure it
 * holds one message that says where, why and what to do next.
 *
 *	struct err err = ERR_INIT;
 *	if (plan_load(path, &plan, &err) < 0)
 *		return err_print(stderr, &err);   // -> exit status
 */
#ifndef HOSHU_BASE_ERR_H
#define HOSHU_BASE_ERR_H

#include <stdio.h>

/* name, exit status of the process (man page EXIT STATUS, one table) */
#define ERR_CODES(X)                                                           \
	X(ERR_INTERNAL, 1) /* a fault of hoshu or of this machine */           \
	X(ERR_SYSTEM, 1)   /* a system call failed: disk, memory, fork */      \
	X(ERR_STORE, 1)	   /* the journal cannot be read or written */         \
	X(ERR_USAGE, 2)	   /* wrong words on the command line */               \
	X(ERR_PLAN, 3)	   /* plan, inventory, hoshu.yml or module wrong */    \
	X(ERR_APPROVAL, 4) /* not approved, or an approval does not count */   \
	X(ERR_REFUSED, 5)  /* window, lock, drift, or not built yet */         \
	X(ERR_FAILED, 6)   /* a step, a check or a host failed */              \
	X(ERR_REVERTED, 7) /* failed and proved taken back */                  \
	X(ERR_UNKNOWN, 8)  /* an outcome is unknown or not proved back */      \
	X(ERR_LEFTOVER, 9) /* finished with hosts left over */                 \
	X(ERR_WAITING, 10) /* waits for a person */                            \
	X(ERR_EVIDENCE, 6) /* audit verify: the evidence does not hold */

enum err_code {
	ERR_NONE = 0,
#define X(name, status) name,
	ERR_CODES(X)
#undef X
};

enum { EXIT_DONE = 0 };

/* A place in a text that a person wrote. line and col count from 1; 0 = not
 * known. file is borrowed and must outlive every err made from it. */
struct place {
	const char *file;
	int line;
	int col;
};

struct err {
	enum err_code code;
	char text[2048]; /* with the place in front, cleansed for a terminal */
};
#define ERR_INIT                                                               \
	{                                                                      \
		ERR_NONE, ""                                                   \
	}

/* All return -(int)code, so that a caller can `return err_set(...)`. A NULL
 * err is allowed and drops the message. The message is cleansed of control,
 * escape and bidi characters. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
/* The same with "file:line:col: " in front (as far as it is known). */
int err_at(struct err *err, enum err_code code, struct place place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5), cold));
/* The same with ": strerror(errno)" at the end; code ERR_SYSTEM. */
int err_errno(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));
/* Put "who: " in front of what is there; returns the err's own code. */
int err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* The exit status that the code stands for, from the table above. */
int err_exit_status(enum err_code code);
/* The code's name without ERR_, in lower case ("plan"), for --json. */
const char *err_name(enum err_code code);
/* Print "hoshu: text" and return the exit status. */
int err_print(FILE *out, const struct err *err);

/* For the impossible: says where and aborts. */
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

/* From here on an abort() of a library says a line as well. */
void abort_start(void);
/* abort() of who has said why. */
_Noreturn void abort_told(void) __attribute__((cold));

#define MUST_USE __attribute__((warn_unused_result))

#endif
