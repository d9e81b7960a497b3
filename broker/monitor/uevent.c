/* SPDX-License-Identifier: ISC */
/*
 * The kernel's uevents, group 1: those of the kernel itself, not udev's.  Only
 * a sender of port 0 is the kernel.  When the socket overflows everything is
 * read again.
 */

#include "uevent.h"

#include "acquire.h"
#include "broker/common/log.h"
#include "inventory.h"
#include "life.h"
#include "loop.h"
#include "policyload.h"
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#define UEVENT_GROUP_KERNEL 1
#define UEVENT_MAX 8192

static struct event *readable;
static int sockfd = -1;

/* The value of KEY= among the message's NUL-separated strings. */
static const char *
find_value(const char *msg, size_t len, const char *key)
{
	size_t klen = strlen(key);

	for (const char *s = msg; s < msg + len; s += strlen(s) + 1) {
		if (strncmp(s, key, klen) == 0)
			return s + klen;
	}
	return NULL;
}

static const struct {
	const char *name;
	enum uevent_action action;
} actions[] = {
	{ "add", UEVENT_ADD },
	{ "remove", UEVENT_REMOVE },
	{ "bind", UEVENT_CHANGE },
	{ "unbind", UEVENT_CHANGE },
	{ "change", UEVENT_CHANGE },
	{ "move", UEVENT_CHANGE },
};

enum uevent_action
uevent_parse(const char *msg, size_t len, struct bdf *bdf)
{
	const char *action, *subsystem, *slot;

	if (len == 0 || msg[len - 1] != '\0')
		return UEVENT_NONE;
	action = find_value(msg, len, "ACTION=");
	subsystem = find_value(msg, len, "SUBSYSTEM=");
	slot = find_value(msg, len, "PCI_SLOT_NAME=");
	if (action == NULL || subsystem == NULL || slot == NULL ||
	    strcmp(subsystem, "pci") != 0 || bdf_parse(slot, bdf) != 0)
		return UEVENT_NONE;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, action) == 0)
			return actions[i].action;
	}
	return UEVENT_NONE;
}

/* Just read: what follows for it. */
static void
device_read(struct device *d, bool is_new)
{
	d->claimed =
	    policy_claims(policy_current(), &inventory_world, &d->facts);
	if (is_new) {
		log_info("%s appeared", device_name(d));
		watch_appeared(d);
		life_arrived(d);
		return;
	}
	life_settle(d);
	acquisition_poke();
}

static void
refresh(const struct bdf *bdf)
{
	bool known = inventory_find(bdf) != NULL;
	struct device *d = inventory_refresh(bdf);

	if (d != NULL)
		device_read(d, !known);
}

static void
remove_device(const struct bdf *bdf)
{
	struct device *d = inventory_find(bdf);
	int dirfd;

	if (d == NULL)
		return;
	/* The message is old if the function is there again. */
	dirfd = sysfs_open(bdf);
	if (dirfd >= 0)
		close(dirfd);
	life_removed(d);
	if (dirfd >= 0)
		refresh(bdf);
}

/* Messages were lost: what is gone, what is new, what has changed? */
static void
resync(void)
{
	struct device *d, *next;
	uint64_t start;
	int r;

	log_warn("uevents were lost: reading everything again");
	TAILQ_FOREACH_SAFE(d, &inventory, entry, next) {
		int dirfd = sysfs_open(&d->facts.bdf);

		if (dirfd >= 0)
			close(dirfd);
		else if (dirfd == -ENOENT)
			life_removed(d);
	}
	start = clock_us();
	r = inventory_scan();
	if (r != 0)
		log_warn("cannot read the PCI devices: %s", strerror(-r));
	TAILQ_FOREACH_SAFE(d, &inventory, entry, next)
		device_read(d, d->since_us >= start);
}

static void
uevent_handle(const char *msg, size_t len)
{
	struct bdf bdf;
	enum uevent_action action = uevent_parse(msg, len, &bdf);

	if (action == UEVENT_REMOVE)
		remove_device(&bdf);
	else if (action != UEVENT_NONE)
		refresh(&bdf);
}

static void
uevent_readable(void *arg)
{
	struct sockaddr_nl from;
	socklen_t fromlen = sizeof(from);
	char msg[UEVENT_MAX];
	ssize_t n;

	(void)arg;
	for (;;) {
		fromlen = sizeof(from);
		n = recvfrom(sockfd, msg, sizeof(msg), MSG_DONTWAIT,
		    (struct sockaddr *)&from, &fromlen);
		if (n == -1 && errno == ENOBUFS)
			resync();
		else if (n <= 0)
			return;
		else if (from.nl_pid == 0)
			uevent_handle(msg, (size_t)n);
	}
}

int
uevent_init(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
		.nl_groups = UEVENT_GROUP_KERNEL };
	int size = 1 << 20;

	sockfd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_KOBJECT_UEVENT);
	if (sockfd == -1)
		return -errno;
	/* A machine's worth of VFs at once; less will do, and resync. */
	(void)setsockopt(
	    sockfd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(sockfd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		return -errno;
	return loop_event(
	    &readable, sockfd, EV_READ | EV_PERSIST, uevent_readable, NULL);
}
