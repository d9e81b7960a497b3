/* SPDX-License-Identifier: ISC */
/*
 * A first policy, all of it comments.  Called by the client.  A line becomes
 * one of the policy by losing its "#"; text for people has a space behind it.
 * Must never print a line that allows something as it stands.
 */

#include "generate.h"

#include "text.h"

#define MEMLOCK "17G" /* 16 GiB of guest and what vfiobroker run adds */

/* Whether the host needs the device, and why, for people. */
static bool
host_needs(const struct policy_machine *m, size_t i, struct text *t)
{
	for (enum reason r = 0; m->needs != NULL && r < REASON_COUNT; r++)
		if (m->needs(m->arg, i, r))
			text_add(
			    t, "%s%s", t->len > 0 ? ", " : "", reason_text(r));
	return t->len > 0;
}

/* A group goes as a whole, so it stays as a whole. */
static bool
group_needed(const struct policy_machine *m, int group)
{
	for (size_t i = 0; i < m->ndevices; i++) {
		char why[200];
		struct text t = text_in(why, sizeof(why));

		if (m->devices[i].group == group &&
		    !device_is_bridge(&m->devices[i]) && host_needs(m, i, &t))
			return true;
	}
	return false;
}

static bool
has_vfs(const struct policy_machine *m, const struct policy_device *pf)
{
	for (size_t i = 0; i < m->ndevices; i++)
		if (m->devices[i].is_vf &&
		    bdf_cmp(&m->devices[i].pf, &pf->bdf) == 0)
			return true;
	return false;
}

/* What may be offered for itself: no bridge, no VF, nothing without group. */
static bool
is_candidate(const struct policy_device *d)
{
	return !device_is_bridge(d) && !d->is_vf && d->group >= 0;
}

static size_t
group_size(const struct policy_machine *m, int group, size_t *first)
{
	size_t n = 0;

	for (size_t i = m->ndevices; i > 0; i--) {
		if (m->devices[i - 1].group != group ||
		    !is_candidate(&m->devices[i - 1]))
			continue;
		*first = i - 1;
		n++;
	}
	return n;
}

/* Somebody else's text: nothing in it may end the line. */
static void
print_label(const char *label, FILE *f)
{
	fputs("  ", f);
	for (; *label != '\0'; label++)
		fputc(*label >= ' ' && *label < 0x7f ? *label : '?', f);
}

static void
describe(const struct policy_machine *m, size_t i, FILE *f)
{
	const struct policy_device *d = &m->devices[i];
	const char *label = m->label != NULL ? m->label(m->arg, i) : NULL;
	char name[BDF_STRLEN], why[200];
	struct text t = text_in(why, sizeof(why));

	fprintf(f, "#   %s  %04x:%04x  class %04x", bdf_format(&d->bdf, name),
	    d->vendor, d->device, d->class >> 8);
	if (label != NULL)
		print_label(label, f);
	if (host_needs(m, i, &t))
		fprintf(f, ": %s", why);
	fputc('\n', f);
}

/* "0000-01-10.0": an address that may name a pool. */
static const char *
pool_name(const struct bdf *b, char buf[BDF_STRLEN])
{
	bdf_format(b, buf);
	for (char *c = buf; *c != '\0'; c++)
		if (*c == ':')
			*c = '-';
	return buf;
}

static void
print_entry(const struct policy_device *d, FILE *f)
{
	char name[BDF_STRLEN];

	fprintf(f, " %s expect %04x:%04x", bdf_format(&d->bdf, name), d->vendor,
	    d->device);
}

static void
print_single(const struct policy_device *d, FILE *f)
{
	char name[BDF_STRLEN];

	fprintf(f,
	    "#allow user NAME use %s managed memlock " MEMLOCK
	    " expect %04x:%04x\n",
	    bdf_format(&d->bdf, name), d->vendor, d->device);
}

static void
print_group(const struct policy_machine *m, int group, size_t first, FILE *f)
{
	const struct policy_device *d = m->devices;
	char name[BDF_STRLEN];

	pool_name(&d[first].bdf, name);
	fprintf(f, "#pool group-%s {", name);
	for (size_t i = first; i < m->ndevices; i++)
		if (d[i].group == group && is_candidate(&d[i]))
			print_entry(&d[i], f);
	fprintf(f,
	    " }\n#allow user NAME use pool group-%s managed memlock " MEMLOCK
	    "\n",
	    name);
}

/* Device i stands for its group if it is the first of it. */
static void
print_candidate(const struct policy_machine *m, size_t i, FILE *f)
{
	const struct policy_device *d = m->devices;
	int group = d[i].group;
	size_t first = i, n;

	if (!is_candidate(&d[i]))
		return;
	n = group_size(m, group, &first);
	if (first != i || group_needed(m, group))
		return;
	fprintf(f, "\n# IOMMU group %d%s\n", group,
	    n > 1 ? ", which goes as a whole" : "");
	for (size_t j = i; j < m->ndevices; j++)
		if (d[j].group == group && is_candidate(&d[j]))
			describe(m, j, f);
	if (n > 1)
		print_group(m, group, first, f);
	else
		print_single(&d[i], f);
}

static void
print_vfs(
    const struct policy_machine *m, const struct policy_device *pf, FILE *f)
{
	char address[BDF_STRLEN], name[BDF_STRLEN];

	if (!has_vfs(m, pf))
		return;
	bdf_format(&pf->bdf, address);
	pool_name(&pf->bdf, name);
	fprintf(f, "\n# The virtual functions of %s, one per user\n", address);
	fprintf(f, "#pool vfs-%s { vf-of %s }\n", name, address);
	fprintf(f,
	    "#allow group NAME use pool vfs-%s managed memlock " MEMLOCK
	    " count 1\n",
	    name);
}

static void
print_needed(const struct policy_machine *m, FILE *f)
{
	fputs("\n# Not offered, for the host needs them or their group, or the "
	      "kernel\n# does not shield them:\n",
	    f);
	for (size_t i = 0; i < m->ndevices; i++) {
		const struct policy_device *d = &m->devices[i];

		if (!device_is_bridge(d) && !d->is_vf &&
		    (d->group < 0 || group_needed(m, d->group)))
			describe(m, i, f);
	}
}

void
policy_generate(const struct policy_machine *m, FILE *f)
{
	fputs("# A vfiobroker policy for this machine, see "
	      "vfiobroker-policy(5).\n"
	      "#\n"
	      "# As it stands it allows nothing.  Take the \"#\" off the lines "
	      "you want and\n"
	      "# write a user or a group for NAME; then try\n"
	      "# \"vfiobroker policy check\".\n"
	      "\n"
	      "# Bridges stay with the host, whatever else is said.\n"
	      "#deny any use class 06\n"
	      "\n"
	      "# What one user may hold, and how often ask.\n"
	      "#limit any devices 4 leases 4 connections 32 requests 100/s\n",
	    f);
	for (size_t i = 0; i < m->ndevices; i++)
		print_candidate(m, i, f);
	for (size_t i = 0; i < m->ndevices; i++)
		print_vfs(m, &m->devices[i], f);
	print_needed(m, f);
}
