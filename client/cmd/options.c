/* SPDX-License-Identifier: ISC */
/*
 * The reader of options and the printer of help, both driven by the tables of
 * the subcommands.  Unknown words are errors; nothing is guessed, and no
 * abbreviation is taken, so that scripts stay right when options are added.
 */

#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "say.h"
#include "size.h"

const char *
option_flag(void *to, const char *value, char *buf)
{
	(void)value;
	(void)buf;
	*(bool *)to = true;
	return NULL;
}

const char *
option_text(void *to, const char *value, char *buf)
{
	(void)buf;
	*(const char **)to = value;
	return NULL;
}

const char *
option_size(void *to, const char *value, char *buf)
{
	(void)buf;
	switch (size_parse(value, to)) {
	case 0:
		return NULL;
	case -ERANGE:
		return "that is more bytes than a number can hold";
	default:
		return "a size is bytes, or has K, M, G or T behind it, "
		       "such as 64M or 2G";
	}
}

int
device_list_add(struct device_list *list, const struct vfiobroker_bdf *bdf)
{
	for (size_t i = 0; i < list->n; i++)
		if (address_equal(&list->v[i], bdf))
			return 0;
	if (list->n == VFIOBROKER_MAX_DEVICES)
		return -E2BIG;
	list->v[list->n++] = *bdf;
	return 0;
}

const char *
option_device(void *to, const char *value, char *buf)
{
	struct vfiobroker_bdf bdf = { 0 };
	int r = address_parse(value, &bdf);

	if (r != 0)
		return address_error(r, value, buf, OPTION_ERROR_MAX);
	if (device_list_add(to, &bdf) != 0)
		return "a lease has room for 16 devices";
	return NULL;
}

const char *
option_seconds(void *to, const char *value, char *buf)
{
	double seconds;
	char *end;

	(void)buf;
	seconds = strtod(value, &end);
	if (end == value || *end != '\0' || !(seconds >= 0 && seconds <= 86400))
		return "seconds are a number from 0 to 86400";
	*(unsigned *)to = (unsigned)(seconds * 1000);
	return NULL;
}

static void
print_option(const struct option_spec *o)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", o->name,
	    o->metavar != NULL ? " " : "",
	    o->metavar != NULL ? o->metavar : "");
	printf("  %-18s  %s\n", left, o->help);
}

static int
print_help(const struct command *c, const struct option_spec *options)
{
	bool any = options[0].name != NULL;

	printf("usage: vfiobroker %s%s%s%s\n\n%s.\n", c->name,
	    any ? " [options]" : "", c->operands[0] != '\0' ? " " : "",
	    c->operands, c->summary);
	if (any)
		putchar('\n');
	for (; options->name != NULL; options++)
		print_option(options);
	printf("\n%s", c->help);
	return EX_OK;
}

/* Finds word (name of length n) in the table; NULL if it is not there. */
static const struct option_spec *
find_option(const struct option_spec *o, const char *word, size_t n)
{
	for (; o->name != NULL; o++)
		if (strlen(o->name) == n && strncmp(o->name, word, n) == 0)
			return o;
	return NULL;
}

/* Takes one option at argv[i]; *i moves over a separate value. */
static int
take_option(const struct command *c, const struct option_spec *options,
    int argc, char **argv, int *i)
{
	const char *word = argv[*i] + 2;
	const char *value = strchr(word, '=');
	size_t n = value != NULL ? (size_t)(value - word) : strlen(word);
	const struct option_spec *o = find_option(options, word, n);
	char buf[OPTION_ERROR_MAX];
	const char *wrong;

	if (o == NULL)
		return say_usage(c->name, "%s: there is no option --%.*s",
		    c->name, (int)n, word);
	if (value != NULL)
		value++;
	if (o->metavar == NULL && value != NULL)
		return say_usage(
		    c->name, "%s: --%s takes no value", c->name, o->name);
	if (o->metavar != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return say_usage(c->name, "%s: --%s needs a value, %s",
			    c->name, o->name, o->metavar);
		value = argv[++*i];
	}
	wrong = o->set(o->to, value, buf);
	if (wrong == NULL)
		return OPTIONS_OK;
	return say_usage(c->name, "%s: --%s %s: %s", c->name, o->name,
	    value != NULL ? value : "", wrong);
}

int
options_read(const struct command *c, const struct option_spec *options,
    int *argc, char ***argv)
{
	char **v = *argv;
	int n = 0, i, r;

	for (i = 1; i < *argc; i++) {
		if (strcmp(v[i], "--help") == 0 || strcmp(v[i], "-h") == 0)
			return print_help(c, options);
		if (strcmp(v[i], "--") == 0) {
			i++;
			break;
		}
		if (v[i][0] == '-' && v[i][1] != '-' && v[i][1] != '\0')
			return say_usage(c->name, "%s: there is no option %s",
			    c->name, v[i]);
		if (v[i][0] == '-' && v[i][1] == '-') {
			r = take_option(c, options, *argc, v, &i);
			if (r != OPTIONS_OK)
				return r;
		} else if (c->wraps) {
			break;
		} else {
			v[n++] = v[i];
		}
	}
	while (i < *argc)
		v[n++] = v[i++];
	v[n] = NULL;
	*argc = n;
	return OPTIONS_OK;
}
