/* SPDX-License-Identifier: BSD-3-Clause */
#include "telemetry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_telemetry.h>

#include "../nicmodels/virtio_pci.h" /* feature bits */

/* DPDK hands endpoints no context of their own, so there is one source a process. */
static const struct tel_source *source;

static const struct tel_source *the_source(void)
{
    return __atomic_load_n(&source, __ATOMIC_ACQUIRE);
}

/* --- parameters --- */

/* "12" and nothing else. */
static bool parse_number(const char *text, unsigned *out)
{
    unsigned long v;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno || *end || v > UINT32_MAX)
        return false;
    *out = (unsigned)v;
    return true;
}

/* "VM", "VM,FIRST" or, without VM, "FIRST". @return false if it is none of these */
static bool parse_params(const char *params, char vm[TEL_NAME], unsigned *first)
{
    const char *comma;

    *first = 0;
    if (!vm)
        return !params || !*params || parse_number(params, first);
    if (!params)
        return false;
    comma = strchrnul(params, ',');
    if (comma == params || comma - params >= TEL_NAME)
        return false;
    memcpy(vm, params, (size_t)(comma - params));
    vm[comma - params] = 0;
    return !*comma || parse_number(comma + 1, first);
}

/* --- lists --- */

/*
 * One kind of list. `fill` adds the i-th item's fields to a dictionary and sets *total; -ENOENT
 * past the end.
 */
typedef int (*tel_fill)(const struct tel_source *s, const char *vm, unsigned i,
                        struct rte_tel_data *item, unsigned *total);

/* A dictionary in a dictionary; freed by DPDK once it is printed. */
static struct rte_tel_data *new_dict(void)
{
    struct rte_tel_data *d = rte_tel_data_alloc();

    if (d)
        rte_tel_data_start_dict(d);
    return d;
}

static unsigned fill_page(tel_fill fill, const struct tel_source *s, const char *vm, unsigned first,
                          struct rte_tel_data *items, unsigned *total)
{
    unsigned n;

    for (n = 0; n < TEL_PAGE; n++) {
        struct rte_tel_data *item = new_dict();
        char key[16];

        if (!item)
            break;
        snprintf(key, sizeof(key), "%u", first + n);
        if (fill(s, vm, first + n, item, total) ||
            rte_tel_data_add_dict_container(items, key, item, 0)) {
            rte_tel_data_free(item);
            break;
        }
    }
    return n;
}

static int list(tel_fill fill, const char *params, bool of_vm, struct rte_tel_data *d)
{
    const struct tel_source *s = the_source();
    struct rte_tel_data *items;
    char vm[TEL_NAME];
    unsigned first, count, total = 0;

    if (!s || !parse_params(params, of_vm ? vm : NULL, &first))
        return -EINVAL;
    items = new_dict();
    if (!items)
        return -ENOMEM;
    count = fill_page(fill, s, vm, first, items, &total);
    if (of_vm && total == 0) { /* there is no such VM: one has a vCPU and a device at least */
        rte_tel_data_free(items);
        return -ENOENT;
    }
    rte_tel_data_start_dict(d);
    rte_tel_data_add_dict_u64(d, "total", total);
    rte_tel_data_add_dict_u64(d, "first", first);
    rte_tel_data_add_dict_u64(d, "count", count);
    return rte_tel_data_add_dict_container(d, "items", items, 0);
}

/* --- what the items hold --- */

/* DPDK copies names and values, and puts a string's quotes; control characters stay out. */
static void text(struct rte_tel_data *d, const char *key, const char *value)
{
    char clean[TEL_NAME + 1];
    size_t i;

    for (i = 0; i < TEL_NAME && value[i]; i++)
        clean[i] = (unsigned char)value[i] < 0x20 || value[i] == '"' || value[i] == '\\' ||
                           (unsigned char)value[i] > 0x7e
                       ? '?'
                       : value[i];
    clean[i] = 0;
    rte_tel_data_add_dict_string(d, key, clean);
}

/* JSON readers' integers end at 2^63 - 1, so ours do too. */
static void number(struct rte_tel_data *d, const char *key, uint64_t value)
{
    rte_tel_data_add_dict_u64(d, key, value > INT64_MAX ? INT64_MAX : value);
}

static uint64_t ns(uint64_t ticks)
{
    return hist_ns(ticks, rte_get_tsc_hz());
}

