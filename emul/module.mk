# SPDX-License-Identifier: BSD-3-Clause
emul_SRCS := $(filter-out emul/main.c emul/vm_main.c,$(wildcard emul/*.c))
