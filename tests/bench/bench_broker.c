/* SPDX-License-Identifier: ISC */
/*
 * Figures that need a broker and a real device, as ratios of things measured
 * side by side in one run.  Started in the lab by tests/bench/lab.sh:
 *
 *	bench_broker hot BDF GROUP ROUNDS     hot acquire / bare opens by root,
 *	                                      of another device's GROUP
 *	bench_broker ask ROUNDS               a round trip / two bare hops
 *
 * Never asserts; prints medians.
 */

#include "broker/common/bdf.h"
#include "client/vfiobroker.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 10000

static double
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void
say(const char *what, double *ours, double *bare, size_t n)
{
	double a = median(ours, n), b = median(bare, n);

	printf("%-12s %9.1f us against %9.1f us: %.2f x  (median of %zu)\n",
	    what, a, b, a / b, n);
}

static double
bare_open(const char *group)
{
	double start = now_us();
	int cfd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	int gfd = open(group, O_RDWR | O_CLOEXEC);
	double took = now_us() - start;

	if (cfd == -1 || gfd == -1)
		err(1, "%s", group);
	close(gfd);
	close(cfd);
	return took;
}

/* Only the call that is granted is timed: before it the device is being
 * reset after the round before. */
static double
hot_acquire(struct vfiobroker *vb, const struct vfiobroker_request *req)
{
	struct vfiobroker_grant *grant = NULL;
	double start, took;
	int r;

	do {
		start = now_us();
		r = vfiobroker_acquire(vb, req, &grant);
		took = now_us() - start;
	} while (r == VFIOBROKER_BUSY);
	if (r != 0)
		errx(1, "acquire: %s", vfiobroker_error(vb));
	vfiobroker_grant_free(grant);
	return took;
}

static int
bench_hot(char **argv)
{
	struct vfiobroker_request req = {
		.ndevices = 1, .no_wait = true, .pidfd = -1
	};
	struct vfiobroker_bdf device;
	static double ours[ROUNDS_MAX], bare[ROUNDS_MAX];
	size_t rounds = strtoul(argv[4], NULL, 10);
	struct vfiobroker *vb = NULL;
	struct bdf bdf;
	char node[64];

	if (bdf_parse(argv[2], &bdf) != 0 || rounds > ROUNDS_MAX)
		errx(64, "not an address or too many rounds");
	memcpy(&device, &bdf, sizeof(device));
	req.devices = &device;
	snprintf(node, sizeof(node), "/dev/vfio/%s", argv[3]);
	if (vfiobroker_open(&vb, NULL) != 0)
		errx(69, "%s", vfiobroker_error(vb));
	for (size_t i = 0; i < rounds; i++) {
		ours[i] = hot_acquire(vb, &req);
		bare[i] = bare_open(node);
	}
	vfiobroker_close(vb);
	say("hot acquire", ours, bare, rounds);
	return 0;
}

/* What two hops cost at least: a child that asks another. */
static void
hop(int infd, int outfd)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(infd, buf, sizeof(buf), 0)) > 0) {
		if (outfd != -1 &&
		    (send(outfd, buf, (size_t)n, 0) == -1 ||
			(n = recv(outfd, buf, sizeof(buf), 0)) <= 0))
			break;
		if (send(infd, buf, (size_t)n, 0) == -1)
			break;
	}
	_exit(0);
}

static int
two_hops(void)
{
	int a[2], b[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b) == -1)
		err(1, "socketpair");
	if (fork() == 0) {
		close(a[0]);
		close(b[1]);
		hop(a[1], b[0]);
	}
	if (fork() == 0) {
		close(a[0]);
		close(a[1]);
		close(b[0]);
		hop(b[1], -1);
	}
	close(a[1]);
	close(b[0]);
	close(b[1]);
	return a[0];
}

static int
bench_ask(char **argv)
{
	static double ours[ROUNDS_MAX], bare[ROUNDS_MAX];
	size_t rounds = strtoul(argv[2], NULL, 10), n;
	struct vfiobroker_lease *leases = NULL;
	struct vfiobroker *vb = NULL;
	char buf[512] = "ping";
	int fd = two_hops();

	if (rounds > ROUNDS_MAX)
		errx(64, "too many rounds");
	if (vfiobroker_open(&vb, NULL) != 0)
		errx(69, "%s", vfiobroker_error(vb));
	for (size_t i = 0; i < rounds; i++) {
		double start = now_us();

		if (vfiobroker_list_leases(vb, &leases, &n) != 0)
			errx(1, "%s", vfiobroker_error(vb));
		ours[i] = now_us() - start;
		free(leases);
		start = now_us();
		if (send(fd, buf, 64, 0) == -1 ||
		    recv(fd, buf, sizeof(buf), 0) <= 0)
			err(1, "ping");
		bare[i] = now_us() - start;
	}
	say("round trip", ours, bare, rounds);
	vfiobroker_close(vb);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "hot") == 0)
		return bench_hot(argv);
	if (argc == 3 && strcmp(argv[1], "ask") == 0)
		return bench_ask(argv);
	errx(64, "usage: bench_broker hot BDF GROUP ROUNDS | ask ROUNDS");
}