static int fill_core(const struct tel_source *s, const char *vm, unsigned i, struct rte_tel_data *d,
                     unsigned *total)
{
    struct tel_core c;

    (void)vm;
    if (s->core(s->ctx, i, &c, total))
        return -ENOENT;
    text(d, "name", c.name);
    rte_tel_data_add_dict_int(d, "cpu", c.cpu);
    rte_tel_data_add_dict_int(d, "node", c.node);
    text(d, "idle", cfg_idle_name(c.idle));
    number(d, "busy_ns", ns(c.c.busy_ticks));
    number(d, "idle_ns", ns(c.c.idle_ticks));
    number(d, "sleep_ns", ns(c.c.sleep_ticks));
    number(d, "rounds", c.c.rounds);
    number(d, "busy_rounds", c.c.busy_rounds);
    number(d, "work", c.c.work);
    number(d, "sleeps", c.c.sleeps);
    number(d, "wakeups", c.c.wakeups);
    number(d, "areas", c.areas);
    number(d, "devices", c.devices);
    number(d, "ports", c.ports);
    return 0;
}

static int fill_vm(const struct tel_source *s, const char *vm, unsigned i, struct rte_tel_data *d,
                   unsigned *total)
{
    struct tel_vm v;

    (void)vm;
    if (s->vm(s->ctx, i, &v, total))
        return -ENOENT;
    text(d, "name", v.name);
    number(d, "pid", v.pid);
    number(d, "vcpus", v.vcpus);
    number(d, "areas", v.areas);
    number(d, "devices", v.devices);
    number(d, "running", v.running);
    number(d, "attached_ms", v.attached_ms);
    return 0;
}

static void percentiles(struct rte_tel_data *d, const char *what, const struct hist *h)
{
    static const struct {
        const char *name;
        uint32_t per_million;
    } p[] = {{"p50", 500000}, {"p99", 990000}, {"p999", 999000}};
    char key[32];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(key, sizeof(key), "%s_%s_ns", what, p[i].name);
        number(d, key, ns(hist_percentile(h, p[i].per_million)));
    }
    snprintf(key, sizeof(key), "%s_max_ns", what);
    number(d, key, ns(h->max));
    snprintf(key, sizeof(key), "%s_mean_ns", what);
    number(d, key, ns(hist_mean(h)));
}

static void slot_fields(struct rte_tel_data *d, const struct tel_slot *s)
{
    number(d, "vcpu", s->vcpu);
    text(d, "core", s->core);
    number(d, "requests", s->requests);
    number(d, "posted", s->posted);
    number(d, "unclaimed", s->unclaimed);
    number(d, "failed", s->failed);
    percentiles(d, "wait", &s->wait);
    percentiles(d, "service", &s->service);
}

static int fill_slot(const struct tel_source *s, const char *vm, unsigned i, struct rte_tel_data *d,
                     unsigned *total)
{
    struct tel_slot *slot = malloc(sizeof(*slot));
    int err = slot ? s->slot(s->ctx, vm, i, slot, total) : -ENOENT;

    if (!err)
        slot_fields(d, slot);
    free(slot);
    return err ? -ENOENT : 0;
}

static int fill_device(const struct tel_source *s, const char *vm, unsigned i,
                       struct rte_tel_data *d, unsigned *total)
{
    struct tel_device v;

    if (s->device(s->ctx, vm, i, &v, total))
        return -ENOENT;
    text(d, "name", v.name);
    text(d, "model", v.model);
    text(d, "core", v.core);
    rte_tel_data_add_dict_int(d, "port", v.sw_port);
    number(d, "reads", v.reads);
    number(d, "writes", v.writes);
    number(d, "posted", v.posted);
    number(d, "strings", v.strings);
    number(d, "unclaimed", v.unclaimed);
    number(d, "failed", v.failed);
    number(d, "tx_frames", v.tx_frames);
    number(d, "tx_bytes", v.tx_bytes);
    number(d, "tx_drops", v.tx_drops);
    number(d, "rx_frames", v.rx_frames);
    number(d, "rx_bytes", v.rx_bytes);
    number(d, "rx_drops", v.rx_drops);
    number(d, "tx_large", v.tx_large);
    number(d, "rx_large", v.rx_large);
    number(d, "irqs", v.irqs);
    number(d, "commits", v.commits);
    return 0;
}

static int fill_domain(const struct tel_source *s, const char *vm, unsigned i,
                       struct rte_tel_data *d, unsigned *total)
{
    struct tel_domain *x = malloc(sizeof(*x));

    if (!x || !s->domain || s->domain(s->ctx, vm, i, x, total)) {
        free(x);
        return -ENOENT;
    }
    text(d, "core", x->core);
    number(d, "domid", x->domid);
    number(d, "server", x->server);
    number(d, "spins", x->spins);
    number(d, "notifies", x->notifies);
    number(d, "unnotified", x->unnotified);
    number(d, "upcalls", x->upcalls);
    number(d, "invalidates", x->invalidates);
    number(d, "refused", x->refused);
    number(d, "mem_chunks", x->mem_chunks);
    number(d, "mem_maps", x->mem_maps);
    number(d, "mem_evictions", x->mem_evictions);
    number(d, "mem_failures", x->mem_failures);
    number(d, "mem_flushes", x->mem_flushes);
    percentiles(d, "notify", &x->notify);
    free(x);
    return 0;
}

