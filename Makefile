# hoshu: one Makefile. `make help` lists what it can do.
#
#   MODE=release|asan|debug   how it is built, in build/MODE (default release)
#   V=1                       show the commands
#   T=name                    run only tests whose path holds name

MODE   ?= release
B      := build/$(MODE)
PREFIX ?= /usr/local
CC     ?= cc
V      ?= 0
Q      := $(if $(filter 1,$(V)),,@)

VERSION := 0.1.0

FOLDERS := base digest match loop yaml seam openssh hosts project plan journal \
           change approval preview rollout fleet remote script http worker rehearse cmd
L       ?= $(FOLDERS)
SOURCES := $(foreach f,$(L),$(wildcard runner/$(f)/*.c))
OBJECTS := $(SOURCES:runner/%.c=$(B)/%.o)
MAIN    := $(B)/main.o
UNITS   := $(wildcard tests/unit/test_*.c)
UNIT_PROGRAMS := $(UNITS:tests/unit/%.c=$(B)/unit/%)

# Fuzz targets: tests/fuzz/README.md
FUZZES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_PROGRAMS := $(FUZZES:tests/fuzz/%.c=$(B)/fuzz/%)

PACKAGES := lua5.4 yaml-0.1 libpcre2-8 sqlite3 libuv jansson libcurl libcrypto
# These goals must work before anything is installed; what builds wants libssh2.
BARE := deps deps-test demo test help clean lab-down promises
ifneq ($(filter-out $(BARE),$(or $(MAKECMDGOALS),all)),)
include build/deps/libssh2.mk
endif

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          -Wno-unused-parameter -Wvla -Wpointer-arith -Werror
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_debug   := -Og -g
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
                  -fno-omit-frame-pointer -fno-sanitize-recover=undefined
LDFLAGS_fuzz   := -fsanitize=fuzzer,address,undefined
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer \
                  -fno-sanitize-recover=undefined
LDFLAGS_asan   := -fsanitize=address,undefined
CPPFLAGS += -Irunner -I$(B)/gen -D_GNU_SOURCE -DPCRE2_CODE_UNIT_WIDTH=8 \
            -DHOSHU_VERSION='"$(VERSION)"' -DHOSHU_DATA='"$(PREFIX)/share/hoshu"' \
            -DHOSHU_LOCALE='"$(PREFIX)/share/locale"' \
            -DHOSHU_LIBSSH2='"$(LIBSSH2_ORIGIN)"' \
            -DHOSHU_LIBSSH2_FIXED=$(or $(LIBSSH2_FIXED),0)
CFLAGS  += -std=c11 $(WARN) $(CFLAGS_$(MODE)) -MMD -MP -fPIE \
           $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(LIBSSH2_CFLAGS)
LDFLAGS += $(LDFLAGS_$(MODE)) -pie
LIBS    := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
ALL_LIBS = $(LIBSSH2_LIBS) $(LIBS) -lm

# Messages: runner/po/README.md. The catalogues stand beside the program, so
# that it speaks Japanese from the checkout as well.
LINGUAS := ja
MO      := $(LINGUAS:%=$(B)/locale/%/LC_MESSAGES/hoshu.mo)

.PHONY: all
all: hoshu ## build ./hoshu (installs nothing; see `make deps`)

hoshu: $(B)/hoshu $(MO)
	$(Q)ln -sf $< $@

$(B)/locale/%/LC_MESSAGES/hoshu.mo: runner/po/%.po
	@mkdir -p $(@D)
	@echo "  MO    $<"
	$(Q)msgfmt --check -o $@.tmp $< && mv $@.tmp $@

$(B)/hoshu: $(OBJECTS) $(MAIN)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(B)/%.o: runner/%.c build/deps/libssh2.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# host.sh and the reader's shell, as they stand, inside the program
$(B)/gen/%.h: runner/remote/%
	@mkdir -p $(@D)
	$(Q)sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $< > $@.tmp && mv $@.tmp $@

$(patsubst runner/%.c,$(B)/%.o,$(wildcard runner/remote/*.c)): \
    $(patsubst runner/remote/%,$(B)/gen/%.h,$(wildcard runner/remote/*.sh))
$(B)/change/guard.o: $(B)/gen/stop.sh.h $(B)/gen/guard.sh.h

build/deps/libssh2.mk: tests/libssh2.sh
	$(Q)sh tests/libssh2.sh build/deps

$(B)/unit/%: tests/unit/%.c $(OBJECTS) | $(MO)
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) -MF $@.d $(LDFLAGS) -o $@ $< \
	    $(OBJECTS) $(ALL_LIBS) $(shell pkg-config --libs cmocka)

# With libFuzzer where MODE is fuzz; with a main of our own elsewhere.
FUZZ_MAIN = $(if $(filter fuzz,$(MODE)),,tests/fuzz/driver.c)
$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h tests/fuzz/driver.c $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MF $@.d $(LDFLAGS) -o $@ $< $(FUZZ_MAIN) \
	    $(OBJECTS) $(ALL_LIBS)

.PHONY: unit
unit: $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) ## build the unit tests, fuzz targets (L="base yaml": link only these folders)

-include $(OBJECTS:.o=.d) $(MAIN:.o=.d) $(UNIT_PROGRAMS:=.d) $(FUZZ_PROGRAMS:=.d)

# ---- tests ----------------------------------------------------------------

# The unit tests that kill, cut and flood; with the fleets they are the slow part.
SLOW_UNITS = $(addprefix $(B)/unit/test_,fleet fleet_workers journal_crash \
             journal_verify modules remote_peer)
FAST  = $(filter-out $(SLOW_UNITS),$(UNIT_PROGRAMS)) $(wildcard tests/rules/*.t) \
        tests/fuzz/fuzz.t
SLOW  = $(SLOW_UNITS) $(wildcard tests/bugs/*.t tests/fleet/*.t tests/scenes/*.t \
        tests/faults/*.t)
T    ?=

.PHONY: deps
deps: ## install what building needs (apt; sudo where not root)
	$(Q)sh tests/deps.sh install

.PHONY: deps-test
deps-test:
	$(Q)sh tests/deps.sh install --test

.PHONY: test
test: deps-test ## install what is missing, then run everything
	$(Q)$(MAKE) --no-print-directory check

.PHONY: check
check: hoshu $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) ## run everything (T=name: only paths that hold name)
	$(Q)FUZZ_FROM=$(B)/fuzz perl tests/harness.pl --only '$(T)' $(FAST) $(SLOW)

.PHONY: check-fast
check-fast: hoshu $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) ## the part that takes under a minute
	$(Q)FUZZ_FROM=$(B)/fuzz perl tests/harness.pl --only '$(T)' $(FAST)

.PHONY: asan
asan: ## every unit test and fuzz target under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory MODE=asan T='$(T)' asan-check

.PHONY: asan-check
asan-check: $(B)/hoshu $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS)
	$(Q)ASAN_OPTIONS=detect_leaks=1 FUZZ_FROM=$(B)/fuzz \
	    perl tests/harness.pl --only '$(T)' $(UNIT_PROGRAMS) tests/fuzz/fuzz.t

# The deciders, changed in one place at a time: which changes does no test notice?
MUTATED = $(wildcard runner/rollout/gate*.c runner/rollout/machine.c runner/journal/fold*.c)
MUTANT_TESTS = fold settle phases guard rehearsed fold_order gate_left rollout simulated
.PHONY: mutate
mutate: ## which changes to the deciders no test notices (F='runner/...c': of these files)
	$(Q)$(MAKE) --no-print-directory MODE=mutate CFLAGS_mutate=-O1 build/mutate/hoshu
	$(Q)$(MAKE) --no-print-directory MODE=mutate CFLAGS_mutate=-O1 mutate-run

.PHONY: mutate-run
mutate-run:
	$(Q)COMPILE='$(CC) $(filter -I% -D_% -DPCRE2%,$(CPPFLAGS)) $(filter-out -W% -MMD -MP,$(CFLAGS)) -w' \
	    LINK='$(CC) $(LDFLAGS)' OBJECTS='$(OBJECTS)' \
	    LIBS='$(ALL_LIBS) $(shell pkg-config --libs cmocka)' \
	    TESTS='$(MUTANT_TESTS:%=test_%)' perl tests/mutate.pl $(or $(F),$(MUTATED))

.PHONY: valgrind
valgrind: $(UNIT_PROGRAMS) ## the unit tests under valgrind
	$(Q)perl tests/valgrind.pl $(UNIT_PROGRAMS)

.PHONY: faults
faults: hoshu ## the fault campaigns with all their rounds; hours (T=name: one)
	$(Q)FULL=1 perl tests/harness.pl --comments --only '$(T)' $(wildcard tests/faults/*.t)

.PHONY: fuzz
fuzz: ## search for new inputs by libFuzzer (FUZZ_SECONDS=60 a target, T=name: one)
	$(Q)command -v clang >/dev/null || { echo "make fuzz wants clang: tests/deps.sh install --fuzz"; exit 2; }
	$(Q)$(MAKE) --no-print-directory MODE=fuzz CC='$(FUZZ_CC)' fuzz-run

FUZZ_CC ?= clang
.PHONY: fuzz-run
fuzz-run: $(FUZZ_PROGRAMS)
	$(Q)T='$(T)' sh tests/fuzz/long.sh $(B)/fuzz

.PHONY: demo
demo: deps-test ## the main job before your eyes, on a throwaway local fleet
	$(Q)$(MAKE) --no-print-directory hoshu
	$(Q)bash tests/demo.sh

.PHONY: lab
lab: hoshu ## start the throwaway fleet of inventory/lab.yml (end it: make lab-down)
	$(Q)sh tests/lab.sh up

.PHONY: lab-down
lab-down:
	$(Q)sh tests/lab.sh down

.PHONY: bench
bench: hoshu ## measure, as ratios against a peer in the same run
	$(Q)sh tests/bench/run.sh

.PHONY: promises
promises: ## which test covers which promise
	$(Q)grep -rnoE 'covers: P[0-9]+(, P[0-9]+)*' tests modules | sort -t: -k3

.PHONY: lint
lint: ## clang-format, cppcheck, luacheck, shellcheck, mandoc
	$(Q)sh tests/lint.sh

.PHONY: format
format:
	$(Q)clang-format -i $(wildcard runner/*.c runner/*/*.[ch] tests/unit/*.[ch] \
	    tests/fuzz/*.[ch] tests/faults/*.c)

.PHONY: po
po: ## take new messages of the sources into runner/po/*.po, to be translated
	$(Q)sh tests/messages.sh $(B)/hoshu.pot
	$(Q)for l in $(LINGUAS); do \
	    msgmerge -q -U -N --backup=none --no-wrap --add-location=file \
	    runner/po/$$l.po $(B)/hoshu.pot && \
	    msgfmt --statistics -o /dev/null runner/po/$$l.po; done

# ---- installation ---------------------------------------------------------

.PHONY: install
install: $(B)/hoshu $(MO) ## install below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/hoshu/modules
	install -m 755 $(B)/hoshu $(DESTDIR)$(PREFIX)/bin/hoshu
	for m in modules/*/; do m=$$(basename $$m); \
	    install -D -m 644 modules/$$m/$$m.lua \
	    $(DESTDIR)$(PREFIX)/share/hoshu/modules/$$m/$$m.lua; done
	for l in $(LINGUAS); do \
	    install -D -m 644 $(B)/locale/$$l/LC_MESSAGES/hoshu.mo \
	    $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES/hoshu.mo; done
	for p in runner/man/*.[1-9]; do [ -e $$p ] || continue; \
	    install -D -m 644 $$p \
	    $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$$(basename $$p); done

.PHONY: clean
clean: ## remove what was built (build/deps stays)
	$(Q)rm -rf build/release build/debug build/asan build/fuzz hoshu

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
