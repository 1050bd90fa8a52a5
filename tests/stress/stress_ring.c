/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP rings under stress, best run under ThreadSanitizer: vCPU threads post and call at random, an
 * I/O core checks values and order, stops watching and goes to sleep as often as it can.
 *
 * What is checked:
 *   - each vCPU's posted writes arrive once, in order, with their values;
 *   - a request finds all posted writes of its vCPU consumed, and its answer is its own;
 *   - writes that vCPUs post under a lock are consumed in the order of the lock's holders, and
 *     before a request that another vCPU makes under the same lock later (SPEC.md, rules O2, O3);
 *   - shadow cells are never a mix of two publications (edge H2), and know the reader's own writes;
 *   - no wake-up is lost, of a sleeping I/O core or of a sleeping vCPU.
 *
 * usage: stress_ring [-t SECONDS] [-n REQUESTS-A-VCPU] [-s SEED]
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/iotp_ioc.h"
#include "../../protocol/iotp_vmm.h"

#define VCPUS  2
#define POSTED 16 /* small: often full */
#define CELLS  3

enum device { DEV_ORDER, DEV_LOCKED, DEVICES };

/* A lost wake-up shows as sleeping until the bound of the sleep; scheduling seldom takes as long.
 */
#define ASLEEP_MS     3000 /* I/O core: poll on its kick eventfd */
#define LATE_NS       80000000ull
#define LATE_PER_MILL 20 /* of the sleeps: what a loaded machine's scheduler is granted */

struct stress {
    uint8_t *base;
    struct iotp_layout lay;
    int kick;
    uint64_t requests; /* a vCPU; 0: as long as time lasts */
    unsigned seconds;
    bool stop;                /* atomic */
    bool broken;              /* atomic: a wake-up was lost; whoever waits gives up */
    unsigned running;         /* atomic: vCPUs that are not through */
    uint64_t posted[DEVICES]; /* atomic */
    pthread_mutex_t lock;
    uint64_t locked_posts; /* under the lock: posted to DEV_LOCKED so far */
    unsigned errors;       /* atomic */
};

struct vcpu {
    struct stress *s;
    struct iotp_vcpu v;
    uint64_t mark[DEVICES];
    uint64_t rng;
    uint64_t posts, calls, shadow_reads, late;
};

struct iocore {
    struct stress *s;
    struct iotp_ioc_area *a;
    uint64_t rng;
    uint64_t next[VCPUS];       /* value of the next post to DEV_ORDER, by vCPU */
    uint64_t consumed[DEVICES]; /* posted writes carried out */
    uint64_t version[DEVICES];  /* what the cells say */
    uint64_t requests, posts, cools, sleeps;
};

static void fail(struct stress *s, const char *what, uint64_t got, uint64_t want)
{
    if (__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED) < 10)
        printf("%s: got %llu, want %llu\n", what, (unsigned long long)got,
               (unsigned long long)want);
}

