# The verbs that people type.  Each first installs what the machine lacks (tools/bootstrap says what
# and why), then builds what it needs.  All else is CMake's: see CMakePresets.json.

ONCE ?=
ONLY ?=
SECONDS ?= 60
SEEDS ?= 100
SECTION ?=
PREFIX ?= /usr/local
DESTDIR ?=

comma := ,

# $(call compile,PRESET[,TARGET])
define compile
@test build/$(1)/build.ninja -nt CMakePresets.json || cmake --preset $(1)
@cmake --build --preset $(1) $(if $(2),--target $(2))
endef

# $(call train,TARGET): builds it by what the compiler is shown by a run of some seconds.
define train
$(call compile,training,programs bench-load bench-flood bench-register)
@tools/train
$(call compile,trained,$(1))
endef

.PHONY: build run test test-browser bench fuzz coverage sim mutants conformance docs install \
    packages clean help

build:   ## Build the programs into build/release/bin: ahoyd, ahoyctl, ahoy
	@tools/bootstrap build
	$(call compile,release,programs)

run:     ## Start the server, let Alice call Bob, serve until ^C; ONCE=1 ends after the call
	@tools/bootstrap build
	$(call compile,release,programs)
	@ONCE=$(ONCE) tools/demo build/release

test:    ## Run all tests: those in process under the sanitizers, those over sockets as released
	@tools/bootstrap build test
	$(call compile,release,programs)
	$(call compile,test)
	@ctest --preset test -j $$(nproc)

test-browser: ## Let browsers with JsSIP call each other and ahoy, and one look at the console
	@tools/bootstrap build browser
	$(call compile,release,programs)
	@tests/browser/test_browser.py build/release
	@tests/browser/test_phone.py build/release
	@tests/browser/test_transfer.py build/release
	@tests/browser/test_console.py build/release

bench:   ## Run the benchmarks, into build/bench/results.json; ONLY=proxy runs one of them
	@tools/bootstrap build bench
	$(call train,programs bench-load bench-flood bench-register bench-index bench-relay bench-parse \
		bench-ua)
	@bench/run build/trained $(ONLY)

fuzz:    ## Run the fuzz targets for SECONDS=60 in total; ONLY=uri runs one of them
	@tools/bootstrap build fuzz
	$(call compile,fuzz,fuzzers)
	@tools/fuzz build/fuzz $(SECONDS) $(ONLY)

coverage: ## Print which lines of libahoy/syntax and libahoy/sdp the fuzz corpora reach
	@tools/bootstrap build coverage
	$(call compile,coverage,fuzzers)
	@tools/coverage build/coverage

sim:     ## Run the simulated world with SEEDS=100 seeds
	@tools/bootstrap build
	$(call compile,sim,ahoy-sim)
	@build/sim/bin/ahoy-sim seeds $(SEEDS) 1 $$(nproc)

mutants: ## Show that the simulator and the ladders catch every deliberate bug; ONLY=timer some
	@tools/bootstrap build test
	@tools/mutants build/mutants $(ONLY)

conformance: ## Join requirements and tests into build/conformance; SECTION=7,8.1.1 must be complete
	@tools/bootstrap test
	@tools/conformance --out build/conformance $(subst $(comma), ,$(SECTION))

docs:    ## Make a book of the library's headers, in HTML, into build/docs
	@tools/bootstrap docs
	@tools/docs build/docs && echo "Open build/docs/index.html."

install: ## Install programs, library and manual pages under PREFIX=/usr/local, inside DESTDIR
	@tools/bootstrap build
	$(call compile,release,programs)
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)
	@test -n "$(DESTDIR)" || test "$$(id -u)" != 0 || ldconfig

packages: ## Make the Debian packages of server, phone and library, into build/packages
	@tools/bootstrap build packages
	$(call train,programs)
	@cd build/trained && cpack

clean:   ## Remove the folder build
	@rm -rf build

help:    ## Print this list
	@sed -n 's/^\([a-z-]*\): *## /make \1|/p' Makefile | \
	    while IFS='|' read -r verb what; do printf '%-18s%s\n' "$$verb" "$$what"; done
