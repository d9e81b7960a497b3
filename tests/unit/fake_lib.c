/* SPDX-License-Identifier: ISC */
/*
 * A libvfiobroker without a broker, for tests of the command: always the same
 * small machine.  VFIOBROKER_FAKE chooses what happens to requests: unset, all
 * is well; "down", nothing answers; else the name of a refusal below, behind
 * "late-" if only the opens of a running program shall meet it; or "slow", when
 * a lease takes some seconds.
 * VFIOBROKER_FAKE_LOG names a file that gets a line for each request.
 */

#include "client/vfiobroker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

struct vfiobroker {
	struct vfiobroker_welcome welcome;
	const char *error;
	size_t ntexts;
	struct vfiobroker_text texts[16];
	unsigned nevents;
};

static const struct {
	const char *name;
	int status;
	const char *error;
} refusals[] = {
	{ "not-found", VFIOBROKER_NOT_FOUND,
	    "there is no device 0000:09:00.0\n  'vfiobroker list' shows them" },
	{ "denied", VFIOBROKER_DENIED,
	    "the policy gives 0000:01:10.0 to nobody\n  add to "
	    "/etc/vfiobroker/policy.conf: allow user alice use 0000:01:10.0" },
	{ "host-in-use", VFIOBROKER_HOST_IN_USE,
	    "0000:04:00.0 is in use by the host: MOUNTED\n  unmount it" },
	{ "group", VFIOBROKER_GROUP,
	    "0000:05:02.0 in the same group is on e1000\n  take both" },
	{ "busy", VFIOBROKER_BUSY,
	    "0000:01:10.0 is held by bob: qemu (pid 99)\n  try again later" },
	{ "limit", VFIOBROKER_LIMIT,
	    "alice has 4 devices of 4\n  release one" },
	{ "unavailable", VFIOBROKER_UNAVAILABLE,
	    "this kernel has no IOMMU\n  boot with intel_iommu=on" },
};

static const char *
fake_mode(void)
{
	const char *mode = getenv("VFIOBROKER_FAKE");

	return mode != NULL ? mode : "";
}

static void __attribute__((format(printf, 1, 2))) fake_log(const char *fmt, ...)
{
	const char *name = getenv("VFIOBROKER_FAKE_LOG");
	FILE *f = name != NULL ? fopen(name, "ae") : NULL;
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	fclose(f);
}

static int
fake_refusal(struct vfiobroker *b, const char *mode)
{
	b->ntexts = 0;
	b->error = "";
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (strcmp(refusals[i].name, mode) != 0)
			continue;
		b->error = refusals[i].error;
		return refusals[i].status;
	}
	return 0;
}

static int
fake_result(struct vfiobroker *b)
{
	return fake_refusal(b, fake_mode());
}

int
vfiobroker_open(struct vfiobroker **out, const char *path)
{
	struct vfiobroker *b = calloc(1, sizeof(*b));

	(void)path;
	*out = b;
	if (b == NULL)
		return -ENOMEM;
	b->welcome = (struct vfiobroker_welcome){ .version = 1,
		.broker = "vfiobroker 0.1",
		.pid = getpid(),
		.vfio = true,
		.backend_group = true };
	b->error = "";
	if (strcmp(fake_mode(), "down") != 0)
		return 0;
	b->error = "the broker does not answer on "
		   "/run/vfiobroker/vfiobroker.sock\n"
		   "  start it: systemctl start vfiobrokerd.socket";
	return -ECONNREFUSED;
}

void
vfiobroker_close(struct vfiobroker *b)
{
	free(b);
}

int
vfiobroker_fd(const struct vfiobroker *b)
{
	(void)b;
	return -1;
}

const struct vfiobroker_welcome *
vfiobroker_welcome(const struct vfiobroker *b)
{
	return &b->welcome;
}

size_t
vfiobroker_texts(const struct vfiobroker *b, const struct vfiobroker_text **out)
{
	*out = b->texts;
	return b->ntexts;
}

const char *
vfiobroker_error(const struct vfiobroker *b)
{
	return b->error;
}

