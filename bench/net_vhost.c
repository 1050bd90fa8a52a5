/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coopvmm bench net, part "vhost": virtio_user on our vhost-user port and on net_vhost. See
 * net_vhost_run.h for what each run is. In the document:
 *
 *   cpu, iocpu   of the guest, of the back end
 *   cases        [{ring, bytes, direction, ours_mpps, net_vhost_mpps, ratio}]: ring "split" or
 *                "packed"; direction "out" (from the guest) or "in"; million frames a second that
 *                arrive, series of rounds (net.h)
 */
#include "net.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../coopvmm/jsonutil.h"
#include "../coopvmm/table.h"
#include "host.h"
#include "net_vhost_run.h"
#include "opts.h"
#include "progress.h"
#include "report.h"
#include "testpmd.h"

#define ROUNDS   5
#define MS       1000
#define QUICK_MS 200
#define SMALL    64
#define LARGE    1500
#define CASES    8
#define DIGITS   3

static struct nv_case case_at(unsigned i)
{
    return (struct nv_case){.in = i & 1, .packed = i >> 1 & 1, .size = i >> 2 ? LARGE : SMALL};
}

static bool possible(const struct net_options *o, char why[NET_WHY])
{
    struct host_pair pair;

    if (!testpmd_found()) {
        snprintf(why, NET_WHY, "there is no dpdk-testpmd; it is in Debian's package dpdk-dev");
        return false;
    }
    if (host_choose(o->cpu, o->iocpu, &pair, stderr)) {
        snprintf(why, NET_WHY, "it takes two CPUs, one for the guest and one for the back end");
        return false;
    }
    return true;
}

/* --- rounds --- */

struct figures {
    unsigned rounds;
    double mpps[NV_BACKENDS][CASES][NET_MAX_ROUNDS];
};

/* One after the other, so that both find the machine in the same mood; who is first, alternates. */
static int one_case(struct guard *g, const struct nv_run *r, unsigned c, struct figures *f,
                    FILE *err)
{
    struct nv_run run = *r;
    int ret = 0;

    run.c = case_at(c);
    for (unsigned i = 0; i < NV_BACKENDS && !ret; i++) {
        run.backend = (i + f->rounds) % NV_BACKENDS;
        ret = nv_run(g, &run, &f->mpps[run.backend][c][f->rounds], err);
    }
    return ret;
}

static int measure(struct guard *g, const struct nv_run *r, unsigned rounds, struct figures *f,
                   FILE *err)
{
    int ret = 0;

    for (; f->rounds < rounds && !ret; f->rounds++)
        for (unsigned c = 0; c < CASES && !ret; c++) {
            progress_show(NET_NAME, "vhost: round %u of %u, case %u of %u", f->rounds + 1, rounds,
                          c + 1, CASES);
            ret = one_case(g, r, c, f, err);
        }
    return ret;
}

static json_t *case_json(const struct figures *f, unsigned c)
{
    struct nv_case k = case_at(c);
    json_t *ours = net_series(f->mpps[NV_OURS][c], f->rounds, DIGITS);
    json_t *peer = net_series(f->mpps[NV_PEER][c], f->rounds, DIGITS);
    double ratio = net_ratio(ours, peer);

    return json_pack("{s:s, s:i, s:s, s:o, s:o, s:o}", "ring", k.packed ? "packed" : "split",
                     "bytes", (int)k.size, "direction", k.in ? "in" : "out", "ours_mpps", ours,
                     "net_vhost_mpps", peer, "ratio",
                     isfinite(ratio) ? json_real(round(ratio * 1e3) / 1e3) : json_null());
}

static int run(struct guard *g, const struct net_options *o, json_t *part, FILE *err)
{
    struct figures *f = calloc(1, sizeof(*f));
    struct nv_run r = {.ms = o->quick ? QUICK_MS : MS};
    unsigned rounds = o->rounds ? o->rounds : o->quick ? 1 : ROUNDS;
    struct host_pair pair;
    json_t *cases;
    int ret = f ? host_choose(o->cpu, o->iocpu, &pair, err) : -ENOMEM;

    if (!ret) {
        r.cpu = pair.cpu;
        r.iocpu = pair.iocpu;
        ret = measure(g, &r, rounds, f, err);
    }
    cases = json_array();
    for (unsigned c = 0; c < CASES && !ret; c++)
        json_array_append_new(cases, case_json(f, c));
    free(f);
    json_object_set_new(part, "cpu", json_integer(r.cpu));
    json_object_set_new(part, "iocpu", json_integer(r.iocpu));
    json_object_set_new(part, "cases", cases);
    return ret;
}

/* --- what is said of it --- */

static void case_title(const json_t *c, char *text, size_t size)
{
    snprintf(text, size, "%s, %d bytes, %s the guest", json_text(c, "ring"), json_int(c, "bytes"),
             *json_text(c, "direction") == 'i' ? "to" : "from");
}

static double ratio_of(const json_t *c)
{
    const json_t *r = json_object_get(c, "ratio");

    return json_is_number(r) ? json_number_value(r) : NAN;
}

static void goals(json_t *doc, const json_t *part)
{
    char title[64], text[96];
    size_t i;
    json_t *c;

    json_array_foreach(json_object_get(part, "cases"), i, c)
    {
        if (json_int(c, "bytes") != SMALL)
            continue;
        case_title(c, title, sizeof(title));
        snprintf(text, sizeof(text), "vhost-user / net_vhost, %s", title);
        report_goal(doc, text, ratio_of(c), AT_LEAST, 1);
    }
}

static void print(const json_t *part, FILE *out)
{
    static const char *const head[] = {"million frames a second", "ours", "net_vhost", "ratio"};
    struct table *t = table_new(head, 4);
    char title[64];
    size_t i;
    json_t *c;

    fprintf(out, "vhost: virtio_user on CPU %d, back end on CPU %d\n", json_int(part, "cpu"),
            json_int(part, "iocpu"));
    json_array_foreach(json_object_get(part, "cases"), i, c)
    {
        case_title(c, title, sizeof(title));
        table_cell(t, "%s", title);
        table_cell(t, "%.2f", net_median(json_object_get(c, "ours_mpps")));
        table_cell(t, "%.2f", net_median(json_object_get(c, "net_vhost_mpps")));
        table_cell(t, "%.2f", ratio_of(c));
    }
    table_print(t, out);
    table_free(t);
    fputc('\n', out);
}

const struct net_part net_vhost = {
    .name = "vhost",
    .what = "DPDK virtio_user on a vhost-user port and on testpmd net_vhost",
    .possible = possible,
    .run = run,
    .goals = goals,
    .print = print,
};
