# SPDX-License-Identifier: BSD-3-Clause
iocore_SRCS := $(filter-out iocore/main.c iocore/vm_main.c,$(wildcard iocore/*.c))
