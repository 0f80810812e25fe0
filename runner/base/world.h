/*
 * The world outside: clocks and random numbers through one table, so that
 * tests and the simulated fleet can put in their own.
 * Monotonic time is for waiting, wall time for records; never mixed.
 */
#ifndef HOSHU_BASE_WORLD_H
#define HOSHU_BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct world {
	int64_t (*wall_ms)(void *state); /* since 1970, UTC */
	int64_t (*mono_ms)(void *state); /* CLOCK_BOOTTIME */
	void (*random)(void *state, void *out, size_t len);
	void *state;
};

/* The real one. */
extern const struct world world_real;

int64_t world_wall_ms(const struct world *world);
int64_t world_mono_ms(const struct world *world);
/* len random bytes as 2*len hex digits and a NUL into out. */
void world_random_hex(const struct world *world, char *out, size_t len);

#endif
