/* SPDX-License-Identifier: BSD-3-Clause */
#include "topo_opts.h"

#include <string.h>

#include "cmd.h"

int topo_open(const char *command, const struct topo_opts *opts, struct topo **out)
{
    int err = topo_load(opts->synthetic, out);

    if (err && opts->synthetic)
        return cmd_usage(command,
                         "hwloc does not understand \"%s\"; "
                         "see lstopo(1), or try \"[numa] core:4 pu:2\"",
                         opts->synthetic);
    if (err)
        return cmd_fail(command, "cannot read the topology: %s", strerror(-err));
    if (!opts->isolated)
        return CMD_OK;
    err = topo_set_isolated(*out, opts->isolated);
    if (err) {
        topo_free(*out);
        *out = NULL;
        return cmd_usage(command, "\"%s\" is no list of CPUs; write it as 2-7,10", opts->isolated);
    }
    return CMD_OK;
}
