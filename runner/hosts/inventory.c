/*
 * Reads the inventory file. Whatever in it could end up in the argv of ssh is
 * held to a narrow set of characters here.
 */
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "hosts/inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A host's name in the text, in a place that may bring it into being. */
struct mention {
	const struct yaml *name;
	const struct yaml *value; /* under hosts:; NULL in a group */
	int order;
	int group; /* index of the group, or -1 under hosts: */
};

struct mentions {
	struct mention *items;
	size_t count, cap;
};

static bool
is_made_of(const char *text, size_t len, size_t max, const char *also)
{
	if (len == 0 || len > max || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)text[i]) ||
		    (!isalnum((unsigned char)text[i]) &&
			strchr(also, text[i]) == NULL))
			return false;
	return true;
}

int
hosts_check_name(const struct yaml *name, const char *what, struct err *err)
{
	if (name->type != YAML_TEXT)
		return err_at(err, ERR_PLAN, name->place,
		    _("the name of a %s must be a text"), _(what));
	if (!is_made_of(name->text, name->len, HOSTS_NAME_MAX, "._-") ||
	    !isalnum((unsigned char)name->text[0]))
		return err_at(err, ERR_PLAN, name->place,
		    _("'%.140s' cannot be the name of a %s; use letters, "
		      "digits, '.', '_' and '-', a letter or digit first, "
		      "at most %d"),
		    name->text, _(what), HOSTS_NAME_MAX);
	if (strcmp(name->text, "all") == 0 || strcmp(name->text, "first") == 0)
		return err_at(err, ERR_PLAN, name->place,
		    _("'%s' means something else in selectors; give the %s "
		      "another name"),
		    name->text, _(what));
	return 0;
}

int
hosts_read_vars(struct arena *arena, const struct yaml *map, const char *what,
    struct vars *vars, struct err *err)
{
	size_t count = map != NULL ? map->count : 0;
	const struct yaml *key;
	struct var *var;

	if (count > HOSTS_VARS_MAX)
		return err_at(err, ERR_PLAN, map->place,
		    _("%s has more than %d variables"), what, HOSTS_VARS_MAX);
	for (size_t i = 0; i < count; i++) {
		key = map->keys[i];
		if (!is_made_of(key->text, key->len, HOSTS_NAME_MAX, "_") ||
		    isdigit((unsigned char)key->text[0]))
			return err_at(err, ERR_PLAN, key->place,
			    _("%s: '%.140s' cannot be the name of a variable; "
			      "use letters, digits and '_', no digit first"),
			    what, key->text);
		var = arena_push(arena, vars->items, vars->count, vars->cap);
		*var = (struct var){key->text,
		    yaml_to_json(arena, map->items[i], true), key->place};
	}
	return 0;
}

static int
compare_mentions(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int r = strcmp(x->name->text, y->name->text);

	return r != 0 ? r : x->order - y->order;
}

static void
add_mention(struct draft *draft, struct mentions *mentions,
    const struct yaml *name, const struct yaml *value, int group)
{
	int order = (int)mentions->count;

	*arena_push(draft->arena, mentions->items, mentions->count,
	    mentions->cap) = (struct mention){name, value, order, group};
}

/* Those under hosts: first, then by first mention in the text's order. */
static int
collect_mentions(
    struct draft *draft, struct mentions *mentions, struct err *err)
{
	const struct yaml *list, *hosts = draft->hosts;
	size_t count = draft->groups != NULL ? draft->groups->count : 0;
	int r, group;

	for (size_t i = 0; hosts != NULL && i < hosts->count; i++) {
		r = hosts_check_name(hosts->keys[i], N_("host"), err);
		if (r < 0)
			return r;
		add_mention(
		    draft, mentions, hosts->keys[i], hosts->items[i], -1);
	}
	for (size_t i = 0; i < count; i++) {
		group = hosts_find_group(draft, draft->groups->keys[i]->text);
		list = draft->group[group].hosts;
		for (size_t j = 0; list != NULL && j < list->count; j++) {
			r = hosts_check_name(list->items[j], N_("host"), err);
			if (r < 0)
				return r;
			add_mention(
			    draft, mentions, list->items[j], NULL, group);
		}
	}
	return 0;
}

