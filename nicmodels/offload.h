/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What NICs do to frames so that drivers need not: Internet checksums, TCP and UDP segmentation,
 * VLAN tags. Frames are without FCS. Whatever they hold, nothing outside them is touched.
 *
 * Sources: RFC 1071 (checksum), RFC 791 and 8200 (IP), RFC 9293 (TCP), RFC 768 (UDP), IEEE 802.1Q.
 * Threads: any; no state.
 */
#ifndef COOPVMM_NICMODELS_OFFLOAD_H
#define COOPVMM_NICMODELS_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NM_ETH_HLEN        14
#define NM_VLAN_HLEN       4
#define NM_ETH_VLAN        0x8100 /* 802.1Q's tag protocol identifier */
#define NM_ETH_IP          0x0800
#define NM_ETH_IPV6        0x86dd
#define NM_PROTO_TCP       6
#define NM_PROTO_UDP       17
#define NM_TCP_HLEN        20 /* without options */
#define NM_UDP_HLEN        8
#define NM_TCP_CSUM_OFFSET 16 /* bytes into TCP's header */
#define NM_IPV4_HLEN       20 /* without options */
#define NM_IPV6_HLEN       40
#define NM_MAX_IP_EXT      8 /* IPv6 extension headers that are looked behind */

/* Big-endian fields. */
static inline uint16_t nm_get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t nm_get_be32(const uint8_t *p)
{
    return (uint32_t)nm_get_be16(p) << 16 | nm_get_be16(p + 2);
}
static inline void nm_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void nm_put_be32(uint8_t *p, uint32_t v)
{
    nm_put_be16(p, (uint16_t)(v >> 16));
    nm_put_be16(p + 2, (uint16_t)v);
}

/* --- checksums --- */

/** Adds `len` bytes to a sum (0: nothing yet); all but the last piece of a sum have an even len. */
uint64_t nm_sum(uint64_t sum, const void *data, size_t len);
/** The sum as 16 bits in one's complement, not inverted; the number a big-endian field would hold.
 */
uint16_t nm_sum_fold(uint64_t sum);

/**
 * Completes a checksum: the sum of bytes [start, end), with what the field at `at` holds (nothing,
 * or a pseudo-header's sum), is inverted and stored there.
 * @param no_zero a result of 0 is stored as 0xffff, as UDP demands and TCP allows
 * @return false, nothing done, unless start < end <= len and at + 2 <= len
 */
bool nm_csum_insert(uint8_t *frame, size_t len, size_t start, size_t end, size_t at, bool no_zero);

/* --- what is in a frame --- */

struct nm_layout {
    uint16_t l3;    /* where the IP header begins: behind Ethernet header and VLAN tags */
    uint16_t l4;    /* where the transport header begins; 0: there is none to be found */
    uint16_t end;   /* where the IP datagram ends: padding may follow */
    uint8_t ip;     /* 4, 6; 0: no IP, the other fields mean nothing */
    uint8_t proto;  /* NM_PROTO_TCP or _UDP if l4 and the whole fixed header is there, else 0 */
    bool fragment;  /* of a datagram: its checksum cannot be told; proto is 0 */
    bool truncated; /* the frame ends before the datagram does; proto is 0 */
};

/** Looks at a frame. At most two VLAN tags (0x8100, 0x88a8) are looked behind. */
void nm_layout_of(const uint8_t *frame, size_t len, struct nm_layout *l);

/** Is the IPv4 header's checksum right? Of IPv6, which has none: true. */
bool nm_ip_csum_good(const uint8_t *frame, const struct nm_layout *l);
/** Is the TCP or UDP checksum right? One that UDP's sender left out (0) is. l->proto is not 0. */
bool nm_l4_csum_good(const uint8_t *frame, const struct nm_layout *l);
/** Puts in the IPv4 header's checksum. IPv6: nothing to do. */
void nm_ip_csum_put(uint8_t *frame, const struct nm_layout *l);
/** Puts in the TCP or UDP checksum (l->proto), whatever the field held; no proto: nothing. */
void nm_l4_csum_put(uint8_t *frame, const struct nm_layout *l);

/* --- segmentation --- */

/*
 * A large TCP segment (or UDP datagram) that is to leave as many small ones. Fill it in, or have
 * nm_tso_of() do so. For each segment the caller puts a copy of the headers and its share of the
 * payload together; nm_tso_finish() makes it a packet of its own.
 */
struct nm_tso {
    uint16_t l3, l4;  /* where IP and transport header begin */
    uint16_t hdr_len; /* bytes of all headers: what each segment begins with */
    uint16_t mss;     /* payload bytes of each segment but the last, which may have fewer */
    uint32_t payload; /* bytes behind the headers */
    bool ipv6;
    bool udp; /* USO: each segment is a datagram of its own */
};

/**
 * From a frame's headers. Its length fields and checksums are not looked at (drivers leave them
 * for the device to fill in).
 * @param hdr the frame's first bytes, at least all headers
 * @param len bytes there are in `hdr`
 * @return false: no TCP or UDP over IP that could be segmented
 */
bool nm_tso_of(const uint8_t *hdr, size_t len, uint16_t mss, uint32_t frame_len, struct nm_tso *t);

/** Do the headers hold together, so that nm_tso_finish() stays inside hdr_len? */
bool nm_tso_valid(const struct nm_tso *t);

/** Segments it takes; 1 if there is no payload. mss is not 0. */
static inline uint32_t nm_tso_count(const struct nm_tso *t)
{
    return t->payload ? (t->payload - 1) / t->mss + 1 : 1;
}
/** Payload bytes of segment i; they begin at i * mss. */
static inline uint32_t nm_tso_len(const struct nm_tso *t, uint32_t i)
{
    uint32_t left = t->payload - i * t->mss;

    return left < t->mss ? left : t->mss;
}

/**
 * Makes segment i of what a copy of the headers and its payload are: lengths, IPv4's identification
 * (counted up), TCP's sequence number, flags (CWR in the first only, PSH and FIN in the last only),
 * both checksums.
 * @param frame hdr_len + nm_tso_len(t, i) bytes
 */
void nm_tso_finish(const struct nm_tso *t, uint32_t i, uint8_t *frame);

/* --- VLAN tags --- */

/** Does a tag of this type follow the addresses? Then *tci. */
bool nm_vlan_get(const uint8_t *frame, size_t len, uint16_t type, uint16_t *tci);
/** Puts a tag in; frame has room for NM_VLAN_HLEN more. len at least 12. @return the new length */
size_t nm_vlan_insert(uint8_t *frame, size_t len, uint16_t type, uint16_t tci);
/** Takes the tag out that follows the addresses. len at least 16. @return the new length */
size_t nm_vlan_strip(uint8_t *frame, size_t len);

#endif
