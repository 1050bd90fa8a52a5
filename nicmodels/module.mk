# SPDX-License-Identifier: BSD-3-Clause
nicmodels_SRCS := $(filter-out nicmodels/main.c nicmodels/vm_main.c,$(wildcard nicmodels/*.c))
