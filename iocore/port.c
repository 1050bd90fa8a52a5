/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "tap.h"
#include "tapdev.h"

#define RX_DESC 256
#define TX_DESC 256

struct port {
    const struct cfg_port *cfg;
    struct sw *sw;
    struct tapdev *tap; /* NULL: it is an ethdev */
    uint16_t id;        /* ethdev */
    int sw_port;        /* -1: not on the switch yet */
    int rx_fd;          /* -1: none */
    bool slow;          /* a poll costs a system call */
    bool tap_ours;      /* the tap was made by coopvmm: it goes with the port */
    uint16_t ntx;
    uint32_t idle_polls;
    uint64_t tx_drops;
    char device[SW_NAME_SIZE];
    char args[1024];
    struct rte_mbuf *tx[PORT_TX_BUFFER];
};

/* --- core: the fast path --- */

/* net_pcap makes a system call a poll: idle, it is polled now and then. */
static uint16_t receive_eth(struct port *p, struct rte_mbuf **m)
{
    uint16_t n;

    if (unlikely(p->slow) && p->idle_polls && p->idle_polls++ % PORT_SLOW_POLL)
        return 0;
    n = rte_eth_rx_burst(p->id, 0, m, PORT_BURST);
    p->idle_polls = n ? 0 : p->idle_polls + (p->idle_polls == 0);
    return n;
}

unsigned port_poll(struct port *p, uint64_t now)
{
    struct rte_mbuf *m[PORT_BURST];
    uint16_t n = p->tap ? tapdev_rx(p->tap, m, PORT_BURST, now) : receive_eth(p, m);

    if (n)
        sw_input(p->sw, p->sw_port, m, n, now);
    return n;
}

void port_woke(struct port *p)
{
    if (p->tap)
        tapdev_woke(p->tap);
}

unsigned port_flush(struct port *p)
{
    uint16_t n = p->ntx, sent;

    if (likely(n == 0))
        return 0;
    p->ntx = 0;
    sent = p->tap ? tapdev_tx(p->tap, p->tx, n) : rte_eth_tx_burst(p->id, 0, p->tx, n);
    if (unlikely(sent < n)) { /* the wire is slower than we are: as a switch does, drop */
        rte_pktmbuf_free_bulk(p->tx + sent, n - sent);
        __atomic_store_n(&p->tx_drops, p->tx_drops + (n - sent), __ATOMIC_RELAXED);
    }
    return sent;
}

/* The switch's send function: gathers, so that the driver is called once a round. */
static uint16_t port_send(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    struct port *p = ctx;

    for (uint16_t i = 0; i < n; i++) {
        if (p->ntx == PORT_TX_BUFFER)
            port_flush(p);
        p->tx[p->ntx++] = m[i];
    }
    return n;
}

/* --- control: before the device is made --- */

static int __attribute__((format(printf, 4, 5)))
fail(const struct port *p, int err, FILE *to, const char *fmt, ...)
{
    va_list ap;

    fprintf(to, "port %s: ", p->cfg->name);
    va_start(ap, fmt);
    vfprintf(to, fmt, ap);
    va_end(ap);
    fputc('\n', to);
    return err;
}

/* Takes over a tap that a former process may not have let go yet. */
static int prepare_tap(struct port *p, unsigned retry_ms, bool held, FILE *err)
{
    const char *iface = p->cfg->iface;
    bool there = tap_exists(iface);
    uint8_t now[6], ours[6];
    int e = tap_try(iface, held);

    for (unsigned waited = 0; e == -EBUSY && waited < retry_ms; waited += 10) {
        poll(NULL, 0, 10);
        e = tap_try(iface, held);
    }
    if (e) {
        fprintf(err, "port %s: ", p->cfg->name);
        tap_explain(e, iface, err);
        fputc('\n', err);
        return e;
    }
    if (p->cfg->mac ? cfg_parse_mac(p->cfg->mac, ours) : (tap_default_mac(iface, ours), 0))
        return -EINVAL;
    p->tap_ours = !there || (tap_get_mac(iface, now) == 0 && memcmp(now, ours, 6) == 0);
    return 0;
}

