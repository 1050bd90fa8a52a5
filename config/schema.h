/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a config file may hold: the libcyaml schema over the structs of config.h, and for each
 * number its range and unit. docs/man/coopvmm.yaml.5 tells the same for people;
 * tests/unit/test_config.c holds the two together. Internal to config/.
 */
#ifndef COOPVMM_CONFIG_SCHEMA_H
#define COOPVMM_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

#define SCHEMA_MAX_IOCORES 64
#define SCHEMA_MAX_PORTS   32 /* what DPDK is built for (RTE_MAX_ETHPORTS) */
#define SCHEMA_MAX_VMS     1024
#define SCHEMA_MAX_VCPUS   256 /* IOTP_MAX_VCPUS */
#define SCHEMA_MAX_DEVICES 64  /* IOTP_MAX_DEVICES */
#define SCHEMA_MAX_LINES   64  /* disks, lines of xl.cfg */
#define SCHEMA_MAX_TEXT    2048
#define SCHEMA_MAX_PATH    1024

extern const cyaml_schema_value_t cfg_schema;

/* The range of a number. */
struct schema_range {
    const char *path; /* keys from the root, without indices: "vms.memory" */
    uint64_t min, max;
    const char *unit; /* "MiB", "microseconds", ""; for people */
    bool hex;         /* people write it in hexadecimal */
};

/** The range of the number at `path`. @return NULL: none is declared (a mistake in the schema) */
const struct schema_range *schema_range_find(const char *path);
/** All ranges: @return the i-th, NULL past the end. */
const struct schema_range *schema_range_at(unsigned i);

#endif
