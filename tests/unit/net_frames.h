/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet frames for tests, and Internet checksums computed the slow, obvious way. */
#ifndef COOPVMM_TESTS_NET_FRAMES_H
#define COOPVMM_TESTS_NET_FRAMES_H

#include <string.h>

#include "../../nicmodels/offload.h"

/* What a frame is to be made of. */
struct frame_shape {
    bool ipv6, udp;
    unsigned tags;      /* 802.1Q tags, 0 to 2 */
    unsigned ip_extra;  /* bytes of IPv4 options, or of one IPv6 hop-by-hop header; times 4 or 8 */
    unsigned tcp_extra; /* bytes of TCP options, times 4 */
    size_t payload;     /* bytes: i * 7 + 3 each */
};

/* The one's complement sum of big-endian 16-bit words (RFC 1071), a byte at a time. */
static inline uint16_t slow_sum(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The sum of a TCP segment or UDP datagram with its pseudo-header; 0xffff: its checksum is right.
 */
static inline uint16_t slow_l4_sum(const uint8_t *ip, bool ipv6, const uint8_t *l4, size_t len,
                                   uint8_t proto)
{
    uint32_t sum = proto + (uint32_t)(len & 0xffff) + (uint32_t)(len >> 16);

    sum += slow_sum(0, ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
    return slow_sum(sum, l4, len);
}

static inline size_t frame_l3(const struct frame_shape *s)
{
    return NM_ETH_HLEN + NM_VLAN_HLEN * s->tags;
}

static inline size_t frame_l4(const struct frame_shape *s)
{
    return frame_l3(s) + (s->ipv6 ? NM_IPV6_HLEN : NM_IPV4_HLEN) + s->ip_extra;
}

static inline size_t frame_hdr(const struct frame_shape *s)
{
    return frame_l4(s) + (s->udp ? NM_UDP_HLEN : NM_TCP_HLEN + s->tcp_extra);
}

static inline void frame_ip(const struct frame_shape *s, uint8_t *ip, size_t ip_len)
{
    uint8_t proto = s->udp ? NM_PROTO_UDP : NM_PROTO_TCP;

    if (s->ipv6) {
        ip[0] = 0x60;
        nm_put_be16(ip + 4, (uint16_t)(ip_len - NM_IPV6_HLEN));
        ip[6] = s->ip_extra ? 0 : proto;
        ip[7] = 64;
        memset(ip + 8, 0xfd, 32);
        ip[39] = 2;
        if (s->ip_extra) {
            ip[40] = proto;
            ip[41] = (uint8_t)(s->ip_extra / 8 - 1);
        }
        return;
    }
    ip[0] = (uint8_t)(0x45 + s->ip_extra / 4);
    nm_put_be16(ip + 2, (uint16_t)ip_len);
    nm_put_be16(ip + 4, 0xfffe);
    nm_put_be16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = proto;
    memcpy(ip + 12, "\x0a\x4d\x00\x01\x0a\x4d\x00\x02", 8);
    nm_put_be16(ip + 10, (uint16_t)~slow_sum(0, ip, NM_IPV4_HLEN + s->ip_extra));
}

/* Builds it at f, which has room, with right lengths and checksums. @return its length */
static inline size_t frame_build(uint8_t *f, const struct frame_shape *s)
{
    size_t l3 = frame_l3(s), l4 = frame_l4(s), hdr = frame_hdr(s), len = hdr + s->payload;
    uint8_t proto = s->udp ? NM_PROTO_UDP : NM_PROTO_TCP;
    uint8_t *csum = f + l4 + (s->udp ? 6 : 16);

    memset(f, 0, hdr);
    memcpy(f, "\x52\x54\x00\x12\x34\x56\x52\x54\x00\xaa\xbb\xcc", 12);
    for (unsigned i = 0; i < s->tags; i++) {
        nm_put_be16(f + 12 + 4 * i, NM_ETH_VLAN);
        nm_put_be16(f + 14 + 4 * i, (uint16_t)(0x2005 + i));
    }
    nm_put_be16(f + l3 - 2, s->ipv6 ? NM_ETH_IPV6 : NM_ETH_IP);
    for (size_t i = 0; i < s->payload; i++)
        f[hdr + i] = (uint8_t)(i * 7 + 3);
    nm_put_be16(f + l4, 0x1234);
    nm_put_be16(f + l4 + 2, 0x0050);
    if (s->udp) {
        nm_put_be16(f + l4 + 4, (uint16_t)(len - l4));
    } else {
        nm_put_be32(f + l4 + 4, 0xfffffff0); /* the sequence number will wrap */
        f[l4 + 12] = (uint8_t)((5 + s->tcp_extra / 4) << 4);
        f[l4 + 13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR ACK PSH FIN */
        memset(f + l4 + NM_TCP_HLEN, 1, s->tcp_extra);
    }
    frame_ip(s, f + l3, len - l3);
    nm_put_be16(csum, (uint16_t)~slow_l4_sum(f + l3, s->ipv6, f + l4, len - l4, proto));
    return len;
}

#endif