/* What reaches the argv of ssh. */
static int
check_connection(const char *what, const struct yaml *address,
    const struct yaml *user, struct err *err)
{
	if (address != NULL &&
	    !is_made_of(address->text, address->len, 255, ".:_%-"))
		return err_at(err, ERR_PLAN, address->place,
		    _("%s: '%.140s' is no address; write a DNS name or an IP "
		      "address"),
		    what, address->text);
	if (user != NULL && !is_made_of(user->text, user->len, 64, "._@\\$+-"))
		return err_at(err, ERR_PLAN, user->place,
		    _("%s: '%.140s' is no user name"), what, user->text);
	return 0;
}

static int
read_host(struct draft *draft, const struct mention *mention, struct host *host,
    struct err *err)
{
	static const struct yaml nothing = {.type = YAML_TEXT};
	const struct yaml *vars = NULL, *address = NULL, *user = NULL;
	const struct yaml *map = mention->value;
	struct become become = {0, NULL, NULL};
	int64_t port = 0;
	const struct yaml_field fields[] = {
	    {"address", YAML_WANT_TEXT, .node = &address},
	    {"port", YAML_WANT_INT, .num = &port, .min = 1, .max = 65535},
	    {"user", YAML_WANT_TEXT, .node = &user},
	    hosts_become_field(map != NULL ? map : &nothing, &become),
	    {"vars", YAML_WANT_MAP, .node = &vars},
	};
	const char *what =
	    arena_printf(draft->arena, _("host '%s'"), host->name);
	int r;

	/* `web1:` with nothing behind it is a host with nothing to say */
	if (map != NULL &&
	    !(map->type == YAML_TEXT && map->plain && map->len == 0)) {
		r = yaml_read(
		    map, what, fields, sizeof(fields) / sizeof(fields[0]), err);
		if (r == 0)
			r = check_connection(what, address, user, err);
		if (r == 0)
			r = hosts_read_become(draft->arena, what, &become, err);
		if (r < 0)
			return r;
	}
	host->address = address != NULL ? address->text : NULL;
	host->user = user != NULL ? user->text : NULL;
	host->port = (int)port;
	if (become.node == NULL)
		become = draft->become;
	host->become = hosts_become_way(&become);
	host->password = become.password;
	return hosts_read_vars(
	    draft->arena, vars, what, &draft->host[host->id].vars, err);
}

/* One host for each name, in the order of its first mention; by_name in the
 * order of sorted. */
static void
number_hosts(struct draft *draft, const struct mention *sorted, size_t count)
{
	struct inventory *inventory = draft->inventory;
	int *id_at = arena_array(draft->arena, int, count);
	size_t n = 0;
	struct host *host;

	for (size_t i = 0; i < count; i++)
		if (i == 0 ||
		    strcmp(sorted[i].name->text, sorted[i - 1].name->text) != 0)
			id_at[sorted[i].order] = 1;
	for (size_t i = 0; i < count; i++)
		id_at[i] = id_at[i] ? (int)n++ : -1;
	inventory->count = n;
	inventory->hosts = arena_array(draft->arena, struct host, n);
	inventory->by_name = arena_array(draft->arena, int, n);
	draft->host = arena_array(draft->arena, struct host_draft, n);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		if (id_at[sorted[i].order] < 0)
			continue;
		inventory->by_name[n++] = id_at[sorted[i].order];
		host = &inventory->hosts[id_at[sorted[i].order]];
		host->id = id_at[sorted[i].order];
		host->name = sorted[i].name->text;
		host->place = sorted[i].name->place;
	}
}

/* Every mention goes to its host: what it says of it, or the group. */
static int
give_mention(struct draft *draft, const struct mention *mention,
    struct host *host, bool first, struct err *err)
{
	struct host_draft *own = &draft->host[host->id];
	int group = hosts_find_group(draft, host->name);

