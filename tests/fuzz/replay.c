/* SPDX-License-Identifier: ISC */
/*
 * main() of a fuzzer without a fuzzer: runs it on the files and directories
 * that are named.  So `make check` replays every input that was ever of
 * interest, with any compiler.
 */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/stat.h>

#include <err.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A block of just the file's size, for the sanitizers to guard. */
static void
replay(const char *path, size_t size)
{
	uint8_t *data = malloc(size + (size == 0));
	FILE *f = fopen(path, "re");

	if (data == NULL || f == NULL || fread(data, 1, size, f) != size)
		err(1, "%s", path);
	fclose(f);
	/* An input that ends the process shall be known. */
	if (LLVMFuzzerTestOneInput(data, size) != 0)
		errx(1, "%s: the fuzzer does not end well", path);
	free(data);
}

int
main(int argc, char **argv)
{
	unsigned count = 0;
	FTSENT *e;
	FTS *fts;

	if (argc < 2)
		errx(2, "usage: %s PATH...", argv[0]);
	fts = fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (fts == NULL)
		err(1, "%s", argv[1]);
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
			errx(1, "%s: %s", e->fts_path, strerror(e->fts_errno));
		if (e->fts_info != FTS_F)
			continue;
		replay(e->fts_accpath, (size_t)e->fts_statp->st_size);
		count++;
	}
	fts_close(fts);
	printf("%u inputs\n", count);
	return count > 0 ? 0 : 1;
}
