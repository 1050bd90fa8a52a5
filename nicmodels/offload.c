/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

#include <endian.h>
#include <string.h>

#define ETH_QINQ   0x88a8
#define ADDRS      12 /* both Ethernet addresses */
#define IP4_ID     4
#define IP4_FLAGS  6
#define IP4_PROTO  9
#define IP4_CSUM   10
#define IP4_SRC    12
#define IP6_LEN    4
#define IP6_NEXT   6
#define IP6_SRC    8
#define TCP_SEQ    4
#define TCP_OFFSET 12
#define TCP_FLAGS  13
#define UDP_LEN    4
#define UDP_CSUM   6

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };
enum { EXT_HOP_BY_HOP = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_OPTIONS = 60 };

/* --- checksums --- */

/* Words are added as they lie in memory: a one's complement sum is the same in either byte order,
 * but for the bytes of the result (RFC 1071, 2 (B)). */
uint64_t nm_sum(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t word = 0;

    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        sum += word;
    }
    word = 0;
    memcpy(&word, p, len);
    return sum + word;
}

uint16_t nm_sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return htobe16((uint16_t)sum);
}

static void put_inverted(uint8_t *field, uint64_t sum, bool no_zero)
{
    uint16_t csum = (uint16_t)~nm_sum_fold(sum);

    nm_put_be16(field, csum || !no_zero ? csum : 0xffff);
}

bool nm_csum_insert(uint8_t *frame, size_t len, size_t start, size_t end, size_t at, bool no_zero)
{
    if (start >= end || end > len || len < 2 || at > len - 2)
        return false;
    put_inverted(frame + at, nm_sum(0, frame + start, end - start), no_zero);
    return true;
}

/* --- what is in a frame --- */

static size_t ip4_hlen(const uint8_t *ip)
{
    return (ip[0] & 0xfu) * 4;
}

/* Behind the addresses and at most two tags: the type, and where what it names begins. */
static uint16_t ethertype(const uint8_t *frame, size_t len, size_t *at)
{
    uint16_t type = 0;
    size_t o = ADDRS;

    for (unsigned tags = 0; tags <= 2 && o + 2 <= len; tags++) {
        type = nm_get_be16(frame + o);
        *at = o + 2;
        if (type != NM_ETH_VLAN && type != ETH_QINQ)
            return type;
        o += NM_VLAN_HLEN;
    }
    return 0;
}

/* A header of `proto` at `at`: is it one we know, and its fixed part there? */
static void found_l4(struct nm_layout *l, size_t at, uint8_t proto)
{
    size_t need = proto == NM_PROTO_TCP ? NM_TCP_HLEN : NM_UDP_HLEN;

    l->l4 = (uint16_t)at;
    if ((proto == NM_PROTO_TCP || proto == NM_PROTO_UDP) && !l->fragment && !l->truncated &&
        at + need <= l->end)
        l->proto = proto;
}

static void found_end(struct nm_layout *l, size_t end, size_t len)
{
    l->truncated = end > len;
    l->end = (uint16_t)(end < len ? end : len);
}

static void look_at_ip4(const uint8_t *frame, size_t len, struct nm_layout *l)
{
    const uint8_t *ip = frame + l->l3;
    size_t room = len - l->l3, hlen, total;

    if (room < NM_IPV4_HLEN || ip[0] >> 4 != 4)
        return;
    hlen = ip4_hlen(ip);
    total = nm_get_be16(ip + 2);
    if (hlen < NM_IPV4_HLEN || hlen > room || total < hlen)
        return;
    l->ip = 4;
    l->fragment = (nm_get_be16(ip + IP4_FLAGS) & 0x3fff) != 0;
    found_end(l, l->l3 + total, len);
    found_l4(l, l->l3 + hlen, ip[IP4_PROTO]);
}

/* Steps over extension headers. @return where the last header begins, 0: not to be found */
static size_t behind_extensions(const uint8_t *frame, const struct nm_layout *l, uint8_t *next,
                                bool *fragment)
{
    size_t at = l->l3 + NM_IPV6_HLEN;

    for (unsigned i = 0; i < NM_MAX_IP_EXT; i++) {
        if (*next != EXT_HOP_BY_HOP && *next != EXT_ROUTING && *next != EXT_OPTIONS &&
            *next != EXT_FRAGMENT)
            return at;
        if (at + 8 > l->end)
            return 0;
        if (*next == EXT_FRAGMENT)
            *fragment |= (nm_get_be16(frame + at + 2) & 0xfff9) != 0;
        *next = frame[at];
        at += frame[at + 1] * 8u + 8u;
    }
    return 0;
}