	if (group >= 0)
		return err_at(err, ERR_PLAN, mention->name->place,
		    _("'%s' is the name of a host and of a group (line %d); "
		      "rename one, or list it under groups:"),
		    host->name, draft->group[group].place.line);
	if (mention->group >= 0) {
		if (own->group_count > 0 &&
		    own->groups[own->group_count - 1] == mention->group)
			return err_at(err, ERR_PLAN, mention->name->place,
			    _("group '%s': '%s' is listed twice; keep one"),
			    draft->group[mention->group].name, host->name);
		*arena_push(draft->arena, own->groups, own->group_count,
		    own->group_cap) = mention->group;
	}
	return first ? read_host(draft, mention, host, err) : 0;
}

static int
read_hosts(struct draft *draft, struct err *err)
{
	struct inventory *inventory = draft->inventory;
	struct mentions all = {NULL, 0, 0};
	struct host *host = NULL;
	size_t n = 0;
	bool first;
	int r;

	r = collect_mentions(draft, &all, err);
	if (r < 0)
		return r;
	if (all.count == 0)
		return err_at(err, ERR_PLAN,
		    (struct place){inventory->file, 0, 0},
		    _("the inventory names no host; list them under hosts: "
		      "or in a group"));
	qsort(all.items, all.count, sizeof(*all.items), compare_mentions);
	number_hosts(draft, all.items, all.count);
	for (size_t i = 0; i < all.count; i++) {
		first = host == NULL ||
			strcmp(host->name, all.items[i].name->text) != 0;
		if (first)
			host = &inventory->hosts[inventory->by_name[n++]];
		r = give_mention(draft, &all.items[i], host, first, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ssh is started in the project's folder: its file must be absolute. */
static int
find_ssh_config(struct draft *draft, const struct yaml *name, struct err *err)
{
	struct arena *arena = draft->arena;
	const char *path;
	char *folder;

	if (name == NULL)
		return 0;
	path = file_join(
	    arena, file_folder(arena, draft->inventory->file), name->text);
	if (path[0] != '/') {
		folder = realpath(".", NULL);
		if (folder == NULL)
			return err_errno(err, _("the working folder"));
		path = file_join(arena, folder, path);
		free(folder);
	}
	/* Whether it is there matters when a host is reached: a plan can be
	 * checked where no host can. */
	draft->inventory->ssh_config = path;
	draft->inventory->ssh_config_place = name->place;
	return 0;
}

static int
read_inventory(struct draft *draft, const struct yaml *root, struct err *err)
{
	const struct yaml *vars = NULL, *ssh_config = NULL;
	const struct yaml_field fields[] = {
	    {"ssh_config", YAML_WANT_TEXT, .node = &ssh_config},
	    hosts_become_field(root, &draft->become),
	    {"vars", YAML_WANT_MAP, .node = &vars},
	    {"groups", YAML_WANT_MAP, .node = &draft->groups},
	    {"hosts", YAML_WANT_MAP, .node = &draft->hosts},
	};
	int r;

	r = yaml_read(root, _("the inventory"), fields,
	    sizeof(fields) / sizeof(fields[0]), err);
	if (r == 0)
		r = hosts_read_become(
		    draft->arena, _("the inventory"), &draft->become, err);
	if (r == 0)
		r = find_ssh_config(draft, ssh_config, err);
	if (r == 0)
		r = hosts_read_vars(
		    draft->arena, vars, _("the inventory"), &draft->vars, err);
	if (r == 0)
		r = hosts_read_groups(draft, err);
	if (r == 0)
		r = read_hosts(draft, err);
	if (r == 0)
		r = hosts_merge(draft, err);
	return r;
}

int
inventory_load(struct arena *arena, const char *path, struct inventory **out,
    struct err *err)
{
	struct draft draft = {.arena = arena};
	struct yaml *root = NULL;
	int r;

	r = yaml_load(arena, path, &root, err);
	if (r < 0)
		return r;
	draft.inventory = arena_new_of(arena, struct inventory);
	draft.inventory->file = arena_strdup(arena, path);
	r = read_inventory(&draft, root, err);
	if (r == 0)
		*out = draft.inventory;
	return r;
}

const struct host *
inventory_host(const struct inventory *inventory, const char *name)
{
	size_t low = 0, high = inventory->count, middle;
	const struct host *host;
	int r;

	while (low < high) {
		middle = low + (high - low) / 2;
		host = &inventory->hosts[inventory->by_name[middle]];
		r = strcmp(name, host->name);
		if (r == 0)
			return host;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
