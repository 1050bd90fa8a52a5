/* SPDX-License-Identifier: BSD-3-Clause */
/* A VM of engine xen as a file for `xl create` (xl.cfg(5)). */
#ifndef COOPVMM_XL_CONFIG_H
#define COOPVMM_XL_CONFIG_H

#include <stdio.h>

#include "../config/config.h"

#define XL_UUID   37                     /* bytes of a UUID as text */
#define XL_DOMAIN (2 * CFG_MAX_NAME + 2) /* bytes of a domain's name */

/** The domain's name: "TESTBED.VM". */
void xl_domain_name(const struct cfg *cfg, const struct cfg_vm *c, char out[XL_DOMAIN]);

/**
 * Writes the file. All texts of the config are quoted, so that none of them can add a setting; only
 * xen: {options: ...} is copied as it is.
 * @param uuid the domain's, chosen by the caller: by it the domain is found again
 * @param device_model path of the QEMU of an HVM domain; NULL: xl's own choice
 * @return 0; -EINVAL: a text holds a control character that cannot be quoted; -EIO
 */
int xl_config_write(const struct cfg *cfg, const struct cfg_vm *c, const char *uuid,
                    const char *device_model, FILE *out);

#endif
