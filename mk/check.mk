# SPDX-License-Identifier: BSD-3-Clause
# Tests: make check and the variants of it.
.PHONY: check check-unit check-integration check-asan check-valgrind demo
INTEGRATION_TESTS := $(sort $(wildcard tests/integration/[0-9]*.sh))
ASAN_OPTS := ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1

$(BUILD)/tests/hostile_vmm: $(BUILD)/obj/tests/integration/hostile_vmm.o $(BUILD)/libprotocol.a
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lpthread

tests: $(BUILD)/tests/hostile_vmm $(PROBE_ELF)

# What the guests in QEMU boot (tests/integration/qemu.sh) is kept where the testbeds keep theirs.
TESTBED ?= $(BUILD)/testbed
QEMU_GUEST := $(TESTBED)/qemu.vmlinuz
$(QEMU_GUEST): tests/integration/qemu_guest.sh $(addprefix tests/testbed/,packages.sh initramfs.sh guest-init)
	@$< $(TESTBED)

CHECK := TESTBED=$(abspath $(TESTBED)) BUILD=$(BUILD) scripts/check.sh

check: setup ## install what is missing, build, run all suites
	@$(MAKE) --no-print-directory check-all
.PHONY: check-all
check-all: all tests $(QEMU_GUEST)
	@$(CHECK) $(SKIPS) $(UNIT_TESTS) $(EXTRA_TESTS) $(INTEGRATION_TESTS)

check-unit: all tests ## the unit suites alone
	@BUILD=$(BUILD) scripts/check.sh $(SKIPS) $(UNIT_TESTS) $(EXTRA_TESTS)

check-integration: all tests $(QEMU_GUEST) ## the suites that start real testbeds
	@$(CHECK) $(SKIPS) $(INTEGRATION_TESTS)

check-asan: ## all suites under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(ASAN_OPTS) $(MAKE) --no-print-directory check-all BUILD=$(BUILD)/asan TESTBED=$(TESTBED) SAN=address,undefined

# Suites that valgrind cannot run, and why: the user engine's guests own the low addresses; the
# oracle sets segment bases; fast-path counting needs Syscall User Dispatch; KVM and DPDK's ports
# are the kernel's and the drivers' business; what kills a process every few milliseconds would
# take hours; what steps the CPU from store to store needs the CPU.
NO_VALGRIND := test_engine_user test_engine_kvm test_engine_pc test_x86_oracle test_fastpath test_restart \
	test_e1000_restart test_rtl8139_restart test_virtq_restart test_xen_restart test_port test_privs_xen \
	test_privs test_eal_args test_telemetry test_switch test_hostcheck test_telclient test_child \
	test_supervisor test_supctl test_rundir test_xl test_domain
VALGRIND_TESTS := $(filter-out $(NO_VALGRIND),$(notdir $(UNIT_TESTS)))
$(BUILD)/valgrind/%: scripts/valgrind-one.sh
	@mkdir -p $(@D)
	@ln -sf $(abspath $<) $@

check-valgrind: all tests $(addprefix $(BUILD)/valgrind/,$(VALGRIND_TESTS)) ## the unit suites under valgrind
	@BUILD=$(BUILD) scripts/check.sh $(addprefix $(BUILD)/valgrind/,$(VALGRIND_TESTS))

demo: setup ## install what is missing, build, show guests behind an I/O core
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) scripts/demo.sh
