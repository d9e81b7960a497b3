# vfiobroker: one Makefile, GNU make, no recursion but for the second builds
# (sanitizers, fault points).
#
#   make            everything, under build/
#   make check      all tests               make demo   the RFC's device, end to end
#   make install    DESTDIR= PREFIX=/usr    make help   the other targets

PREFIX ?= /usr
DESTDIR ?=
LIBEXECDIR ?= $(PREFIX)/libexec/vfiobroker
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR ?= $(PREFIX)/share/man
VERSION = 0.1
B ?= build

ifeq ($(origin CC),default)
CC = gcc
endif
PKGCONF ?= pkg-config

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wimplicit-fallthrough -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wundef
# The sanitizers bring their own checks, which fortified calls would hide.
HARDEN ?= -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE
OPT ?= -O2 -g
WERROR ?=
CFLAGS_ALL = -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(WERROR) $(HARDEN) \
	-MMD -MP -I. -I$(B)/proto -I$(B)/session \
	-DLIBEXECDIR=\"$(LIBEXECDIR)\" -DVFIOBROKER_VERSION=\"$(VERSION)\" \
	$(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
# The session is linked statically: it starts in half the time and has half
# the private memory of a dynamic one, and needs no loader once it is isolated.
SESSION_LDFLAGS ?= -static-pie -Wl,-z,relro,-z,now $(LDFLAGS)

