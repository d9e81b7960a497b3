/* SPDX-License-Identifier: ISC */
/* Names for the numbers in the broker's sentences.  Called by whatever prints
 * one for a person; JSON keeps them as they came. */

#include "username.h"

#include <bsd/string.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UID_WORD "uid "

/* The end of the number behind s, or NULL when there is none. */
static const char *
uid_read(const char *s, uid_t *uid)
{
	unsigned long n;
	char *end;

	if (*s < '0' || *s > '9')
		return NULL;
	errno = 0;
	n = strtoul(s, &end, 10);
	if (errno != 0 || n >= (uid_t)-1)
		return NULL;
	*uid = (uid_t)n;
	return end;
}

/* "uid 1000 use" becomes "user alice use", as in a policy line that can be
 * copied from the screen; elsewhere the number stays and the name follows. */
static void
uid_print(const char *number, const char *end, const char *name, char *out,
    size_t size)
{
	if (strncmp(end, " use ", 5) == 0)
		snprintf(out, size, "user %s", name);
	else
		snprintf(out, size, UID_WORD "%.*s (%s)", (int)(end - number),
		    number, name);
}

char *
username_expand(const char *text, char *out, size_t size)
{
	const struct passwd *pw;
	const char *word, *end;
	char shown[80];
	size_t n = 0;
	uid_t uid;

	while ((word = strstr(text, UID_WORD)) != NULL && n < size) {
		const char *number = word + strlen(UID_WORD);

		end = uid_read(number, &uid);
		pw = end == NULL ? NULL : getpwuid(uid);
		if (pw != NULL)
			uid_print(
			    number, end, pw->pw_name, shown, sizeof(shown));
		else
			strlcpy(shown, UID_WORD, sizeof(shown));
		snprintf(out + n, size - n, "%.*s%s", (int)(word - text), text,
		    shown);
		n += strlen(out + n);
		text = pw != NULL ? end : number;
	}
	if (n < size)
		(void)strlcpy(out + n, text, size - n); /* cut at the end */
	return out;
}
