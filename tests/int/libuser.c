/* SPDX-License-Identifier: ISC */
/*
 * libuser
 *
 * A program of libvfiobroker that outlives the broker, for the integration
 * tests: for each line of standard input it lists the devices and prints the
 * exit status of that and the error; a connection that was lost it opens
 * again for the next line.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/vfiobroker.h"

static int
list(struct vfiobroker **h, bool *open)
{
	struct vfiobroker_device *v = NULL;
	size_t n = 0;
	int r = 0;

	if (!*open) {
		vfiobroker_close(*h);
		r = vfiobroker_open(h, NULL);
	}
	if (r == 0)
		r = vfiobroker_list_devices(*h, &v, &n);
	*open = r >= 0;
	free(v);
	return r;
}

int
main(void)
{
	struct vfiobroker *h = NULL;
	bool open = false;
	char line[64];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		int r = list(&h, &open);

		printf("%d %s\n", vfiobroker_exit_status(r),
		    r == 0 ? "ok" : vfiobroker_error(h));
		fflush(stdout);
	}
	vfiobroker_close(h);
	return 0;
}
