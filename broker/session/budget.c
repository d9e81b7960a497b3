/* SPDX-License-Identifier: ISC */
/*
 * The only memory the session allocates: a fixed arena, used anew for every
 * message by serve.c.  Freeing does nothing, so there is no heap to corrupt
 * and no system call to allow.  Must never hand out more than the arena.
 */

#include "budget.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

static alignas(max_align_t) uint8_t arena[BUDGET_MAX];
static size_t used;
static bool spent;

static void *
budget_alloc(void *data, size_t size)
{
	const size_t unit = alignof(max_align_t);
	void *p;

	(void)data; /* there is one arena */
	if (size > sizeof(arena) - used) {
		spent = true;
		return NULL;
	}
	p = arena + used;
	/* The arena is a multiple of the unit: rounding cannot pass its end. */
	used += (size + unit - 1) / unit * unit;
	return p;
}

static void
budget_free(void *data, void *p)
{
	(void)data; /* given back all at once */
	(void)p; /* likewise */
}

static ProtobufCAllocator allocator = {
	.alloc = budget_alloc,
	.free = budget_free,
};

ProtobufCAllocator *
budget_start(void)
{
	used = 0;
	spent = false;
	return &allocator;
}

bool
budget_spent(void)
{
	return spent;
}
