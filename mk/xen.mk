# SPDX-License-Identifier: BSD-3-Clause
# The patched hypervisor (xen/): built from Debian's source package, and what tests it.
.PHONY: xen-patched testbed-xen-patched
XEN_PATCHED := $(BUILD)/xen/xen
XEN_TEST    := $(BUILD)/xen/spin_test
XEN_GUEST   := $(BUILD)/xen/guest.elf

$(XEN_PATCHED): xen/build.sh $(wildcard xen/patches/*.patch)
	$(Q)xen/build.sh $(@D)

xen-patched: $(XEN_PATCHED) ## the hypervisor with completions that need no wake-up

$(XEN_TEST): $(call obj,$(filter-out %/guest.c,$(wildcard xen/tests/*.c)))
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lxendevicemodel -lxenforeignmemory -lxenevtchn

# A PVH guest starts in 32-bit mode, and this one stays there.
XEN_GUEST_FLAGS := -m32 -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wvla -ffreestanding \
	-fno-pic -fno-pie -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables
$(XEN_GUEST): xen/tests/guest.c xen/tests/guest_start.S xen/tests/guest.h
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(XEN_GUEST_FLAGS) -nostdlib -static -Wl,--build-id=none -Wl,-e,start -Wl,-Ttext-segment=0x100000 \
		-o $@ $(filter %.c %.S,$^)

tests: $(XEN_TEST) $(XEN_GUEST)

# Under emulation everything takes longer, answers too: hence the bound.
testbed-xen-patched: setup-testbed ## ... on the patched hypervisor
	@$(MAKE) --no-print-directory all tests xen-patched
	@$(TESTBED_XEN) --xen $(XEN_PATCHED) --xen-args ioreq_spin_us=200 $(SCENARIOS)
