/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICYFILE_H
#define VFIOBROKER_POLICYFILE_H

#include <stddef.h>

/*
 * The policy's files, and which of them are no good: whatever others than root
 * could write, what is no plain file, what is too much.  `policy check` reads
 * with it too, so that it finds what the broker would refuse.
 */
struct policyfile_reader {
	/* Takes the text, not the path. */
	void (*file)(void *arg, const char *path, char *text, size_t len);
	/* what is a clause for people; err is an errno or 0. */
	void (*wrong)(void *arg, const char *path, int err, const char *what);
	void *arg;
	size_t n; /* files so far */
	size_t bytes; /* in them */
};

/* Reads the main file and *.conf in dir; missing ones are not wrong. */
void policyfile_read_all(
    struct policyfile_reader *, const char *main, const char *dir);

/* Reads one that is open, whosever it is; only how much it is can be wrong. */
void policyfile_read(struct policyfile_reader *, const char *path, int fd);

#endif
