/* SPDX-License-Identifier: BSD-3-Clause */
/* Reception (SDM 3.2): which frames are ours, what is made of them, and into which buffers. */
#include <string.h>

#include "crc32.h"
#include "dma.h"
#include "e1000_priv.h"
#include "offload.h"

#define FCS     4
#define MAX_STD 1522 /* bytes with FCS that need no RCTL.LPE */

/* A frame on its way into buffers. */
struct rx_frame {
    uint8_t data[NM_MAX_FRAME + FCS];
    size_t len;                /* as it will lie in memory */
    struct e1000_rx_desc last; /* what its last descriptor says; the others say less */
};

/* How a frame's destination matched. */
enum match { MATCH_NONE = 0, MATCH_EXACT, MATCH_HASH };

/* --- filters (SDM 3.2.1, 13.5) --- */

static bool matches_address(const struct e1000_regs *r, const uint8_t *dst)
{
    uint32_t low = dst[0] | dst[1] << 8 | dst[2] << 16 | (uint32_t)dst[3] << 24;
    uint32_t high = RAH_AV | dst[4] | (uint32_t)dst[5] << 8;

    for (unsigned i = 0; i < E1000_NRA; i++)
        if (r->ra[2 * i] == low && r->ra[2 * i + 1] == high)
            return true;
    return false;
}

/* Twelve bits of the address's last two bytes; RCTL.MO says which (SDM 13.5.1). */
static bool matches_hash(const struct nm_dev *d, const uint8_t *dst)
{
    static const uint8_t shift[] = {4, 3, 2, 0};
    unsigned mo = e1000_regs(d)->rctl >> RCTL_MO_SHIFT & 3;
    unsigned i = (unsigned)(dst[4] | dst[5] << 8) >> shift[mo] & 0xfff;

    return e1000_ram(d)->mta[i / 32] >> i % 32 & 1;
}

static enum match matches(const struct nm_dev *d, const uint8_t *dst)
{
    const struct e1000_regs *r = e1000_regs(d);
    bool group = dst[0] & 1;

    if (matches_address(r, dst))
        return MATCH_EXACT;
    if (group && r->rctl & RCTL_BAM && !memcmp(dst, "\xff\xff\xff\xff\xff\xff", 6))
        return MATCH_EXACT;
    if (r->rctl & (group ? RCTL_MPE : RCTL_UPE))
        return MATCH_EXACT;
    return group && matches_hash(d, dst) ? MATCH_HASH : MATCH_NONE;
}

static bool passes_vlan(const struct nm_dev *d, const uint8_t *frame, size_t len)
{
    const struct e1000_regs *r = e1000_regs(d);
    uint16_t tci;
    unsigned vid;

    if (!(r->rctl & RCTL_VFE) || !nm_vlan_get(frame, len, (uint16_t)r->vet, &tci))
        return true;
    vid = tci & 0xfff;
    if (r->rctl & RCTL_CFIEN && !(tci & 0x1000) != !(r->rctl & RCTL_CFI))
        return false;
    return e1000_ram(d)->vfta[vid / 32] >> vid % 32 & 1;
}

/* --- what is made of a frame --- */

/* SDM 3.2.9. Checked are frames whose headers are found; the others say so (IXSM). */
static void check_sums(const struct e1000_regs *r, struct rx_frame *f)
{
    struct nm_layout l;

    nm_layout_of(f->data, f->len, &l);
    if (r->rxcsum & RXCSUM_IPOFLD && l.ip == 4) {
        f->last.status |= RXD_IPCS;
        if (!nm_ip_csum_good(f->data, &l))
            f->last.errors |= RXD_ERR_IPE;
    }
    if (r->rxcsum & RXCSUM_TUOFLD && l.proto) {
        f->last.status |= RXD_TCPCS;
        if (!nm_l4_csum_good(f->data, &l))
            f->last.errors |= RXD_ERR_TCPE;
    }
    if (!(f->last.status & (RXD_IPCS | RXD_TCPCS)))
        f->last.status |= RXD_IXSM;
}

static void strip_tag(const struct e1000_regs *r, struct rx_frame *f)
{
    if (!(r->ctrl & CTRL_VME) || !nm_vlan_get(f->data, f->len, (uint16_t)r->vet, &f->last.special))
        return;
    f->len = nm_vlan_strip(f->data, f->len);
    f->last.status |= RXD_VP;
}

static void prepare(const struct e1000_regs *r, struct rx_frame *f)
{
    size_t pcss = r->rxcsum & 0xff;
    uint32_t fcs = nm_crc32(0, f->data, f->len);

    check_sums(r, f);
    strip_tag(r, f);
    if (pcss < f->len)
        f->last.csum = nm_sum_fold(nm_sum(0, f->data + pcss, f->len - pcss));
    if (!(r->rctl & RCTL_SECRC)) {
        for (unsigned i = 0; i < FCS; i++)
            f->data[f->len + i] = (uint8_t)(fcs >> 8 * i);
        f->len += FCS;
    }
    f->last.status |= RXD_EOP;
}

