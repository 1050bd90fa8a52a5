# SPDX-License-Identifier: BSD-3-Clause
config_SRCS := $(wildcard config/*.c)
# libcyaml reads with libyaml; doc.c uses its parser for the lines of errors.
LIBS += -lyaml
