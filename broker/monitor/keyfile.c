/* SPDX-License-Identifier: ISC */
/* See keyfile.h.  Pure; fuzzed. */

#include "keyfile.h"

#include "broker/common/bdf.h"

#include <bsd/string.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 256

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

/* ---- types: fields may lie anywhere, so they are copied ---------------- */

/* A bool is 0 or 1. */
static uint64_t
number_max(size_t size)
{
	return size == sizeof(bool) ? 1 : UINT64_MAX >> (64 - 8 * size);
}

/* Both ways a number's low bytes come first, as on all machines of arch.h. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "low bytes first");

static bool
read_number(void *field, size_t size, const char *value)
{
	uint64_t n;
	char *end;

	if (value[0] < '0' || value[0] > '9' ||
	    (value[0] == '0' && value[1] != '\0'))
		return false;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno != 0 || *end != '\0' || n > number_max(size))
		return false;
	memcpy(field, &n, size);
	return true;
}

static void
print_number(char *buf, size_t len, const void *field, size_t size)
{
	uint64_t n = 0;

	memcpy(&n, field, size);
	snprintf(buf, len, "%llu", (unsigned long long)n);
}

static bool
read_bdf(void *field, size_t size, const char *value)
{
	struct bdf b;

	if (bdf_parse(value, &b) != 0)
		return false;
	memcpy(field, &b, size);
	return true;
}

static void
print_bdf(char *buf, size_t len, const void *field, size_t size)
{
	char name[BDF_STRLEN];
	struct bdf b;

	memcpy(&b, field, size);
	strlcpy(buf, bdf_format(&b, name), len);
}

static bool
read_text(void *field, size_t size, const char *value)
{
	if (value[0] == '\0')
		return false;
	return strlcpy(field, strcmp(value, "-") == 0 ? "" : value, size) <
	       size;
}

static bool
read_name(void *field, size_t size, const char *value)
{
	return strchr(value, '/') == NULL && read_text(field, size, value);
}

/* Names of processes and drivers are other people's. */
static void
print_text(char *buf, size_t len, const void *field, size_t size)
{
	const char *text = field;

	snprintf(buf, len, "%.*s", (int)size, text[0] == '\0' ? "-" : text);
	for (char *c = buf; *c != '\0'; c++) {
		if (*c == '\n')
			*c = '?';
	}
}

static const struct {
	bool (*read)(void *field, size_t size, const char *value);
	void (*print)(char *buf, size_t len, const void *field, size_t size);
} types[] = {
	[KEY_NUMBER] = { read_number, print_number },
	[KEY_BDF] = { read_bdf, print_bdf },
	[KEY_NAME] = { read_name, print_text },
	[KEY_TEXT] = { read_text, print_text },
};

/* ---- files ------------------------------------------------------------ */

size_t
keyfile_format(char *buf, size_t len, const char *magic,
    const struct keyfile_key *key, const void *object)
{
	char value[LINE_MAX_LEN];
	size_t at = strlcpy(buf, magic, len);
	int n;

	for (; key->name != NULL && at < len; key++) {
		types[key->type].print(value, sizeof(value),
		    (const char *)object + key->offset, key->size);
		n = snprintf(buf + at, len - at, "\n%s %s", key->name, value);
		at += n < 0 ? len : (size_t)n;
	}
	at = at < len ? strlcat(buf, "\nend\n", len) : len;
	return at < len ? at : 0;
}

static int
parse_key(
    const char **text, size_t *len, const struct keyfile_key *key, void *object)
{
	char line[LINE_MAX_LEN];
	const char *rest = *text;
	size_t n = strlen(key->name), nrest = *len;

	if (next_line(&rest, &nrest, line) != 0)
		return -EBADMSG;
	if (strncmp(line, key->name, n) != 0 || line[n] != ' ') {
		memset((char *)object + key->offset, 0, key->size);
		return key->added ? 0 : -EBADMSG;
	}
	*text = rest;
	*len = nrest;
	return types[key->type].read(
		   (char *)object + key->offset, key->size, line + n + 1)
		   ? 0
		   : -EBADMSG;
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