static int prepare_iface(struct port *p, FILE *err)
{
    int fd;

    if (if_nametoindex(p->cfg->iface) == 0)
        return fail(p, -ENODEV, err, "there is no interface %s; see `ip link`", p->cfg->iface);
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(p, -errno, err, "raw frames on %s need CAP_NET_RAW (%s); run as root",
                    p->cfg->iface, strerror(errno));
    close(fd);
    return 0;
}

static int prepare_pcap(struct port *p, FILE *err)
{
    const struct cfg_port *c = p->cfg;
    FILE *f;

    if (!c->rx_pcap && !c->tx_pcap)
        return prepare_iface(p, err);
    if (c->rx_pcap && access(c->rx_pcap, R_OK))
        return fail(p, -errno, err, "%s cannot be read: %s", c->rx_pcap, strerror(errno));
    if (!c->tx_pcap)
        return 0;
    f = fopen(c->tx_pcap, "w");
    if (!f)
        return fail(p, -errno, err, "%s cannot be written: %s", c->tx_pcap, strerror(errno));
    fclose(f);
    return 0;
}

static int prepare(struct port *p, const struct port_opts *o, FILE *err)
{
    switch (p->cfg->type) {
    case CFG_PORT_TAP: return prepare_tap(p, o->retry_ms ? o->retry_ms : 2000, o->held, err);
    case CFG_PORT_AF_PACKET:
    case CFG_PORT_AF_XDP: return prepare_iface(p, err);
    case CFG_PORT_PCAP: return prepare_pcap(p, err);
    default: return 0;
    }
}

/* --- control: the device --- */

/* Why DPDK did not find a PCI device. */
static int explain_pci(const struct port *p, FILE *err)
{
    const char *addr = p->cfg->pci;
    char path[128], driver[256];
    ssize_t n;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", addr);
    if (access(path, F_OK))
        return fail(p, -ENODEV, err, "there is no PCI device %s; see `lspci -D`", addr);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", addr);
    n = readlink(path, driver, sizeof(driver) - 1);
    driver[n < 0 ? 0 : n] = 0;
    if (n < 0 || !strstr(driver, "vfio-pci"))
        return fail(p, -EBUSY, err,
                    "PCI device %s is bound to %s; give it to DPDK: dpdk-devbind.py -b vfio-pci %s",
                    addr, n < 0 ? "no driver" : strrchr(driver, '/') + 1, addr);
    return fail(p, -EIO, err,
                "no DPDK driver took PCI device %s; see DPDK's messages above "
                "(is the IOMMU on? may this user open its /dev/vfio group?)",
                addr);
}

/* The first free number of this type: several ports of a process may share a driver. */
static int make_vdev(struct port *p, FILE *err)
{
    uint16_t id;

    for (unsigned i = 0; i < RTE_MAX_ETHPORTS; i++) {
        int e = port_vdev(p->cfg, i, p->device, sizeof(p->device), p->args, sizeof(p->args), err);

        if (e)
            return e;
        if (rte_eth_dev_get_port_by_name(p->device, &id) == 0)
            continue;
        e = rte_eal_hotplug_add("vdev", p->device, p->args);
        if (e < 0)
            return fail(p, -EIO, err, "DPDK cannot make %s (%s): %s; see its messages above",
                        p->device, p->args, strerror(-e));
        return 0;
    }
    return fail(p, -ENOSPC, err, "DPDK has no room for another port");
}

