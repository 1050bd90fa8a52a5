# SPDX-License-Identifier: BSD-3-Clause
# The probe guest: freestanding, so with flags of its own. $(PROBE_ELF) is what VMs boot.
PROBE_ELF   := $(BUILD)/guest/probe.elf
PROBE_SRCS  := $(wildcard tests/guest/*.c) $(wildcard tests/guest/*.S)
PROBE_OBJS  := $(patsubst %,$(BUILD)/obj/%.o,$(basename $(PROBE_SRCS)))
PROBE_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wvla -ffreestanding -fno-pic \
	-fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -march=x86-64

define probe_compile
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(PROBE_FLAGS) -MMD -MP -c -o $@ $<
endef
$(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(PROBE_SRCS))): $(BUILD)/obj/%.o: %.c
	$(probe_compile)
$(patsubst %.S,$(BUILD)/obj/%.o,$(filter %.S,$(PROBE_SRCS))): $(BUILD)/obj/%.o: %.S
	$(probe_compile)
$(PROBE_ELF): $(PROBE_OBJS) tests/guest/probe.ld
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-Wl,-T,tests/guest/probe.ld -o $@ $(PROBE_OBJS)

all: $(PROBE_ELF)
