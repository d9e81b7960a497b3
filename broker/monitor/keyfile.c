/* SPDX-License-Identifier: ISC */
/* See keyfile.h.  Pure; fuzzed. */

#include "keyfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 128

/* Moves one line, without its newline, into buf; it must have had one. */
static int
next_line(const char **text, size_t *len, char buf[LINE_MAX_LEN])
{
	const char *nl = memchr(*text, '\n', *len);
	size_t n;

	if (nl == NULL)
		return -EBADMSG;
	n = (size_t)(nl - *text);
	if (n >= LINE_MAX_LEN || memchr(*text, '\0', n) != NULL)
		return -EBADMSG;
	memcpy(buf, *text, n);
	buf[n] = '\0';
	*text += n + 1;
	*len -= n + 1;
	return 0;
}

static int
parse_key(
    const char **text, size_t *len, const struct keyfile_key *key, void *object)
{
	char line[LINE_MAX_LEN];
	size_t n = strlen(key->name);

	if (next_line(text, len, line) != 0 ||
	    strncmp(line, key->name, n) != 0 || line[n] != ' ')
		return -EBADMSG;
	if (key->set((char *)object + key->offset, line + n + 1) != 0)
		return -EBADMSG;
	return 0;
}

int
keyfile_parse(const char *text, size_t len, const char *magic,
    const struct keyfile_key *key, void *object)
{
	char line[LINE_MAX_LEN];

	if (next_line(&text, &len, line) != 0 || strcmp(line, magic) != 0)
		return -EBADMSG;
	for (; key->name != NULL; key++) {
		if (parse_key(&text, &len, key, object) != 0)
			return -EBADMSG;
	}
	if (next_line(&text, &len, line) != 0 || strcmp(line, "end") != 0)
		return -EBADMSG;
	return len == 0 ? 0 : -EBADMSG;
}

int
keyfile_set_u64(void *field, const char *value)
{
	char *end;
	uint64_t n;

	if (value[0] < '0' || value[0] > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	memcpy(field, &n, sizeof(n));
	return 0;
}

int
keyfile_set_bool(void *field, const char *value)
{
	bool b = value[0] == '1';

	if ((value[0] != '0' && value[0] != '1') || value[1] != '\0')
		return -EINVAL;
	memcpy(field, &b, sizeof(b));
	return 0;
}
