/*
 * The statement: the one screen of text that a person signs. One value has
 * exactly one form: what is read is written again and must give the same
 * bytes, so no two texts mean the same and no text means two things.
 * Pure: no clock, no file, no process.
 */
#include "approval/approval.h"
#include "approval/word.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/i18n.h"
#include "base/text.h"
#include "digest/digest.h"

enum { STATEMENT_MAX = 65536, CHANGE_MAX = 99999999, HOSTS_MAX = 1000000 };
enum { NONCE_MIN = 16, NONCE_MAX = 64 }; /* hex digits */
#define LATER_MAX_MS ((int64_t)366 * 86400000)
/* year 9999: what a four-digit year can say */
#define WALL_MAX_MS ((int64_t)253402300799999)

#define LATER_UNTIL ", so hosts that are away may be changed until "
#define LATER_END " without another approval"

static void
put_later(struct buf *out, const struct statement *statement)
{
	if (statement->later_ms == 0)
		return;
	buf_puts(out, "later: ");
	text_put_duration(out, statement->later_ms);
	buf_puts(out, LATER_UNTIL);
	text_put_time(out, statement->not_before_ms + statement->later_ms);
	buf_puts(out, LATER_END "\n");
}

void
statement_write(struct buf *out, const struct statement *statement)
{
	buf_puts(out, "hoshu-statement/1\n");
	word_put(out, "decision", statement->decision);
	buf_printf(out, "change: CHG-%04d\n", statement->change);
	word_put(out, "title", statement->title);
	buf_printf(out, "digest: sha256 %s\n", statement->digest);
	buf_printf(out, "plan: sha256 %s ", statement->plan_sha256);
	text_cleanse_to(
	    out, statement->plan_file, strlen(statement->plan_file), true);
	buf_printf(out, "\nhosts: %d, sha256 %s\n", statement->hosts,
	    statement->hosts_sha256);
	buf_printf(out, "modules: sha256 %s\n", statement->modules_sha256);
	buf_printf(out, "scripts: sha256 %s\n", statement->scripts_sha256);
	buf_printf(out, "rollback: sha256 %s\n", statement->rollback_sha256);
	buf_printf(out, "preview: sha256 %s\n", statement->preview_sha256);
	buf_printf(out, "at most: %d hosts in flight\n", statement->in_flight);
	word_put(out, "not taken back", statement->not_taken_back);
	if (statement->dead_man != NULL)
		word_put(out, "dead-man", statement->dead_man);
	if (statement->asks != NULL)
		word_put(out, "asks", statement->asks);
	if (statement->not_previewed != NULL)
		word_put(out, "not previewed", statement->not_previewed);
	put_later(out, statement);
	word_put(out, "person", statement->person);
	word_put_time(out, "not before", statement->not_before_ms);
	word_put_time(out, "not after", statement->not_after_ms);
	word_put(out, "nonce", statement->nonce);
}

/* What is left to read, line by line. */
struct lines {
	char *next;
	int number;
	struct err *err;
};

static int
refuse(const struct lines *lines, const char *key)
{
	return err_set(lines->err, ERR_APPROVAL,
	    _("the statement is not of the form hoshu-statement/1 at line %d "
	      "(%s); let 'hoshu approve' write it"),
	    lines->number, key);
}

/* The value behind "KEY: FRONT" and before BACK; the line's end is cut. */
static int
take(struct lines *lines, const char *key, const char *front, const char *back,
    char **value)
{
	char *line = lines->next, *end = strchr(line, '\n');
	size_t key_len = strlen(key), front_len = strlen(front);
	size_t back_len = strlen(back), len;

	lines->number++;
	if (end == NULL)
		return refuse(lines, key);
	*end = '\0';
	lines->next = end + 1;
	if (strncmp(line, key, key_len) != 0 ||
	    strncmp(line + key_len, ": ", 2) != 0 ||
	    strncmp(line + key_len + 2, front, front_len) != 0)
		return refuse(lines, key);
	line += key_len + 2 + front_len;
	len = strlen(line);
	if (len <= back_len || strcmp(line + len - back_len, back) != 0)
		return refuse(lines, key);
	line[len - back_len] = '\0';
	*value = line;
	return 0;
}

