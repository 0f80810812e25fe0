/* An inventory. What is taken can be selected from: every host and group by
 * its name, and nothing else by accident. */
#include "base/text.h"
#include "fuzz.h"
#include "hosts/hosts.h"

#include <sys/mman.h>
#include <unistd.h>

static void
select_one(struct arena *arena, const struct inventory *inventory,
    const char *name, size_t want)
{
	struct place place = {"selector", 1, 1};
	struct err err = ERR_INIT;
	int *ids = NULL;
	size_t count = 0;

	if (hosts_select(arena, inventory, name, place, &ids, &count, &err) <
	    0) {
		/* a group may be empty: that is an error, never nothing */
		fuzz_check(err.code == ERR_PLAN && want != 1);
		return;
	}
	fuzz_check(count > 0 && (want == 0 || count == want));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct inventory *inventory = NULL;
	struct err err = ERR_INIT;
	int fd = memfd_create("inventory", 0);
	char path[64];

	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inventory_load(arena, path, &inventory, &err) < 0) {
		fuzz_check(err.code == ERR_PLAN && err.text[0] == '/');
		fuzz_check(text_is_utf8(err.text, strlen(err.text)));
		goto out;
	}
	for (size_t i = 0; i < inventory->count && i < 50; i++) {
		const struct host *host = &inventory->hosts[i];

		fuzz_check(host->id == (int)i);
		fuzz_check(inventory_host(inventory, host->name) == host);
		select_one(arena, inventory, host->name, 1);
	}
	for (size_t i = 0; i < inventory->group_count && i < 50; i++)
		select_one(arena, inventory, inventory->groups[i], 0);
	if (inventory->count > 0)
		select_one(arena, inventory, "all", inventory->count);
out:
	close(fd);
	arena_free(arena);
	return 0;
}
