emul_SRCS := $(filter-out emul/main.c emul/vm_main.c,$(wildcard emul/*.c))