int
vfiobroker_exit_status(int r)
{
	static const int codes[] = { EX_OK, EX_NOINPUT, EX_NOPERM, EX_NOPERM,
		EX_NOPERM, EX_NOPERM, EX_TEMPFAIL, EX_TEMPFAIL, EX_UNAVAILABLE,
		EX_USAGE, EX_OSERR, EX_SOFTWARE };

	return r < 0 ? EX_UNAVAILABLE : codes[r];
}

/* clang-format off */
static const struct vfiobroker_device machine[] = {
	{ .bdf = { 0, 0, 0, 0, 0 }, .vendor = 0x8086, .device = 0x29c0,
	    .class_code = 0x060000, .group = 0, .numa = -1, .is_bridge = true,
	    .state = "host" },
	{ .bdf = { 0, 1, 0, 0, 0 }, .vendor = 0x8086, .device = 0x10c9,
	    .class_code = 0x020000, .group = 7, .numa = -1, .is_pf = true,
	    .state = "host", .driver = "igb" },
	{ .bdf = { 0, 1, 0x10, 0, 0 }, .pf = { 0, 1, 0, 0, 0 }, .is_vf = true,
	    .vendor = 0x8086, .device = 0x10ca, .class_code = 0x020000, .group = 12,
	    .numa = 0, .allowed = true, .state = "host", .driver = "igbvf" },
	{ .bdf = { 0, 1, 0x10, 2, 0 }, .pf = { 0, 1, 0, 0, 0 }, .is_vf = true,
	    .vendor = 0x8086, .device = 0x10ca, .class_code = 0x020000, .group = 13,
	    .numa = 0, .allowed = true, .mine = true, .claimed = true,
	    .lease = 17, .has_owner = true, .owner = 0, .state = "leased",
	    .driver = "vfio-pci" },
	{ .bdf = { 0, 1, 0x10, 4, 0 }, .pf = { 0, 1, 0, 0, 0 }, .is_vf = true,
	    .vendor = 0x8086, .device = 0x10ca, .class_code = 0x020000, .group = 14,
	    .numa = 0, .state = "draining", .driver = "vfio-pci",
	    .why = "pid 4711 (qemu) has group 14 open, for 3 s" },
	{ .bdf = { 0, 5, 1, 0, 0 }, .vendor = 0x8086, .device = 0x100e,
	    .class_code = 0x020000, .group = 9, .numa = -1, .state = "host",
	    .driver = "e1000" },
	{ .bdf = { 0, 5, 2, 0, 0 }, .vendor = 0x8086, .device = 0x100e,
	    .class_code = 0x020000, .group = 9, .numa = -1, .state = "host",
	    .driver = "e1000" },
	{ .bdf = { 0x10000, 0xe1, 0, 0, 0 }, .vendor = 0x1234, .device = 0x11e8,
	    .class_code = 0x00ff00, .group = -1, .numa = -1,
	    .state = "quarantined", .why = "the reset failed: Input/output error" },
};
/* clang-format on */

int
vfiobroker_list_devices(
    struct vfiobroker *b, struct vfiobroker_device **out, size_t *n)
{
	int r = fake_result(b);

	*n = 0;
	*out = NULL;
	if (r != 0)
		return r;
	*out = malloc(sizeof(machine));
	if (*out == NULL)
		return -ENOMEM;
	memcpy(*out, machine, sizeof(machine));
	*n = sizeof(machine) / sizeof(machine[0]);
	return 0;
}

int
vfiobroker_list_leases(
    struct vfiobroker *b, struct vfiobroker_lease **out, size_t *n)
{
	int r = fake_result(b);

	*n = 0;
	*out = NULL;
	if (r != 0)
		return r;
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	**out = (struct vfiobroker_lease){ .id = 17,
		.pid = 4242,
		.comm = "qemu-system-x86",
		.label = "web",
		.since = 1700000000,
		.memlock = 3ULL << 30,
		.ndevices = 1,
		.devices = { machine[3].bdf } };
	*n = 1;
	return 0;
}

/* A device's group on the machine above; others are their own number. */
static int
fake_group(const struct vfiobroker_bdf *bdf)
{
	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
		if (memcmp(&machine[i].bdf, bdf, sizeof(*bdf)) == 0)
			return machine[i].group;
	return bdf->dev;
}

