/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "../coopvmm/cmd.h"

#define VARIANT_SAMPLES 4000
#define LIMIT_S         15 /* a run's time, about */
#define QUICK_S         2

int session_pin(struct session *s)
{
    return host_pin(s->pair.cpu);
}

void session_unpin(struct session *s)
{
    sched_setaffinity(0, sizeof(s->cpus), &s->cpus);
}

/* Which way of passing the line back and forth is the fastest here and now. */
static int choose_variant(struct session *s)
{
    struct series v;
    int err = series_init(&v, VARIANT_SAMPLES);

    for (unsigned i = 0; i < FLOOR_VARIANTS && !err; i++) {
        v.n = 0;
        floor_measure(s->floor, i, &v, VARIANT_SAMPLES);
        stats_sort(v.ticks, v.n);
        s->variant_ticks[i] = stats_quantile(v.ticks, v.n, 0.5);
        if (s->variant_ticks[i] < s->variant_ticks[s->variant])
            s->variant = i;
    }
    series_fini(&v);
    return err;
}

static int start_baselines(struct session *s)
{
    int err = bvm_create(&s->inl, SESSION_INLINE_VM, CFG_PLACE_INLINE, NULL, s->guard, stderr);

    if (!err)
        err = bvm_create(&s->blocking, SESSION_BLOCKING_VM, CFG_PLACE_BLOCKING, NULL, s->guard,
                         stderr);
    if (!err)
        err = floor_create(s->pair.iocpu, &s->floor);
    return err;
}

static int start_all(struct session *s)
{
    struct iod_spec spec = {.cpu = s->pair.iocpu, .idle = s->o.idle};
    int err = guard_create(&s->guard);

    if (!err)
        err = iod_start(&s->iod, s->guard, &spec, stderr);
    if (!err)
        err = start_baselines(s);
    if (!err)
        err = session_pin(s);
    if (err)
        return err;
    iod_pause(&s->iod);
    err = choose_variant(s);
    iod_continue(&s->iod);
    return err;
}

int session_open(struct session *s, const struct bench_help *h, int argc, char **argv)
{
    char name[32];
    int status;

    memset(s, 0, sizeof(*s));
    status = bench_opts_parse(h, argc, argv, &s->o);
    if (status != OPTS_GO_ON)
        return status;
    s->name = h->name;
    snprintf(name, sizeof(name), "bench %s", h->name);
    clock_gettime(CLOCK_MONOTONIC, &s->began);
    sched_getaffinity(0, sizeof(s->cpus), &s->cpus);
    host_read(&s->host);
    if (host_choose(s->o.cpu, s->o.iocpu, &s->pair, stderr))
        return CMD_CONFIG;
    if (tsc_init(&s->tsc))
        return cmd_fail(name, "this CPU's time stamp counter is not invariant: nothing to "
                              "measure with");
    host_time_read(&s->before);
    status = start_all(s);
    return status ? session_close(s, status) : OPTS_GO_ON;
}

static int exit_status(const struct session *s, int err, int signal)
{
    char name[32];

    snprintf(name, sizeof(name), "bench %s", s->name);
    if (signal)
        return 128 + signal;
    return err ? cmd_fail(name, "%s", strerror(-err)) : CMD_OK;
}

static void end_progress(struct session *s)
{
    if (s->progress_shown)
        fputs("\r\033[K", stderr);
    s->progress_shown = false;
}

int session_close(struct session *s, int err)
{
    int signal = s->guard ? guard_signal(s->guard) : 0;

    end_progress(s);
    if (s->guard && guard_stopped(s->guard) && !signal && s->iod.guard)
        fprintf(stderr, "the I/O-core process ended:\n%s", guard_output(s->guard));
    session_unpin(s);
    floor_free(s->floor);
    bvm_destroy(&s->inl);
    bvm_destroy(&s->blocking);
    iod_stop(&s->iod);
    guard_free(s->guard);
    return exit_status(s, err, signal);
}

int session_check(const struct session *s)
{
    return guard_stopped(s->guard) ? -EINTR : 0;
}

static double seconds_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static void show_progress(struct session *s, unsigned done, unsigned of)
{
    fprintf(stderr, "\r%s: round %u of %u\033[K", s->name, done, of);
    s->progress_shown = true;
}

bool session_another(struct session *s, unsigned done, unsigned of)
{
    double passed = seconds_since(&s->began), limit = s->o.quick ? QUICK_S : LIMIT_S;
    bool more = done < of && (done == 0 || s->o.rounds || passed < limit);

    if (more && passed > 1 && isatty(STDERR_FILENO))
        show_progress(s, done, of);
    if (!more)
        end_progress(s);
    return more;
}

int baselines_init(struct baselines *b, size_t n, size_t nblocking, unsigned rounds)
{
    int err = series_init(&b->floor, n * rounds);

    memset(&b->inl, 0, sizeof(b->inl));
    memset(&b->blocking, 0, sizeof(b->blocking));
    if (!err)
        err = series_init(&b->inl, n * rounds);
    if (!err)
        err = series_init(&b->blocking, nblocking * rounds);
    return err;
}

void baselines_fini(struct baselines *b)
{
    series_fini(&b->floor);
    series_fini(&b->inl);
    series_fini(&b->blocking);
}

int baselines_round(struct session *s, struct baselines *b, size_t n, size_t nblocking)
{
    int err = bvm_sample(&s->inl, BVM_PORT_FIFO, &b->inl, n);

    iod_pause(&s->iod);
    floor_measure(s->floor, s->variant, &b->floor, n);
    if (!err)
        err = bvm_sample(&s->blocking, BVM_PORT_FIFO, &b->blocking, nblocking);
    iod_continue(&s->iod);
    series_end_round(&b->floor);
    series_end_round(&b->inl);
    series_end_round(&b->blocking);
    return err;
}
