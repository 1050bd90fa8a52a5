/* SPDX-License-Identifier: BSD-3-Clause */
#include "source_iotp.h"

#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>

static struct src_iotp *of(struct ioc_source *s)
{
    return (struct src_iotp *)s;
}

/* --- which vCPUs are looked at --- */

static void watch(struct src_iotp *s, unsigned v)
{
    s->watched[v / 64] |= 1ull << (v % 64);
    s->hot[s->nhot++] = (uint16_t)v;
}

/* Edge W1: vCPUs that set their bit since we last looked. */
static void notice_new(struct src_iotp *s)
{
    for (unsigned w = 0; w * 64 < s->area->lay.nvcpus; w++) {
        uint64_t bits = __atomic_load_n(&s->area->summary->watch[w], __ATOMIC_ACQUIRE);
        uint64_t fresh = bits & ~s->watched[w];

        for (; fresh; fresh &= fresh - 1) {
            unsigned v = w * 64 + (unsigned)__builtin_ctzll(fresh);

            if (v < s->area->lay.nvcpus)
                watch(s, v);
            else
                s->watched[w] |= 1ull << (v % 64); /* a broken VMM; ignored from now on */
        }
    }
}

/* --- carrying out --- */

static struct ioc_dev *device(struct src_iotp *s, unsigned index)
{
    return index < IOTP_MAX_DEVICES ? s->dev[index] : NULL;
}

static unsigned drain_posted(struct src_iotp *s, unsigned v)
{
    struct iotp_ioc_vcpu *c = &s->area->vcpu[v];
    struct iotp_post p;
    unsigned n = 0;

    while (n < SRC_POSTED_BURST && iotp_ioc_next_post(c, s->area->lay.posted_entries - 1, &p)) {
        struct ioc_dev *d = device(s, p.device);

        if (d)
            dev_posted(d, v, &p);
        iotp_ioc_post_done(c);
        if (d)
            dev_after(d);
        n++;
    }
    if (n)
        hist_store(&s->stats[v].posted, s->stats[v].posted + n);
    return n;
}

/* Empties the rings of all watched vCPUs as they are now. What is posted meanwhile may wait: only
 * what came before the request in question must not. A ring holds no more than posted_entries. */
static unsigned drain_all(struct src_iotp *s)
{
    unsigned bursts = s->area->lay.posted_entries / SRC_POSTED_BURST + 1, total = 0;

    if (s->nhot < s->area->lay.nvcpus)
        notice_new(s);
    for (unsigned i = 0; i < s->nhot; i++) {
        if (!iotp_ioc_posted(&s->area->vcpu[s->hot[i]], s->area->lay.posted_entries - 1))
            continue;
        for (unsigned b = 0, n = SRC_POSTED_BURST; b < bursts && n == SRC_POSTED_BURST; b++)
            total += n = drain_posted(s, s->hot[i]);
    }
    return total;
}

/* Of stamped requests only: reading the clock is not for nothing. */
static void account_times(struct src_iotp *s, unsigned v, uint64_t stamp, uint64_t begin)
{
    struct src_stats *t = &s->stats[v];
    uint64_t end = rte_rdtsc();

    if (stamp < begin)
        hist_add(&t->wait, begin - stamp);
    hist_add(&t->service, end - begin);
}

static unsigned serve(struct src_iotp *s, unsigned v)
{
    struct iotp_ioc_vcpu *c = &s->area->vcpu[v];
    struct iotp_resp resp = {.data = ~0ull, .status = IOTP_UNCLAIMED};
    struct iotp_req r;
    struct ioc_dev *d;
    uint64_t stamp, begin;
    uint32_t seq;
    unsigned n;

    if (!iotp_ioc_peek(c, &r, &seq, &stamp))
        return 0;
    begin = stamp ? rte_rdtsc() : 0;
    n = drain_all(s);
    d = device(s, r.device);
    if (d)
        dev_request(d, v, seq, c->bounce, &r, &resp);
    iotp_ioc_complete(c, seq, &resp);
    if (stamp)
        account_times(s, v, stamp, begin);
    if (d)
        dev_after(d);
    src_account(&s->stats[v], resp.status);
    return n + 1;
}