static int
fake_fd(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}

int
vfiobroker_acquire(struct vfiobroker *b, const struct vfiobroker_request *q,
    struct vfiobroker_grant **out)
{
	int r = fake_result(b);
	char name[32];

	*out = NULL;
	fake_log("acquire n=%zu memlock=%" PRIu64 " label=%s no_wait=%d "
		 "lease=%" PRIu64 "%s",
	    q->ndevices, q->memlock, q->label != NULL ? q->label : "-",
	    q->no_wait, q->lease, q->iommufd ? " iommufd" : "");
	for (size_t i = 0; i < q->ndevices; i++)
		fake_log("  %04x:%02x:%02x.%x", q->devices[i].domain,
		    q->devices[i].bus, q->devices[i].dev, q->devices[i].fn);
	if (r != 0)
		return r;
	if (strcmp(fake_mode(), "slow") == 0)
		sleep(2);
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	(*out)->lease = q->lease != 0 ? q->lease : 23;
	(*out)->leasefd = fake_fd("lease");
	(*out)->containerfd = (*out)->iommufd = -1;
	if (q->iommufd)
		(*out)->iommufd = fake_fd("iommufd");
	else if (q->lease == 0)
		(*out)->containerfd = fake_fd("container");
	for (size_t i = 0; q->iommufd && i < q->ndevices; i++) {
		snprintf(name, sizeof(name), "cdev-%x.%x", q->devices[i].dev,
		    q->devices[i].fn);
		(*out)->cdevs[i].device = q->devices[i];
		(*out)->cdevs[(*out)->ncdevs++].fd = fake_fd(name);
	}
	for (size_t i = 0; !q->iommufd && i < q->ndevices; i++) {
		int group = fake_group(&q->devices[i]);
		size_t n = (*out)->ngroups++;

		snprintf(name, sizeof(name), "group-%d", group);
		(*out)->groups[n].group = group;
		(*out)->groups[n].fd = fake_fd(name);
	}
	return 0;
}

void
vfiobroker_grant_free(struct vfiobroker_grant *g)
{
	if (g == NULL)
		return;
	if (g->leasefd != -1)
		close(g->leasefd);
	if (g->containerfd != -1)
		close(g->containerfd);
	if (g->iommufd != -1)
		close(g->iommufd);
	for (size_t i = 0; i < g->ngroups; i++)
		if (g->groups[i].fd != -1)
			close(g->groups[i].fd);
	for (size_t i = 0; i < g->ncdevs; i++)
		if (g->cdevs[i].fd != -1)
			close(g->cdevs[i].fd);
	free(g);
}

int
vfiobroker_open_group(
    struct vfiobroker *b, uint64_t lease, int group, int *fd, int *containerfd)
{
	int r = fake_refusal(b, strncmp(fake_mode(), "late-", 5) == 0
				    ? fake_mode() + 5
				    : fake_mode());
	char name[32];

	fake_log("open_group lease=%" PRIu64 " group=%d", lease, group);
	*fd = *containerfd = -1;
	if (r != 0)
		return r;
	snprintf(name, sizeof(name), "again-%d", group);
	*fd = fake_fd(name);
	*containerfd = fake_fd("again-container");
	return 0;
}

int
vfiobroker_open_device(struct vfiobroker *b, uint64_t lease,
    const struct vfiobroker_bdf *device, int *fd)
{
	fake_log("open_device lease=%" PRIu64 " device=%x.%x", lease,
	    device->dev, device->fn);
	*fd = -1;
	return fake_result(b);
}

int
vfiobroker_open_iommufd(struct vfiobroker *b, uint64_t lease, int *fd)
{
	int r = fake_result(b);

	fake_log("open_iommufd lease=%" PRIu64, lease);
	*fd = r == 0 ? fake_fd("again-iommufd") : -1;
	return r;
}

int
vfiobroker_release(struct vfiobroker *b, uint64_t lease)
{
	fake_log("release %" PRIu64, lease);
	return fake_result(b);
}

int
vfiobroker_set_memlock(
    struct vfiobroker *b, uint64_t lease, uint64_t memlock, int pidfd)
{
	fake_log(
	    "set_memlock %" PRIu64 " %" PRIu64 " %d", lease, memlock, pidfd);
	return fake_result(b);
}