static void look_at_ip6(const uint8_t *frame, size_t len, struct nm_layout *l)
{
    const uint8_t *ip = frame + l->l3;
    uint8_t next;
    size_t at;

    if (len - l->l3 < NM_IPV6_HLEN || ip[0] >> 4 != 6)
        return;
    l->ip = 6;
    found_end(l, l->l3 + (size_t)NM_IPV6_HLEN + nm_get_be16(ip + IP6_LEN), len);
    next = ip[IP6_NEXT];
    at = behind_extensions(frame, l, &next, &l->fragment);
    if (at && at <= l->end)
        found_l4(l, at, next);
}

void nm_layout_of(const uint8_t *frame, size_t len, struct nm_layout *l)
{
    size_t at = 0;
    uint16_t type;

    *l = (struct nm_layout){0};
    if (len > UINT16_MAX)
        len = UINT16_MAX;
    type = ethertype(frame, len, &at);
    l->l3 = (uint16_t)at;
    if (type == NM_ETH_IP)
        look_at_ip4(frame, len, l);
    else if (type == NM_ETH_IPV6)
        look_at_ip6(frame, len, l);
}

/* RFC 9293, 3.1; RFC 8200, 8.1. */
static uint64_t pseudo_header(const uint8_t *ip, bool ipv6, uint8_t proto, size_t l4_len)
{
    uint8_t tail[8];

    nm_put_be32(tail, (uint32_t)l4_len);
    nm_put_be32(tail + 4, proto);
    return nm_sum(nm_sum(0, ip + (ipv6 ? IP6_SRC : IP4_SRC), ipv6 ? 32 : 8), tail, sizeof(tail));
}

static uint64_t l4_sum(const uint8_t *frame, const struct nm_layout *l)
{
    size_t len = (size_t)l->end - l->l4;

    return nm_sum(pseudo_header(frame + l->l3, l->ip == 6, l->proto, len), frame + l->l4, len);
}

static unsigned csum_offset(uint8_t proto)
{
    return proto == NM_PROTO_UDP ? UDP_CSUM : NM_TCP_CSUM_OFFSET;
}

bool nm_ip_csum_good(const uint8_t *frame, const struct nm_layout *l)
{
    const uint8_t *ip = frame + l->l3;

    return l->ip != 4 || nm_sum_fold(nm_sum(0, ip, ip4_hlen(ip))) == 0xffff;
}

bool nm_l4_csum_good(const uint8_t *frame, const struct nm_layout *l)
{
    if (l->proto == NM_PROTO_UDP && !nm_get_be16(frame + l->l4 + UDP_CSUM))
        return true;
    return nm_sum_fold(l4_sum(frame, l)) == 0xffff;
}

void nm_ip_csum_put(uint8_t *frame, const struct nm_layout *l)
{
    uint8_t *ip = frame + l->l3;

    if (l->ip != 4)
        return;
    nm_put_be16(ip + IP4_CSUM, 0);
    put_inverted(ip + IP4_CSUM, nm_sum(0, ip, ip4_hlen(ip)), false);
}

void nm_l4_csum_put(uint8_t *frame, const struct nm_layout *l)
{
    uint8_t *field = frame + l->l4 + csum_offset(l->proto);

    if (!l->proto)
        return;
    nm_put_be16(field, 0);
    put_inverted(field, l4_sum(frame, l), true);
}

/* --- segmentation --- */

/* The headers' lengths are what they will be; the driver may have left them 0. */
static bool find_headers(const uint8_t *hdr, size_t len, struct nm_tso *t, uint8_t *proto)
{
    struct nm_layout l = {.end = (uint16_t)len};
    const uint8_t *ip;
    size_t at = 0;
    uint16_t type = ethertype(hdr, len, &at);

    l.l3 = t->l3 = (uint16_t)at;
    ip = hdr + at;
    if (type == NM_ETH_IP && at + NM_IPV4_HLEN <= len && ip4_hlen(ip) >= NM_IPV4_HLEN) {
        *proto = ip[IP4_PROTO];
        at += ip4_hlen(ip);
    } else if (type == NM_ETH_IPV6 && at + NM_IPV6_HLEN <= len) {
        t->ipv6 = true;
        *proto = ip[IP6_NEXT];
        at = behind_extensions(hdr, &l, proto, &l.fragment);
    } else {
        return false;
    }
    t->l4 = (uint16_t)at;
    return at && at < len && !l.fragment;
}

