/* SPDX-License-Identifier: ISC */
/*
 * pick [PATH...]
 *
 * Reads JSON on standard input, one value or one a line, and prints the value
 * at each path ("devices.0.bdf", "devices.#" for how many) on a line of its
 * own, of every value read.  For the integration tests; ends with 1 when the
 * input is no JSON or has no such path.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static json_t *
member(json_t *j, const char *key)
{
	if (json_is_object(j))
		return json_object_get(j, key);
	if (json_is_array(j) && key[0] >= '0' && key[0] <= '9')
		return json_array_get(j, strtoul(key, NULL, 10));
	return NULL;
}

static void
print_value(json_t *j)
{
	if (json_is_string(j))
		puts(json_string_value(j));
	else if (json_dumpf(j, stdout, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		putchar('\n');
}

static void
print_at(json_t *j, const char *path)
{
	char *copy = strdup(path), *rest = copy, *key;

	if (copy == NULL)
		err(1, "strdup");
	while ((key = strsep(&rest, ".")) != NULL) {
		if (strcmp(key, "#") == 0) {
			printf("%zu\n", json_array_size(j));
			free(copy);
			return;
		}
		j = member(j, key);
		if (j == NULL)
			errx(1, "there is no %s in %s", key, path);
	}
	print_value(j);
	free(copy);
}

int
main(int argc, char **argv)
{
	json_error_t error;
	unsigned count = 0;
	json_t *j;

	while ((j = json_loadf(stdin,
		    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error)) !=
	       NULL) {
		for (int i = 1; i < argc; i++)
			print_at(j, argv[i]);
		json_decref(j);
		count++;
	}
	if (json_error_code(&error) != json_error_premature_end_of_input ||
	    count == 0)
		errx(1, "line %d: %s", error.line, error.text);
	return 0;
}
