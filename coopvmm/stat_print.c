/* SPDX-License-Identifier: BSD-3-Clause */
#include "stat_print.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "format.h"
#include "jsonutil.h"
#include "table.h"

#define COLUMNS(head) (sizeof(head) / sizeof((head)[0]))

static void cell_u64(struct table *t, const json_t *j, const char *key)
{
    table_cell(t, "%llu", (unsigned long long)json_u64(j, key));
}

static void cell_text(struct table *t, const json_t *j, const char *key)
{
    table_cell(t, "%s", json_text(j, key));
}

static void cell_ns(struct table *t, const json_t *j, const char *key)
{
    char text[FORMAT_SIZE];

    table_cell(t, "%s", format_ns(text, (double)json_u64(j, key)));
}

static void cell_share(struct table *t, double part, double all)
{
    if (all > 0)
        table_cell(t, "%.1f", 100 * part / all);
    else
        table_cell(t, "-");
}

/* Prints and frees a table, an empty line before it. */
static void finish(struct table *t)
{
    if (table_rows(t)) {
        putchar('\n');
        table_print(t, stdout);
    }
    table_free(t);
}

static void print_info(const json_t *info, const char *testbed)
{
    char up[FORMAT_SIZE];

    format_duration(up, (double)json_u64(info, "uptime_ms") / 1000);
    printf("testbed %s: I/O-core process %d, up %s; hugepages %s, real time %s, memory locked %s, "
           "seccomp %s\n",
           testbed, json_int(info, "pid"), up, json_u64(info, "hugepages") ? "yes" : "no",
           json_u64(info, "realtime") ? "yes" : "no",
           json_u64(info, "memory_locked") ? "yes" : "no",
           json_u64(info, "seccomp") ? "yes" : "no");
}

static void print_cores(const json_t *cores)
{
    static const char *const head[] = {"CORE",   "CPU",   "NODE",    "IDLE",  "BUSY%",
                                       "SLEEP%", "AREAS", "DEVICES", "PORTS", "WORK"};
    struct table *t = table_new(head, COLUMNS(head));
    size_t i;
    json_t *c;

    json_array_foreach(cores, i, c)
    {
        double busy = (double)json_u64(c, "busy_ns"), sleep = (double)json_u64(c, "sleep_ns");
        double all = busy + sleep + (double)json_u64(c, "idle_ns");

        cell_text(t, c, "name");
        table_cell(t, "%d", json_int(c, "cpu"));
        table_cell(t, "%d", json_int(c, "node"));
        cell_text(t, c, "idle");
        cell_share(t, busy, all);
        cell_share(t, sleep, all);
        cell_u64(t, c, "areas");
        cell_u64(t, c, "devices");
        cell_u64(t, c, "ports");
        cell_u64(t, c, "work");
    }
    finish(t);
}

static void slot_row(struct table *t, const char *vm, const json_t *s)
{
    static const char *const times[] = {"wait_p50_ns",    "wait_p99_ns",    "wait_p999_ns",
                                        "service_p50_ns", "service_p99_ns", "service_p999_ns"};

    table_cell(t, "%s", vm);
    table_cell(t, "vcpu%d", json_int(s, "vcpu"));
    cell_text(t, s, "core");
    cell_u64(t, s, "requests");
    cell_u64(t, s, "posted");
    cell_u64(t, s, "unclaimed");
    cell_u64(t, s, "failed");
    for (unsigned i = 0; i < COLUMNS(times); i++)
        cell_ns(t, s, times[i]);
}

static void print_slots(const json_t *vms)
{
    static const char *const head[] = {
        "VM",     "VCPU",   "CORE",     "REQUESTS",  "POSTED",    "UNCLAIMED",  "FAILED",
        "WAIT50", "WAIT99", "WAIT99.9", "SERVICE50", "SERVICE99", "SERVICE99.9"};
    struct table *t = table_new(head, COLUMNS(head));
    size_t i, k;
    json_t *vm, *s;

    json_array_foreach(vms, i, vm)
    {
        json_array_foreach(json_object_get(vm, "slots"), k, s)
            slot_row(t, json_text(vm, "name"), s);
    }
    finish(t);
}

