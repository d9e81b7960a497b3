/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_STATE_H
#define VFIOBROKER_STATE_H

/*
 * The names of a device's states, shared by the monitor, which moves devices
 * between them (broker/monitor/transition.c), and by those who print them.
 */
enum state {
	STATE_HOST, /* the host's: its own driver, or none */
	STATE_CLAIMING, /* on its way to vfio-pci */
	STATE_READY, /* on vfio-pci, free */
	STATE_LEASED, /* in a lease */
	STATE_DRAINING, /* lease over, not yet proven unheld */
	STATE_RESETTING, /* being reset after a lease */
	STATE_RESTORING, /* on its way back to the host's driver */
	STATE_QUARANTINED, /* not fit for a next owner; see why */
	STATE_WEDGED, /* a worker is stuck in the kernel with it */
	STATE_GONE, /* removed; kept while something refers to it */
	STATE_COUNT,
};

/* "ready" */
const char *state_name(enum state);

#endif
