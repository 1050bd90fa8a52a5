/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums, segmentation and VLAN tags, against the slow and obvious ways. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "cu_main.h"
#include "net_frames.h"
#include "nm_rig.h"

const char *const suite_name = "offload";

/* All kinds of headers there are. */
static unsigned shapes(struct frame_shape *s, size_t payload)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 48; i++) {
        s[n] = (struct frame_shape){.ipv6 = i & 1, .udp = i & 2, .tags = i >> 2 & 3};
        s[n].ip_extra = i / 16 * 8;
        s[n].tcp_extra = i & 2 ? 0 : i / 16 * 12;
        s[n].payload = payload;
        n += s[n].tags < 3;
    }
    return n;
}

static void test_sum(void)
{
    static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}; /* RFC 1071, 3 */
    uint8_t *data;
    uint64_t seed = 1;

    CU_ASSERT_EQUAL(nm_sum_fold(nm_sum(0, rfc, sizeof(rfc))), 0xddf2);
    CU_ASSERT_EQUAL(nm_sum_fold(nm_sum(nm_sum(0, rfc, 2), rfc + 2, 6)), 0xddf2);
    CU_ASSERT_EQUAL(nm_sum_fold(0), 0);
    for (size_t len = 0; len < 70; len++) {
        data = malloc(len ? len : 1); /* exactly, so that sanitizers see each byte too many */
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)rig_random(&seed);
        CU_ASSERT_EQUAL(nm_sum_fold(nm_sum(0, data, len)), slow_sum(0, data, len));
        memset(data, 0xff, len);
        CU_ASSERT_EQUAL(nm_sum_fold(nm_sum(0, data, len)), slow_sum(0, data, len));
        free(data);
    }
}

static void test_insert(void)
{
    uint8_t f[64], zero[8] = {0xff, 0xff, 0, 0};
    uint8_t before[64];

    for (unsigned i = 0; i < sizeof(f); i++)
        f[i] = (uint8_t)(i * 37);
    CU_ASSERT_TRUE(nm_csum_insert(f, 64, 20, 63, 30, false));
    CU_ASSERT_EQUAL(nm_get_be16(f + 30) != 0, true);
    f[30] = f[31] = 0x5a; /* what is there takes part: a pseudo-header's sum */
    memcpy(before, f, sizeof(f));
    CU_ASSERT_TRUE(nm_csum_insert(f, 64, 20, 63, 30, false));
    CU_ASSERT_EQUAL(nm_get_be16(f + 30), (uint16_t)~slow_sum(0, before + 20, 43));
    memcpy(before, f, sizeof(f));
    CU_ASSERT_TRUE(nm_csum_insert(f, 64, 20, 40, 62, false)); /* the last place a field can have */
    CU_ASSERT_EQUAL(nm_get_be16(f + 62), (uint16_t)~slow_sum(0, before + 20, 20));
    CU_ASSERT_TRUE(nm_csum_insert(zero, 8, 0, 2, 4, false));
    CU_ASSERT_EQUAL(nm_get_be16(zero + 4), 0);
    CU_ASSERT_TRUE(nm_csum_insert(zero, 8, 0, 2, 4, true));
    CU_ASSERT_EQUAL(nm_get_be16(zero + 4), 0xffff);
    memcpy(before, f, sizeof(f));
    CU_ASSERT_FALSE(nm_csum_insert(f, 64, 20, 65, 30, false));
    CU_ASSERT_FALSE(nm_csum_insert(f, 64, 20, 20, 30, false));
    CU_ASSERT_FALSE(nm_csum_insert(f, 64, 20, 40, 63, false));
    CU_ASSERT_FALSE(nm_csum_insert(f, 64, 20, 40, SIZE_MAX, false));
    CU_ASSERT_FALSE(nm_csum_insert(f, 1, 0, 1, 0, false));
    CU_ASSERT_EQUAL(memcmp(before, f, sizeof(f)), 0);
}

