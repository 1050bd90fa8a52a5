/* SPDX-License-Identifier: BSD-3-Clause */
/* Config texts for suites: loaded, and what is said about them. */
#ifndef COOPVMM_TESTS_CONFIG_RIG_H
#define COOPVMM_TESTS_CONFIG_RIG_H

#include <stddef.h>

#include "config/config.h"

#define CONFIG_EXAMPLES "config/examples"

/* How texts begin. */
#define IOCORE  "iocores:\n  - name: io0\n"
#define PORTS   IOCORE "ports:\n"
#define VM      "vms:\n  - name: a\n    kernel: /k\n"
#define DEVICE  IOCORE VM "    devices:\n      - model: ne2000\n"
#define XEN     IOCORE "vms:\n  - name: a\n    engine: xen\n"
#define HVM     XEN "    kernel: /k\n    xen: {type: hvm}\n    devices:\n"
#define PC      IOCORE VM "    engine: kvm\n    platform: pc\n"
#define PC_DEV  PC "    devices:\n"
#define DEVICE2 DEVICE "      - model: ne2000\n        io_base: 0x320\n        irq: 5\n"

/* What came of loading a text, as file t.yaml in /lab. */
struct loaded {
    int ret;
    struct cfg *c;
    char *said; /* to people, about mistakes */
    size_t len;
};

struct loaded config_bytes(const void *data, size_t len);
struct loaded config_text(const char *text);
void config_unload(struct loaded *l);

/* A mistake, and what must be said of it. */
struct mistake {
    const char *text;
    const char *said; /* a piece of the output: line, key and words */
};

/** Asserts that each of n texts is refused, and with these words. */
void expect_all(const struct mistake *list, size_t n);

#endif
