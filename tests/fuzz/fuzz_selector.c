/* A selector over a fixed inventory: hosts in order, each once, never none. */
#include "fuzz.h"
#include "hosts/hosts.h"

#include <sys/mman.h>
#include <unistd.h>

static const char text[] = "hosts:\n"
			   "  web1: { vars: { rack: a } }\n"
			   "  web2: { vars: { rack: b } }\n"
			   "  web10: {}\n"
			   "  db1: {}\n"
			   "  db2.x-y_z: {}\n"
			   "groups:\n"
			   "  web: { hosts: [web1, web2, web10] }\n"
			   "  db: { hosts: [db1, db2.x-y_z] }\n"
			   "  shop: { groups: [web, db] }\n"
			   "  empty: {}\n";

static struct inventory *
the_inventory(void)
{
	static struct inventory *inventory; /* read once */
	static struct arena *arena;
	struct err err = ERR_INIT;
	char path[64];
	int fd;

	if (inventory != NULL)
		return inventory;
	arena = arena_new();
	fd = memfd_create("inventory", 0);
	fuzz_check(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_check(inventory_load(arena, path, &inventory, &err) == 0);
	close(fd);
	return inventory;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inventory *inventory = the_inventory();
	struct arena *arena = arena_new();
	struct place place = {"plan.yml", 3, 10};
	char *selector = arena_copy(arena, data, size);
	struct err err = ERR_INIT;
	int *ids = NULL;
	size_t count = 0;

	if (hosts_select(
		arena, inventory, selector, place, &ids, &count, &err) < 0) {
		fuzz_check(err.code == ERR_PLAN);
		fuzz_check(strncmp(err.text, "plan.yml:3:", 11) == 0);
		goto out;
	}
	fuzz_check(count > 0 && count <= inventory->count);
	for (size_t i = 0; i < count; i++)
		fuzz_check(ids[i] >= 0 && (size_t)ids[i] < inventory->count &&
			   (i == 0 || ids[i] > ids[i - 1]));
out:
	arena_free(arena);
	return 0;
}
