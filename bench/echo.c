/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define STRAGGLERS_MS 500
#define NSEC          1000000000ull

/* What travels in each frame; the guest sends it back as it is. */
struct stamp {
    uint64_t seq, sent_ns;
};

struct state {
    int sock;
    struct echo_run *r;
    uint8_t *seen;  /* [frames]: echoed already */
    uint64_t *rtt;  /* [frames] ns, in order of arrival */
    uint64_t start; /* ns */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

static void take_one(struct state *s, const uint8_t *buf, size_t len)
{
    struct stamp t;

    if (len < sizeof(t))
        return;
    memcpy(&t, buf, sizeof(t));
    if (t.seq >= s->r->frames || t.sent_ns < s->start)
        return; /* of an earlier run */
    if (s->seen[t.seq]) {
        s->r->duplicates++;
        return;
    }
    s->seen[t.seq] = 1;
    s->rtt[s->r->received++] = now_ns() - t.sent_ns;
}

static void take_all(struct state *s)
{
    uint8_t buf[2048];
    ssize_t n;

    while ((n = recv(s->sock, buf, sizeof(buf), MSG_DONTWAIT)) >= 0)
        take_one(s, buf, (size_t)n);
}

static int send_one(struct state *s)
{
    uint8_t buf[ECHO_MAX_SIZE] = {0};
    struct stamp t = {s->r->sent, now_ns()};

    memcpy(buf, &t, sizeof(t));
    if (send(s->sock, buf, s->r->size, 0) < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
        return -errno;
    s->r->sent++;
    return 0;
}

static void wait_until(int sock, uint64_t when)
{
    struct pollfd p = {.fd = sock, .events = POLLIN};
    uint64_t now = now_ns();
    struct timespec t;

    if (when <= now)
        return;
    t = (struct timespec){.tv_sec = (time_t)((when - now) / NSEC),
                          .tv_nsec = (long)((when - now) % NSEC)};
    ppoll(&p, 1, &t, NULL);
}

static void tell(const struct state *s, uint64_t *told)
{
    if (now_ns() - *told < NSEC)
        return;
    *told = now_ns();
    fprintf(stderr, "\r%llu of %llu frames sent, %llu echoed ", (unsigned long long)s->r->sent,
            (unsigned long long)s->r->frames, (unsigned long long)s->r->received);
}

static int send_all(struct state *s, int progress)
{
    uint64_t told = s->start;
    int err = 0;

    while (s->r->sent < s->r->frames && !err) {
        uint64_t due = s->start + s->r->sent * NSEC / s->r->rate;

        take_all(s);
        if (now_ns() >= due)
            err = send_one(s);
        else
            wait_until(s->sock, due);
        if (progress)
            tell(s, &told);
    }
    if (progress && now_ns() - s->start > NSEC)
        fputs("\r\033[K", stderr);
    return err;
}

static void wait_for_stragglers(struct state *s)
{
    uint64_t end = now_ns() + STRAGGLERS_MS * 1000000ull;

    while (s->r->received < s->r->sent && now_ns() < end) {
        wait_until(s->sock, end);
        take_all(s);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void percentiles(struct state *s)
{
    struct echo_run *r = s->r;
    uint64_t n = r->received;

    if (!n)
        return;
    qsort(s->rtt, n, sizeof(s->rtt[0]), by_value);
    r->min_ns = s->rtt[0];
    r->p50_ns = s->rtt[n / 2];
    r->p99_ns = s->rtt[n * 99 / 100];
    r->p999_ns = s->rtt[n * 999 / 1000];
    r->max_ns = s->rtt[n - 1];
}

int echo_run(int sock, struct echo_run *r, int progress)
{
    struct state s = {.sock = sock, .r = r};
    int err = -ENOMEM;

    if (!r->rate || !r->frames || r->size < ECHO_MIN_SIZE || r->size > ECHO_MAX_SIZE)
        return -EINVAL;
    r->sent = r->received = r->duplicates = 0;
    s.seen = calloc(r->frames, sizeof(s.seen[0]));
    s.rtt = calloc(r->frames, sizeof(s.rtt[0]));
    if (s.seen && s.rtt) {
        s.start = now_ns();
        err = send_all(&s, progress);
        wait_for_stragglers(&s);
        percentiles(&s);
    }
    free(s.seen);
    free(s.rtt);
    return err;
}
