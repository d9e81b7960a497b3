/* SPDX-License-Identifier: ISC */
/*
 * Names of devices from pci.ids, where a machine has it.  Called where a
 * person reads a few devices; a listing does without, to be quick.
 */

#include "pciids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const files[] = { "/usr/share/misc/pci.ids",
	"/usr/share/hwdata/pci.ids", "/var/lib/pciutils/pci.ids" };

/* Whether line is "<id>  name"; *name is then the name. */
static bool
line_has_id(const char *line, uint16_t id, const char **name)
{
	char want[8];

	snprintf(want, sizeof(want), "%04x  ", id);
	*name = line + 6;
	return strncmp(line, want, 6) == 0;
}

static void
append_name(char *buf, size_t size, const char *name)
{
	size_t len = strlen(buf);

	if (len > 0 && len + 1 < size)
		buf[len++] = ' ';
	for (; *name != '\0' && *name != '\n' && len + 1 < size; name++)
		buf[len++] = isprint((unsigned char)*name) ? *name : '?';
	buf[len] = '\0';
}

/* Vendors stand at the margin, their devices below behind one tab. */
bool
pciids_name_in(
    const char *file, uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	FILE *f = fopen(file, "re");
	bool in_vendor = false, found = false;
	const char *name;
	char line[512];

	if (f == NULL)
		return false;
	buf[0] = '\0';
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (line[0] != '\t' && in_vendor)
			break;
		if (line[0] != '\t' && line_has_id(line, vendor, &name)) {
			in_vendor = true;
			append_name(buf, size, name);
		} else if (in_vendor && line[0] == '\t' &&
			   line_has_id(line + 1, device, &name)) {
			found = true;
			append_name(buf, size, name);
		}
	}
	fclose(f);
	return found;
}

bool
pciids_name(uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (pciids_name_in(files[i], vendor, device, buf, size))
			return true;
	return false;
}