static void device_row(struct table *t, const char *vm, const json_t *d)
{
    static const char *const counters[] = {"reads",     "writes",    "posted",  "strings",
                                           "unclaimed", "failed",    "irqs",    "tx_frames",
                                           "tx_drops",  "rx_frames", "rx_drops"};

    table_cell(t, "%s", vm);
    cell_text(t, d, "name");
    cell_text(t, d, "model");
    cell_text(t, d, "core");
    for (unsigned i = 0; i < COLUMNS(counters); i++)
        cell_u64(t, d, counters[i]);
}

static void print_devices(const json_t *vms)
{
    static const char *const head[] = {"VM",     "DEVICE", "MODEL",   "CORE",      "READS",
                                       "WRITES", "POSTED", "STRINGS", "UNCLAIMED", "FAILED",
                                       "IRQS",   "TX",     "TXDROP",  "RX",        "RXDROP"};
    struct table *t = table_new(head, COLUMNS(head));
    size_t i, k;
    json_t *vm, *d;

    json_array_foreach(vms, i, vm)
    {
        json_array_foreach(json_object_get(vm, "devices"), k, d)
            device_row(t, json_text(vm, "name"), d);
    }
    finish(t);
}

static void print_ports(const json_t *ports)
{
    static const char *const head[] = {"PORT",    "RX",        "RXBYTES", "RXBAD",
                                       "TX",      "TXBYTES",   "TXDROP",  "FLOODED",
                                       "UNKNOWN", "INBOXDROP", "MACS"};
    static const char *const counters[] = {"rx_frames",   "rx_bytes", "rx_bad",  "tx_frames",
                                           "tx_bytes",    "tx_drops", "flooded", "unknown",
                                           "inbox_drops", "macs"};
    struct table *t = table_new(head, COLUMNS(head));
    size_t i;
    json_t *p;

    json_array_foreach(ports, i, p)
    {
        cell_text(t, p, "name");
        for (unsigned k = 0; k < COLUMNS(counters); k++)
            cell_u64(t, p, counters[k]);
    }
    finish(t);
}

static void vhost_row(struct table *t, const json_t *v)
{
    static const char *const counters[] = {"tx_frames", "rx_frames", "rx_drops", "kicks",
                                           "calls",     "connects",  "broken",   "turned_away",
                                           "malformed", "refused",   "failed"};
    bool connected = json_u64(v, "features") != 0;

    cell_text(t, v, "name");
    cell_text(t, v, "core");
    if (json_u64(v, "pid"))
        cell_u64(t, v, "pid");
    else
        table_cell(t, connected ? "?" : "-");
    table_cell(t, "%d/%d", json_int(v, "pairs"), json_int(v, "max_pairs"));
    table_cell(t, !connected ? "-" : json_u64(v, "packed") ? "packed" : "split");
    table_cell(t, "%llx", (unsigned long long)json_u64(v, "features"));
    for (unsigned i = 0; i < COLUMNS(counters); i++)
        cell_u64(t, v, counters[i]);
}

/* Front ends of vhost-user ports. */
static void print_vhosts(const json_t *vhosts)
{
    static const char *const head[] = {"FRONT END", "CORE",     "PID",    "PAIRS",  "RINGS",
                                       "FEATURES",  "TX",       "RX",     "RXDROP", "KICKS",
                                       "CALLS",     "CONNECTS", "BROKEN", "AWAY",   "MALFORMED",
                                       "REFUSED",   "FAILED"};
    struct table *t = table_new(head, COLUMNS(head));
    size_t i;
    json_t *v;

    json_array_foreach(vhosts, i, v) vhost_row(t, v);
    finish(t);
}

int stat_print(const json_t *doc, const char *testbed)
{
    print_info(json_object_get(doc, "info"), testbed);
    print_cores(json_object_get(doc, "cores"));
    print_slots(json_object_get(doc, "vms"));
    print_devices(json_object_get(doc, "vms"));
    print_ports(json_object_get(doc, "ports"));
    print_vhosts(json_object_get(doc, "vhosts"));
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
