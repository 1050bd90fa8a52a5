# SPDX-License-Identifier: BSD-3-Clause
coopvmm_SRCS := $(filter-out coopvmm/main.c coopvmm/vm_main.c,$(wildcard coopvmm/*.c))
# The oracle of what is written for xl: the reader xl itself uses.
$(BUILD)/tests/test_xl: LIBS += -lxlutil
