# The probe guest: freestanding, so with flags of its own. $(PROBE_ELF) is what VMs boot.
PROBE_ELF   := $(BUILD)/tests/guest/probe.elf
PROBE_SRCS  := $(wildcard tests/guest/*.c) $(wildcard tests/guest/*.S)
PROBE_OBJS  := $(patsubst %,$(BUILD)/%.o,$(basename $(PROBE_SRCS)))
PROBE_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wvla -ffreestanding -fno-pic \
	-fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -march=x86-64

$(patsubst %.c,$(BUILD)/%.o,$(filter %.c,$(PROBE_SRCS))): $(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(PROBE_FLAGS) -MMD -MP -c -o $@ $<
$(patsubst %.S,$(BUILD)/%.o,$(filter %.S,$(PROBE_SRCS))): $(BUILD)/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(PROBE_FLAGS) -MMD -MP -c -o $@ $<
$(PROBE_ELF): $(PROBE_OBJS) tests/guest/probe.ld
	$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-Wl,-T,tests/guest/probe.ld -o $@ $(PROBE_OBJS)

all: $(PROBE_ELF)
