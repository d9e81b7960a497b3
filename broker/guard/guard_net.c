/* SPDX-License-Identifier: ISC */
/*
 * The guard's look at network interfaces: those of the function, and those
 * stacked on them, with their masters, addresses and default routes.  Called
 * from guard.c's table.  The kernel shows /proc/net under RCU; this must never
 * ask what takes the RTNL lock where there is another way, for a driver that
 * hangs while it closes an interface holds that lock.
 */

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/guard/guard_check.h"

#define NET "sys/class/net/%s"
#define NET_TRIES 3
#define ROUTE_REJECT 0x0200 /* RTF_REJECT: unreachable */

static unsigned int
port_number(struct guard *g, const char *name, const char *attr)
{
	char value[32] = "", *end;
	unsigned long number;

	if (!guard_read(
		g, value, sizeof(value), guard_path(g, NET "/%s", name, attr)))
		guard_fail(g, -ENOENT);
	number = strtoul(value, &end, 0);
	if (end == value || *end != '\0')
		guard_fail(g, -EBADMSG);
	return (unsigned int)number;
}

/* "eth0", or "bond0 above eth0", and what there is to say of it. */
static void
port_report(struct guard *g, enum reason reason, const struct guard_item *port,
    const char *what)
{
	if (strcmp(port->name, port->note) == 0)
		guard_report(g, reason, "%s %s", port->name, what);
	else
		guard_report(
		    g, reason, "%s above %s %s", port->name, port->note, what);
}

static void
net_visit(struct guard *g, char *name)
{
	struct guard_item *port;
	char master[PATH_MAX];

	if (!guard_owns(g, "net", name) || (port = guard_add(g, name)) == NULL)
		return;
	memcpy(port->note, port->name, sizeof(port->name));
	port->index = port_number(g, name, "ifindex");
	port->mark = (port_number(g, name, "flags") & IFF_UP) != 0;
	if (guard_link(
		g, master, sizeof(master), guard_path(g, NET "/master", name)))
		guard_report(
		    g, REASON_NET_MASTER, "%s in %s", name, basename(master));
}

/* A VLAN, bond or bridge on it is up or down as the function's own is. */
static void
upper_visit(struct guard *g, char *name)
{
	static const char upper[] = "upper_";
	const struct guard_item *base = &g->item[g->at];
	struct guard_item *port;

	if (strncmp(name, upper, strlen(upper)) != 0)
		return;
	name += strlen(upper);
	port = guard_add(g, name);
	if (port == NULL)
		return;
	memcpy(port->note, base->note, sizeof(port->note));
	port->index = port_number(g, name, "ifindex");
	port->mark = base->mark;
}

static void
address_match(
    struct guard *g, int family, unsigned int index, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < g->count; i++) {
		if (g->item[i].index == index && g->item[i].mark &&
		    inet_ntop(family, address, text, sizeof(text)) != NULL)
			port_report(g, REASON_NET_ADDRESS, &g->item[i], text);
	}
}

static void
ipv4_match(struct guard *g, struct nlmsghdr *h)
{
	struct ifaddrmsg *m = NLMSG_DATA(h);
	struct rtattr *a = IFA_RTA(m);

	/* IFA_ADDRESS would be the peer's on a point-to-point link. */
	for (size_t len = IFA_PAYLOAD(h); RTA_OK(a, len);
	     a = RTA_NEXT(a, len)) {
		if (a->rta_type == IFA_LOCAL &&
		    RTA_PAYLOAD(a) == sizeof(struct in_addr))
			address_match(g, AF_INET, m->ifa_index, RTA_DATA(a));
	}
}

/* Reads one packet of the dump; whether another one follows. */
static bool
ipv4_receive(struct guard *g, int nlfd)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	ssize_t n = recv(nlfd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
	size_t len = n < 0 ? 0 : (size_t)n;
	int error = 0;

	if (n < 0 || len > sizeof(buf)) {
		guard_fail(g, n < 0 ? -errno : -EMSGSIZE);
		return false;
	}
	for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, len);
	     h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			guard_fail(g, -EAGAIN); /* changed meanwhile */
		if (h->nlmsg_type == NLMSG_ERROR ||
		    h->nlmsg_type == NLMSG_DONE) {
			memcpy(&error, NLMSG_DATA(h), sizeof(error));
			guard_fail(g, error);
			return false;
		}
		if (h->nlmsg_type == RTM_NEWADDR)
			ipv4_match(g, h);
	}
	return true;
}

/*
 * No file of /proc/net tells which interface has which IPv4 address.  The dump
 * of addresses alone is made under RCU from Linux 6.9 on, and is a short walk
 * under RTNL before; getifaddrs() dumps the links as well, under RTNL always.
 * The kernel makes each packet within recv().
 */
