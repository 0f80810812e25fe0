/* A known_hosts file, line by line: what a line says lies within it, and a
 * key of an unknown type never becomes one to trust. */
#include "fuzz.h"
#include "openssh/known_hosts.h"
#include "openssh/wire.h"

static const char *const hosts[] = {
    "web1", "10.0.0.1", "[web1]:2022", "[127.1.0.1]:2022"};

static bool
within(const char *line, size_t len, const char *at, size_t at_len)
{
	return at >= line && at_len <= len && at + at_len <= line + len;
}

static void
one_line(const char *line, size_t len)
{
	struct known_line known;
	struct buf blob = BUF_INIT;
	char key[4096];

	if (!known_line_parse(line, len, &known))
		return;
	fuzz_check(within(line, len, known.hosts, known.hosts_len));
	fuzz_check(within(line, len, known.type, known.type_len));
	fuzz_check(within(line, len, known.key, known.key_len));
	fuzz_check(known.hosts_len > 0 && known.type_len > 0);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		(void)known_line_is_for(&known, hosts[i]);
	(void)known_line_is_plain(&known);
	if (known.type_len + known.key_len + 2 < sizeof(key)) {
		snprintf(key, sizeof(key), "%.*s %.*s", (int)known.type_len,
		    known.type, (int)known.key_len, known.key);
		(void)wire_key_blob(key, &blob);
		buf_free(&blob);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};

	while (in.size > 0) {
		const uint8_t *end = memchr(in.data, '\n', in.size);
		size_t len = end != NULL ? (size_t)(end - in.data) : in.size;
		char *line = fuzz_piece(&in, &len);

		one_line(line, len);
		free(line);
		(void)fuzz_take(&in, 1);
	}
	return 0;
}
