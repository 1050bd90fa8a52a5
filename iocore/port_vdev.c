/* SPDX-License-Identifier: BSD-3-Clause */
/* A configured port as DPDK's device name and argument list. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "port.h"
#include "tap.h"

/* What DPDK's key=value list would take for its own punctuation, and what no name needs. */
static bool clean(const char *value)
{
    for (const char *c = value; *c; c++)
        if (strchr(",=[]\"'", *c) || (unsigned char)*c < 0x21 || *c == 0x7f)
            return false;
    return *value != 0;
}

static int complain(FILE *err, const struct cfg_port *c, const char *what)
{
    fprintf(err, "port %s: %s\n", c->name, what);
    return -EINVAL;
}

static int need_iface(const struct cfg_port *c, FILE *err)
{
    if (!c->iface)
        return complain(err, c, "key iface is missing");
    if (!clean(c->iface) || strchr(c->iface, '/') || strlen(c->iface) >= IFNAMSIZ)
        return complain(err, c, "iface is no interface name (15 letters, digits, '.', '-', '_')");
    return 0;
}

int port_tap(const struct cfg_port *c, uint8_t mac[6], FILE *err)
{
    int e = need_iface(c, err);

    if (e)
        return e;
    if (c->mac && (cfg_parse_mac(c->mac, mac) || (mac[0] & 1)))
        return complain(err, c, "mac is no unicast MAC address such as 02:00:00:00:00:01");
    if (!c->mac)
        tap_default_mac(c->iface, mac);
    return 0;
}

static int iface_args(const struct cfg_port *c, const char *more, char *args, size_t size,
                      FILE *err)
{
    int e = need_iface(c, err);

    return e ? e : snprintf(args, size, "iface=%s%s", c->iface, more);
}

static int pcap_args(const struct cfg_port *c, char *args, size_t size, FILE *err)
{
    if (!c->rx_pcap && !c->tx_pcap)
        return iface_args(c, "", args, size, err);
    if ((c->rx_pcap && !clean(c->rx_pcap)) || (c->tx_pcap && !clean(c->tx_pcap)))
        return complain(err, c, "DPDK takes no blank, comma, quote, '=' or bracket in a pcap path");
    return snprintf(args, size, "%s%s%s%s%s%s", c->rx_pcap ? "rx_pcap=" : "",
                    c->rx_pcap ? c->rx_pcap : "", c->rx_pcap && c->tx_pcap ? "," : "",
                    c->tx_pcap ? "tx_pcap=" : "", c->tx_pcap ? c->tx_pcap : "",
                    c->repeat ? ",infinite_rx=1" : "");
}

static int args_of(const struct cfg_port *c, char *args, size_t size, FILE *err)
{
    switch (c->type) {
    case CFG_PORT_AF_PACKET: return iface_args(c, ",qdisc_bypass=1", args, size, err);
    case CFG_PORT_AF_XDP: return iface_args(c, ",start_queue=0,queue_count=1", args, size, err);
    case CFG_PORT_PCAP: return pcap_args(c, args, size, err);
    case CFG_PORT_RING: return snprintf(args, size, "%s", "");
    case CFG_PORT_NULL: return snprintf(args, size, "no-rx=1");
    case CFG_PORT_VHOST: /* no port of DPDK's: source_vhost.h */
    case CFG_PORT_TAP:   /* nor this: tapdev.h */
    case CFG_PORT_PCI: return -ENOTSUP;
    }
    return complain(err, c, "unknown type");
}

static const char *const driver[] = {
    [CFG_PORT_AF_PACKET] = "net_af_packet", [CFG_PORT_AF_XDP] = "net_af_xdp",
    [CFG_PORT_PCAP] = "net_pcap",           [CFG_PORT_RING] = "net_ring",
    [CFG_PORT_NULL] = "net_null",
};

int port_vdev(const struct cfg_port *c, unsigned index, char *name, size_t name_size, char *args,
              size_t args_size, FILE *err)
{
    int n = args_of(c, args, args_size, err);

    if (n < 0)
        return n;
    if ((size_t)n >= args_size)
        return complain(err, c, "paths are too long");
    n = snprintf(name, name_size, "%s%u", driver[c->type], index);
    return (size_t)n < name_size ? 0 : -EINVAL;
}

int port_parse_address(const char *text, uint32_t *addr, uint32_t *mask)
{
    const char *slash = strchr(text, '/');
    char host[INET_ADDRSTRLEN];
    struct in_addr in;
    unsigned long bits;
    char *end;

    if (!slash || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' || slash[1] > '9')
        return -EINVAL;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = 0;
    bits = strtoul(slash + 1, &end, 10);
    if (inet_pton(AF_INET, host, &in) != 1 || *end || bits < 1 || bits > 32)
        return -EINVAL;
    *addr = in.s_addr;
    *mask = htonl((uint32_t)(0xffffffffull << (32 - bits)));
    return 0;
}