static void test_layout(void)
{
    struct frame_shape s[48];
    unsigned n = shapes(s, 33);
    uint8_t f[512];

    for (unsigned i = 0; i < n; i++) {
        size_t len = frame_build(f, &s[i]);
        struct nm_layout l;

        nm_layout_of(f, len + 5, &l); /* padded */
        CU_ASSERT_EQUAL(l.ip, s[i].ipv6 ? 6 : 4);
        CU_ASSERT_EQUAL(l.l3, frame_l3(&s[i]));
        CU_ASSERT_EQUAL(l.l4, frame_l4(&s[i]));
        CU_ASSERT_EQUAL(l.end, len);
        CU_ASSERT_EQUAL(l.proto, s[i].udp ? NM_PROTO_UDP : NM_PROTO_TCP);
        CU_ASSERT_FALSE(l.fragment || l.truncated);
        CU_ASSERT_TRUE(nm_ip_csum_good(f, &l));
        CU_ASSERT_TRUE(nm_l4_csum_good(f, &l));
        f[len - 1] ^= 0x10;
        CU_ASSERT_FALSE(nm_l4_csum_good(f, &l));
        nm_l4_csum_put(f, &l);
        CU_ASSERT_TRUE(nm_l4_csum_good(f, &l));
        CU_ASSERT_EQUAL(slow_l4_sum(f + l.l3, s[i].ipv6, f + l.l4, len - l.l4, l.proto), 0xffff);
        f[l.l3 + 8] ^= 1; /* TTL; in an IPv6 address */
        CU_ASSERT_EQUAL(nm_ip_csum_good(f, &l), s[i].ipv6);
        nm_ip_csum_put(f, &l);
        CU_ASSERT_TRUE(nm_ip_csum_good(f, &l));
        nm_layout_of(f, len - 1, &l);
        CU_ASSERT_TRUE(l.truncated && !l.proto && l.ip);
    }
}

/* Frames that have no checksum to look at. */
static void test_layout_none(void)
{
    struct frame_shape s = {.udp = true, .payload = 20};
    struct nm_layout l;
    uint8_t f[512];
    size_t len = frame_build(f, &s);

    nm_put_be16(f + 20, 0x2000); /* more fragments */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 4 && l.fragment && !l.proto);
    nm_put_be16(f + 20, 0x0001); /* the second */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 4 && l.fragment && !l.proto);
    nm_put_be16(f + 20, 0x4000);
    f[14] = 0x44; /* header too short */
    nm_layout_of(f, len, &l);
    CU_ASSERT_EQUAL(l.ip, 0);
    f[14] = 0x65;
    nm_layout_of(f, len, &l);
    CU_ASSERT_EQUAL(l.ip, 0);
    f[14] = 0x45;
    f[23] = 1; /* ICMP */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 4 && l.l4 == 34 && !l.proto);
    f[23] = NM_PROTO_TCP;
    nm_put_be16(f + 16, 20 + 19); /* a byte short of a TCP header */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 4 && !l.proto);
    nm_put_be16(f + 12, 0x0806);
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 0 && l.l3 == 14);
    len = frame_build(f, &(struct frame_shape){.udp = true, .payload = 8});
    nm_put_be16(f + 40, 0); /* UDP without checksum */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.proto == NM_PROTO_UDP && nm_l4_csum_good(f, &l));
    f[26] = 0x11; /* the source address: a checksum would be wrong now */
    CU_ASSERT_TRUE(nm_l4_csum_good(f, &l));
}

static void test_fragment_header(void)
{
    struct frame_shape s = {.ipv6 = true, .udp = true, .ip_extra = 8, .payload = 20};
    struct nm_layout l;
    uint8_t f[512];
    size_t len = frame_build(f, &s);

    f[14 + 6] = 44;
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.proto == NM_PROTO_UDP && !l.fragment); /* a datagram in one fragment */
    f[14 + 40 + 3] = 1;
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(!l.proto && l.fragment);
    f[14 + 6] = 0;
    f[14 + 41] = 255; /* an extension header that ends outside */
    nm_layout_of(f, len, &l);
    CU_ASSERT_TRUE(l.ip == 6 && !l.l4 && !l.proto);
}

