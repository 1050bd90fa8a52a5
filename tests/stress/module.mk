# SPDX-License-Identifier: BSD-3-Clause
# Stress programs, as they are and under ThreadSanitizer (with whatever $(SAN) the rest is built).
STRESS      := stress_ring stress_edge
STRESS_LIB  := protocol/iotp_area.o protocol/iotp_wait.o
NOT_SAN     := $(if $(SAN),$(SANFLAGS))

$(addprefix $(BUILD)/tests/,$(STRESS)): $(BUILD)/tests/%: $(BUILD)/obj/tests/stress/%.o \
    $(addprefix $(BUILD)/obj/,$(STRESS_LIB))
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(NOT_SAN),$(CFLAGS)) -fsanitize=thread -MMD -MP -c -o $@ $<

$(patsubst %,$(BUILD)/tests/%_tsan,$(STRESS)): $(BUILD)/tests/%_tsan: $(BUILD)/tsan/tests/stress/%.o \
    $(addprefix $(BUILD)/tsan/,$(STRESS_LIB))
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(filter-out $(NOT_SAN),$(LDFLAGS)) -fsanitize=thread -o $@ $^ -lpthread

STRESS_TESTS := $(STRESS:%=$(BUILD)/tests/%) $(STRESS:%=$(BUILD)/tests/%_tsan)
EXTRA_TESTS  += $(STRESS_TESTS)
tests: $(STRESS_TESTS)
