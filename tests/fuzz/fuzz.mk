# The fuzzers: tests/fuzz/fuzz_NAME.c with the corpus in corpus/NAME.  Included
# by tests/tests.mk, whose archives they are linked with.

FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60

# As with the unit tests, the name says what it is linked with.
fuzz_parts = $(if $(filter decode monmsg,$(1)),session common, \
	$(if $(filter policy compiled,$(1)),policy common,monitor policy common))
fuzz_archives = $(patsubst %,$(B)/tests/lib%.a,$(strip $(call fuzz_parts,$(1))))
fuzz_link = $(CC) $(LDFLAGS_ALL) -o $@ $^ $(EVENT_LIBS) $(BSD_LIBS) $(PBC_LIBS)

$(call obj,$(wildcard tests/fuzz/*.c)): | $(PROTO_C)

# ---- every input of the corpora once, in any build

$(FUZZ_NAMES:%=$(B)/tests/replay_%): $(B)/tests/replay_%: \
    $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o \
    $$(call fuzz_archives,$$*)
	$(fuzz_link)

.PHONY: check-corpus
check-corpus: $(FUZZ_NAMES:%=$(B)/tests/replay_%)
	@for name in $(FUZZ_NAMES); do \
		echo "== corpus of $$name"; \
		$(B)/tests/replay_$$name tests/fuzz/corpus/$$name || exit 1; \
	done

# ---- fuzzing, in a build of its own by clang

$(FUZZ_NAMES:%=$(B)/tests/fuzz_%): $(B)/tests/fuzz_%: \
    $(B)/obj/tests/fuzz/fuzz_%.o $$(call fuzz_archives,$$*)
	$(fuzz_link) -fsanitize=fuzzer

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_NAMES:%=$(B)/tests/fuzz_%)

# What is found new lies under $(B)/fuzz/found; what breaks, in the directory
# above it.
fuzz:
	$(MAKE) B=$(B)/fuzz CC=clang HARDEN=-fPIE OPT="-O1 -g" \
		CFLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" \
		LDFLAGS="-fsanitize=address,undefined" fuzz-programs
	for name in $(FUZZ_NAMES); do \
		mkdir -p $(B)/fuzz/found/$$name && \
		$(B)/fuzz/tests/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) \
			-print_final_stats=1 -timeout=10 -rss_limit_mb=1024 \
			-artifact_prefix=$(B)/fuzz/$$name- \
			$(B)/fuzz/found/$$name tests/fuzz/corpus/$$name || exit 1; \
	done