EVENT_LIBS = -levent_core
BSD_LIBS = -lbsd
PBC_LIBS = -lprotobuf-c
SECCOMP_LIBS = -lseccomp
JSON_LIBS = -ljansson
CHECK_CFLAGS = $(shell $(PKGCONF) --cflags check)
CHECK_LIBS = $(shell $(PKGCONF) --libs check)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# Lint and generate serve the command alone, and the parser also the loader; the
# monitor does not link them.
POLICY_PARSE := $(wildcard policy/parse/*.c)
POLICY_CLIENT := $(wildcard policy/lint*.c policy/generate*.c) $(POLICY_PARSE)
POLICY_SRC := $(filter-out $(POLICY_CLIENT),$(wildcard policy/*.c))
# For `policy check': what a rule must not reach, and how the broker reads.
HOST_SRC := $(wildcard broker/guard/guard*.c) broker/loader/policyfile.c
COMMON_SRC := $(wildcard broker/common/*.c)
MONITOR_SRC := $(wildcard broker/monitor/*.c) $(FAULT_SRC)
SESSION_SRC := $(wildcard broker/session/*.c)
# What loader and guard do to themselves; no part of the monitor.
BOX_SRC := $(wildcard broker/box/*.c)
LOADER_SRC := $(wildcard broker/loader/*.c)
GUARD_SRC := $(wildcard broker/guard/*.c)
LIB_SRC := $(wildcard client/lib/*.c)
CMD_SRC := $(wildcard client/cmd/*.c)
PROTO_C := $(B)/proto/vfiobroker.pb-c.c
PROTO_OBJ := $(B)/obj/proto/vfiobroker.pb-c.o
FILTER_H := $(B)/session/session-filter.h

PROGRAMS = $(B)/vfiobrokerd $(B)/vfiobroker-session $(B)/vfiobroker-policy \
	$(B)/vfiobroker-guard $(B)/vfiobroker
SONAME = libvfiobroker.so.0
LIBRARY = $(B)/$(SONAME) $(B)/libvfiobroker.a $(B)/vfiobroker.pc

.PHONY: all
all: $(PROGRAMS) $(LIBRARY)

# ---- compiling

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

# Position-independent for the shared library.
$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -fPIC -fvisibility=hidden -c -o $@ $<

$(PROTO_C): proto/vfiobroker.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=proto --c_out=$(@D) $<

# Generated code is compiled without our warnings: it is not ours to mend.
$(PROTO_OBJ): $(PROTO_C)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -w -c -o $@ $<

$(B)/pic/proto/vfiobroker.pb-c.o: $(PROTO_C)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -w -fPIC -fvisibility=hidden -c -o $@ $<

# The session's system calls, as BPF, made once while building.
$(B)/session/gen-filter: broker/session/gen/filter.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(SECCOMP_LIBS)

$(FILTER_H): $(B)/session/gen-filter
	$< > $@.new
	mv $@.new $@

$(call obj,$(SESSION_SRC)): | $(PROTO_C) $(FILTER_H)
$(call obj,$(LIB_SRC)) $(patsubst %.c,$(B)/pic/%.o,$(LIB_SRC)): | $(PROTO_C)

# ---- linking

$(B)/vfiobrokerd: $(call obj,$(MONITOR_SRC) $(COMMON_SRC) $(POLICY_SRC))
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(EVENT_LIBS) $(BSD_LIBS)

$(B)/vfiobroker-policy: $(call obj,$(LOADER_SRC) $(BOX_SRC) $(COMMON_SRC) \
    $(POLICY_SRC) $(POLICY_PARSE))
	$(CC) $(LDFLAGS_ALL) -o $@ $^

$(B)/vfiobroker-guard: $(call obj,$(GUARD_SRC) $(BOX_SRC) $(COMMON_SRC))
	$(CC) $(LDFLAGS_ALL) -o $@ $^

$(B)/vfiobroker-session: $(call obj,$(SESSION_SRC) $(COMMON_SRC)) $(PROTO_OBJ)
	$(CC) $(SESSION_LDFLAGS) -o $@ $^ $(PBC_LIBS)

$(B)/vfiobroker: $(call obj,$(CMD_SRC) $(LIB_SRC) $(COMMON_SRC) $(POLICY_SRC) \
    $(POLICY_CLIENT) $(HOST_SRC)) $(PROTO_OBJ)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PBC_LIBS) $(JSON_LIBS) $(BSD_LIBS)

LIB_PIC = $(patsubst %.c,$(B)/pic/%.o,$(LIB_SRC) $(COMMON_SRC)) \
	$(B)/pic/proto/vfiobroker.pb-c.o

$(B)/$(SONAME): $(LIB_PIC) client/lib/libvfiobroker.map
	$(CC) -shared -Wl,-soname,$(SONAME) -Wl,-z,relro,-z,now \
		-Wl,--version-script=client/lib/libvfiobroker.map \
		-Wl,--as-needed $(LDFLAGS) -o $@ $(LIB_PIC) $(PBC_LIBS)

$(B)/libvfiobroker.a: $(call obj,$(LIB_SRC) $(COMMON_SRC)) $(PROTO_OBJ)
	rm -f $@
	ar rcs $@ $^

$(B)/vfiobroker.pc: client/lib/vfiobroker.pc.in Makefile
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
		$< > $@

# ---- installing

EMULATOR ?= qemu-system-$(shell uname -m)

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
		$(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(PREFIX)/include $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(MANDIR)
	install -m 755 $(B)/vfiobroker $(DESTDIR)$(PREFIX)/bin/
	# For libvirt's <emulator>; see vfiobroker-run(1).
	ln -sf vfiobroker $(DESTDIR)$(PREFIX)/bin/vfiobroker-$(EMULATOR)
	install -m 755 $(B)/vfiobrokerd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/vfiobroker-session $(B)/vfiobroker-policy \
		$(B)/vfiobroker-guard $(DESTDIR)$(LIBEXECDIR)/
	install -m 644 $(B)/$(SONAME) $(B)/libvfiobroker.a $(DESTDIR)$(LIBDIR)/
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libvfiobroker.so
	install -m 644 $(B)/vfiobroker.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 client/vfiobroker.h $(DESTDIR)$(PREFIX)/include/
	sed -e 's|@SBINDIR@|$(PREFIX)/sbin|' broker/vfiobrokerd.service.in \
		> $(DESTDIR)$(UNITDIR)/vfiobrokerd.service
	install -m 644 broker/vfiobrokerd.socket $(DESTDIR)$(UNITDIR)/
	install -m 644 broker/vfiobroker.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/vfiobroker.conf
	install -m 644 broker/vfiobroker.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/vfiobroker.conf
	for page in $(wildcard docs/*.[1-8]); do \
		section=$${page##*.}; \
		install -d $(DESTDIR)$(MANDIR)/man$$section; \
		install -m 644 $$page $(DESTDIR)$(MANDIR)/man$$section/; \
	done

# ---- tests

include tests/tests.mk

.PHONY: clean help
clean:
	rm -rf $(B)

help:
	@sed -n 's/^#: //p' Makefile tests/tests.mk

-include $(shell find $(B)/obj $(B)/pic -name '*.d' 2>/dev/null)
