/*
 * How a host's user becomes root: `none`, `sudo`, or a map that also says where
 * sudo's password comes from. The command is not run here.
 */
#include "base/i18n.h"
#include "hosts/inside.h"

#include <string.h>

static const char *const ways[] = {"none", "sudo", NULL};

static int
become_password(struct arena *arena, const struct yaml *map, const char *what,
    struct become *become, struct err *err)
{
	const struct yaml *command = yaml_get(map, "command");
	const struct yaml_field fields[] = {
	    {"command", YAML_NEED_ANY, .node = NULL},
	};
	const char **argv = NULL;
	size_t count = 0;
	int r;

	what = arena_printf(arena, _("%s: become: password"), what);
	if ((r = yaml_read(map, what, fields, 1, err)) < 0 ||
	    (r = yaml_read_texts(arena, command, what, &argv, &count, err)) < 0)
		return r;
	if (count == 0 || argv[0][0] == '\0')
		return err_at(err, ERR_PLAN, command->place,
		    _("%s: write the command as a list: [pass, show, "
		      "ops/sudo]"),
		    what);
	become->password = arena_array(arena, const char *, count + 1);
	memcpy(become->password, argv, count * sizeof(*argv));
	return 0;
}

struct yaml_field
hosts_become_field(const struct yaml *map, struct become *become)
{
	const struct yaml *value =
	    map->type == YAML_MAP ? yaml_get(map, "become") : NULL;
	bool whole = value != NULL && value->type == YAML_MAP;

	return (struct yaml_field){"become",
	    whole ? YAML_WANT_MAP : YAML_WANT_CHOICE, .node = &become->node,
	    .num = &become->way, .choices = ways};
}

int
hosts_read_become(struct arena *arena, const char *what, struct become *become,
    struct err *err)
{
	const struct yaml *password = NULL;
	const struct yaml_field fields[] = {
	    {"method", YAML_WANT_CHOICE, .num = &become->way, .choices = ways},
	    {"password", YAML_WANT_MAP, .node = &password},
	};
	int r = 0;

	if (become->node != NULL && become->node->type == YAML_MAP)
		r = yaml_read(become->node,
		    arena_printf(arena, _("%s: become"), what), fields, 2, err);
	if (r < 0 || password == NULL)
		return r;
	if (become->way == 0)
		return err_at(err, ERR_PLAN, password->place,
		    _("%s: become: a password is for sudo: write method: "
		      "sudo"),
		    what);
	return become_password(arena, password, what, become, err);
}

const char *
hosts_become_way(const struct become *become)
{
	return ways[become->way];
}
