# SPDX-License-Identifier: BSD-3-Clause
#
# `make help` lists the targets. Each component brings its own rules in mk/<component>.mk; products go to build/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUILD := build
CACHE := $(or $(RAVELIN_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ravelin)
CROSS := aarch64-linux-gnu-

# A component (mk/*.mk) adds here what it builds: products (make all), test programs (make unit), modules (make module).
ALL :=
TESTS :=
MODULES :=

# A line for each product instead of its commands; `make V=1` shows those. SHELL is expanded for every recipe line.
ifndef V
.SILENT:
announce = $(if $(filter $(BUILD)/%,$@),$(if $(filter $@,$(announced)),,$(info   $@)$(eval announced += $@)))
SHELL = $(announce)/bin/bash
endif

include $(sort $(wildcard mk/*.mk))

##@ Use

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
	     /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	     /^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install and fetch what is missing; afterwards nothing needs the network
	@tools/setup/setup.sh

.PHONY: run
run: setup ## boot the host above the corevisor, start a protected guest, end in the host's root shell
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@./machine --first 'echo "Starting a protected guest:"; guest start protected --wait && echo "It is up."'

.PHONY: demo
demo: setup ## show, without a keystroke, what the host's root can and cannot read
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@demo/run

##@ Build

.PHONY: all
all: $(ALL) $(MODULES) ## build everything but the test programs
	@:

.PHONY: tests
tests: $(TESTS) ## build the test programs
	@:

.PHONY: module
module: $(MODULES) ## build hostvisor.ko for the host kernels

.PHONY: tcb
tcb: ## count the lines of the trusted core, the total last
	@tools/tcb corevisor include/ravelin/abi.h

.PHONY: clean
clean: ## remove all build products; the cache stays
	@rm -rf $(BUILD)

##@ Check

.PHONY: test
test: setup ## unit, matrix and a subset of the system tests; the last line counts
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@test/run

.PHONY: test-all
test-all: setup ## the same with every system test; writes COMPAT.md
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@status=0; test/run --all || status=$$?; test/compat >/dev/null; exit $$status

.PHONY: unit
unit: $(TESTS) ## unit and matrix tests on this PC
	@test/run --kind unit

.PHONY: system
system: all ## the subset of tests that boots the test machine
	@test/run --kind system

.PHONY: bench
bench: setup ## measure; prints a table and writes build/bench/*.csv
	@$(MAKE) --no-print-directory -j$(shell nproc) all $(BUILD)/test/unit/test_mem_block
	@bench/run

.PHONY: fuzz
fuzz: ## fuzz the corevisor's calls and parsers on this PC for FUZZ_SECONDS (60)
	@test/fuzz/run

.PHONY: fresh
fresh: ## prove the set-up: clone, set up, build and unit-test in a bare Debian 12 chroot (root)
	@tools/setup/fresh.sh
