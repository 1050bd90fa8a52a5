/* SPDX-License-Identifier: BSD-3-Clause */
#include "large.h"

#include <string.h>

void large_mark(struct rte_mbuf *m, const struct nm_tso *t)
{
    m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | (t->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    m->l2_len = t->l3;
    m->l3_len = (uint16_t)(t->l4 - t->l3) & 0x1ff;
    m->l4_len = (uint8_t)(t->hdr_len - t->l4);
    m->tso_segsz = t->mss;
}

void large_read(const struct rte_mbuf *m, struct nm_tso *t)
{
    *t = (struct nm_tso){.l3 = m->l2_len, .mss = m->tso_segsz};
    t->l4 = (uint16_t)(t->l3 + m->l3_len);
    t->hdr_len = (uint16_t)(t->l4 + m->l4_len);
    t->payload = m->pkt_len - t->hdr_len;
    t->ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
}

bool large_fits(const struct rte_mbuf *m, uint32_t max)
{
    struct nm_tso t;

    large_read(m, &t);
    return t.hdr_len <= m->data_len && m->pkt_len <= LARGE_MAX && nm_tso_valid(&t) &&
           t.hdr_len + (uint32_t)t.mss <= max;
}

/* One mbuf more at the end of a chain. @return NULL: there is none */
static struct rte_mbuf *extend(struct rte_mbuf *head, struct rte_mbuf *last,
                               struct rte_mempool *pool)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    if (m && head) {
        last->next = m;
        head->nb_segs++;
    }
    return m;
}

struct rte_mbuf *large_build(const struct nm_tso *t, nm_read_fn read, const void *from,
                             struct rte_mempool *pool)
{
    uint32_t len = t->hdr_len + t->payload, n;
    struct rte_mbuf *head = NULL, *m = NULL;

    for (uint32_t at = 0; at < len; at += n) {
        m = extend(head, m, pool);
        if (!m)
            goto fail;
        if (!head)
            head = m;
        n = rte_pktmbuf_tailroom(m);
        n = n < len - at ? n : len - at;
        if (!read(from, at, rte_pktmbuf_mtod(m, void *), n))
            goto fail;
        m->data_len = (uint16_t)n;
        head->pkt_len += n;
    }
    if (head)
        large_mark(head, t);
    return head;
fail:
    rte_pktmbuf_free(head);
    return NULL;
}

void large_copy(const struct rte_mbuf *m, uint32_t at, uint8_t *to, uint32_t len)
{
    for (; m && len; m = m->next) {
        uint32_t n;

        if (at >= m->data_len) {
            at -= m->data_len;
            continue;
        }
        n = m->data_len - at < len ? m->data_len - at : len;
        memcpy(to, rte_pktmbuf_mtod_offset(m, const uint8_t *, at), n);
        to += n;
        len -= n;
        at = 0;
    }
}

unsigned large_split(const struct rte_mbuf *m, uint32_t *i, struct rte_mempool *pool,
                     struct rte_mbuf **out, unsigned n)
{
    unsigned made = 0;
    struct nm_tso t;

    large_read(m, &t);
    for (; made < n && *i < nm_tso_count(&t); made++, ++*i) {
        uint32_t payload = nm_tso_len(&t, *i);
        struct rte_mbuf *s = rte_pktmbuf_alloc(pool);
        uint8_t *frame = s ? (void *)rte_pktmbuf_append(s, (uint16_t)(t.hdr_len + payload)) : NULL;

        if (!frame) {
            rte_pktmbuf_free(s);
            break;
        }
        large_copy(m, 0, frame, t.hdr_len);
        large_copy(m, t.hdr_len + *i * t.mss, frame + t.hdr_len, payload);
        nm_tso_finish(&t, *i, frame);
        out[made] = s;
    }
    return made;
}
