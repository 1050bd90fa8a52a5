# SPDX-License-Identifier: BSD-3-Clause
bench_SRCS := $(filter-out bench/main.c bench/vm_main.c,$(wildcard bench/*.c))
