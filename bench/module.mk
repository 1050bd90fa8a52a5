bench_SRCS := $(filter-out bench/main.c bench/vm_main.c,$(wildcard bench/*.c))
