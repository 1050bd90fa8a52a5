nicmodels_SRCS := $(filter-out nicmodels/main.c nicmodels/vm_main.c,$(wildcard nicmodels/*.c))
