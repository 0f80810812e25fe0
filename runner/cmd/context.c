/*
 * Opening and closing what commands work with; see context.h.
 */
#include "cmd/context.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"

#include <string.h>

int
context_open(
    struct context *context, const struct cmd_call *call, struct err *err)
{
	memset(context, 0, sizeof(*context));
	context->arena = call->arena;
	context->call = call;
	return project_load(call->arena, call->folder, &context->project, err);
}

void
context_close(struct context *context)
{
	if (context->fleet != NULL)
		fleet_close(context->fleet);
	context_passwords_free(context);
	if (context->journal != NULL)
		journal_close(context->journal);
	if (context->loop != NULL)
		loop_close(context->loop);
	memset(context, 0, sizeof(*context));
}

int
context_inventory(struct context *context, struct err *err)
{
	const char *file = context->project->inventory;

	if (!file_exists(file))
		return err_set(err, ERR_PLAN,
		    _("%s: there is no such inventory; write it, or name "
		      "another with inventory: in hoshu.yml"),
		    file);
	return inventory_load(context->arena, file, &context->inventory, err);
}

static int
context_loop(struct context *context, struct err *err)
{
	return context->loop != NULL ? 0 : loop_open(&context->loop, err);
}

int
context_fleet(struct context *context, struct err *err)
{
	struct fleet_options options = {
	    .workers = context->project->workers,
	    .world = &world_real,
	};
	int r = context_loop(context, err);

	if (r < 0)
		return r;
	return fleet_open(context->loop, &options, &context->fleet, err);
}

int
context_journal(
    struct context *context, enum journal_mode mode, struct err *err)
{
	int r = context_loop(context, err);

	if (r < 0)
		return r;
	r = journal_open(context->project->store, mode, &world_real,
	    context->loop, &context->journal, err);
	if (r == 0)
		context->blobs = blobs_new(context->arena, context->journal);
	return r;
}

static int
load_fold(void *arg, const struct record *record, struct err *err)
{
	return fold_record(arg, record, err);
}

static void
load_shape(struct context *context)
{
	struct fold_shape shape;

	change_shape(context->arena, context->change, &shape);
	fold_shape(&context->fold, &shape);
}

int
context_load(struct context *context, const char *word, struct err *err)
{
	int number = change_number(word), last, r;
	char name[16];

	if (number == 0)
		return err_set(err, ERR_USAGE,
		    _("'%s' is no change; they are named like CHG-0007 "
		      "(`hoshu list` shows them)"),
		    word);
	r = journal_last_change(context->journal, &last, err);
	if (r < 0)
		return r;
	if (number > last)
		return err_set(err, ERR_USAGE,
		    _("there is no %s; `hoshu list` shows what there is"),
		    change_name(number, name));
	fold_init(&context->fold, context->arena, number);
	r = journal_read(
	    context->journal, number, 0, load_fold, &context->fold, err);
	if (r < 0)
		return r;
	r = change_thaw(context->arena, context->fold.frozen, context->blobs,
	    &context->change, err);
	if (r < 0)
		return r;
	context->change->number = number;
	fold_init(&context->fold, context->arena, number);
	load_shape(context);
	return journal_read(
	    context->journal, number, 0, load_fold, &context->fold, err);
}

/* What was fixed at submit must still be what OpenSSH would use. */
static int
reach_same(const struct change_host *host, const struct ssh_settings *ssh,
    struct err *err)
{
	if (strcmp(host->address, ssh->address) == 0 &&
	    host->port == ssh->port && strcmp(host->user, ssh->user) == 0)
		return 0;
	return err_set(err, ERR_REFUSED,
	    _("%s: the change was approved for %s@%s:%d, but OpenSSH's "
	      "settings now say %s@%s:%d; put them back or submit the plan "
	      "again"),
	    host->name, host->user, host->address, host->port, ssh->user,
	    ssh->address, ssh->port);
}

/* What OpenSSH would use for every host, asked for all at once. */
static struct change_host *
reach_host(struct change *change, size_t index)
{
	return index < change->host_count
		   ? &change->hosts[index]
		   : &change->places[index - change->host_count];
}

static int
reach_settings(
    struct context *context, struct ssh_settings **settings, struct err *err)
{
	struct change *change = context->change;
	const char *config = context->inventory->ssh_config;
	size_t count = change->host_count + change->place_count;
	struct openssh_wanted *wanted =
	    arena_array(context->arena, struct openssh_wanted, count + 1);

	if (config != NULL && !file_exists(config))
		return err_at(err, ERR_PLAN,
		    context->inventory->ssh_config_place,
		    _("ssh_config: there is no file '%s', so no host can be "
		      "reached; it is looked for beside the inventory"),
		    config);
	for (size_t i = 0; i < count; i++) {
		const char *name = reach_host(change, i)->name;
		const struct host *known =
		    inventory_host(context->inventory, name);

		wanted[i].name = name;
		wanted[i].port = known != NULL ? known->port : 0;
		wanted[i].user = known != NULL ? known->user : NULL;
	}
	return openssh_settings_all(context->arena, config,
	    file_exists(context->project->store)
		? file_join(context->arena, context->project->store, "cache")
		: NULL,
	    wanted, count, settings, err);
}

int
context_reach(struct context *context, struct err *err)
{
	struct change *change = context->change;
	size_t count = change->host_count + change->place_count;
	struct ssh_settings **settings =
	    arena_array(context->arena, struct ssh_settings *, count + 1);
	int r;

	context->reach =
	    arena_array(context->arena, struct fleet_host, count + 1);
	r = reach_settings(context, settings, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct change_host *host = reach_host(change, i);
		const struct host *known =
		    inventory_host(context->inventory, host->name);
		struct ssh_settings *ssh = settings[i];

		if (known != NULL && known->address != NULL)
			ssh->address = known->address;
		if (host->address == NULL) { /* not frozen yet */
			host->address = ssh->address;
			host->port = ssh->port;
			host->user = ssh->user;
		}
		r = reach_same(host, ssh, err);
		if (r < 0)
			return r;
		context->reach[i].ssh = ssh;
		context->reach[i].place = i >= change->host_count;
		context->reach[i].become = host->become;
		context->reach[i].root_spool = "";
		context->reach[i].ssh_config = context->inventory->ssh_config;
		if (known == NULL || known->password == NULL ||
		    strcmp(host->become, "sudo") != 0)
			continue;
		r = context_password(
		    context, known->password, &context->reach[i].password, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
context_equip(struct context *context, struct err *err)
{
	struct change *change = context->change;
	struct bytes data;
	int r;

	for (size_t i = 0; i < change->module_count; i++) {
		r = blobs_get(
		    change->blobs, change->modules[i].sha256, &data, err);
		if (r < 0)
			return r;
		fleet_module(context->fleet, change->modules[i].name, data);
	}
	for (size_t i = 0; i < change->files->count; i++) {
		const char *sha256 =
		    json_get_text(change->files->items[i], "sha256", "");

		r = blobs_get(change->blobs, sha256, &data, err);
		if (r < 0)
			return r;
		fleet_blob(context->fleet, sha256, data);
	}
	return 0;
}