static void
ipv4_dump(struct guard *g)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} request = { .h = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_GETADDR,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.m = { .ifa_family = AF_INET } };
	int nlfd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (nlfd < 0 || send(nlfd, &request, sizeof(request), MSG_DONTWAIT) < 0)
		guard_fail(g, -errno);
	else
		while (ipv4_receive(g, nlfd))
			;
	if (nlfd >= 0)
		close(nlfd);
}

/* "2 192.0.2.1": how a test's tree tells it. */
static void
ipv4_visit(struct guard *g, char *line)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	unsigned int index;

	if (sscanf(line, "%u %15s", &index, text) == 2 &&
	    inet_pton(AF_INET, text, &address) == 1)
		address_match(g, AF_INET, index, &address);
	else
		guard_fail(g, -EBADMSG);
}

/* "fe80...01 04 40 20 80 eth0"; the kernel itself adds link-local ones. */
static void
ipv6_visit(struct guard *g, char *line)
{
	unsigned int index, word[4];
	struct in6_addr address;

	if (sscanf(line, "%8x%8x%8x%8x %x", &word[0], &word[1], &word[2],
		&word[3], &index) != 5) {
		guard_fail(g, -EBADMSG);
		return;
	}
	for (size_t i = 0; i < 4; i++)
		address.s6_addr32[i] = htonl(word[i]);
	if (!IN6_IS_ADDR_LINKLOCAL(&address))
		address_match(g, AF_INET6, index, &address);
}

static void
route_match(struct guard *g, const char *name, const char *what)
{
	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->item[i].name, name) == 0)
			port_report(g, REASON_NET_ROUTE, &g->item[i], what);
	}
}

static void
route4_visit(struct guard *g, char *line)
{
	unsigned int destination, flags, mask;
	char name[IFNAMSIZ];

	if (strncmp(line, "Iface\t", strlen("Iface\t")) == 0)
		return;
	if (sscanf(line, "%15s %x %*x %x %*d %*u %*d %x", name, &destination,
		&flags, &mask) != 4)
		guard_fail(g, -EBADMSG);
	else if (destination == 0 && mask == 0 && (flags & ROUTE_REJECT) == 0)
		route_match(g, name, "has the IPv4 default route");
}

static void
route6_visit(struct guard *g, char *line)
{
	unsigned int plen, flags;
	char name[IFNAMSIZ];

	if (sscanf(line, "%*s %x %*s %*x %*s %*x %*x %*x %x %15s", &plen,
		&flags, name) != 3)
		guard_fail(g, -EBADMSG);
	else if (plen == 0 && (flags & ROUTE_REJECT) == 0)
		route_match(g, name, "has the IPv6 default route");
}

static void
any_visit(struct guard *g, char *name)
{
	(void)name;
	g->hit = true;
}

/*
 * The function's net directory exists while it has an interface, but shows
 * those of the reader's network namespace only: empty, a container has it.
 */
static void
net_elsewhere(struct guard *g)
{
	g->hit = !guard_exists(
	    g, guard_path(g, "sys/bus/pci/devices/%s/net", g->bdf));
	guard_each(
	    g, any_visit, guard_path(g, "sys/bus/pci/devices/%s/net", g->bdf));
	if (!g->hit)
		guard_report(g, REASON_NET_ADDRESS,
		    "an interface in another network namespace");
}

/* udev renames an interface just born: what was listed is not there then, and
 * the list is made anew. */
static void
net_ports(struct guard *g)
{
	int before = g->error;

	for (int i = 0; i < NET_TRIES; i++) {
		g->error = before;
		g->count = 0;
		guard_each(g, net_visit, "sys/class/net");
		if (g->error == before || g->error != -ENOENT)
			break;
	}
}

void
guard_net(struct guard *g)
{
	net_elsewhere(g);
	net_ports(g);
	if (g->count == 0)
		return;
	/* Each is looked at once: rings and depth are no matter. */
	for (g->at = 0; g->at < g->count; g->at++)
		guard_each(
		    g, upper_visit, guard_path(g, NET, g->item[g->at].name));
	if (g->live)
		ipv4_dump(g);
	else
		guard_lines(g, ipv4_visit, "proc/net/ipv4_addresses");
	if (!guard_lines(g, route4_visit, "proc/net/route"))
		guard_fail(g, -ENOENT);
	/* A kernel without IPv6 has neither. */
	guard_lines(g, ipv6_visit, "proc/net/if_inet6");
	guard_lines(g, route6_visit, "proc/net/ipv6_route");
}
