# SPDX-License-Identifier: BSD-3-Clause
coopvmm_SRCS := $(filter-out coopvmm/main.c coopvmm/vm_main.c,$(wildcard coopvmm/*.c))
