config_SRCS := $(filter-out config/main.c config/vm_main.c,$(wildcard config/*.c))
