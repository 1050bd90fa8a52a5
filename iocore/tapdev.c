/* SPDX-License-Identifier: BSD-3-Clause */
#include "tapdev.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "counter.h"
#include "large.h"
#include "tap.h"

#define HDR_LEN    sizeof(struct virtio_net_hdr)
#define MAX_PIECES 40  /* mbufs of a large frame */
#define HEADERS    256 /* bytes of a frame that are looked at for its headers */

struct tapdev {
    int fd;
    int sock; /* to ask for the link */
    char iface[IFNAMSIZ];
    struct rte_mempool *pool;
    uint64_t gap, patience; /* ticks */
    uint64_t looked, came;  /* when the tap was last read, and last gave a frame */
    uint32_t seen;          /* of `signals` */
    bool claimed, watched;
    unsigned npieces; /* mbufs that one read may fill; all there are but for lack of memory */
    struct tapdev_counters c;
    struct virtio_net_hdr hdr;
    struct rte_mbuf *piece[MAX_PIECES];
    struct iovec iov[1 + MAX_PIECES]; /* hdr and pieces */
};

/* SIGIO came: some watched tap has a frame. */
static volatile uint32_t signals;

static void on_signal(int sig)
{
    (void)sig;
    __atomic_store_n(&signals, signals + 1, __ATOMIC_RELAXED);
}

/* --- watching --- */

static void set_async(const struct tapdev *t, bool on)
{
    int flags = O_NONBLOCK | (on ? O_ASYNC : 0);

    (void)fcntl(t->fd, F_SETFL, flags);
}

/* Signals are for the thread that polls. Should that fail, the tap is never watched. */
static bool claim(struct tapdev *t)
{
    struct f_owner_ex me = {.type = F_OWNER_TID, .pid = gettid()};

    t->claimed = !fcntl(t->fd, F_SETOWN_EX, &me);
    return t->claimed;
}

/* From now on the kernel tells. What came before it was asked to is looked for once more: `looked`
 * is left such that the next poll reads. */
static void watch(struct tapdev *t)
{
    if (!t->claimed && !claim(t))
        return;
    t->seen = signals - 1;
    t->watched = true;
    set_async(t, true);
}

/* Is the tap to be read now? */
static bool is_due(struct tapdev *t, uint64_t now)
{
    uint32_t n = __atomic_load_n(&signals, __ATOMIC_RELAXED);

    if (!t->watched)
        return now - t->looked >= t->gap;
    if (likely(n == t->seen))
        return false;
    t->seen = n;
    return true;
}

static void looked(struct tapdev *t, bool found, uint64_t now)
{
    t->looked = now;
    if (found) {
        t->came = now;
        t->looked = now - t->gap; /* where one was there are more */
        if (t->watched)
            set_async(t, false);
        t->watched = false;
    } else if (!t->watched && now - t->came > t->patience) {
        watch(t);
    }
}

/* --- from the host --- */

static bool refill(struct tapdev *t)
{
    for (; t->npieces < MAX_PIECES; t->npieces++) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(t->pool);

        if (!m)
            break;
        t->piece[t->npieces] = m;
        t->iov[1 + t->npieces] =
            (struct iovec){rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m)};
    }
    return t->npieces > 0;
}

/* The first pieces, filled, become a frame; the last ones take their places. */
static struct rte_mbuf *take_pieces(struct tapdev *t, uint32_t len)
{
    struct rte_mbuf *head = t->piece[0], **link = &head;
    unsigned n = 0;

    head->pkt_len = len;
    for (; len && n < t->npieces; n++) {
        struct rte_mbuf *m = t->piece[n];

        m->data_len = (uint16_t)(len < t->iov[1 + n].iov_len ? len : t->iov[1 + n].iov_len);
        len -= m->data_len;
        *link = m;
        link = &m->next;
    }
    head->nb_segs = (uint16_t)n;
    for (unsigned i = 0; i < n && t->npieces > n + i; i++) {
        t->piece[i] = t->piece[t->npieces - 1 - i];
        t->iov[1 + i] = t->iov[t->npieces - i];
    }
    t->npieces -= n;
    return head;
}

static bool finish_large(struct tapdev *t, struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    size_t n = m->data_len < HEADERS ? m->data_len : HEADERS;
    struct nm_tso tso;

    if (!t->hdr.gso_size || !nm_tso_of(frame, n, t->hdr.gso_size, m->pkt_len, &tso) || tso.udp)
        return false;
    large_mark(m, &tso);
    counter_add(&t->c.rx_large, 1);
    return true;
}