static void
add_text(struct vfiobroker *b, enum vfiobroker_text_kind kind, const char *text)
{
	b->texts[b->ntexts++] = (struct vfiobroker_text){ kind, text };
}

int
vfiobroker_explain(struct vfiobroker *b, const struct vfiobroker_bdf *bdf,
    uint64_t memlock, bool managed, const struct vfiobroker_about *about)
{
	int r = fake_result(b);

	fake_log("explain bus=%02x memlock=%" PRIu64 " managed=%d about=%d",
	    bdf->bus, memlock, managed, about != NULL ? (int)about->uid : -1);
	if (r == VFIOBROKER_NOT_FOUND)
		return r;
	if (r == 0) {
		add_text(b, VFIOBROKER_TEXT_DECISION, "it would be granted");
		add_text(b, VFIOBROKER_TEXT_RULE,
		    "policy.conf:3: allow group kvm use vf-of 0000:01:00.0 "
		    "managed memlock 4G");
	} else {
		add_text(b, VFIOBROKER_TEXT_DECISION, "it would be refused");
		add_text(b, VFIOBROKER_TEXT_WHY, "no allow line covers it");
	}
	add_text(b, VFIOBROKER_TEXT_NEAR,
	    "policy.conf:2: allow user bob use 0000:01:10.0: for another user");
	add_text(b, VFIOBROKER_TEXT_LIMIT, "devices 4, of which 1 is used");
	add_text(b, VFIOBROKER_TEXT_SIBLING, "none: alone in group 12");
	add_text(b, VFIOBROKER_TEXT_STEP, "unbind igbvf");
	add_text(b, VFIOBROKER_TEXT_STEP, "bind vfio-pci");
	add_text(b, VFIOBROKER_TEXT_STEP, "open group 12 and a container");
	return r;
}

int
vfiobroker_show_policy(struct vfiobroker *b)
{
	int r = fake_result(b);

	if (r != 0)
		return r;
	add_text(b, VFIOBROKER_TEXT_POLICY, "pool nics { vf-of 0000:01:00.0 }");
	add_text(b, VFIOBROKER_TEXT_POLICY, "allow group kvm use pool nics");
	return 0;
}

int
vfiobroker_revoke(struct vfiobroker *b, uint64_t lease, unsigned grace_ms)
{
	int r = fake_result(b);

	fake_log("revoke %" PRIu64 " %u", lease, grace_ms);
	if (r == 0)
		add_text(b, VFIOBROKER_TEXT_WHY,
		    "0000:01:10.2 came back and is ready");
	return r;
}

int
vfiobroker_recover(struct vfiobroker *b, const struct vfiobroker_bdf *bdf)
{
	fake_log("recover %04x:%02x:%02x.%x", bdf->domain, bdf->bus, bdf->dev,
	    bdf->fn);
	return fake_result(b);
}

int
vfiobroker_watch(struct vfiobroker *b)
{
	b->nevents = 0;
	return fake_result(b);
}

/* Three events, then the broker goes away. */
int
vfiobroker_next_event(struct vfiobroker *b, struct vfiobroker_event *out)
{
	static const struct vfiobroker_event events[] = {
		{ .number = 41,
		    .time_us = 1700000000123000,
		    .duration_us = 93000,
		    .kind = "device",
		    .device = { 0, 1, 0x10, 0, 0 },
		    .lease = 17,
		    .from = "claiming",
		    .to = "leased",
		    .has_owner = true,
		    .owner = 1000,
		    .text = "granted to pid 4242 (qemu-system-x86)" },
		{ .number = 42,
		    .time_us = 1700000001500000,
		    .kind = "lease",
		    .lease = 17,
		    .text = "ended" },
		{ .number = 43,
		    .time_us = 1700000002000000,
		    .kind = "policy",
		    .text = "reloaded: 12 lines" },
	};

	if (b->nevents == sizeof(events) / sizeof(events[0])) {
		b->error = "the broker closed the connection";
		return -ECONNRESET;
	}
	*out = events[b->nevents++];
	return 0;
}
