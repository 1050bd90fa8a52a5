/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_run.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../coopvmm/jsonutil.h"
#include "../coopvmm/testbed.h"
#include "bed.h"
#include "iod.h"

#define VM      "probe"
#define LIMIT_S 180    /* for a run; it takes seconds, emulated some tens of them */
#define GAP     500000 /* cycles between samples: an I/O core that sleeps is asleep then */
#define END_S   30     /* for taking it down */

/* A testbed that is running, and what it prints. */
struct run {
    char name[RUNDIR_NAME], dir[64], config[96];
    struct bed bed;
    bool measured; /* the guest said that it is done */
    struct xen_run *out;
};

/* --- the testbed's file --- */

/* `key: value`, or nothing if it is to be chosen */
static void put_cpu(FILE *f, const char *before, int cpu, const char *after)
{
    if (cpu != CFG_ANY)
        fprintf(f, "%s%d%s", before, cpu, after);
}

static int write_config(const struct run *b, const struct xen_run_spec *s, const char *guest)
{
    FILE *f = fopen(b->config, "we");

    if (!f)
        return -errno;
    /* Ordinary scheduling, for what is compared runs under the same. */
    fprintf(f, "name: %s\ndaemon: {realtime: false}\niocores:\n  - {name: " IOD_CORE ", idle: %s%s",
            b->name, cfg_idle_name(s->idle), s->idle == CFG_IDLE_SLEEP ? ", idle_us: 1" : "");
    put_cpu(f, ", core: ", s->iocpu, "");
    fprintf(f,
            "}\nvms:\n"
            "  - name: " VM "\n"
            "    engine: xen\n"
            "    memory: 32\n"
            "    cmdline: mode=lat nic=pci n=%u gap=%u kinds=inb_reg,null_trap\n"
            "    xen: {type: pvh, spin: %s}\n"
            "    devices: [{model: rtl8029, connected: false}]\n",
            s->n, GAP, s->spin ? "true" : "false");
    put_cpu(f, "    cores: [", s->cpu, "]\n");
    fputs("    kernel: ", f);
    guest_put_quoted(f, guest);
    return fclose(f) ? -errno : 0;
}

/* --- its output --- */

static void take_line(void *ctx, const char *line)
{
    struct run *b = ctx;
    struct trap_kind k;

    if (strstr(line, "lat end"))
        b->measured = true;
    else if (trap_parse(line, &k) && !strcmp(k.name, "inb_reg"))
        b->out->inb = k;
    else if (trap_parse(line, &k) && !strcmp(k.name, "null_trap"))
        b->out->xen_only = k;
}

/* --- its telemetry --- */

static struct xen_figures figures(const json_t *j, const char *what, uint64_t n, double hz)
{
    struct xen_figures f = {.n = n};
    struct {
        const char *name;
        double *to;
    } field[] = {{"p50", &f.p50}, {"p99", &f.p99}, {"mean", &f.mean}};
    char key[32];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(key, sizeof(key), "%s_%s_ns", what, field[i].name);
        *field[i].to = (double)json_u64(j, key) * hz / 1e9;
    }
    return f;
}

int xen_run_read(const json_t *snapshot, struct xen_run *out)
{
    const json_t *vm = json_named(json_object_get(snapshot, "vms"), "name", VM);
    const json_t *slot = json_array_get(json_object_get(vm, "slots"), 0);
    const json_t *domain = json_array_get(json_object_get(vm, "domains"), 0);
    double hz = (double)json_u64(json_object_get(snapshot, "info"), "tsc_hz");

    if (!slot || !domain || hz <= 0)
        return -EPROTO;
    out->requests = json_u64(slot, "requests");
    out->notifies = json_u64(domain, "notifies");
    out->unnotified = json_u64(domain, "unnotified");
    out->upcalls = json_u64(domain, "upcalls");
    out->spins = json_u64(domain, "spins") != 0;
    out->service = figures(slot, "service", out->requests, hz);
    out->notify = figures(domain, "notify", out->notifies, hz);
    return 0;
}

static int read_telemetry(const struct run *b, FILE *err, struct xen_run *out)
{
    char why[RUNDIR_WHY];
    struct rundir_ref ref;
    json_t *snapshot = NULL;
    int ret = rundir_find(b->name, &ref, why);

    if (!ret)
        snapshot = testbed_snapshot(&ref, 0, why);
    if (!snapshot) {
        fprintf(err, "%s\n", why);
        return ret ? ret : -EIO;
    }
    ret = xen_run_read(snapshot, out);
    json_decref(snapshot);
    return ret;
}

/* --- the run --- */

static int start(struct run *b)
{
    char program[PATH_MAX];
    char *argv[] = {program, "run", b->config, NULL};
    struct child_spec spec = {.argv = argv};
    int err = child_find("coopvmm", program, sizeof(program));

    b->bed.line = take_line;
    b->bed.ctx = b;
    return err ? err : bed_start(&b->bed, &spec);
}

static int prepare(struct run *b, const struct xen_run_spec *spec, FILE *err)
{
    char guest[PATH_MAX];
    int ret = guest_find(spec->guest, guest, err);

    if (!ret)
        ret = iod_make_dir(b->dir, sizeof(b->dir));
    if (ret)
        return ret;
    snprintf(b->name, sizeof(b->name), "bench-xen-%d", (int)getpid());
    snprintf(b->config, sizeof(b->config), "%s/xen.yaml", b->dir);
    return write_config(b, spec, guest);
}

int xen_run(struct guard *g, const struct xen_run_spec *spec, FILE *err, struct xen_run *out)
{
    struct run *b = calloc(1, sizeof(*b));
    int ret;

    if (!b)
        return -ENOMEM;
    *out = (struct xen_run){0};
    b->out = out;
    ret = prepare(b, spec, err);
    if (!ret)
        ret = start(b);
    if (!ret)
        ret = bed_wait(g, &b->bed, &b->measured, LIMIT_S);
    if (!ret && !(out->inb.n && out->xen_only.n))
        ret = -EPROTO;
    if (!ret)
        ret = read_telemetry(b, err, out);
    bed_end(&b->bed, END_S); /* asked first: it destroys its domain */
    if (ret && ret != -EINTR && b->bed.console.used)
        bed_complain(&b->bed, "the testbed", ret, err);
    iod_remove_dir(b->dir);
    free(b);
    return ret;
}
