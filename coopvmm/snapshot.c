/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "jsonutil.h"

/* Adds a list under `name`. */
static int add_list(struct telclient *t, json_t *to, const char *name, const char *params)
{
    char command[64];
    json_t *items;
    int err;

    snprintf(command, sizeof(command), "/coopvmm/%s", name);
    err = telclient_list(t, command, params, &items);
    return err ? err : json_object_set_new(to, name, items) ? -ENOMEM : 0;
}

/* Puts each slot's buckets in place of its summary. */
static int add_buckets(struct telclient *t, json_t *vm)
{
    json_t *slots = json_object_get(vm, "slots");
    int err = 0;

    for (size_t i = 0; i < json_array_size(slots) && !err; i++) {
        char params[128];
        json_t *slot;

        snprintf(params, sizeof(params), "%s,%zu", json_text(vm, "name"), i);
        err = telclient_ask(t, "/coopvmm/slot", params, &slot);
        if (!err && json_array_set_new(slots, i, slot))
            err = -ENOMEM;
    }
    return err;
}

static int add_vm(struct telclient *t, unsigned what, json_t *vm)
{
    const char *name = json_text(vm, "name");
    int err = add_list(t, vm, "slots", name);

    if (!err)
        err = add_list(t, vm, "devices", name);
    if (!err && (what & SNAPSHOT_BUCKETS))
        err = add_buckets(t, vm);
    if (!err) {
        err = add_list(t, vm, "domains", name);
        err = err == -ENOENT ? 0 : err; /* not one that Xen runs */
    }
    return err;
}

static int add_vms(struct telclient *t, unsigned what, json_t *to)
{
    int err = add_list(t, to, "vms", NULL);
    json_t *vms = json_object_get(to, "vms");
    size_t i = 0;

    while (!err && i < json_array_size(vms)) {
        err = add_vm(t, what, json_array_get(vms, i));
        if (err == -ENOENT) /* detached since it was listed */
            err = json_array_remove(vms, i) ? -EPROTO : 0;
        else
            i++;
    }
    return err;
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int fill(struct telclient *t, unsigned what, json_t *to)
{
    json_t *info;
    int err = telclient_ask(t, "/coopvmm/info", NULL, &info);

    if (!err)
        err = json_object_set_new(to, "info", info) ? -ENOMEM : 0;
    if (!err)
        err = add_list(t, to, "cores", NULL);
    if (!err)
        err = add_vms(t, what, to);
    if (!err)
        err = add_list(t, to, "ports", NULL);
    if (!err)
        err = add_list(t, to, "vhosts", NULL);
    if (!err && (what & SNAPSHOT_MACS))
        err = add_list(t, to, "macs", NULL);
    return err;
}

int snapshot_take(struct telclient *t, unsigned what, json_t **out)
{
    json_t *doc = json_pack("{s:I}", "at_ns", (json_int_t)now_ns());
    int err = doc ? fill(t, what, doc) : -ENOMEM;

    if (err) {
        json_decref(doc);
        doc = NULL;
    }
    *out = doc;
    return err;
}