/* --- the source's functions --- */

static unsigned poll(struct ioc_source *src, uint64_t now)
{
    struct src_iotp *s = of(src);
    unsigned work = 0;

    (void)now;
    if (s->nhot < s->area->lay.nvcpus)
        notice_new(s);
    for (unsigned i = 0; i < s->nhot; i++) {
        unsigned v = s->hot[i];

        if (iotp_ioc_pending(&s->area->vcpu[v]))
            work += serve(s, v);
        else if (iotp_ioc_posted(&s->area->vcpu[v], s->area->lay.posted_entries - 1))
            work += drain_posted(s, v);
    }
    return work;
}

static bool something_there(const struct src_iotp *s, unsigned v)
{
    const struct iotp_ioc_vcpu *c = &s->area->vcpu[v];
    struct iotp_post p;

    return iotp_ioc_pending(c) || iotp_ioc_next_post(c, s->area->lay.posted_entries - 1, &p);
}

static bool peek(struct ioc_source *src)
{
    struct src_iotp *s = of(src);

    notice_new(s);
    return s->nhot != 0;
}

/* Edge W1, this side: clear the bits, then look once more. */
static bool cool(struct ioc_source *src)
{
    struct src_iotp *s = of(src);
    bool quiet = true;

    for (unsigned i = 0; i < s->nhot; i++)
        iotp_ioc_unwatch(s->area, s->hot[i]);
    for (unsigned i = 0; i < s->nhot; i++)
        quiet &= !something_there(s, s->hot[i]);
    if (quiet) {
        for (unsigned i = 0; i < s->nhot; i++)
            s->watched[s->hot[i] / 64] &= ~(1ull << (s->hot[i] % 64));
        s->nhot = 0;
        return true;
    }
    for (unsigned i = 0; i < s->nhot; i++)
        iotp_ioc_watch(s->area, s->hot[i]);
    return false;
}

static bool arm(struct ioc_source *src)
{
    struct src_iotp *s = of(src);

    iotp_ioc_arm(s->area);
    notice_new(s);
    for (unsigned i = 0; i < s->nhot; i++)
        if (something_there(s, s->hot[i]))
            return false;
    return true;
}

static void disarm(struct ioc_source *src)
{
    iotp_ioc_disarm(of(src)->area);
}

static const struct ioc_source_ops iotp_ops = {
    .name = "iotp", .poll = poll, .peek = peek, .cool = cool, .arm = arm, .disarm = disarm};

/* --- restart --- */

static void resume_vcpu(struct src_iotp *s, unsigned v)
{
    struct iotp_ioc_vcpu *c = &s->area->vcpu[v];
    struct iotp_post p;
    struct iotp_resp resp;
    struct iotp_req r;
    struct ioc_dev *d;
    uint64_t stamp;
    uint32_t seq;

    if (iotp_ioc_next_post(c, s->area->lay.posted_entries - 1, &p)) {
        d = device(s, p.device);
        if (d && dev_was_posted(d, v, p.seq))
            iotp_ioc_post_done(c);
    }
    if (iotp_ioc_peek(c, &r, &seq, &stamp)) {
        d = device(s, r.device);
        if (d && dev_was_done(d, v, seq, &resp))
            iotp_ioc_complete(c, seq, &resp);
    }
}

void src_iotp_resume(struct src_iotp *s)
{
    /* All are looked at until they have been quiet for a while: nothing is known of before. */
    for (unsigned v = 0; v < s->area->lay.nvcpus; v++) {
        iotp_ioc_watch(s->area, v);
        if (!(s->watched[v / 64] & 1ull << (v % 64)))
            watch(s, v);
        resume_vcpu(s, v);
    }
    iotp_ioc_disarm(s->area);
}

int src_iotp_create(struct iotp_ioc_area *area, int kick_fd, struct src_iotp **out)
{
    struct src_iotp *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->src = (struct ioc_source){.ops = &iotp_ops, .kick_fd = kick_fd};
    s->area = area;
    s->stats = calloc(area->lay.nvcpus, sizeof(s->stats[0]));
    if (!s->stats) {
        free(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void src_iotp_destroy(struct src_iotp *s)
{
    free(s->stats);
    free(s);
}
