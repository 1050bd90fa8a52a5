/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest of coopvmm bench net is put through. Everything is done by stock tools there. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../nicmodels/offload.h"
#include "net_guest.h"
#include "stats.h"

#define PATIENCE_S 20
#define MAX_PINGS  2000
#define WARM_UP    10
#define CHUNK      (256 * 1024)
#define PROBE      100 /* frames by which it is found how many to ask for */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connected(const struct net_guest *n, int type, int protocol, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(n->address)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol), err;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return fd;
    err = -errno;
    close(fd);
    return err;
}

/* --- pings --- */

static uint16_t icmp_sum(const void *p, size_t len)
{
    return htons((uint16_t)~nm_sum_fold(nm_sum(0, p, len)));
}

/* @return its round trip in seconds; negative: it was lost, or an errno */
static double one_ping(int fd, uint16_t seq)
{
    struct icmphdr h = {.type = ICMP_ECHO,
                        .un.echo = {.id = htons((uint16_t)getpid()), .sequence = htons(seq)}};
    uint8_t in[256];
    double begin;

    h.checksum = icmp_sum(&h, sizeof(h));
    begin = now();
    if (send(fd, &h, sizeof(h), 0) != sizeof(h))
        return -1;
    for (;;) {
        ssize_t len = recv(fd, in, sizeof(in), 0);
        const struct icmphdr *r = (const void *)(in + (in[0] & 15) * 4);

        if (len < 0)
            return -1;
        if (len >= (ssize_t)((in[0] & 15) * 4 + sizeof(*r)) && r->type == ICMP_ECHOREPLY &&
            r->un.echo.id == h.un.echo.id && r->un.echo.sequence == h.un.echo.sequence)
            return now() - begin;
    }
}

int net_load_ping(const struct net_guest *n, unsigned count, struct net_pings *out)
{
    int fd = connected(n, SOCK_RAW, IPPROTO_ICMP, 0);
    uint32_t us[MAX_PINGS];
    unsigned got = 0;

    if (fd < 0)
        return fd;
    count = count < MAX_PINGS ? count : MAX_PINGS;
    for (unsigned i = 0; i < WARM_UP + count; i++) {
        double s = one_ping(fd, (uint16_t)i);

        if (s >= 0 && i >= WARM_UP)
            us[got++] = (uint32_t)(s * 1e6);
    }
    close(fd);
    stats_sort(us, got);
    *out = (struct net_pings){stats_quantile(us, got, 0.5), stats_quantile(us, got, 0.99)};
    return got ? 0 : -ETIMEDOUT;
}

/* --- TCP --- */

/* A connection on which the guest carries a command out. */
static int ordered(const struct net_guest *n, const char *order)
{
    int fd = connected(n, SOCK_STREAM, 0, NET_GUEST_PORT), one = 1;
    size_t len = strlen(order);

    if (fd < 0)
        return fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (send(fd, order, len, MSG_NOSIGNAL) == (ssize_t)len)
        return fd;
    close(fd);
    return -EPIPE;
}

static bool one_byte(int fd)
{
    char c = 'x';

    return send(fd, &c, 1, MSG_NOSIGNAL) == 1 && recv(fd, &c, 1, 0) == 1;
}

int net_load_rr(const struct net_guest *n, double seconds, uint64_t *count, double *per_s)
{
    int fd = ordered(n, "exec cat\n");
    double begin = 0, end = 0;

    *count = 0;
    if (fd < 0)
        return fd;
    if (one_byte(fd)) /* the guest has started its program */
        for (begin = end = now(); end - begin < seconds && one_byte(fd); end = now())
            ++*count;
    close(fd);
    *per_s = *count ? (double)*count / (end - begin) : 0;
    return *count ? 0 : -ETIMEDOUT;
}

/* The guest says so when it has read everything. */
int net_load_to(const struct net_guest *n, double seconds, uint64_t *bytes, double *took)
{
    int fd = ordered(n, "echo; cat >/dev/null; echo\n"), err = 0;
    char *chunk = calloc(1, CHUNK), c;
    double begin;

    *bytes = 0;
    if (fd < 0 || !chunk || recv(fd, &c, 1, 0) != 1)
        err = fd < 0 ? fd : -ETIMEDOUT;
    begin = now();
    while (!err && now() - begin < seconds) {
        ssize_t sent = send(fd, chunk, CHUNK, MSG_NOSIGNAL);

        if (sent <= 0)
            err = -ETIMEDOUT;
        else
            *bytes += (uint64_t)sent;
    }
    if (!err && (shutdown(fd, SHUT_WR) || recv(fd, &c, 1, 0) != 1))
        err = -ETIMEDOUT;
    *took = now() - begin;
    if (fd >= 0)
        close(fd);
    free(chunk);
    return err;
}

int net_load_from(const struct net_guest *n, double seconds, uint64_t *bytes, double *took)
{
    int fd = ordered(n, "exec dd if=/dev/zero bs=64k 2>/dev/null\n");
    char *chunk = malloc(CHUNK);
    ssize_t got = 1;
    double begin;

    *bytes = 0;
    if (fd < 0 || !chunk || recv(fd, chunk, 1, 0) != 1)
        got = 0;
    begin = now();
    while (got > 0 && now() - begin < seconds) {
        got = recv(fd, chunk, CHUNK, 0);
        *bytes += got > 0 ? (uint64_t)got : 0;
    }
    *took = now() - begin;
    if (fd >= 0)
        close(fd);
    free(chunk);
    return got > 0 ? 0 : -ETIMEDOUT;
}

/* --- frames out of the guest's kernel --- */

/* What the guest prints, at most a buffer of it. @return false: nothing */
static bool answer(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t got;

    while (used < size - 1 && (got = recv(fd, text + used, size - 1 - used, 0)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    return used != 0;
}

/* pktgen's "Result: OK: 2000135(c1998+d2) usec, 20000 (60byte,0frags)\n  9999pps ...". The address
 * is nobody's: the host drops the frames. */
static int generate(const struct net_guest *n, uint64_t frames, double *per_s)
{
    char order[600], text[2048];
    const char *result;
    double us;
    int fd;

    snprintf(order, sizeof(order),
             "insmod /modules/pktgen.ko 2>/dev/null; cd /proc/net/pktgen || exit; "
             "echo rem_device_all >kpktgend_0; echo add_device eth0 >kpktgend_0; "
             "for i in 'pkt_size 60' 'clone_skb 0' 'delay 0' 'dst 10.78.255.1' "
             "'dst_mac 02:00:00:00:00:99' 'count %llu'; do echo \"$i\" >eth0; done; "
             "echo start >pgctrl; cat eth0\n",
             (unsigned long long)frames);
    fd = ordered(n, order);
    if (fd < 0)
        return fd;
    result = answer(fd, text, sizeof(text)) ? strstr(text, "OK: ") : NULL;
    close(fd);
    if (!result)
        return -ENOTSUP;
    us = strtod(result + 4, NULL);
    *per_s = us > 0 ? (double)frames / us * 1e6 : 0;
    return *per_s > 0 ? 0 : -ENOTSUP;
}

int net_load_tx(const struct net_guest *n, double seconds, uint64_t *frames, double *per_s)
{
    int err = generate(n, PROBE, per_s);
    uint64_t more = (uint64_t)(*per_s * seconds) + 1;

    *frames = PROBE + more;
    return err ? err : generate(n, more, per_s);
}