static int make_tap(struct port *p, const struct port_opts *o, FILE *err)
{
    uint8_t mac[6];
    int e = port_tap(p->cfg, mac, err);

    if (!e)
        e = tapdev_open(p->cfg->iface, mac, o->mtu, o->pool, rte_get_tsc_hz(), &p->tap);
    if (e)
        return fail(p, e, err, "tap %s cannot be had: %s", p->cfg->iface, strerror(-e));
    snprintf(p->device, sizeof(p->device), "%s", p->cfg->iface);
    p->rx_fd = tapdev_fd(p->tap);
    return 0;
}

static int make_device(struct port *p, const struct port_opts *o, FILE *err)
{
    int e;

    if (p->cfg->type == CFG_PORT_TAP)
        return make_tap(p, o, err);
    if (p->cfg->type == CFG_PORT_PCI) {
        snprintf(p->device, sizeof(p->device), "%s", p->cfg->pci ? p->cfg->pci : "");
        return rte_eth_dev_get_port_by_name(p->device, &p->id) ? explain_pci(p, err) : 0;
    }
    e = make_vdev(p, err);
    if (e)
        return e;
    if (rte_eth_dev_get_port_by_name(p->device, &p->id))
        return fail(p, -EIO, err, "DPDK made %s but does not know it", p->device);
    return 0;
}

static void unmake_device(struct port *p, bool keep_tap)
{
    if (p->tap) {
        if (p->tap_ours && !keep_tap)
            tap_forget(p->rx_fd);
        tapdev_close(p->tap);
        return;
    }
    rte_eth_dev_stop(p->id);
    rte_eth_dev_close(p->id);
    if (p->cfg->type != CFG_PORT_PCI)
        rte_eal_hotplug_remove("vdev", p->device);
}

static int set_up_queues(struct port *p, const struct port_opts *o)
{
    uint16_t nrx = RX_DESC, ntx = TX_DESC;
    unsigned socket = o->socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)o->socket;
    int e = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &nrx, &ntx);

    if (!e)
        e = rte_eth_rx_queue_setup(p->id, 0, nrx, socket, NULL, o->pool);
    if (!e)
        e = rte_eth_tx_queue_setup(p->id, 0, ntx, socket, NULL);
    return e;
}

/* One queue each way, no offloads but frames in several segments: what the switch may send. */
static int configure(struct port *p, const struct port_opts *o)
{
    struct rte_eth_conf conf = {0};
    struct rte_eth_dev_info info;
    int e = rte_eth_dev_info_get(p->id, &info);

    if (e)
        return e;
    conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    e = rte_eth_dev_configure(p->id, 1, 1, &conf);
    if (!e)
        e = set_up_queues(p, o);
    if (!e && o->mtu)
        e = rte_eth_dev_set_mtu(p->id, o->mtu);
    if (!e)
        e = rte_eth_dev_start(p->id);
    return e;
}

/* A switch wants every frame. */
static int start_eth(struct port *p, const struct port_opts *o, FILE *err)
{
    int e = configure(p, o);

    if (e)
        return fail(p, e, err, "%s does not start: %s; see DPDK's messages above", p->device,
                    strerror(-e));
    e = rte_eth_promiscuous_enable(p->id);
    if (e && e != -ENOTSUP)
        return fail(p, e, err, "%s does not become promiscuous: %s", p->device, strerror(-e));
    return 0;
}

static int set_host_side(struct port *p, FILE *err)
{
    const struct cfg_port *c = p->cfg;
    uint32_t addr, mask;
    int e;

    if (!c->address)
        e = tap_set_up(c->iface);
    else if (port_parse_address(c->address, &addr, &mask))
        return fail(p, -EINVAL, err, "address %s is not like 10.77.0.1/24", c->address);
    else
        e = tap_set_address(c->iface, addr, mask);
    if (e)
        return fail(p, e, err,
                    "the host's address on %s cannot be set: %s; is it used elsewhere, "
                    "or is CAP_NET_ADMIN missing?",
                    c->iface, strerror(-e));
    return 0;
}

