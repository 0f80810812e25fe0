/*
 * The main of a fuzz target where no libFuzzer is: runs every file named, or
 * in a folder named, then mutations of them from a seed. Speaks TAP.
 *	PROGRAM [-n MUTATIONS] [-s SECONDS] [-r SEED] FILE|FOLDER...
 * What was being run when it died is left in fuzz-crash-NAME in $TMPDIR.
 * Mutates blindly: finding new paths is libFuzzer's business.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16, SECONDS_EACH = 10 };

struct input {
	uint8_t *data;
	size_t size;
};

static struct driver {
	struct input *inputs;
	size_t count, cap;
	uint64_t random;
	/* for the handler of signals */
	const uint8_t *now;
	size_t now_size;
	char left[512];
} driver;

static uint32_t
draw(uint32_t below)
{
	driver.random ^= driver.random << 13;
	driver.random ^= driver.random >> 7;
	driver.random ^= driver.random << 17;
	return below > 0 ? (uint32_t)(driver.random >> 16) % below : 0;
}

static void
leave(void)
{
	int fd = open(driver.left, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || driver.now == NULL)
		return;
	(void)!write(fd, driver.now, driver.now_size);
	close(fd);
	dprintf(STDERR_FILENO, "# the input is in %s\n", driver.left);
}

static void
died(int signal_number)
{
	if (signal_number == SIGALRM)
		dprintf(STDERR_FILENO, "# one input took %d s\n", SECONDS_EACH);
	leave();
	signal(signal_number, SIG_DFL);
	raise(signal_number == SIGALRM ? SIGKILL : signal_number);
}

/* The sanitizers call it before they end the program, where they are. */
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

static void
run(const uint8_t *data, size_t size)
{
	/* exactly as large as it is, so that one byte too far is seen */
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	driver.now = copy;
	driver.now_size = size;
	alarm(SECONDS_EACH);
	LLVMFuzzerTestOneInput(copy, size);
	driver.now = NULL;
	free(copy);
}

static void
load(const char *path)
{
	struct input *input;
	struct stat st;
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	if (driver.count == driver.cap) {
		driver.cap = driver.cap > 0 ? driver.cap * 2 : 64;
		driver.inputs =
		    realloc(driver.inputs, driver.cap * sizeof(*driver.inputs));
		if (driver.inputs == NULL)
			abort();
	}
	input = &driver.inputs[driver.count++];
	input->data = malloc((size_t)st.st_size + 1);
	got = read(fd, input->data, (size_t)st.st_size);
	input->size = got > 0 ? (size_t)got : 0;
	close(fd);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
load_all(const char *path)
{
	struct dirent **names;
	struct stat st;
	int count;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		load(path);
		return;
	}
	count = scandir(path, &names, NULL, by_name);
	for (int i = 0; i < count; i++) {
		char file[1024];

		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && stat(file, &st) == 0 &&
		    S_ISREG(st.st_mode))
			load(file);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/* One change to what is in data; returns the new size. */
static size_t
mutate(uint8_t *data, size_t size)
{
	static const char *const words[] = {"", "\n", "\n  ", ": ", "- ", "{",
	    "}", "[", "]", "\"", "'", "${{ ", " }}", "0", "-1", "%", "&", "|",
	    "!", "~", "(", ")", "*", "\\", "\x1b[", "\xe2\x80\xae", "\xff",
	    "9223372036854775808", "65536", "# "};
	const struct input *other = &driver.inputs[draw(driver.count)];
	size_t at = draw((uint32_t)size + 1), len, from;
	const char *word;

	switch (draw(7)) {
	case 0: /* a bit */
		if (size > 0)
			data[at % size] ^= (uint8_t)(1u << draw(8));
		return size;
	case 1: /* a byte */
		if (size > 0)
			data[at % size] = (uint8_t)draw(256);
		return size;
	case 2: /* a piece goes */
		len = draw(draw(2) ? 4 : 64);
		if (len > size - at)
			len = size - at;
		memmove(data + at, data + at + len, size - at - len);
		return size - len;
	case 3: /* a piece comes again */
		len = draw(64);
		if (len > size - at)
			len = size - at;
		if (size + len > INPUT_MAX)
			return size;
		memmove(data + at + len, data + at, size - at);
		return size + len;
	case 4: /* a word */
		word = words[draw(sizeof(words) / sizeof(*words))];
		len = strlen(word);
		if (size + len > INPUT_MAX)
			return size;
		memmove(data + at + len, data + at, size - at);
		memcpy(data + at, word, len);
		return size + len;
	case 5: /* a piece of another */
		from = draw((uint32_t)other->size + 1);
		len = draw(128);
		if (len > other->size - from)
			len = other->size - from;
		if (size + len > INPUT_MAX)
			return size;
		memmove(data + at + len, data + at, size - at);
		memcpy(data + at, other->data + from, len);
		return size + len;
	case 6: /* an end */
		return at;
	}
	return size;
}

int
main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	const char *tmp = getenv("TMPDIR"), *name = strrchr(argv[0], '/');
	const char *length = getenv("FUZZ_MUTATIONS");
	long mutations = length != NULL ? atol(length) : 2000, seconds = 0;
	long ran = 0;
	time_t end;
	int option;

	driver.random = 20261122;
	while ((option = getopt(argc, argv, "n:s:r:")) != -1) {
		if (option == 'n')
			mutations = atol(optarg);
		else if (option == 's')
			seconds = atol(optarg);
		else if (option == 'r')
			driver.random = strtoull(optarg, NULL, 10) | 1;
		else
			return 2;
	}
	name = name != NULL ? name + 1 : argv[0];
	snprintf(driver.left, sizeof(driver.left), "%s/fuzz-crash-%s",
	    tmp != NULL ? tmp : "/tmp", name);
	for (int i = optind; i < argc; i++)
		load_all(argv[i]);
	if (driver.count == 0) {
		printf("1..1\nnot ok 1 - %s has seeds\n", name);
		return 1;
	}
	signal(SIGABRT, died);
	signal(SIGALRM, died);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(leave);
	else
		signal(SIGSEGV, died);
	printf("1..1\n");
	fflush(stdout);
	for (size_t i = 0; i < driver.count; i++)
		run(driver.inputs[i].data, driver.inputs[i].size);
	end = time(NULL) + seconds;
	while (seconds > 0 ? time(NULL) < end : ran < mutations) {
		const struct input *seed = &driver.inputs[draw(driver.count)];
		size_t size = seed->size < INPUT_MAX ? seed->size : INPUT_MAX;

		memcpy(data, seed->data, size);
		for (uint32_t changes = 1 + draw(6); changes > 0; changes--)
			size = mutate(data, size);
		run(data, size);
		ran++;
	}
	printf("ok 1 - %s: %zu seeds and %ld mutations\n", name, driver.count,
	    ran);
	for (size_t i = 0; i < driver.count; i++)
		free(driver.inputs[i].data);
	free(driver.inputs);
	return 0;
}
