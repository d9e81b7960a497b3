# Integration tests: tests/int/*.sh, with helpers written in C beside them.
# Included by tests/tests.mk, whose archives they are linked with.

INT_HELPERS := $(patsubst %.c,$(B)/%,$(wildcard tests/int/*.c))

int_libs = $(B)/tests/libcommon.a
$(B)/tests/int/libuser: int_libs = $(B)/tests/libclient.a \
	$(B)/tests/libcommon.a $(PBC_LIBS)
$(B)/tests/int/pick: int_libs = $(JSON_LIBS)

$(B)/tests/int/libuser: $(B)/tests/libclient.a
$(filter-out %/names,$(INT_HELPERS)): $(B)/tests/int/%: $(B)/obj/tests/int/%.o $(B)/tests/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $< $(int_libs)

# To be preloaded.
$(B)/tests/int/names: tests/int/names.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -fPIC -shared -o $@ $<

.PHONY: check-int
check-int: $(PROGRAMS) $(INT_HELPERS)
	VFIOBROKER_BUILDDIR=$(B) tests/int/run
