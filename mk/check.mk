# SPDX-License-Identifier: BSD-3-Clause
# Tests: make check and the variants of it.
.PHONY: check check-unit check-integration check-asan check-valgrind check-tsan fuzz demo
INTEGRATION_TESTS := $(sort $(wildcard tests/integration/[0-9]*.sh))
ASAN_OPTS := ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1

$(BUILD)/tests/hostile_vmm: $(BUILD)/obj/tests/integration/hostile_vmm.o $(BUILD)/libprotocol.a
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lpthread

tests: $(BUILD)/tests/hostile_vmm $(PROBE_ELF)

check: setup ## install what is missing, build, run all suites
	@$(MAKE) --no-print-directory check-all
.PHONY: check-all
check-all: all tests
	@BUILD=$(BUILD) scripts/check.sh $(SKIPS) $(UNIT_TESTS) $(EXTRA_TESTS) $(INTEGRATION_TESTS)

check-unit: all tests ## the unit suites alone
	@BUILD=$(BUILD) scripts/check.sh $(SKIPS) $(UNIT_TESTS) $(EXTRA_TESTS)

check-integration: all tests ## the suites that start real testbeds
	@BUILD=$(BUILD) scripts/check.sh $(SKIPS) $(INTEGRATION_TESTS)

check-asan: ## all suites under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(ASAN_OPTS) $(MAKE) --no-print-directory check-all BUILD=$(BUILD)/asan SAN=address,undefined

check-valgrind: all tests ## the unit suites under valgrind
	@BUILD=$(BUILD) scripts/check.sh $(addprefix $(BUILD)/valgrind/,$(notdir $(VALGRIND_TESTS)))

demo: setup ## install what is missing, build, show a guest behind an I/O core
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) scripts/demo.sh
