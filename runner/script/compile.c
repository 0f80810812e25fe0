/*
 * The modules and blobs of one worker: text chunks compiled to bytecode of
 * our own making, which is what a job's fresh state loads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

struct blob {
	char sha256[65];
	struct buf data;
	struct blob *next;
};

struct script {
	struct module *modules;
	struct blob *blobs;
};

struct script *
script_new(void)
{
	return xcalloc(1, sizeof(struct script));
}

static void
module_clear(struct module *module)
{
	for (size_t i = 0; i < module->param_count; i++)
		match_free(module->params[i].match);
	arena_free(module->arena);
	module->arena = arena_new();
	module->code = (struct bytes){NULL, 0};
	module->descriptor = NULL;
	module->params = NULL;
	module->param_count = 0;
	module->failure.text[0] = '\0';
}

void
script_free(struct script *script)
{
	struct module *module;
	struct blob *blob;

	if (script == NULL)
		return;
	while ((module = script->modules) != NULL) {
		script->modules = module->next;
		module_clear(module);
		arena_free(module->arena);
		free(module->name);
		free(module);
	}
	while ((blob = script->blobs) != NULL) {
		script->blobs = blob->next;
		buf_free(&blob->data);
		free(blob);
	}
	free(script);
}

struct module *
script_find(const struct script *script, const char *name)
{
	struct module *module;

	if (script == NULL)
		return NULL;
	for (module = script->modules; module != NULL; module = module->next)
		if (strcmp(module->name, name) == 0)
			return module;
	return NULL;
}

struct compile_job {
	struct module *module;
	struct bytes source;
	struct buf code;
};

static int
write_code(lua_State *L, const void *data, size_t len, void *arg)
{
	(void)L;
	buf_put(arg, data, len);
	return 0;
}

static int
compile(lua_State *L)
{
	struct compile_job *job = lua_touserdata(L, 1);
	struct module *module = job->module;

	world_push(L);
	box_load(
	    L, job->source, lua_pushfstring(L, "=%s.lua", module->name), "t");
	/* with line numbers: errors at run time name theirs */
	lua_dump(L, write_code, &job->code, 0);
	lua_call(L, 0, 1);
	module->descriptor = descriptor_check(L, module->name, module->arena);
	return 0;
}

int
script_module(struct script *script, const char *name, struct bytes source,
    struct script_failure *failure)
{
	struct module *module = script_find(script, name);
	struct compile_job job = {NULL, source, BUF_INIT};
	struct box box;
	int r;

	if (module == NULL) {
		module = xcalloc(1, sizeof(*module));
		module->name = xstrdup(name);
		module->next = script->modules;
		script->modules = module;
	}
	module_clear(module);
	job.module = module;
	box_open(&box, script);
	r = box_run(&box, compile, &job, &module->failure);
	box_close(&box);
	if (r == 0)
		r = descriptor_params(module, &module->failure);
	if (r == 0) {
		module->code.len = job.code.len;
		module->code.data =
		    arena_copy(module->arena, buf_str(&job.code), job.code.len);
	} else {
		if (module->failure.file[0] == '\0')
			snprintf(module->failure.file,
			    sizeof(module->failure.file), "%.240s.lua", name);
		*failure = module->failure;
	}
	buf_free(&job.code);
	return r;
}

int
script_describe(struct script *script, const char *name, struct buf *json,
    struct script_failure *failure)
{
	const struct module *module = script_find(script, name);

	if (module == NULL) {
		char clean[200];

		text_cleanse(clean, sizeof(clean), name, strlen(name));
		memset(failure, 0, sizeof(*failure));
		failure->fault = SCRIPT_MODULE;
		snprintf(failure->text, sizeof(failure->text),
		    _("there is no module '%s'"), clean);
		return -1;
	}
	if (module->failure.text[0] != '\0') {
		*failure = module->failure;
		return -1;
	}
	json_write(json, module->descriptor);
	return 0;
}

void
script_blob(struct script *script, const char *sha256, struct bytes data)
{
	struct blob *blob;

	if (script_blob_get(script, sha256).data != NULL ||
	    strlen(sha256) >= sizeof(blob->sha256))
		return; /* named by its content: never another */
	blob = xcalloc(1, sizeof(*blob));
	strcpy(blob->sha256, sha256);
	buf_put(&blob->data, data.data, data.len);
	blob->next = script->blobs;
	script->blobs = blob;
}

struct bytes
script_blob_get(const struct script *script, const char *sha256)
{
	const struct blob *blob;

	for (blob = script != NULL ? script->blobs : NULL; blob != NULL;
	     blob = blob->next)
		if (strcmp(blob->sha256, sha256) == 0)
			return (struct bytes){
			    buf_str(&blob->data), blob->data.len};
	return (struct bytes){NULL, 0};
}