/* The i-th port that is there: numbers have gaps. */
static int port_at(struct sw *sw, unsigned i, struct sw_port_info *out, unsigned *total)
{
    struct sw_port_info info;

    *total = 0;
    for (int p = 0; p < SW_MAX_PORTS; p++)
        if (sw_port_info(sw, p, &info) == 0 && (*total)++ == i)
            *out = info;
    return i < *total ? 0 : -ENOENT;
}

static int fill_port(const struct tel_source *s, const char *vm, unsigned i, struct rte_tel_data *d,
                     unsigned *total)
{
    struct sw_port_info p;

    (void)vm;
    if (!s->sw || port_at(s->sw, i, &p, total))
        return -ENOENT;
    rte_tel_data_add_dict_int(d, "port", p.port);
    text(d, "name", p.name);
    number(d, "core", p.core);
    number(d, "macs", p.macs);
    number(d, "rx_frames", p.c.rx_frames);
    number(d, "rx_bytes", p.c.rx_bytes);
    number(d, "rx_bad", p.c.rx_bad);
    number(d, "rx_filtered", p.c.rx_filtered);
    number(d, "tx_frames", p.c.tx_frames);
    number(d, "tx_bytes", p.c.tx_bytes);
    number(d, "tx_drops", p.c.tx_drops);
    number(d, "flooded", p.c.flooded);
    number(d, "unknown", p.c.unknown);
    number(d, "inbox_drops", p.c.inbox_drops);
    number(d, "learned", p.c.learned);
    number(d, "moved", p.c.moved);
    number(d, "learn_refused", p.c.learn_refused);
    return 0;
}

static int fill_vhost(const struct tel_source *s, const char *vm, unsigned i,
                      struct rte_tel_data *d, unsigned *total)
{
    struct tel_vhost v;

    (void)vm;
    if (!s->vhost || s->vhost(s->ctx, i, &v, total))
        return -ENOENT;
    text(d, "name", v.name);
    text(d, "core", v.core);
    rte_tel_data_add_dict_int(d, "port", v.sw_port);
    number(d, "pid", v.pid);
    number(d, "features", v.features);
    number(d, "protocol", v.protocol);
    number(d, "packed", v.features & VIRTIO_F_RING_PACKED ? 1 : 0);
    number(d, "max_pairs", v.max_pairs);
    number(d, "pairs", v.pairs);
    number(d, "queues", v.queues);
    number(d, "tx_frames", v.tx_frames);
    number(d, "rx_frames", v.rx_frames);
    number(d, "rx_drops", v.rx_drops);
    number(d, "kicks", v.kicks);
    number(d, "calls", v.calls);
    number(d, "connects", v.connects);
    number(d, "turned_away", v.turned_away);
    number(d, "malformed", v.malformed);
    number(d, "refused", v.refused);
    number(d, "failed", v.failed);
    number(d, "broken", v.broken);
    return 0;
}

static int mac_at(struct sw *sw, unsigned i, struct sw_mac_info *m, unsigned *total)
{
    uint64_t now = rte_rdtsc();
    uint32_t iter = 0;

    *total = sw_mac_count(sw);
    for (unsigned n = 0; sw_mac_next(sw, &iter, now, m) == 0; n++)
        if (n == i)
            return 0;
    return -ENOENT;
}

static int fill_mac(const struct tel_source *s, const char *vm, unsigned i, struct rte_tel_data *d,
                    unsigned *total)
{
    struct sw_mac_info m;
    char mac[18];

    (void)vm;
    if (!s->sw || mac_at(s->sw, i, &m, total))
        return -ENOENT;
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m.mac[0], m.mac[1], m.mac[2],
             m.mac[3], m.mac[4], m.mac[5]);
    text(d, "mac", mac);
    rte_tel_data_add_dict_int(d, "port", m.port);
    number(d, "pinned", m.pinned);
    number(d, "age_s", m.age_s);
    return 0;
}

/* --- one vCPU with its buckets --- */

