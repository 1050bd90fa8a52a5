/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of a network as echo needs: ARP (RFC 826), IPv4 (791), ICMP (792), UDP (768, 862). */
#include "guest.h"

#define ETHERTYPE_IP  0x0800
#define ETHERTYPE_ARP 0x0806
#define IP_ICMP       1
#define IP_UDP        17
#define UDP_ECHO      7
#define ETH           14 /* bytes of an Ethernet header */
#define IP_HEADER     20

static uint8_t my_ip[4];

static uint16_t get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = v;
}

static void swap(uint8_t *a, uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t t = a[i];

        a[i] = b[i];
        b[i] = t;
    }
}

/* Internet checksum (RFC 1071). */
static uint16_t checksum(const uint8_t *p, uint32_t len)
{
    uint32_t sum = 0;

    for (; len > 1; p += 2, len -= 2)
        sum += get16(p);
    if (len)
        sum += p[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

void net_init(struct nic *n, const uint8_t ip[4])
{
    memcpy(my_ip, ip, 4);
    print("guest: nic %x irq %u mac %x:%x:%x:%x:%x:%x ip %u.%u.%u.%u\n", n->port, n->irq, n->mac[0],
          n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5], ip[0], ip[1], ip[2], ip[3]);
}

static void arp_fill(uint8_t *f, const struct nic *n, uint16_t op)
{
    static const uint8_t ethernet_ip[6] = {0, 1, 8, 0, 6, 4};

    memcpy(f + 6, n->mac, 6);
    put16(f + 12, ETHERTYPE_ARP);
    memcpy(f + ETH, ethernet_ip, 6);
    put16(f + ETH + 6, op);
    memcpy(f + ETH + 8, n->mac, 6);
    memcpy(f + ETH + 14, my_ip, 4);
}

/* Tells switch and neighbours where we are. */
void net_announce(struct nic *n)
{
    uint8_t f[60] = {0};

    memset(f, 0xff, 6);
    arp_fill(f, n, 1);
    memcpy(f + ETH + 24, my_ip, 4);
    nic_send(n, f, sizeof(f));
}

static void arp_input(struct nic *n, uint8_t *f, uint32_t len)
{
    uint8_t r[60] = {0};

    if (len < ETH + 28 || get16(f + ETH + 6) != 1 || memcmp(f + ETH + 24, my_ip, 4) != 0)
        return;
    memcpy(r, f + 6, 6);
    arp_fill(r, n, 2);
    memcpy(r + ETH + 18, f + ETH + 8, 10); /* the asker's addresses */
    nic_send(n, r, sizeof(r));
}

/* Sends the frame back where it came from. Sums do not change when addresses change places. */
static void send_back(struct nic *n, uint8_t *f, uint32_t len)
{
    memcpy(f, f + 6, 6);
    memcpy(f + 6, n->mac, 6);
    swap(f + ETH + 12, f + ETH + 16, 4);
    nic_send(n, f, len);
}

static void icmp_input(struct nic *n, uint8_t *f, uint32_t len)
{
    uint8_t *icmp = f + ETH + IP_HEADER;
    uint32_t bytes = len - ETH - IP_HEADER;

    if (bytes < 8 || icmp[0] != 8 || icmp[1] != 0 || checksum(icmp, bytes) != 0)
        return;
    icmp[0] = 0;
    put16(icmp + 2, 0);
    put16(icmp + 2, checksum(icmp, bytes));
    send_back(n, f, len);
}

static void udp_input(struct nic *n, uint8_t *f, uint32_t len)
{
    uint8_t *udp = f + ETH + IP_HEADER;
    uint32_t bytes = len - ETH - IP_HEADER;

    if (bytes < 8 || get16(udp + 2) != UDP_ECHO || get16(udp + 4) < 8 || get16(udp + 4) > bytes)
        return;
    swap(udp, udp + 2, 2);
    send_back(n, f, len);
}

static void ip_input(struct nic *n, uint8_t *f, uint32_t len)
{
    const uint8_t *ip = f + ETH;
    uint32_t total;

    if (len < ETH + IP_HEADER || ip[0] != 0x45 || memcmp(ip + 16, my_ip, 4) != 0)
        return;
    total = get16(ip + 2);
    if (total < IP_HEADER || total > len - ETH || (get16(ip + 6) & 0x3fff) ||
        checksum(ip, IP_HEADER) != 0)
        return; /* fragments are not put together */
    if (ip[9] == IP_ICMP)
        icmp_input(n, f, ETH + total);
    else if (ip[9] == IP_UDP)
        udp_input(n, f, ETH + total);
}

void net_input(struct nic *n, uint8_t *frame, uint32_t len)
{
    if (get16(frame + 12) == ETHERTYPE_ARP)
        arp_input(n, frame, len);
    else if (get16(frame + 12) == ETHERTYPE_IP)
        ip_input(n, frame, len);
}
