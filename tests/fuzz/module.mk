# SPDX-License-Identifier: BSD-3-Clause
# libFuzzer targets: tests/fuzz/fuzz_X.c is the program $(BUILD)/fuzz/fuzz_X, built by clang with
# AddressSanitizer and UndefinedBehaviorSanitizer, and the libraries with it.
.PHONY: fuzz fuzz-build
FUZZ_SECONDS ?= 10
FUZZ_CC      := clang
FUZZ_SAN     := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
# What fuzz targets reach; of the I/O core, which needs DPDK to run, what is behind Xen's requests.
FUZZ_SRCS := $(protocol_SRCS) $(emul_SRCS) $(nicmodels_SRCS) $(config_SRCS) coopvmm/elf.c coopvmm/filemap.c \
	coopvmm/bzimage.c coopvmm/uart.c coopvmm/rtc.c \
	coopvmm/xl_parse.c coopvmm/qemu_claims.c $(wildcard iocore/xen_*.c) \
	$(patsubst %,iocore/%.c,device devio fdb guestmem large source_xen state switch switch_path \
	vhost_guard vhost_msg vhost_ring vhost_user)
FUZZ_OBJS := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(FUZZ_SRCS))

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(PKG_CFLAGS) $(filter-out $(SANFLAGS),$(CFLAGS)) $(FUZZ_SAN) \
		-Wno-missing-prototypes -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libfuzzed.a: $(FUZZ_OBJS)
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/fuzz/fuzz_ioreq: LIBS += $(DPDK_LIBS)
$(BUILD)/fuzz/fuzz_ioreq: $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(wildcard tests/unit/xen_*.c))
$(FUZZ_TARGETS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(BUILD)/fuzz/libfuzzed.a
	$(SAY) LD $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

fuzz-build: $(FUZZ_TARGETS)

fuzz: fuzz-build ## each fuzz target for FUZZ_SECONDS (10) seconds
	@BUILD=$(BUILD) SUITE_TIMEOUT=$$(($(FUZZ_SECONDS) + 120)) FUZZ_SECONDS=$(FUZZ_SECONDS) \
		scripts/check.sh $(patsubst %,$(BUILD)/fuzz/run/%,$(notdir $(FUZZ_TARGETS)))
fuzz: $(patsubst %,$(BUILD)/fuzz/run/%,$(notdir $(FUZZ_TARGETS)))
$(BUILD)/fuzz/run/%: scripts/fuzz-one.sh
	@mkdir -p $(@D)
	@ln -sf $(abspath $<) $@