/* Two arrays beside each other: at most 496 buckets, DPDK's arrays hold 512. */
static int add_buckets(struct rte_tel_data *d, const char *what, const struct hist *h)
{
    struct rte_tel_data *low = rte_tel_data_alloc(), *n = rte_tel_data_alloc();
    char key[32];

    if (!low || !n) {
        rte_tel_data_free(low);
        rte_tel_data_free(n);
        return -ENOMEM;
    }
    rte_tel_data_start_array(low, RTE_TEL_U64_VAL);
    rte_tel_data_start_array(n, RTE_TEL_U64_VAL);
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (h->bucket[i]) {
            rte_tel_data_add_array_u64(low, ns(hist_bucket_low(i)));
            rte_tel_data_add_array_u64(n, h->bucket[i]);
        }
    snprintf(key, sizeof(key), "%s_low_ns", what);
    rte_tel_data_add_dict_container(d, key, low, 0);
    snprintf(key, sizeof(key), "%s_n", what);
    return rte_tel_data_add_dict_container(d, key, n, 0);
}

static int on_slot(const char *cmd, const char *params, struct rte_tel_data *d)
{
    const struct tel_source *s = the_source();
    struct tel_slot *slot;
    char vm[TEL_NAME];
    unsigned i, total;
    int err;

    (void)cmd;
    if (!s || !parse_params(params, vm, &i))
        return -EINVAL;
    slot = malloc(sizeof(*slot));
    err = slot ? s->slot(s->ctx, vm, i, slot, &total) : -ENOMEM;
    if (!err) {
        rte_tel_data_start_dict(d);
        slot_fields(d, slot);
        err = add_buckets(d, "wait", &slot->wait);
    }
    if (!err)
        err = add_buckets(d, "service", &slot->service);
    free(slot);
    return err;
}

static int on_info(const char *cmd, const char *params, struct rte_tel_data *d)
{
    const struct tel_source *s = the_source();
    struct tel_info i = {0};

    (void)cmd;
    (void)params;
    if (!s)
        return -ENOENT;
    s->info(s->ctx, &i);
    rte_tel_data_start_dict(d);
    text(d, "name", i.name);
    text(d, "version", COOPVMM_VERSION);
    number(d, "pid", i.pid);
    number(d, "tsc_hz", i.tsc_hz);
    number(d, "uptime_ms", i.uptime_ms);
    number(d, "cores", i.cores);
    number(d, "vms", i.vms);
    number(d, "ports", i.ports);
    number(d, "hugepages", i.hugepages);
    number(d, "realtime", i.realtime);
    number(d, "memory_locked", i.memory_locked);
    number(d, "seccomp", i.seccomp);
    rte_tel_data_add_dict_int(d, "numa_nodes", i.numa_nodes);
    return 0;
}

#define LIST(name, of_vm)                                                                          \
    static int on_##name##s(const char *cmd, const char *params, struct rte_tel_data *d)           \
    {                                                                                              \
        (void)cmd;                                                                                 \
        return list(fill_##name, params, of_vm, d);                                                \
    }
LIST(core, false)
LIST(vm, false)
LIST(slot, true)
LIST(device, true)
LIST(domain, true)
LIST(port, false)
LIST(vhost, false)
LIST(mac, false)

static const struct {
    const char *path;
    telemetry_cb fn;
    const char *help;
} endpoint[] = {
    {"/coopvmm/info", on_info, "The daemon: version, TSC frequency, what it was allowed"},
    {"/coopvmm/cores", on_cores, "I/O cores: busy, idle and sleeping time. Parameters: [FIRST]"},
    {"/coopvmm/vms", on_vms, "Attached VMs. Parameters: [FIRST]"},
    {"/coopvmm/slots", on_slots, "A VM's vCPUs: requests and their times. Parameters: VM[,FIRST]"},
    {"/coopvmm/slot", on_slot, "One vCPU with the buckets of its histograms. Parameters: VM,N"},
    {"/coopvmm/devices", on_devices, "A VM's devices. Parameters: VM[,FIRST]"},
    {"/coopvmm/domains", on_domains, "A VM's ioreq servers of Xen's. Parameters: VM[,FIRST]"},
    {"/coopvmm/ports", on_ports, "Ports of the switch. Parameters: [FIRST]"},
    {"/coopvmm/vhosts", on_vhosts, "Ports of type vhost-user. Parameters: [FIRST]"},
    {"/coopvmm/macs", on_macs, "The switch's addresses. Parameters: [FIRST]"},
};

int telemetry_register(const struct tel_source *s)
{
    static bool done;

    __atomic_store_n(&source, s, __ATOMIC_RELEASE);
    for (unsigned i = 0; !done && i < sizeof(endpoint) / sizeof(endpoint[0]); i++) {
        int err = rte_telemetry_register_cmd(endpoint[i].path, endpoint[i].fn, endpoint[i].help);

        if (err)
            return err;
    }
    done = true;
    return 0;
}