static int
take_words(struct lines *lines, const char *key, const char **words)
{
	char *value = NULL;
	int r = take(lines, key, "", "", &value);

	if (r == 0)
		*words = value;
	return r;
}

static int
take_nonce(struct lines *lines, const char **nonce)
{
	char *value = NULL;
	size_t len;
	int r;

	if ((r = take(lines, "nonce", "", "", &value)) < 0)
		return r;
	len = strlen(value);
	if (len < NONCE_MIN || len > NONCE_MAX ||
	    strspn(value, "0123456789abcdef") != len)
		return refuse(lines, "nonce");
	*nonce = value;
	return 0;
}

static int
take_int(struct lines *lines, const char *key, const char *front,
    const char *back, int64_t min, int64_t max, int *number)
{
	char *value = NULL;
	int64_t num = 0;
	int r;

	if ((r = take(lines, key, front, back, &value)) < 0)
		return r;
	/* CHG-0007: the zeros in front come back when it is written again */
	while (value[0] == '0' && value[1] != '\0')
		value++;
	if (!text_int(value, min, max, &num))
		return refuse(lines, key);
	*number = (int)num;
	return 0;
}

static int
check_digest(const struct lines *lines, const char *key, const char *hex)
{
	unsigned char raw[DIGEST_RAW];

	return digest_from_hex(hex, raw) < 0 ? refuse(lines, key) : 0;
}

static int
take_digest(struct lines *lines, const char *key, const char **hex)
{
	char *value = NULL;
	int r = take(lines, key, "sha256 ", "", &value);

	if (r == 0)
		r = check_digest(lines, key, value);
	if (r == 0)
		*hex = value;
	return r;
}

/* "sha256 HEX FILE" */
static int
take_plan(struct lines *lines, struct statement *out)
{
	char *value = NULL, *blank;
	int r;

	if ((r = take(lines, "plan", "sha256 ", "", &value)) < 0)
		return r;
	blank = strchr(value, ' ');
	if (blank == NULL || blank[1] == '\0')
		return refuse(lines, "plan");
	*blank = '\0';
	out->plan_sha256 = value;
	out->plan_file = blank + 1;
	return check_digest(lines, "plan", value);
}

/* "6, sha256 HEX" */
static int
take_hosts(struct lines *lines, struct statement *out)
{
	char *value = NULL, *comma;
	int64_t hosts = 0;
	int r;

	if ((r = take(lines, "hosts", "", "", &value)) < 0)
		return r;
	comma = strstr(value, ", sha256 ");
	if (comma == NULL)
		return refuse(lines, "hosts");
	*comma = '\0';
	if (!text_int(value, 0, HOSTS_MAX, &hosts))
		return refuse(lines, "hosts");
	out->hosts = (int)hosts;
	out->hosts_sha256 = comma + strlen(", sha256 ");
	return check_digest(lines, "hosts", out->hosts_sha256);
}

/* A line that only some statements have. */
static int
take_if_there(struct lines *lines, const char *key, const char **words)
{
	size_t len = strlen(key);

	if (strncmp(lines->next, key, len) != 0 ||
	    strncmp(lines->next + len, ": ", 2) != 0)
		return 0;
	return take_words(lines, key, words);
}

/* Its time follows from another line, and shows when it is written again. */
static int
take_later(struct lines *lines, struct statement *out)
{
	char *value = NULL, *until;
	int r;

	if (strncmp(lines->next, "later: ", strlen("later: ")) != 0)
		return 0;
	if ((r = take(lines, "later", "", LATER_END, &value)) < 0)
		return r;
	until = strstr(value, LATER_UNTIL);
	if (until == NULL)
		return refuse(lines, "later");
	*until = '\0';
	if (!text_duration(value, &out->later_ms) || out->later_ms < 1 ||
	    out->later_ms > LATER_MAX_MS)
		return refuse(lines, "later");
	return 0;
}

