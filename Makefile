# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For people; kbuild reads Kbuild. `make help` says what there is.

KERNELRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build
# The kernel of run, shell and bench: 6.12, 6.1 or debug.
KERNEL ?= 6.12
PREFIX ?= /usr/local
DESTDIR ?=
# Of fuzz: what to begin with, and how long.
SEED ?= 1
CALLS ?= 10000
# Parameters of the module for run, shell and load, as in "pool_mb=256".
MODULE_ARGS ?=

TOP := $(CURDIR)
BUILD := $(TOP)/build
NATIVE := $(BUILD)/native
KINDS := 6.1 6.12 debug
MODULES := $(KINDS:%=module-%)

# A phase at a time: each of them uses all CPUs by itself.
.NOTPARALLEL:

.PHONY: all help setup module $(MODULES) user tests run check lint fuzz bench profile shell
.PHONY: load unload install install-module install-user clean

all: module user

help:
	@echo 'On any Debian 12 machine, nothing to be prepared:'
	@echo '  make run [KERNEL=6.1|6.12|debug]  the tour, in a guest under QEMU'
	@echo '  make check      lint, KUnit, user tests on three kernels, quick benchmarks'
	@echo '  make fuzz [SEED=n] [CALLS=n]  random calls against a model, in a guest'
	@echo '  make bench [ROW=n]  the benchmarks, in a guest that counts instructions'
	@echo '  make profile ROW=n  where the instructions of one of them go'
	@echo '  make shell      a shell in a guest with the module loaded'
	@echo '  make setup      install the Debian packages all of this needs'
	@echo 'On a machine where you want the module for real:'
	@echo '  make            build for the running kernel (KDIR=$(KDIR))'
	@echo '  make load       load it (MODULE_ARGS="pool_mb=256")'
	@echo '  make unload'
	@echo '  make install    module, library, headers, manual pages'
	@echo '                  (DESTDIR, PREFIX=$(PREFIX), INSTALL_MOD_PATH)'
	@echo 'Else:'
	@echo '  make module-6.12, module-6.1, module-debug, user, tests, lint, clean'

setup:
	@scripts/setup

# --- the module: for the running kernel, and for each of the guests'

module:
	@test -d '$(KDIR)' || { \
		echo 'No kernel headers in $(KDIR): install the package' \
		'linux-headers-$(KERNELRELEASE), or say KDIR=...' >&2; exit 1; }
	@scripts/build-module --kdir '$(KDIR)' native

$(MODULES): module-%: setup
	@scripts/build-module $*

# --- what runs in user space

user:
	@$(MAKE) --no-print-directory -C userlib O='$(BUILD)/user'

tests: user
	@$(MAKE) --no-print-directory -C tests/user O='$(BUILD)/user'

# --- guests

# On the guest's ext4 disk: its root is an overlayfs, whose files have no page cache
# of their own for the module to read from.
run: module-$(KERNEL) user
	@scripts/vm --kernel $(KERNEL) --module-args '$(MODULE_ARGS)' -- sh -c \
		'cp "$$0" /mnt/ext4/System.map && \
		 build/user/bin/bsdvm-tour -d /mnt/ext4 /mnt/ext4/System.map' \
		"$$(scripts/kernel $(KERNEL) map)"

shell: module-$(KERNEL) user
	@scripts/vm --kernel $(KERNEL) --module-args '$(MODULE_ARGS)' --shell

check: setup
	@tests/run

lint: setup
	@scripts/lint

fuzz: module-$(KERNEL) tests
	@scripts/vm --kernel $(KERNEL) --module-args '$(MODULE_ARGS)' \
		--timeout $$((120 + $(CALLS) / 10)) -- \
		build/user/tests/fuzz -s $(SEED) -n $(CALLS)

bench: module-$(KERNEL) $(if $(filter-out 21,$(or $(ROW),21)),,module-debug) user
	@$(MAKE) --no-print-directory -C tests/bench O='$(BUILD)/user'
	@tests/bench/run --kernel $(KERNEL) $(ROW:%=--row %)

profile: module-$(KERNEL) user
	@$(MAKE) --no-print-directory -C tests/bench O='$(BUILD)/user'
	@tests/bench/profile --kernel $(KERNEL) --row $(or $(ROW),1)

# --- the real machine

load:
	insmod $(NATIVE)/bsdvm.ko $(MODULE_ARGS)

unload:
	rmmod bsdvm

install: install-module install-user

# Not signed: Debian's key is Debian's. depmod is for the machine itself, not for
# a tree that becomes a package.
STAGED := $(or $(INSTALL_MOD_PATH),$(DESTDIR))
install-module:
	@test -f $(NATIVE)/bsdvm.ko || { echo 'Run make first.' >&2; exit 1; }
	$(MAKE) --no-print-directory -C '$(KDIR)' M='$(NATIVE)' \
		INSTALL_MOD_PATH='$(STAGED)' CONFIG_MODULE_SIG_ALL= DEPMOD=true \
		modules_install
	$(if $(STAGED),,depmod -a '$(KERNELRELEASE)')

install-user:
	$(MAKE) -C userlib O='$(BUILD)/user' DESTDIR='$(DESTDIR)' \
		PREFIX='$(PREFIX)' install

clean:
	rm -rf '$(BUILD)'