bool nm_tso_of(const uint8_t *hdr, size_t len, uint16_t mss, uint32_t frame_len, struct nm_tso *t)
{
    uint8_t proto = 0;

    *t = (struct nm_tso){.mss = mss};
    if (len > UINT16_MAX)
        len = UINT16_MAX;
    if (!find_headers(hdr, len, t, &proto))
        return false;
    t->udp = proto == NM_PROTO_UDP;
    if (t->udp)
        t->hdr_len = (uint16_t)(t->l4 + NM_UDP_HLEN);
    else if (proto == NM_PROTO_TCP && (size_t)t->l4 + NM_TCP_HLEN <= len)
        t->hdr_len = (uint16_t)(t->l4 + (hdr[t->l4 + TCP_OFFSET] >> 4) * 4);
    if (!t->hdr_len || t->hdr_len > len || t->hdr_len > frame_len)
        return false;
    t->payload = frame_len - t->hdr_len;
    return nm_tso_valid(t);
}

bool nm_tso_valid(const struct nm_tso *t)
{
    unsigned ip_len = t->ipv6 ? NM_IPV6_HLEN : NM_IPV4_HLEN;
    unsigned l4_len = t->udp ? NM_UDP_HLEN : NM_TCP_HLEN;

    return t->mss && t->l3 >= NM_ETH_HLEN && t->l4 >= t->l3 + ip_len &&
           t->hdr_len >= t->l4 + l4_len && (t->hdr_len - t->l3) + (uint32_t)t->mss <= UINT16_MAX;
}

static void finish_ip(const struct nm_tso *t, uint32_t i, uint8_t *ip, size_t ip_len)
{
    if (t->ipv6) {
        nm_put_be16(ip + IP6_LEN, (uint16_t)(ip_len - NM_IPV6_HLEN));
        return;
    }
    nm_put_be16(ip + 2, (uint16_t)ip_len);
    nm_put_be16(ip + IP4_ID, (uint16_t)(nm_get_be16(ip + IP4_ID) + i));
    nm_put_be16(ip + IP4_CSUM, 0);
    /* Up to the transport header: it is where the caller said. */
    put_inverted(ip + IP4_CSUM, nm_sum(0, ip, (size_t)t->l4 - t->l3), false);
}

static void finish_tcp(const struct nm_tso *t, uint32_t i, uint8_t *tcp)
{
    nm_put_be32(tcp + TCP_SEQ, nm_get_be32(tcp + TCP_SEQ) + i * t->mss);
    if (i)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    if (i + 1 < nm_tso_count(t))
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

void nm_tso_finish(const struct nm_tso *t, uint32_t i, uint8_t *frame)
{
    uint8_t *ip = frame + t->l3, *l4 = frame + t->l4;
    size_t len = t->hdr_len + nm_tso_len(t, i), l4_len = len - t->l4;
    uint8_t proto = t->udp ? NM_PROTO_UDP : NM_PROTO_TCP;
    uint8_t *csum = l4 + csum_offset(proto);

    finish_ip(t, i, ip, len - t->l3);
    if (t->udp)
        nm_put_be16(l4 + UDP_LEN, (uint16_t)l4_len);
    else
        finish_tcp(t, i, l4);
    nm_put_be16(csum, 0);
    put_inverted(csum, nm_sum(pseudo_header(ip, t->ipv6, proto, l4_len), l4, l4_len), true);
}

/* --- VLAN tags --- */

bool nm_vlan_get(const uint8_t *frame, size_t len, uint16_t type, uint16_t *tci)
{
    if (len < ADDRS + NM_VLAN_HLEN || nm_get_be16(frame + ADDRS) != type)
        return false;
    *tci = nm_get_be16(frame + ADDRS + 2);
    return true;
}

size_t nm_vlan_insert(uint8_t *frame, size_t len, uint16_t type, uint16_t tci)
{
    memmove(frame + ADDRS + NM_VLAN_HLEN, frame + ADDRS, len - ADDRS);
    nm_put_be16(frame + ADDRS, type);
    nm_put_be16(frame + ADDRS + 2, tci);
    return len + NM_VLAN_HLEN;
}

size_t nm_vlan_strip(uint8_t *frame, size_t len)
{
    len -= NM_VLAN_HLEN;
    memmove(frame + ADDRS, frame + ADDRS + NM_VLAN_HLEN, len - ADDRS);
    return len;
}