/* Any bytes in an allocation of their exact size: nothing outside is read or written. */
static void test_layout_hostile(void)
{
    static const uint16_t types[] = {NM_ETH_IP, NM_ETH_IPV6, NM_ETH_VLAN, 0x88a8};
    uint64_t seed = 7;

    for (unsigned i = 0; i < 20000; i++) {
        size_t len = rig_random(&seed) % 120;
        uint8_t *f = malloc(len ? len : 1);
        struct nm_layout l;
        struct nm_tso t;

        for (size_t k = 0; k < len; k++)
            f[k] = (uint8_t)rig_random(&seed);
        if (len > 23) {
            nm_put_be16(f + 12, types[i & 3]);
            nm_put_be16(f + 16, types[i >> 2 & 3]);
            f[i & 8 ? 14 : 18] = i & 1 ? 0x60 : 0x45;
            f[i & 1 ? 20 : 23] = i & 16 ? NM_PROTO_TCP : NM_PROTO_UDP;
        }
        nm_layout_of(f, len, &l);
        CU_ASSERT_TRUE(!l.ip || (l.end <= len && l.l3 < len));
        if (l.ip)
            nm_ip_csum_good(f, &l);
        if (l.proto)
            CU_ASSERT_TRUE(l.l4 + 8 <= l.end);
        if (l.proto)
            nm_l4_csum_good(f, &l);
        nm_l4_csum_put(f, &l);
        CU_ASSERT_TRUE(!l.proto || nm_l4_csum_good(f, &l));
        if (nm_tso_of(f, len, (uint16_t)(1 + rig_random(&seed) % 100), (uint32_t)len, &t))
            CU_ASSERT_TRUE(t.hdr_len <= len && nm_tso_valid(&t));
        free(f);
    }
}

/* Each segment is a packet of its own, and together they are the large one. */
static void segment(const struct frame_shape *s, uint16_t mss)
{
    size_t room = frame_hdr(s) + s->payload, hdr = frame_hdr(s), len;
    uint8_t *big = malloc(room);
    struct nm_tso t;
    uint32_t n, sent = 0;

    len = frame_build(big, s);
    CU_ASSERT_TRUE_FATAL(nm_tso_of(big, hdr, mss, (uint32_t)len, &t));
    CU_ASSERT_EQUAL(t.hdr_len, hdr);
    n = nm_tso_count(&t);
    CU_ASSERT_EQUAL(n, s->payload ? (s->payload + mss - 1) / mss : 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t part = nm_tso_len(&t, i);
        uint8_t *f = malloc(hdr + part);
        const uint8_t *l4 = f + frame_l4(s);
        struct nm_layout l;

        memcpy(f, big, hdr);
        memcpy(f + hdr, big + hdr + i * mss, part);
        nm_tso_finish(&t, i, f);
        nm_layout_of(f, hdr + part, &l);
        CU_ASSERT_EQUAL(l.end, hdr + part);
        CU_ASSERT_EQUAL(l.proto, s->udp ? NM_PROTO_UDP : NM_PROTO_TCP);
        CU_ASSERT_TRUE(nm_ip_csum_good(f, &l));
        CU_ASSERT_EQUAL(slow_l4_sum(f + l.l3, s->ipv6, l4, l.end - l.l4, l.proto), 0xffff);
        CU_ASSERT_EQUAL(memcmp(f, big, l.l3), 0);
        if (!s->ipv6)
            CU_ASSERT_EQUAL(nm_get_be16(f + l.l3 + 4), (uint16_t)(0xfffe + i));
        if (s->udp) {
            CU_ASSERT_EQUAL(nm_get_be16(l4 + 4), 8 + part);
        } else {
            CU_ASSERT_EQUAL(nm_get_be32(l4 + 4), (uint32_t)(0xfffffff0 + sent));
            CU_ASSERT_EQUAL(l4[13], 0x10 | (i ? 0 : 0x80) | (i + 1 < n ? 0 : 0x09));
        }
        sent += part;
        free(f);
    }
    CU_ASSERT_EQUAL(sent, s->payload);
    free(big);
}

