/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm bench echo: options, the search for the highest rate without loss, output. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../coopvmm/cmd.h"
#include "../coopvmm/table.h"
#include "echo.h"

#define MAX_SECONDS 3600
#define MAX_RATE    2000000
#define SEARCH_STEP 1.02 /* the search ends when the bracket is this narrow */

struct options {
    const char *to;
    uint32_t port, rate, size, seconds;
    bool find_max, json;
};

static const char usage[] =
    "Usage: coopvmm bench echo --to ADDRESS [options]\n"
    "UDP echo against a guest: loss and round-trip times at a rate.\n\n"
    "  --to ADDRESS     the guest's IPv4 address\n"
    "  --port N         UDP port, default 7\n"
    "  --rate N         frames a second, default 1000\n"
    "  --seconds N      how long, default 10 (the search: each step, default 2)\n"
    "  --size BYTES     UDP payload, 16 to 1472, default 64\n"
    "  --find-max       search for the highest rate without loss, from --rate up\n"
    "  --json           one JSON object\n"
    "  --help           this text\n\n"
    "Exit status: 0 no frame was lost (or the search found a rate); 1 frames were lost;\n"
    "2 wrong usage.\n";

static bool number(const char *text, uint32_t low, uint32_t high, uint32_t *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!*text || *end || n < low || n > high)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* @return -1 to go on, else an exit status */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"to", 1, NULL, 't'},      {"port", 1, NULL, 'p'}, {"rate", 1, NULL, 'r'},
        {"seconds", 1, NULL, 's'}, {"size", 1, NULL, 'S'}, {"find-max", 0, NULL, 'm'},
        {"json", 0, NULL, 'j'},    {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    bool good = true;
    int c;

    *o = (struct options){.port = 7, .rate = 1000, .size = 64};
    optind = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 't': o->to = optarg; break;
        case 'p': good &= number(optarg, 1, 65535, &o->port); break;
        case 'r': good &= number(optarg, 1, MAX_RATE, &o->rate); break;
        case 's': good &= number(optarg, 1, MAX_SECONDS, &o->seconds); break;
        case 'S': good &= number(optarg, ECHO_MIN_SIZE, ECHO_MAX_SIZE, &o->size); break;
        case 'm': o->find_max = true; break;
        case 'j': o->json = true; break;
        case 'h': fputs(usage, stdout); return CMD_OK;
        default: return cmd_usage("bench echo", NULL);
        }
    }
    if (!good)
        return cmd_usage("bench echo", "a number is out of its range");
    if (!o->to || optind != argc)
        return cmd_usage("bench echo", "--to ADDRESS is needed, and nothing else but options");
    if (!o->seconds)
        o->seconds = o->find_max ? 2 : 10;
    return -1;
}

static int connect_to(const struct options *o)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
    int room = 4 << 20, sock;

    if (inet_pton(AF_INET, o->to, &a.sin_addr) != 1)
        return -EINVAL;
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -errno;
    /* as much as the host allows: a frame lost in this socket would be blamed on the guest */
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (connect(sock, (struct sockaddr *)&a, sizeof(a))) {
        int err = -errno;

        close(sock);
        return err;
    }
    return sock;
}

static int one_run(int sock, const struct options *o, uint32_t rate, struct echo_run *r)
{
    *r = (struct echo_run){.rate = rate, .size = o->size, .frames = (uint64_t)rate * o->seconds};
    return echo_run(sock, r, !o->json && isatty(STDERR_FILENO));
}

static bool lossless(const struct echo_run *r)
{
    return r->received == r->sent;
}

/* Doubles until frames are lost, then halves the bracket. A rate counts only if it loses nothing
 * twice: one good run may be luck. */
static int search(int sock, const struct options *o, struct echo_run *best)
{
    uint32_t good = 0, bad = 0, rate = o->rate;
    struct echo_run r;

    while (rate <= MAX_RATE && (!bad || (double)bad / (good ? good : 1) > SEARCH_STEP)) {
        int err = one_run(sock, o, rate, &r);

        if (!err && lossless(&r))
            err = one_run(sock, o, rate, &r);
        if (err)
            return err;
        if (!o->json)
            fprintf(stderr, "%u frames/s: %llu of %llu lost\n", rate,
                    (unsigned long long)(r.sent - r.received), (unsigned long long)r.sent);
        if (lossless(&r)) {
            good = rate;
            *best = r;
        } else {
            bad = rate;
        }
        if (bad && good + 1 >= bad)
            break;
        rate = bad ? good + (bad - good) / 2 : rate * 2;
        if (rate < 1)
            break;
    }
    return good ? 0 : -ENODATA;
}

static int print(const struct options *o, const struct echo_run *r)
{
    static const char *const head[] = {"frames/s", "bytes",  "sent",    "lost",
                                       "p50 us",   "p99 us", "p999 us", "max us"};
    struct table *t;

    if (o->json)
        return cmd_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "to", o->to,
            "rate", (json_int_t)r->rate, "size", (json_int_t)r->size, "sent", (json_int_t)r->sent,
            "received", (json_int_t)r->received, "lost", (json_int_t)(r->sent - r->received),
            "duplicates", (json_int_t)r->duplicates, "min_ns", (json_int_t)r->min_ns, "p50_ns",
            (json_int_t)r->p50_ns, "p99_ns", (json_int_t)r->p99_ns, "p999_ns",
            (json_int_t)r->p999_ns, "max_ns", (json_int_t)r->max_ns, "find_max", o->find_max));
    t = table_new(head, 8);
    table_cell(t, "%u", r->rate);
    table_cell(t, "%u", r->size);
    table_cell(t, "%llu", (unsigned long long)r->sent);
    table_cell(t, "%llu", (unsigned long long)(r->sent - r->received));
    table_cell(t, "%.1f", (double)r->p50_ns / 1e3);
    table_cell(t, "%.1f", (double)r->p99_ns / 1e3);
    table_cell(t, "%.1f", (double)r->p999_ns / 1e3);
    table_cell(t, "%.1f", (double)r->max_ns / 1e3);
    table_print(t, stdout);
    table_free(t);
    return CMD_OK;
}

int bench_echo(int argc, char **argv)
{
    struct options o;
    struct echo_run r;
    int status = parse(argc, argv, &o), sock, err;

    if (status >= 0)
        return status;
    sock = connect_to(&o);
    if (sock < 0)
        return cmd_fail("bench echo", "%s: %s", o.to, strerror(-sock));
    err = o.find_max ? search(sock, &o, &r) : one_run(sock, &o, o.rate, &r);
    close(sock);
    if (err == -ENODATA)
        return cmd_fail("bench echo",
                        "%s: frames are lost even at the lowest rate; does it answer?", o.to);
    if (err)
        return cmd_fail("bench echo", "%s: %s", o.to, strerror(-err));
    status = print(&o, &r);
    return status ? status : lossless(&r) ? CMD_OK : CMD_FAILED;
}
