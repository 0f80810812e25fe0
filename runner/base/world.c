/*
 * The real clocks and random numbers.
 */
#include "base/world.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		bug("clock %d: %s", (int)clock, strerror(errno));
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
real_wall_ms(void *state)
{
	return clock_ms(CLOCK_REALTIME);
}

static int64_t
real_mono_ms(void *state)
{
	return clock_ms(CLOCK_BOOTTIME);
}

static void
real_random(void *state, void *out, size_t len)
{
	char *p = out;
	ssize_t got;

	while (len > 0) {
		got = getrandom(p, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			bug("getrandom: %s", strerror(errno));
		p += got;
		len -= (size_t)got;
	}
}

const struct world world_real = {
    .wall_ms = real_wall_ms,
    .mono_ms = real_mono_ms,
    .random = real_random,
};

int64_t
world_wall_ms(const struct world *world)
{
	return world->wall_ms(world->state);
}

int64_t
world_mono_ms(const struct world *world)
{
	return world->mono_ms(world->state);
}

void
world_random_hex(const struct world *world, char *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[64];
	size_t part;

	while (len > 0) {
		part = len < sizeof(raw) ? len : sizeof(raw);
		world->random(world->state, raw, part);
		for (size_t i = 0; i < part; i++) {
			*out++ = digits[raw[i] >> 4];
			*out++ = digits[raw[i] & 15];
		}
		len -= part;
	}
	*out = '\0';
}