static void test_segments(void)
{
    static const size_t payloads[] = {0, 1, 99, 100, 101, 300, 4000, 60000};
    struct frame_shape s[48];

    for (unsigned p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
        unsigned n = shapes(s, payloads[p]);

        for (unsigned i = 0; i < n; i++) {
            segment(&s[i], 100);
            segment(&s[i], 1448);
        }
    }
}

static void test_segments_refused(void)
{
    struct frame_shape s = {.payload = 100};
    struct nm_tso t, good;
    uint8_t f[256];
    size_t len = frame_build(f, &s), hdr = frame_hdr(&s);

    CU_ASSERT_TRUE_FATAL(nm_tso_of(f, hdr, 10, (uint32_t)len, &good));
    CU_ASSERT_FALSE(nm_tso_of(f, hdr, 0, (uint32_t)len, &t));
    CU_ASSERT_FALSE(nm_tso_of(f, hdr - 1, 10, (uint32_t)len, &t));
    CU_ASSERT_FALSE(nm_tso_of(f, hdr, 10, (uint32_t)hdr - 1, &t));
    f[34 + 12] = 0x40; /* TCP header too short */
    CU_ASSERT_FALSE(nm_tso_of(f, hdr, 10, (uint32_t)len, &t));
    f[34 + 12] = 0x60; /* and longer than what there is */
    CU_ASSERT_FALSE(nm_tso_of(f, hdr, 10, (uint32_t)len, &t));
    f[34 + 12] = 0x50;
    f[23] = 1;
    CU_ASSERT_FALSE(nm_tso_of(f, hdr, 10, (uint32_t)len, &t));
    CU_ASSERT_TRUE(nm_tso_valid(&good));
    t = good, t.l4 = 20;
    CU_ASSERT_FALSE(nm_tso_valid(&t));
    t = good, t.l3 = 13;
    CU_ASSERT_FALSE(nm_tso_valid(&t));
    t = good, t.hdr_len = (uint16_t)(t.l4 + 19);
    CU_ASSERT_FALSE(nm_tso_valid(&t));
    t = good, t.mss = 65500;
    CU_ASSERT_FALSE(nm_tso_valid(&t));
}

static void test_vlan(void)
{
    struct frame_shape s = {.payload = 50};
    uint8_t f[256], plain[256];
    size_t len = frame_build(plain, &s);
    uint16_t tci = 0;

    memcpy(f, plain, len);
    CU_ASSERT_FALSE(nm_vlan_get(f, len, NM_ETH_VLAN, &tci));
    CU_ASSERT_EQUAL(nm_vlan_insert(f, len, NM_ETH_VLAN, 0xe123), len + 4);
    CU_ASSERT_EQUAL(memcmp(f, plain, 12), 0);
    CU_ASSERT_EQUAL(memcmp(f + 16, plain + 12, len - 12), 0);
    CU_ASSERT_TRUE(nm_vlan_get(f, len + 4, NM_ETH_VLAN, &tci));
    CU_ASSERT_EQUAL(tci, 0xe123);
    CU_ASSERT_FALSE(nm_vlan_get(f, len + 4, 0x9100, &tci));
    CU_ASSERT_FALSE(nm_vlan_get(f, 15, NM_ETH_VLAN, &tci));
    CU_ASSERT_EQUAL(nm_vlan_strip(f, len + 4), len);
    CU_ASSERT_EQUAL(memcmp(f, plain, len), 0);
}

const struct cu_test suite_tests[] = {
    {"sums", test_sum},
    {"partial checksums", test_insert},
    {"headers found, checksums checked and put in", test_layout},
    {"frames without a checksum to check", test_layout_none},
    {"IPv6 extension headers", test_fragment_header},
    {"hostile frames", test_layout_hostile},
    {"segmentation", test_segments},
    {"what cannot be segmented", test_segments_refused},
    {"VLAN tags", test_vlan},
    {NULL, NULL},
};
