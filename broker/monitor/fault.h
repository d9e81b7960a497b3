/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_FAULT_H
#define VFIOBROKER_FAULT_H

/*
 * Points at which a test build kills the broker.
 *
 * Only a build with -DVFIOBROKER_FAULTS has them (make faults); in every other
 * build these macros are nothing.  Each FAULT() stands in a linker section, so
 * that the list of points is the build's and not somebody's memory
 * (vfiobrokerd --fault-points).
 */
#ifdef VFIOBROKER_FAULTS

struct fault_point {
	const char *name;
};

/* Dies here if $VFIOBROKER_FAULT names this point; see fault.c. */
void fault_reached(const char *name);
void fault_reached_record(const char *step, const char *when);
void fault_reached_step(const char *step, const char *when);
void fault_list(void);

#define FAULT(n)                                                            \
	do {                                                                \
		static const struct fault_point here_                       \
		    __attribute__((used, section("fault_points"))) = { n }; \
		fault_reached(here_.name);                                  \
	} while (0)
#define FAULT_RECORD(step, when) fault_reached_record(step, when)
#define FAULT_STEP(step, when) fault_reached_step(step, when)

#else

#define FAULT(n) ((void)0)
#define FAULT_RECORD(step, when) ((void)0)
#define FAULT_STEP(step, when) ((void)0)

#endif

#endif
