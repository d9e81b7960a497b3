/* SPDX-License-Identifier: ISC */
/* The guard's look at interfaces: each reason, none, many, and hostile trees. */

#include <arpa/inet.h>
#include <net/if.h>

#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <unistd.h>

#include "tests/unit/guard_scene.h"

static void
net_up(struct fixture *f)
{
	net(f, UP);
}

static void
net_down(struct fixture *f)
{
	net(f, DOWN);
	addresses(f);
}

static void
net_master(struct fixture *f)
{
	net(f, DOWN);
	fixture_net(f, "virtual/net/br0", 3, UP);
	fixture_upper(f, "eth0", "br0", 1);
}

/* eth0 in bond0, and a VLAN on that, which has the address and the routes. */
static void
net_stack(struct fixture *f)
{
	net(f, UP);
	fixture_net(f, "virtual/net/bond0", 4, UP);
	fixture_net(f, "virtual/net/bond0.5", 3, UP);
	fixture_upper(f, "eth0", "bond0", 1);
	fixture_upper(f, "bond0", "bond0.5", 0);
	fixture_append(f,
	    "bond0.5\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n",
	    "proc/net/route");
}

static void
net_routes(struct fixture *f)
{
	net(f, DOWN);
	fixture_append(f,
	    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n"
	    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n"
	    "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0   \n"
	    "eth1\t00000000\t010200C0\t0003\t0\t0\t9\t00000000\t0\t0\t0   \n"
	    "*\t00000000\t00000000\t0201\t0\t0\t9\t00000000\t0\t0\t0   \n",
	    "proc/net/route");
	fixture_append(f,
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "fd000000000000000000000000000001 00000400 00000002 00000000 "
	    "00000003     eth0\n"
	    "fe800000000000000000000000000000 40 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000400 00000002 00000000 "
	    "00000001     eth0\n"
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000400 00000002 00000000 "
	    "00200200     eth0\n",
	    "proc/net/ipv6_route");
}

static void
net_elsewhere(struct fixture *f)
{
	device(f);
	fixture_dir(f, "sys/devices/" DEV "/net");
}

static void
net_no_ipv6(struct fixture *f)
{
	net(f, UP);
	fixture_remove(f, "proc/net/if_inet6");
	fixture_remove(f, "proc/net/ipv6_route");
}

static void
no_flags(struct fixture *f)
{
	net_address(f);
	fixture_remove(f, "sys/class/net/eth0/flags");
}

static void
bad_index(struct fixture *f)
{
	net(f, UP);
	fixture_file(f, "2x\n", "sys/class/net/eth0/ifindex");
}

static void
no_route(struct fixture *f)
{
	net_address(f);
	fixture_remove(f, "proc/net/route");
}

static void
bad_routes(struct fixture *f)
{
	net_address(f);
	fixture_append(f, "eth0\t0000\n", "proc/net/route");
}

static void
bad_inet6(struct fixture *f)
{
	net_up(f);
	fixture_append(f, "zz 02 40 00 80 eth0\n", "proc/net/if_inet6");
}

static const struct scene scenes[] = {
	{ "net up", net_up, { NULL }, NULL, 0 },
	{ "net address", net_address,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, 0 },
	{ "net down", net_down, { NULL }, NULL, 0 },
	{ "net master", net_master, { "NET_MASTER eth0 in br0" }, NULL, 0 },
	{ "net stack", net_stack,
	    { "NET_MASTER eth0 in bond0",
		"NET_ADDRESS bond0.5 above eth0 198.51.100.1",
		"NET_ROUTE bond0.5 above eth0 has the IPv4 default route" },
	    NULL, 0 },
	{ "net routes", net_routes,
	    { "NET_ROUTE eth0 has the IPv4 default route",
		"NET_ROUTE eth0 has the IPv6 default route" },
	    NULL, 0 },
	{ "net elsewhere", net_elsewhere,
	    { "NET_ADDRESS an interface in another network namespace" }, NULL,
	    0 },
	{ "no IPv6", net_no_ipv6, { NULL }, NULL, 0 },
	{ "no flags", no_flags, { NULL }, NULL, -ENOENT },
	{ "bad index", bad_index, { NULL }, NULL, -EBADMSG },
	{ "no route", no_route,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, -ENOENT },
	{ "bad routes", bad_routes,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, -EBADMSG },
	{ "bad inet6", bad_inet6, { NULL }, NULL, -EBADMSG },
};

START_TEST(scene)
{
	scene_check(&scenes[_i]);
}
END_TEST

/* Whether a function of this machine has an interface of that name. */
static bool
on_pci(const char *name)
{
	char path[64 + IFNAMSIZ], target[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	return realpath(path, target) != NULL && strstr(target, "/pci") != NULL;
}

/* Netlink's answer for this machine against the C library's. */
START_TEST(live_addresses)
{
	static char all[65536];
	char line[128], text[INET_ADDRSTRLEN], *found;
	struct ifaddrs *list, *a;
	struct dirent *entry;
	DIR *dir = opendir("/sys/bus/pci/devices");

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_eq(collect("", entry->d_name, &found), 0);
		strncat(all, found, sizeof(all) - 1 - strlen(all));
		free(found);
	}
	ck_assert_int_eq(getifaddrs(&list), 0);
	for (a = list; a != NULL; a = a->ifa_next) {
		struct sockaddr_in sin;

		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET ||
		    !(a->ifa_flags & IFF_UP) || !on_pci(a->ifa_name))
			continue;
		memcpy(&sin, a->ifa_addr, sizeof(sin));
		inet_ntop(AF_INET, &sin.sin_addr, text, sizeof(text));
		snprintf(line, sizeof(line), "\nNET_ADDRESS %s %s\n",
		    a->ifa_name, text);
		ck_assert_msg(strstr(all, line) != NULL, "no %s", line);
	}
	freeifaddrs(list);
	if (dir != NULL)
		closedir(dir);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guard: interfaces");
	TCase *tc = tcase_create("guard: interfaces");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, scene, 0, sizeof(scenes) / sizeof(scenes[0]));
	if (geteuid() == 0) /* the links of others' fds */
		tcase_add_test(tc, live_addresses);
	return run_suite(s);
}
