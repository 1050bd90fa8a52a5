iocore_SRCS := $(filter-out iocore/main.c iocore/vm_main.c,$(wildcard iocore/*.c))