static uint64_t rnd(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- a vCPU --- */

/* `offset` says what has been posted before, `mem` is echoed; the answer is when it was given. */
static bool call(struct vcpu *c, uint16_t device, uint8_t op, uint64_t offset)
{
    struct iotp_req r = {.offset = offset,
                         .data = rnd(&c->rng),
                         .device = device,
                         .op = op,
                         .size = 8,
                         .count = (uint32_t)rnd(&c->rng)};
    uint64_t sleeps = c->v.sleeps;
    struct iotp_resp a;

    if (iotp_call(&c->v, &r, &a))
        return false;
    c->calls++;
    if (a.done_count != (uint32_t)(r.data ^ r.count) || a.status != IOTP_DONE)
        fail(c->s, "answer to another request", a.done_count, (uint32_t)(r.data ^ r.count));
    if (c->v.sleeps != sleeps && now_ns() - a.data > LATE_NS)
        c->late++;
    return true;
}

static struct iotp_shadow *shadow(const struct stress *s, unsigned device)
{
    return (struct iotp_shadow *)(s->base + s->lay.off_shadow) + device;
}

/* Posts, or makes it a synchronous write if it may not be posted. */
static bool write_to(struct vcpu *c, uint16_t device, uint64_t value)
{
    bool posted;

    if (device == DEV_ORDER) /* vCPUs' writes to it are not ordered by anything */
        posted = iotp_post(&c->v, device, 0, value, 8, ~value);
    else
        posted = iotp_post_ordered(&c->v, &c->s->posted[device], &c->mark[device],
                                   shadow(c->s, device), device, 0, value, 8, ~value);
    c->posts += posted;
    return posted || call(c, device, IOTP_OP_WRITE, value);
}

/* Both cells are of one publication, and know each write posted so far under the lock. */
static void read_shadow(struct vcpu *c, const struct iotp_shadow *sh)
{
    uint64_t posted = __atomic_load_n(&c->s->posted[DEV_LOCKED], __ATOMIC_ACQUIRE);
    uint64_t first, then;

    if (!iotp_shadow_read(sh, 0, posted, &first) || !iotp_shadow_read(sh, 2, posted, &then))
        return;
    c->shadow_reads++;
    if (first < c->s->locked_posts)
        fail(c->s, "shadow misses a write", first, c->s->locked_posts);
    if (then < first)
        fail(c->s, "shadow cells of different age", then, first);
}

/* Under the lock: a write, then (mostly by the other vCPU) a request that must find it done. */
static bool locked_access(struct vcpu *c)
{
    const struct iotp_shadow *sh = shadow(c->s, DEV_LOCKED);
    bool go_on;

    pthread_mutex_lock(&c->s->lock);
    if (rnd(&c->rng) & 1) {
        go_on = write_to(c, DEV_LOCKED, c->s->locked_posts);
        c->s->locked_posts++;
        read_shadow(c, sh);
    } else {
        read_shadow(c, sh);
        go_on = call(c, DEV_LOCKED, IOTP_OP_READ, c->s->locked_posts);
    }
    pthread_mutex_unlock(&c->s->lock);
    return go_on;
}

static void *run_vcpu(void *arg)
{
    struct vcpu *c = arg;
    uint64_t value = 0;
    bool go_on = true;

    for (uint64_t i = 0; go_on && (!c->s->requests || i < c->s->requests); i++) {
        uint64_t dice = rnd(&c->rng) % 64;

        c->v.spin = dice & 1 ? 2000 : (uint32_t)(dice * 4);
        if (dice < 40)
            go_on = write_to(c, DEV_ORDER, value++);
        else if (dice < 52)
            go_on = call(c, DEV_ORDER, IOTP_OP_READ, value);
        else
            go_on = locked_access(c);
        if (dice == 63) /* be quiet now and then, so that the I/O core sleeps */
            usleep((useconds_t)(rnd(&c->rng) % 200));
        if (__atomic_load_n(&c->s->stop, __ATOMIC_RELAXED))
            break;
    }
    __atomic_fetch_sub(&c->s->running, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* --- the I/O core --- */

static void publish(struct iocore *k, unsigned device)
{
    struct iotp_shadow *sh = &k->a->shadow[device];

    iotp_ioc_hide(sh);
    for (unsigned i = 0; i < CELLS; i++)
        iotp_ioc_set_cell(sh, i, k->version[device]);
    iotp_ioc_show(sh, (1u << CELLS) - 1);
    iotp_ioc_publish(sh, k->consumed[device]);
}

static void carry_out(struct iocore *k, unsigned v, unsigned device, uint64_t value)
{
    if (device == DEV_ORDER) {
        if (value != k->next[v])
            fail(k->s, "write out of order", value, k->next[v]);
        k->next[v] = value + 1;
    } else {
        if (value != k->version[device])
            fail(k->s, "locked write out of order", value, k->version[device]);
        k->version[device] = value + 1;
    }
}

static unsigned drain(struct iocore *k, unsigned v)
{
    struct iotp_post p;
    unsigned n = 0;

    for (; iotp_ioc_next_post(&k->a->vcpu[v], POSTED - 1, &p); n++) {
        if (p.device >= DEVICES || p.data != ~p.offset || p.size != 8 || p.region != 0) {
            fail(k->s, "entry torn", p.data, ~p.offset);
        } else {
            carry_out(k, v, p.device, p.offset);
            k->consumed[p.device]++;
            publish(k, p.device);
        }
        iotp_ioc_post_done(&k->a->vcpu[v]);
    }
    k->posts += n;
    return n;
}

static bool watched(const struct iocore *k, unsigned v)
{
    return __atomic_load_n(&k->a->summary->watch[0], __ATOMIC_ACQUIRE) >> v & 1;
}

static void drain_watched(struct iocore *k)
{
    for (unsigned v = 0; v < VCPUS; v++)
        if (watched(k, v))
            drain(k, v);
}

static void check_request(struct iocore *k, unsigned v, const struct iotp_req *r)
{
    if (r->op & IOTP_OP_WRITE) {
        carry_out(k, v, r->device, r->offset);
        publish(k, r->device);
    } else if (r->device == DEV_ORDER && r->offset != k->next[v]) {
        fail(k->s, "request before an earlier write", k->next[v], r->offset);
    } else if (r->device == DEV_LOCKED && r->offset != k->version[DEV_LOCKED]) {
        fail(k->s, "request before another vCPU's earlier write", k->version[DEV_LOCKED],
             r->offset);
    }
}

static unsigned serve(struct iocore *k, unsigned v)
{
    struct iotp_resp a = {.status = IOTP_DONE};
    struct iotp_req r;
    uint64_t stamp;
    uint32_t seq;

    if (!iotp_ioc_peek(&k->a->vcpu[v], &r, &seq, &stamp))
        return 0;
    drain_watched(k);
    check_request(k, v, &r);
    a.data = now_ns();
    a.done_count = (uint32_t)(r.data ^ r.count);
    iotp_ioc_complete(&k->a->vcpu[v], seq, &a);
    k->requests++;
    return 1;
}

static bool something_there(const struct iocore *k, unsigned v)
{
    struct iotp_post p;

    return iotp_ioc_pending(&k->a->vcpu[v]) || iotp_ioc_next_post(&k->a->vcpu[v], POSTED - 1, &p);
}

/* Edge W1. */
static void cool(struct iocore *k, unsigned v)
{
    k->cools++;
    iotp_ioc_unwatch(k->a, v);
    if (something_there(k, v))
        iotp_ioc_watch(k->a, v);
}

/* Edge A1. */
static void sleep_until_kicked(struct iocore *k)
{
    struct pollfd p = {.fd = k->s->kick, .events = POLLIN};
    bool there = false;
    uint64_t n;

    iotp_ioc_arm(k->a);
    for (unsigned v = 0; v < VCPUS; v++)
        there |= watched(k, v) && something_there(k, v);
    if (!there && __atomic_load_n(&k->s->running, __ATOMIC_ACQUIRE)) {
        k->sleeps++;
        /* vCPUs are quiet for 0.2 ms at most: nobody stays away for long while one runs. */
        if (!poll(&p, 1, ASLEEP_MS) && __atomic_load_n(&k->s->running, __ATOMIC_ACQUIRE)) {
            fail(k->s, "the I/O core slept on", k->sleeps, 0);
            __atomic_store_n(&k->s->broken, true, __ATOMIC_RELEASE);
        }
    }
    iotp_ioc_disarm(k->a);
    while (read(k->s->kick, &n, sizeof(n)) > 0)
        ;
}

static void *run_iocore(void *arg)
{
    struct iocore *k = arg;

    while (__atomic_load_n(&k->s->running, __ATOMIC_ACQUIRE)) {
        unsigned work = 0;

        for (unsigned v = 0; v < VCPUS; v++) {
            if (!watched(k, v))
                continue;
            work += serve(k, v) + drain(k, v);
            if (rnd(&k->rng) % 8 == 0)
                cool(k, v);
        }
        if (!work && rnd(&k->rng) % 4 == 0)
            sleep_until_kicked(k);
        else if (!work)
            iotp_pause();
        if (!work && rnd(&k->rng) % 16 == 0)
            sched_yield(); /* three threads on two CPUs */
    }
    drain_watched(k);
    for (unsigned v = 0; v < VCPUS; v++)
        drain(k, v);
    return NULL;
}

/* --- all of it --- */

static bool make_area(struct stress *s, struct iocore *k, struct vcpu *c)
{
    if (iotp_layout_of(VCPUS, DEVICES, POSTED, &s->lay))
        return false;
    s->base = aligned_alloc(IOTP_PAGE, s->lay.size);
    s->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!s->base || s->kick < 0)
        return false;
    memset(s->base, 0, s->lay.size);
    if (iotp_area_format(s->base, &s->lay, IOTP_F_POSTED | IOTP_F_SHADOW) ||
        iotp_ioc_attach(s->base, s->lay.size, &k->a))
        return false;
    for (unsigned v = 0; v < VCPUS; v++)
        if (iotp_vcpu_init(&c[v].v, s->base, &s->lay, v, 1000, s->kick))
            return false;
    return true;
}

/* Sleeps in steps, so that a run bounded by requests ends when they are through. */
static void wait_for_end(struct stress *s)
{
    uint64_t end = now_ns() + s->seconds * 1000000000ull;

    while (now_ns() < end && __atomic_load_n(&s->running, __ATOMIC_ACQUIRE))
        usleep(10000);
    __atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

static void run(struct stress *s, struct iocore *k, struct vcpu *c)
{
    pthread_t t[VCPUS + 1];

    s->running = VCPUS;
    if (pthread_create(&t[VCPUS], NULL, run_iocore, k))
        abort();
    for (unsigned v = 0; v < VCPUS; v++)
        if (pthread_create(&t[v], NULL, run_vcpu, &c[v]))
            abort();
    wait_for_end(s);
    for (unsigned v = 0; v < VCPUS; v++)
        pthread_join(t[v], NULL);
    if (write(s->kick, &(uint64_t){1}, 8) != 8)
        abort();
    pthread_join(t[VCPUS], NULL);
}

/* After the end: all that was posted was consumed. And was each case met at all? */
static void check_totals(struct stress *s, const struct iocore *k, const struct vcpu *c)
{
    uint64_t posts = 0, calls = 0, full = 0, kicks = 0, sleeps = 0, late = 0, shadows = 0;

    for (unsigned v = 0; v < VCPUS; v++) {
        posts += c[v].posts;
        calls += c[v].calls;
        full += c[v].v.full;
        kicks += c[v].v.kicks;
        sleeps += c[v].v.sleeps;
        late += c[v].late;
        shadows += c[v].shadow_reads;
    }
    printf(
        "%llu posted, %llu calls, %llu times full, %llu shadow reads; I/O core: %llu times cold, "
        "%llu asleep, %llu kicks; vCPUs: %llu asleep, %llu late\n",
        (unsigned long long)posts, (unsigned long long)calls, (unsigned long long)full,
        (unsigned long long)shadows, (unsigned long long)k->cools, (unsigned long long)k->sleeps,
        (unsigned long long)kicks, (unsigned long long)sleeps, (unsigned long long)late);
    if (k->posts != posts)
        fail(s, "posted writes consumed", k->posts, posts);
    if (k->requests != calls)
        fail(s, "requests served", k->requests, calls);
    if (late * 1000 > sleeps * LATE_PER_MILL + 3000)
        fail(s, "vCPUs woken late", late, 0);
    if (!posts || !calls || !full || !k->cools || !k->sleeps || !kicks || !sleeps || !shadows)
        fail(s, "a case was not met: run for longer", 0, 1);
}

static bool options(struct stress *s, uint64_t *seed, int argc, char **argv)
{
    int o;

    while ((o = getopt(argc, argv, "t:n:s:")) >= 0) {
        if (o == '?')
            return false;
        if (o == 't')
            s->seconds = (unsigned)strtoul(optarg, NULL, 0);
        else if (o == 'n')
            s->requests = strtoull(optarg, NULL, 0);
        else
            *seed = strtoull(optarg, NULL, 0);
    }
    return optind == argc && s->seconds && *seed;
}

int main(int argc, char **argv)
{
    struct stress s = {.seconds = 5, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct iocore k = {.s = &s};
    struct vcpu c[VCPUS];
    uint64_t seed = now_ns() | 1;

    if (!options(&s, &seed, argc, argv)) {
        fprintf(stderr, "usage: %s [-t SECONDS] [-n REQUESTS-A-VCPU] [-s SEED]\n", argv[0]);
        return 2;
    }
    memset(c, 0, sizeof(c));
    printf("seed %llu\n", (unsigned long long)seed);
    k.rng = seed;
    if (!make_area(&s, &k, c))
        return 2;
    for (unsigned v = 0; v < VCPUS; v++) {
        c[v].s = &s;
        c[v].rng = seed * 2654435761u + v + 1;
        c[v].v.cancel = &s.broken;
    }
    run(&s, &k, c);
    check_totals(&s, &k, c);
    iotp_ioc_detach(k.a);
    close(s.kick);
    free(s.base);
    printf("stress_ring: %u passed, %u failed\n", !s.errors, !!s.errors);
    return s.errors ? 1 : 0;
}
