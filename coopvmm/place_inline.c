/* SPDX-License-Identifier: BSD-3-Clause */
/* Placement "inline": the model runs on the thread of the vCPU that asks. */
#include <errno.h>
#include <stdlib.h>

#include "local.h"

static int call(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out)
{
    local_request(d->place_state, vcpu, r, out);
    return 0;
}

static void remove_dev(struct bus_dev *d)
{
    local_fini(d->place_state);
    free(d->place_state);
}

static const struct placement placement_inline = {
    .name = "inline", .call = call, .remove = remove_dev};

int inline_create(struct vm *vm, const struct cfg_device *c, FILE *err)
{
    struct local_dev *l = aligned_alloc(64, sizeof(*l));
    int ret;

    if (!l)
        return -ENOMEM;
    *l = (struct local_dev){0};
    ret = local_init(l, vm, c, &placement_inline, err);
    if (!ret)
        ret = bus_add(vm->bus, &l->bus);
    if (ret) {
        local_fini(l);
        free(l);
    }
    return ret;
}
