# SPDX-License-Identifier: BSD-3-Clause
# coopvmm: GNU make and pkg-config; everything is built in $(BUILD). `make help` lists the targets.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

BUILD   ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
prefix  ?= /usr/local
DESTDIR ?=
OPT     ?= -O2 -g
SAN     ?=
VERSION := 0.1.0

PKGS := libdpdk libcyaml hwloc numa libseccomp libcap-ng jansson ncursesw
# Xen's libraries whose interface is stable; whatever needs others asks the program xl.
XEN_PKGS := xendevicemodel xenforeignmemory xenevtchn xenstore
# Nothing is asked of pkg-config before `make setup` had its turn.
ifeq ($(filter setup help format lint clean distclean,$(MAKECMDGOALS)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(XEN_PKGS) 2>/dev/null)
DPDK_LIBS  := $(shell pkg-config --libs libdpdk 2>/dev/null)
LIBS       := $(shell pkg-config --libs $(filter-out libdpdk,$(PKGS)) $(XEN_PKGS) 2>/dev/null)
endif
LIBS += -lZydis -lZycore -lpthread -lm
# `make V=1` shows whole commands.
Q   := $(if $(V),,@)
SAY = $(if $(V),@:,@printf '  %-4s %s\n')
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
WARN     := -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
CPPFLAGS += -D_GNU_SOURCE -DCOOPVMM_VERSION='"$(VERSION)"' -I. -Iprotocol
CFLAGS   += -std=gnu11 $(OPT) $(WARN) -fPIE -march=x86-64-v2 $(SANFLAGS)
LDFLAGS  += -pie $(SANFLAGS)

# One static library a folder; the folder's module.mk says of which files ($(folder)_SRCS), and may
# add programs and rules of its own.
MODULES := protocol emul nicmodels config iocore coopvmm bench
include $(wildcard $(addsuffix /module.mk,$(MODULES) tests/guest tests/stress tests/fuzz tests/testbed tests))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
define module_lib
$(BUILD)/lib$(1).a: $(call obj,$($(1)_SRCS))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(SAY) AR $$@
	$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_lib,$(m))))
# Later ones need earlier ones, so they come first when linking.
LIB_A := $(patsubst %,$(BUILD)/lib%.a,bench coopvmm iocore config nicmodels emul protocol)

PROGRAMS := $(BUILD)/coopvmm $(BUILD)/coopvmm-vm $(BUILD)/coopvmm-iocored

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The command `bench` is in coopvmm/, what it measures with in bench/, and that needs coopvmm/ again.
$(BUILD)/coopvmm: $(BUILD)/obj/coopvmm/main.o $(LIB_A)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIB_A) -Wl,--end-group $(LIBS) $(DPDK_LIBS)
$(BUILD)/coopvmm-vm: $(BUILD)/obj/coopvmm/vm_main.o $(LIB_A)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_A) $(LIBS)
# libgcc_s: pthread_cancel would load it when the process may no longer open files.
$(BUILD)/coopvmm-iocored: $(BUILD)/obj/iocore/main.o $(LIB_A)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_A) $(LIBS) $(DPDK_LIBS) \
		-Wl,--push-state,--no-as-needed -lgcc_s -Wl,--pop-state

# Unit suites: tests/unit/test_X.c is the program $(BUILD)/tests/test_X.
# Files there of other names are shared by suites.
UNIT_RIG_O := $(call obj,$(filter-out tests/unit/test_% tests/unit/cu_main.c,$(wildcard tests/unit/*.c)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/tests/test_%: $(BUILD)/obj/tests/unit/test_%.o $(BUILD)/obj/tests/unit/cu_main.o $(UNIT_RIG_O) $(LIB_A)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_A) $(LIBS) $(DPDK_LIBS) -lcunit

.PHONY: all tests help clean
all: $(PROGRAMS) ## build the programs
tests: $(UNIT_TESTS)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

clean: ## remove build/
	rm -rf $(BUILD)

include $(wildcard mk/*.mk)

# Not in there: what was unpacked, whole source trees of others among it.
-include $(shell find $(BUILD) \( -path $(BUILD)/xen -o -path $(BUILD)/testbed \) -prune -o \
	-type f -name '*.d' -print 2>/dev/null)
