/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_FILES_H
#define VFIOBROKER_FILES_H

#include <sys/types.h>

#include <dirent.h>
#include <stddef.h>

/*
 * Small files of the kernel's and of our own, and directories.  Nothing here
 * waits for anybody, where the kernel does not.
 */

/* The whole of one just opened, with a NUL, and closes it: its length, or -errno
 * (of open(2) where fd is -1; -EFBIG: does not fit) and then "". */
ssize_t file_read(int fd, char *buf, size_t len);

/* The first line, without the newline; follows no link.  0 or -errno. */
int file_line(int dirfd, const char *name, char *buf, size_t len);

/* Writes all of it into one just opened, by one write(2), and closes it.  0 or
 * -errno (-ENOSPC also where it was cut off). */
int file_write(int fd, const char *text, size_t len);

/* For readdir(3); NULL and errno. */
DIR *dir_at(int dirfd, const char *name);

#endif
