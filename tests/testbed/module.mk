# SPDX-License-Identifier: BSD-3-Clause
# What stock guests get beside busybox: static, since nothing else is there.
TESTBED_TSO := $(BUILD)/testbed-tools/tso

$(TESTBED_TSO): tests/testbed/tso.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) -std=gnu11 -Os -s -Wall -Wextra -Werror -static -o $@ $<

tests: $(TESTBED_TSO)
