/*
 * The table of messages: names, how many fields, which carries a descriptor;
 * and reading a field by its name. Knows nothing of sockets.
 */
#include "seam/inside.h"

#include <string.h>

#include "base/text.h"

struct seam_entry {
	const char *name;
	const char *fields; /* "module params ... +" */
};

static const struct seam_entry entries[SEAM_TYPES] = {
    [SEAM_NONE] = {"none", ""},
#define X(type, word, list) [type] = {word, list},
    SEAM_MESSAGES(X)
#undef X
};

const char *
seam_name(enum seam_type type)
{
	return entries[type].name;
}

bool
seam_carries(enum seam_type type)
{
	return strchr(entries[type].fields, '+') != NULL;
}

size_t
seam_field_count(enum seam_type type)
{
	const char *at = entries[type].fields;
	size_t count = 0;

	while (*at != '\0' && *at != '+') {
		count++;
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return count;
}

struct bytes
seam_field(const struct seam_message *message, const char *name)
{
	const char *at = entries[message->type].fields;
	size_t len = strlen(name);

	for (size_t i = 0; i < message->count; i++) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, name, len) == 0)
			return message->fields[i];
		at += word;
		at += strspn(at, " ");
	}
	bug("message %s has no field %s", seam_name(message->type), name);
}

const char *
seam_field_text(const struct seam_message *message, const char *name)
{
	/* seam_body_read made sure that a NUL stands behind each field */
	return seam_field(message, name).data;
}

int64_t
seam_field_int(
    const struct seam_message *message, const char *name, int64_t otherwise)
{
	struct bytes field = seam_field(message, name);
	int64_t value;

	if (strlen(field.data) != field.len ||
	    !text_int(field.data, INT64_MIN, INT64_MAX, &value))
		return otherwise;
	return value;
}