static int start(struct port *p, const struct port_opts *o, FILE *err)
{
    unsigned flags = p->tap ? SW_PORT_LARGE : 0;
    int e = p->tap ? set_host_side(p, err) : start_eth(p, o, err);

    if (e)
        return e;
    p->sw_port = sw_port_add(o->sw, p->cfg->name, o->core, flags, port_send, p);
    if (p->sw_port < 0)
        return fail(p, p->sw_port, err, "the switch has no room: %s", strerror(-p->sw_port));
    return 0;
}

/* Text first: what is missing in the configuration is not the machine's fault. */
static int check_text(struct port *p, FILE *err)
{
    uint8_t mac[6];

    switch (p->cfg->type) {
    case CFG_PORT_PCI: return 0;
    case CFG_PORT_TAP: return port_tap(p->cfg, mac, err);
    default:
        return port_vdev(p->cfg, 0, p->device, sizeof(p->device), p->args, sizeof(p->args), err);
    }
}

int port_open(const struct port_opts *o, struct port **out, FILE *err)
{
    struct port *p = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN(sizeof(*p), RTE_CACHE_LINE_SIZE));
    int e;

    if (!p)
        return -ENOMEM;
    memset(p, 0, sizeof(*p));
    p->cfg = o->cfg;
    p->sw = o->sw;
    p->sw_port = p->rx_fd = -1;
    p->slow = o->cfg->type == CFG_PORT_PCAP;
    e = check_text(p, err);
    if (!e)
        e = prepare(p, o, err);
    if (!e)
        e = make_device(p, o, err);
    if (!e) {
        e = start(p, o, err);
        if (e)
            unmake_device(p, false);
    }
    if (e) {
        free(p);
        return e;
    }
    *out = p;
    return 0;
}

void port_close(struct port *p, bool keep)
{
    sw_port_remove(p->sw, p->sw_port);
    rte_pktmbuf_free_bulk(p->tx, p->ntx);
    unmake_device(p, keep);
    free(p);
}

/* --- what it says of itself --- */

int port_rx_fd(const struct port *p)
{
    return p->rx_fd;
}

int port_sw_port(const struct port *p)
{
    return p->sw_port;
}

const char *port_name(const struct port *p)
{
    return p->cfg->name;
}

static void eth_stats(const struct port *p, struct port_stats *out)
{
    struct rte_eth_stats s = {0};
    struct rte_eth_link link = {0};

    rte_eth_stats_get(p->id, &s);
    rte_eth_link_get_nowait(p->id, &link);
    out->link = link.link_status == RTE_ETH_LINK_UP;
    out->rx_frames = s.ipackets;
    out->rx_bytes = s.ibytes;
    out->rx_missed = s.imissed;
    out->rx_errors = s.ierrors;
    out->rx_nombuf = s.rx_nombuf;
    out->tx_frames = s.opackets;
    out->tx_bytes = s.obytes;
    out->tx_errors = s.oerrors;
}

static void tap_stats(const struct port *p, struct port_stats *out)
{
    struct tapdev_counters c;

    tapdev_read(p->tap, &c);
    out->link = tapdev_link(p->tap);
    out->rx_frames = c.rx_frames;
    out->rx_bytes = c.rx_bytes;
    out->rx_errors = c.rx_errors;
    out->rx_nombuf = c.rx_nombuf;
    out->rx_large = c.rx_large;
    out->tx_frames = c.tx_frames;
    out->tx_bytes = c.tx_bytes;
    out->tx_errors = c.tx_errors;
    out->tx_large = c.tx_large;
}

void port_stats(struct port *p, struct port_stats *out)
{
    *out = (struct port_stats){.type = p->cfg->type,
                               .sw_port = p->sw_port,
                               .tx_drops = __atomic_load_n(&p->tx_drops, __ATOMIC_RELAXED)};
    snprintf(out->name, sizeof(out->name), "%s", p->cfg->name);
    memcpy(out->device, p->device, sizeof(out->device));
    if (p->tap)
        tap_stats(p, out);
    else
        eth_stats(p, out);
}
