protocol_SRCS := $(wildcard protocol/*.c)
