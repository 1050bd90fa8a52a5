# SPDX-License-Identifier: BSD-3-Clause
# Stress programs, as they are and under ThreadSanitizer (with whatever $(SAN) the rest is built).
STRESS_RING_SRCS := tests/stress/stress_ring.c protocol/iotp_area.c protocol/iotp_wait.c
STRESS_TSAN_OBJS := $(patsubst %.c,$(BUILD)/tsan/%.o,$(STRESS_RING_SRCS))

$(BUILD)/tests/stress_ring: $(patsubst %.c,$(BUILD)/obj/%.o,$(STRESS_RING_SRCS))
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(SANFLAGS),$(CFLAGS)) -fsanitize=thread -MMD -MP -c -o $@ $<

$(BUILD)/tests/stress_ring_tsan: $(STRESS_TSAN_OBJS)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(filter-out $(SANFLAGS),$(LDFLAGS)) -fsanitize=thread -o $@ $^ -lpthread

STRESS_TESTS := $(BUILD)/tests/stress_ring $(BUILD)/tests/stress_ring_tsan
EXTRA_TESTS  += $(STRESS_TESTS)
tests: $(STRESS_TESTS)
