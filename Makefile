# vfiobroker: one Makefile, GNU make, no recursion.
#
#   make          everything, under build/
#   make check    all tests          make demo    the RFC's device, end to end
#   make install  DESTDIR= PREFIX=/usr

PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
LIBEXECDIR ?= $(PREFIX)/libexec/vfiobroker
VERSION = 0.1
B ?= build

CC ?= gcc
PKGCONF ?= pkg-config

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wimplicit-fallthrough -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wundef
HARDEN = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE
OPT ?= -O2 -g
CFLAGS_ALL = -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) -MMD -MP \
	-I. -I$(B)/proto \
	-DLIBEXECDIR=\"$(LIBEXECDIR)\" -DVFIOBROKER_VERSION=\"$(VERSION)\" $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

EVENT_LIBS = -levent_core
BSD_LIBS = -lbsd
PBC_LIBS = -lprotobuf-c
SECCOMP_LIBS = -lseccomp
JSON_LIBS = -ljansson
CHECK_LIBS = $(shell $(PKGCONF) --libs check)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

COMMON_SRC := $(wildcard broker/common/*.c)
POLICY_SRC := $(filter-out policy/lint%.c policy/generate%.c,$(wildcard policy/*.c))
MONITOR_SRC := $(wildcard broker/monitor/*.c)
SESSION_SRC := $(wildcard broker/session/*.c)
LIB_SRC := $(wildcard client/lib/*.c)
CMD_SRC := $(wildcard client/cmd/*.c)
PROTO_C := $(B)/proto/vfiobroker.pb-c.c

.PHONY: all clean
all: $(B)/vfiobrokerd $(B)/vfiobroker-session $(B)/vfiobroker

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(PROTO_C): proto/vfiobroker.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=proto --c_out=$(B)/proto $<

$(call obj,$(SESSION_SRC) $(LIB_SRC)): | $(PROTO_C)

$(B)/obj/proto/vfiobroker.pb-c.o: $(PROTO_C)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(B)/vfiobrokerd: $(call obj,$(MONITOR_SRC) $(COMMON_SRC) $(POLICY_SRC))
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(EVENT_LIBS) $(BSD_LIBS)

$(B)/vfiobroker-session: $(call obj,$(SESSION_SRC) $(COMMON_SRC)) \
    $(B)/obj/proto/vfiobroker.pb-c.o
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PBC_LIBS) $(SECCOMP_LIBS)

$(B)/vfiobroker: $(call obj,$(CMD_SRC) $(LIB_SRC) $(COMMON_SRC) $(POLICY_SRC)) \
    $(B)/obj/proto/vfiobroker.pb-c.o
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PBC_LIBS) $(SECCOMP_LIBS) $(JSON_LIBS) $(BSD_LIBS)

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