/* 5.1.6.2: what the host left to the NIC to do. The header is in the machine's byte order. */
static bool finish(struct tapdev *t, struct rte_mbuf *m)
{
    size_t start = t->hdr.csum_start;

    if (t->hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
        return finish_large(t, m);
    return !(t->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
           (m->nb_segs == 1 &&
            nm_csum_insert(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, start, m->data_len,
                           start + t->hdr.csum_offset, t->hdr.csum_offset == 6));
}

/* @return a frame; NULL: none is there */
static struct rte_mbuf *receive(struct tapdev *t)
{
    struct rte_mbuf *m;
    ssize_t n;

    for (;;) {
        if (unlikely(!refill(t))) {
            counter_add(&t->c.rx_nombuf, 1);
            return NULL;
        }
        n = readv(t->fd, t->iov, (int)(1 + t->npieces));
        if (n < (ssize_t)HDR_LEN)
            return NULL;
        if (n == HDR_LEN)
            continue;
        m = take_pieces(t, (uint32_t)(n - (ssize_t)HDR_LEN));
        if (finish(t, m))
            break;
        counter_add(&t->c.rx_errors, 1);
        rte_pktmbuf_free(m);
    }
    counter_add(&t->c.rx_frames, 1);
    counter_add(&t->c.rx_bytes, m->pkt_len);
    return m;
}

void tapdev_woke(struct tapdev *t)
{
    t->looked = 0;
    t->seen = signals - 1;
}

uint16_t tapdev_rx(struct tapdev *t, struct rte_mbuf **m, uint16_t n, uint64_t now)
{
    uint16_t got = 0;

    if (!is_due(t, now))
        return 0;
    while (got < n && (m[got] = receive(t)))
        got++;
    looked(t, got != 0, now);
    return got;
}

/* --- to the host --- */

static void describe_large(const struct rte_mbuf *m, struct virtio_net_hdr *h)
{
    struct nm_tso t;

    large_read(m, &t);
    *h = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                 .gso_type =
                                     t.ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
                                 .hdr_len = t.hdr_len,
                                 .gso_size = t.mss,
                                 .csum_start = t.l4,
                                 .csum_offset = NM_TCP_CSUM_OFFSET};
}

static ssize_t send_one(struct tapdev *t, const struct rte_mbuf *m)
{
    struct virtio_net_hdr h = {0};
    struct iovec iov[1 + MAX_PIECES] = {{&h, sizeof(h)}};
    int n = 1;

    if (m->nb_segs > MAX_PIECES) {
        errno = EMSGSIZE;
        return -1;
    }
    if (large_is(m))
        describe_large(m, &h);
    for (const struct rte_mbuf *s = m; s; s = s->next)
        iov[n++] = (struct iovec){rte_pktmbuf_mtod(s, void *), s->data_len};
    return writev(t->fd, iov, n);
}

/* What the host will not have is an error; what it has no room for now is the caller's. */
uint16_t tapdev_tx(struct tapdev *t, struct rte_mbuf **m, uint16_t n)
{
    uint16_t i;

    for (i = 0; i < n; i++) {
        if (send_one(t, m[i]) < 0) {
            if (errno == EAGAIN || errno == ENOBUFS)
                break;
            counter_add(&t->c.tx_errors, 1);
        } else {
            counter_add(&t->c.tx_frames, 1);
            counter_add(&t->c.tx_bytes, m[i]->pkt_len);
            counter_add(&t->c.tx_large, large_is(m[i]));
        }
        rte_pktmbuf_free(m[i]);
    }
    return i;
}

/* --- control --- */

static struct ifreq named(const struct tapdev *t)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, t->iface, IFNAMSIZ);
    return r;
}

/* Only if it has another: a change is told to all neighbours. */
static int set_mac(const struct tapdev *t, const uint8_t mac[6])
{
    struct ifreq r = named(t);
    uint8_t now[6];

    if (!tap_get_mac(t->iface, now) && !memcmp(now, mac, 6))
        return 0;
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, mac, 6);
    return ioctl(t->sock, SIOCSIFHWADDR, &r) ? -errno : 0;
}

static int set_mtu(const struct tapdev *t, uint16_t mtu)
{
    struct ifreq r = named(t);

    r.ifr_mtu = mtu;
    return mtu && ioctl(t->sock, SIOCSIFMTU, &r) ? -errno : 0;
}

static int set_up(const struct tapdev *t, const uint8_t mac[6], uint16_t mtu)
{
    int err = tap_attach(t->fd, t->iface);

    if (!err && (ioctl(t->fd, TUNSETPERSIST, 1) ||
                 ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)))
        err = -errno;
    if (!err)
        err = set_mac(t, mac);
    return err ? err : set_mtu(t, mtu);
}

static int handle_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    return sigaction(SIGIO, &sa, NULL) ? -errno : 0;
}

int tapdev_open(const char *iface, const uint8_t mac[6], uint16_t mtu, struct rte_mempool *pool,
                uint64_t tsc_hz, struct tapdev **out)
{
    struct tapdev *t = calloc(1, sizeof(*t));
    int err;

    if (!t)
        return -ENOMEM;
    t->pool = pool;
    t->gap = tsc_hz * TAPDEV_GAP_NS / 1000000000u;
    t->patience = tsc_hz * TAPDEV_WATCH_NS / 1000000000u;
    t->iov[0] = (struct iovec){&t->hdr, sizeof(t->hdr)};
    strncpy(t->iface, iface, IFNAMSIZ - 1);
    t->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    t->fd = tap_node();
    err = t->fd < 0 ? t->fd : set_up(t, mac, mtu);
    if (!err)
        err = handle_signals();
    if (err) {
        tapdev_close(t);
        return err;
    }
    *out = t;
    return 0;
}

void tapdev_close(struct tapdev *t)
{
    rte_pktmbuf_free_bulk(t->piece, t->npieces);
    if (t->fd >= 0)
        close(t->fd);
    if (t->sock >= 0)
        close(t->sock);
    free(t);
}

bool tapdev_link(const struct tapdev *t)
{
    struct ifreq r = named(t);

    return !ioctl(t->sock, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_UP);
}

int tapdev_fd(const struct tapdev *t)
{
    return t->fd;
}

void tapdev_read(const struct tapdev *t, struct tapdev_counters *out)
{
    const uint64_t *from = (const uint64_t *)&t->c;
    uint64_t *to = (uint64_t *)out;

    for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
