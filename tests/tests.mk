# The tests.  Included by the Makefile.
#
#: make check           all tests: unit, integration, boundary, man pages, lab
#: make check-unit      Check suites and golden files
#: make check-corpus    every input of the fuzzers' corpora once
#: make check-int       broker, session and command together, without VFIO
#: make check-boundary  proves the trust boundary from the binaries
#: make check-lab       scenarios on a real VFIO host, in a virtual machine
#: make check-format    clang-format     make format     applies it
#: make check-shell     shellcheck
#: make asan            unit tests under ASan and UBSan
#: make analyze         cppcheck, clang-tidy, gcc -fanalyzer
#: make fuzz            the fuzzers, FUZZ_SECONDS each (60)
#: make bench           figures, as ratios measured in one run
#: make demo            the RFC's device in a guest of an ordinary user

# ---- all of them, cheapest first

.PHONY: check deps
deps:
	tests/deps

check: deps
	$(MAKE) -j$(shell nproc) WERROR=-Werror all faults unit-programs
	$(MAKE) check-format check-shell check-docs check-boundary
	$(MAKE) check-unit check-corpus
	$(MAKE) check-int
	$(MAKE) check-lab

# ---- unit tests: a program per tests/unit/test_*.c

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT_SRC))

nomain = $(filter-out %/main.c,$(1))
T_COMMON = $(call obj,$(COMMON_SRC) broker/session/monanswer.c)
T_POLICY = $(call obj,$(POLICY_SRC) $(POLICY_CLIENT))
T_MONITOR = $(call obj,$(call nomain,$(MONITOR_SRC)))
T_SESSION = $(call obj,$(call nomain,$(SESSION_SRC)))
T_LIB = $(call obj,$(LIB_SRC))
T_CMD = $(call obj,$(call nomain,$(CMD_SRC)) $(HOST_SRC))
T_GUARD = $(call obj,$(call nomain,$(GUARD_SRC)) $(BOX_SRC))

# What a test is linked with goes by its name, as the parts' names may clash:
# test_cmd_*, test_guard_*, test_lib_*, test_policy_*, test_session_*,
# test_proto_*, and the monitor's for all others.  Helpers are the files that are no test.
T_HELPERS = $(call obj,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))

$(B)/tests/libcommon.a: $(T_COMMON)
$(B)/tests/libpolicy.a: $(T_POLICY)
$(B)/tests/libmonitor.a: $(T_MONITOR)
$(B)/tests/libsession.a: $(T_SESSION) $(PROTO_OBJ)
$(B)/tests/libclient.a: $(T_LIB) $(PROTO_OBJ)
$(B)/tests/libcmd.a: $(T_CMD)
$(B)/tests/libguard.a: $(T_GUARD)
$(B)/tests/libhelpers.a: $(T_HELPERS)
$(B)/tests/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

parts_of = $(strip $(if $(filter test_cmd%,$(1)),cmd helpers policy common, \
	$(if $(filter test_session% test_proto%,$(1)),session common, \
	$(if $(filter test_guard test_guard_%,$(1)),guard helpers common, \
	$(if $(filter test_lib%,$(1)),client common, \
	$(if $(filter test_policy%,$(1)),policy common, \
	monitor helpers policy common))))))
archives_of = $(patsubst %,$(B)/tests/lib%.a,$(call parts_of,$(1)))

$(call obj,$(UNIT_SRC)): CFLAGS += $(CHECK_CFLAGS)
$(call obj,$(wildcard tests/unit/test_session*.c tests/unit/test_proto*.c \
	tests/unit/test_lib*.c)): | $(PROTO_C)

.SECONDEXPANSION:
$(UNIT): $(B)/tests/%: $(B)/obj/tests/unit/%.o $$(call archives_of,$$*)
	$(CC) $(LDFLAGS_ALL) -o $@ $< $(call archives_of,$*) $(CHECK_LIBS) \
		$(EVENT_LIBS) $(BSD_LIBS) $(PBC_LIBS) $(SECCOMP_LIBS) \
		$(JSON_LIBS)

.PHONY: unit-programs
unit-programs: $(UNIT)

.PHONY: check-unit
check-unit: $(UNIT) $(PROGRAMS)
	tests/run-unit $(UNIT)

# ---- broker, session and command together, without VFIO

include tests/int.mk

# ---- fuzzers, and their corpora once in every run

include tests/fuzz/fuzz.mk

# ---- what the binaries, the sources and the manuals show by themselves

.PHONY: check-boundary check-boundary-self check-format check-shell format check-docs analyze
check-boundary: all
	VFIOBROKER_BUILDDIR=$(B) tests/check-boundary

# Breaks each rule in a copy, and sees that it is noticed.
check-boundary-self: check-boundary
	VFIOBROKER_BUILDDIR=$(B) tests/check-boundary --self-test

check-format:
	tests/check-format

format:
	tests/check-format --fix

check-shell:
	tests/check-shell

check-docs:
	tests/check-docs

# Needs cppcheck and clang-tidy; `make fuzz` needs clang and libclang-rt-14-dev.
analyze: all
	VFIOBROKER_BUILDDIR=$(B) tests/analyze

# ---- the same tests under the sanitizers

ASAN = -fsanitize=address,undefined
.PHONY: asan
# A sanitized session can not run in its box, so the tests that start one start
# the plain one.
asan: all
	$(MAKE) B=$(B)/asan HARDEN=-fPIE LDFLAGS="$(ASAN)" \
		OPT="-O1 -g $(ASAN) -fno-omit-frame-pointer" \
		SESSION_LDFLAGS="-pie $(ASAN)" unit-programs
	VFIOBROKER_CASES=10000 VFIOBROKER_BUILDDIR=$(B) tests/run-unit \
		$(UNIT:$(B)/%=$(B)/asan/%)

# ---- a broker that dies where it is told to (broker/monitor/fault.h)

.PHONY: faults
faults:
	$(MAKE) B=$(B)/faults CFLAGS="$(CFLAGS) -DVFIOBROKER_FAULTS" \
		FAULT_SRC=tests/faults/fault.c $(B)/faults/vfiobrokerd

# ---- the lab

# Programs that scenarios run, seen there as /lab/build/tests/lab_NAME.
LAB_TOOLS := $(patsubst tests/vm/tools/%.c,$(B)/tests/lab_%, \
	$(wildcard tests/vm/tools/*.c))
$(LAB_TOOLS): $(B)/tests/lab_%: $(B)/obj/tests/vm/tools/%.o \
    $(B)/tests/libclient.a $(B)/tests/libcommon.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PBC_LIBS)

.PHONY: check-lab
check-lab: all faults $(LAB_TOOLS) $(B)/tests/int/peer
	tests/vm/selftest
	tests/vm/run --all

.PHONY: demo
demo:
	tests/vm/demo

# ---- figures

$(B)/tests/bench_%: $(B)/obj/tests/bench/bench_%.o $(B)/tests/libmonitor.a \
    $(B)/tests/libclient.a $(B)/tests/libpolicy.a $(B)/tests/libhelpers.a \
    $(B)/tests/libcommon.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(EVENT_LIBS) $(BSD_LIBS) $(PBC_LIBS)

.PHONY: bench bench-lab
bench: $(B)/tests/bench_policy
	$(B)/tests/bench_policy

bench-lab: all $(B)/tests/bench_broker
	tests/vm/lab -- tests/bench/lab.sh