/* 2026-11-22T18:20:00.000Z; a wrong day shows when it is written again. */
static int
take_time(struct lines *lines, const char *key, int64_t *wall_ms)
{
	char *value = NULL, *rest, *end;
	struct tm tm = {0};
	int64_t ms;
	time_t seconds;
	int r;

	if ((r = take(lines, key, "", "Z", &value)) < 0)
		return r;
	rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL || rest[0] != '.' || strlen(rest) != 4 ||
	    strspn(rest + 1, "0123456789") != 3)
		return refuse(lines, key);
	ms = strtol(rest + 1, &end, 10);
	seconds = timegm(&tm);
	if (seconds < 0 || (int64_t)seconds > WALL_MAX_MS / 1000)
		return refuse(lines, key);
	*wall_ms = (int64_t)seconds * 1000 + ms;
	return 0;
}

static int
take_all(struct lines *lines, struct statement *out)
{
	char *head = lines->next, *end = strchr(head, '\n');
	int r;

	lines->number = 1;
	if (end == NULL)
		return refuse(lines, "head");
	*end = '\0';
	lines->next = end + 1;
	if (strcmp(head, "hoshu-statement/1") != 0)
		return refuse(lines, "head");
	if ((r = take_words(lines, "decision", &out->decision)) < 0)
		return r;
	if (strcmp(out->decision, "approve") != 0 &&
	    strcmp(out->decision, "reject") != 0)
		return refuse(lines, "decision");
	if ((r = take_int(lines, "change", "CHG-", "", 1, CHANGE_MAX,
		 &out->change)) < 0 ||
	    (r = take_words(lines, "title", &out->title)) < 0 ||
	    (r = take_digest(lines, "digest", &out->digest)) < 0 ||
	    (r = take_plan(lines, out)) < 0 ||
	    (r = take_hosts(lines, out)) < 0 ||
	    (r = take_digest(lines, "modules", &out->modules_sha256)) < 0 ||
	    (r = take_digest(lines, "scripts", &out->scripts_sha256)) < 0 ||
	    (r = take_digest(lines, "rollback", &out->rollback_sha256)) < 0 ||
	    (r = take_digest(lines, "preview", &out->preview_sha256)) < 0 ||
	    (r = take_int(lines, "at most", "", " hosts in flight", 0,
		 HOSTS_MAX, &out->in_flight)) < 0 ||
	    (r = take_words(lines, "not taken back", &out->not_taken_back)) <
		0 ||
	    (r = take_if_there(lines, "dead-man", &out->dead_man)) < 0 ||
	    (r = take_if_there(lines, "asks", &out->asks)) < 0 ||
	    (r = take_if_there(lines, "not previewed", &out->not_previewed)) <
		0 ||
	    (r = take_later(lines, out)) < 0 ||
	    (r = take_words(lines, "person", &out->person)) < 0 ||
	    (r = take_time(lines, "not before", &out->not_before_ms)) < 0 ||
	    (r = take_time(lines, "not after", &out->not_after_ms)) < 0)
		return r;
	return take_nonce(lines, &out->nonce);
}

int
statement_parse(struct arena *arena, struct bytes text, struct statement *out,
    struct err *err)
{
	struct buf again = BUF_LIMIT(STATEMENT_MAX);
	struct statement read = {0};
	struct lines lines = {.err = err};
	int r;

	if (text.len > STATEMENT_MAX ||
	    (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
		return err_set(err, ERR_APPROVAL,
		    _("the statement is no text of at most %d bytes; let "
		      "'hoshu approve' write it"),
		    STATEMENT_MAX);
	lines.next = arena_copy(arena, text.len > 0 ? text.data : "", text.len);
	if ((r = take_all(&lines, &read)) < 0)
		goto out;
	statement_write(&again, &read);
	if (!bytes_equal(buf_bytes(&again), text)) {
		r = err_set(err, ERR_APPROVAL,
		    _("the statement is not in its one form, so it was "
		      "edited; let 'hoshu approve' write it"));
		goto out;
	}
	*out = read;
out:
	buf_free(&again);
	return r;
}
