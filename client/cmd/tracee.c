/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's eyes: memory and directories of the program it serves.
 * Called by notify.c.  What is read may change the next moment, so nothing
 * may depend on it but the choice between the lease's own descriptors.
 */

#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Kernels without CONFIG_CROSS_MEMORY_ATTACH: the same right, two calls more. */
static ssize_t
read_memory_file(pid_t pid, uint64_t address, void *buf, size_t len)
{
	char path[64];
	ssize_t n;
	int fd, e;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == EACCES)
			errno = EPERM; /* as process_vm_readv() calls it */
		return -1;
	}
	n = pread(fd, buf, len, (off_t)address);
	e = errno;
	close(fd);
	errno = e;
	return n;
}

int
tracee_read(pid_t pid, uint64_t address, void *buf, size_t len)
{
	struct iovec local = { .iov_base = buf, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address,
		.iov_len = len };
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (n == -1 && errno == ENOSYS)
		n = read_memory_file(pid, address, buf, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

int
tracee_read_string(pid_t pid, uint64_t address, char *buf, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t done = 0, chunk;
	int r;

	while (done < size) {
		/* The next page may not be there, and need not be. */
		chunk = page - (address + done) % page;
		if (chunk > size - done)
			chunk = size - done;
		r = tracee_read(pid, address + done, buf + done, chunk);
		if (r != 0)
			return r;
		if (memchr(buf + done, '\0', chunk) != NULL)
			return 0;
		done += chunk;
	}
	return -ENAMETOOLONG;
}

int
tracee_directory(pid_t pid, int dirfd, char *buf, size_t size)
{
	char link[64];
	ssize_t n;

	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, dirfd);
	n = readlink(link, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}
