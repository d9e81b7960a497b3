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

static bool
read_number(const char *value, uint64_t max, uint64_t *out)
{
	char *end;

	if (value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(value, &end, 10);
	return errno == 0 && *end == '\0' && *out <= max;
}

static bool
read_u64(void *field, size_t size, const char *value)
{
	uint64_t n;

	if (!read_number(value, UINT64_MAX, &n))
		return false;
	memcpy(field, &n, size);
	return true;
}

static void
print_u64(char *buf, size_t len, const void *field)
{
	uint64_t n;

	memcpy(&n, field, sizeof(n));
	snprintf(buf, len, "%llu", (unsigned long long)n);
}

static bool
read_u32(void *field, size_t size, const char *value)
{
	uint64_t n;
	uint32_t n32;

	if (!read_number(value, UINT32_MAX, &n))
		return false;
	n32 = (uint32_t)n;
	memcpy(field, &n32, size);
	return true;
}

static void
print_u32(char *buf, size_t len, const void *field)
{
	uint32_t n;

	memcpy(&n, field, sizeof(n));
	snprintf(buf, len, "%u", n);
}

static bool
read_bool(void *field, size_t size, const char *value)
{
	bool b = value[0] == '1';

	if ((value[0] != '0' && value[0] != '1') || value[1] != '\0')
		return false;
	memcpy(field, &b, size);
	return true;
}

static void
print_bool(char *buf, size_t len, const void *field)
{
	bool b;

	memcpy(&b, field, sizeof(b));
	strlcpy(buf, b ? "1" : "0", len);
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
print_bdf(char *buf, size_t len, const void *field)
{
	char name[BDF_STRLEN];
	struct bdf b;

	memcpy(&b, field, sizeof(b));
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
print_text(char *buf, size_t len, const void *field)
{
	strlcpy(buf, *(const char *)field == '\0' ? "-" : field, len);
	for (char *c = buf; *c != '\0'; c++) {
		if (*c == '\n')
			*c = '?';
	}
}

static const struct {
	bool (*read)(void *field, size_t size, const char *value);
	void (*print)(char *buf, size_t len, const void *field);
} types[] = {
	[KEY_U32] = { read_u32, print_u32 },
	[KEY_U64] = { read_u64, print_u64 },
	[KEY_BOOL] = { read_bool, print_bool },
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
		types[key->type].print(
		    value, sizeof(value), (const char *)object + key->offset);
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
