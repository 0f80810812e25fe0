/*
 * The plan of a change that tests freeze and thaw: its wave, its check, a step
 * of each way back. The frozen ones of tests/fuzz name it by its digest.
 */
#ifndef HOSHU_TEST_CHANGE_PLAN_H
#define HOSHU_TEST_CHANGE_PLAN_H

/* first: its first step, as it stands under steps:. */
#define CHANGE_PLAN(first)                                                     \
	"change: Patch the web tier\n"                                         \
	"reason: t\n"                                                          \
	"targets: all\n"                                                       \
	"waves: [{ name: canary, hosts: 1, soak: 10s }, { hosts: rest }]\n"    \
	"checks:\n"                                                            \
	"  - { http: { url: \"https://${{ host.address }}/\", "                \
	"ca: ca.pem } }\n"                                                     \
	"handlers:\n"                                                          \
	"  again: { service: { name: web, state: restarted } }\n"              \
	"steps:\n" first "  - name: migrate\n"                                 \
	"    run: [migrate]\n"                                                 \
	"    rollback: [{ name: unmigrate, run: [unmigrate] }]\n"              \
	"    because: it has no undo\n"                                        \
	"  - { name: warm, run: [warm], rollback: keep, because: a read }\n"   \
	"  - { name: cut, run: [cut], rollback: stop, because: is final }\n"

static const char plan_text[] = CHANGE_PLAN(
    "  - { name: edit, file: { path: /etc/web }, notify: again }\n");

/* In the order in which they run. */
enum { EDIT = 1, MIGRATE, UNMIGRATE, WARM, CUT, AGAIN };

#endif