/* --- buffers --- */

static uint32_t buffer_size(const struct e1000_regs *r)
{
    unsigned bsize = r->rctl >> RCTL_BSIZE_SHIFT & 3;

    return (2048u >> bsize) * (r->rctl & RCTL_BSEX && bsize ? 16 : 1);
}

/* Descriptors that `len` bytes take. */
static uint32_t descriptors(const struct e1000_regs *r, size_t len)
{
    uint32_t size = buffer_size(r);

    return (uint32_t)(len + size - 1) / size;
}

static uint64_t second_half(const struct e1000_rx_desc *x)
{
    return x->length | (uint64_t)x->csum << 16 | (uint64_t)x->status << 32 |
           (uint64_t)x->errors << 40 | (uint64_t)x->special << 48;
}

/* Fills descriptor i of the ring's with its share. What the guest gives no memory for is lost, as
 * on a bus where nothing answers. */
static void fill(struct nm_dev *d, const struct e1000_ring *g, uint32_t i, const struct rx_frame *f)
{
    uint32_t size = buffer_size(e1000_regs(d));
    size_t from = (size_t)i * size, n = f->len - from;
    struct e1000_rx_desc x = {.status = RXD_DD};
    uint64_t at = e1000_ring_at(g, i), addr = 0;

    if (n <= size)
        x = f->last;
    else
        n = size;
    x.status |= RXD_DD;
    x.length = (uint16_t)n;
    if (nm_dma_read(d, at, &addr, sizeof(addr)) && addr)
        nm_dma_write(d, addr, f->data + from, n);
    e1000_wb_add(d, at + 8, second_half(&x), 8);
}

/* RXDMT0: the descriptors left have become few (RCTL.RDMTS: half, quarter, eighth of the ring). */
static bool became_few(const struct e1000_regs *r, uint32_t n, uint32_t before, uint32_t after)
{
    uint32_t few = n >> ((r->rctl >> RCTL_RDMTS_SHIFT & 3) + 1);

    return before > few && after <= few;
}

static void store(struct nm_dev *d, const struct rx_frame *f)
{
    struct e1000_regs *r = e1000_regs(d);
    struct e1000_ring g = e1000_rx_ring(r);
    uint32_t n = descriptors(r, f->len), owned = g.n ? e1000_ring_owned(&g) : 0;

    if (!e1000_masters(r) || owned < n || e1000_wb_room(d) < n) {
        e1000_count(r, STAT_RNBC);
        e1000_count(r, STAT_MPC);
        e1000_raise(d, ICR_RXO);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        fill(d, &g, i, f);
    r->rdh = (r->rdh + n) % g.n;
    if (became_few(r, g.n, owned, owned - n))
        e1000_raise(d, ICR_RXDMT0);
    e1000_received(d, f->len);
}

static void receive(struct nm_dev *d, const uint8_t *frame, size_t len)
{
    struct e1000_regs *r = e1000_regs(d);
    struct rx_frame f;
    enum match m;

    d->changed = true;
    f.len = len < NM_MIN_FRAME ? NM_MIN_FRAME : len;
    f.last = (struct e1000_rx_desc){0};
    memcpy(f.data, frame, len);
    memset(f.data + len, 0, f.len - len);
    e1000_count_seen(r, f.len);
    m = matches(d, f.data);
    if (m == MATCH_NONE || !passes_vlan(d, f.data, f.len))
        return;
    if (f.len + FCS > MAX_STD && !(r->rctl & RCTL_LPE)) {
        e1000_count(r, STAT_ROC);
        return;
    }
    e1000_count_rx(r, f.data, f.len);
    if (m == MATCH_HASH)
        f.last.status |= RXD_PIF;
    prepare(r, &f);
    store(d, &f);
}

/* Does the receiver listen to the wire? */
static bool listens(const struct e1000_regs *r)
{
    return r->rctl & RCTL_EN && e1000_link(r) && !(r->rctl & RCTL_LBM) && !e1000_phy_loopback(r);
}

bool e1000_can_receive(const struct nm_dev *d, size_t len)
{
    const struct e1000_regs *r = e1000_regs(d);
    struct e1000_ring g = e1000_rx_ring(r);
    uint32_t n = descriptors(r, (len < NM_MIN_FRAME ? NM_MIN_FRAME : len) + FCS);

    if (!listens(r))
        return true; /* to be dropped */
    return e1000_masters(r) && g.n && e1000_ring_owned(&g) >= n && e1000_wb_room(d) >= n;
}

void e1000_receive(struct nm_dev *d, const void *frame, size_t len)
{
    if (listens(e1000_regs(d)) && len >= NM_ETH_HLEN && len <= NM_MAX_FRAME)
        receive(d, frame, len);
}

void e1000_receive_looped(struct nm_dev *d, const uint8_t *frame, size_t len)
{
    if (e1000_regs(d)->rctl & RCTL_EN)
        receive(d, frame, len);
}
