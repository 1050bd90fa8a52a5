/* SPDX-License-Identifier: BSD-3-Clause */
/* The syntax of names and addresses in a config file. Internal to config/. */
#ifndef COOPVMM_CONFIG_SYNTAX_H
#define COOPVMM_CONFIG_SYNTAX_H

#include <stdbool.h>

/** [A-Za-z0-9_.-], first one a letter or digit, 1 to CFG_MAX_NAME characters. */
bool syntax_is_name(const char *s);
/** What Linux accepts as an interface name (dev_valid_name): 1 to 15 characters, no '/', ':',
 * blank. */
bool syntax_is_iface(const char *s);
/** A PCI address with its domain, "0000:03:00.0". */
bool syntax_is_pci(const char *s);
/** An IPv4 or IPv6 address with its prefix length, "10.77.0.1/24". */
bool syntax_is_cidr(const char *s);

#endif
