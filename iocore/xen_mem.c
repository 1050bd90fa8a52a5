/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen_mem.h"

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>

#include "hist.h"

#define CHUNK_SIZE ((uint64_t)XEN_MEM_CHUNK_PAGES * XEN_DM_PAGE)
#define NONE       UINT64_MAX /* no chunk has this number */

struct chunk {
    uint64_t number; /* guest-physical address / CHUNK_SIZE; NONE: the place is free */
    uint8_t *host;
    uint32_t there; /* bit i: page i exists */
    bool used;      /* since the hand passed */
};

struct xen_mem {
    struct xen_dm *dm;
    struct rte_hash *places; /* chunk number -> its place */
    unsigned hand;           /* where room is looked for next */
    unsigned latest;         /* the place that was hit last */
    struct xen_mem_counters n;
    struct chunk chunk[XEN_MEM_CHUNKS];
};

struct xen_mem *xen_mem_new(struct xen_dm *dm)
{
    struct xen_mem *m = calloc(1, sizeof(*m));
    char name[RTE_HASH_NAMESIZE];
    /* Twice as many as there are: a full table does not take each key. */
    struct rte_hash_parameters p = {.name = name,
                                    .entries = 2 * XEN_MEM_CHUNKS,
                                    .key_len = sizeof(uint64_t),
                                    .hash_func = rte_hash_crc,
                                    .socket_id = SOCKET_ID_ANY};

    if (!m)
        return NULL;
    snprintf(name, sizeof(name), "xen-%p", (void *)m); /* hashes' names are unique */
    m->dm = dm;
    m->places = rte_hash_create(&p);
    if (!m->places) {
        free(m);
        return NULL;
    }
    for (unsigned i = 0; i < XEN_MEM_CHUNKS; i++)
        m->chunk[i].number = NONE;
    return m;
}

static void release(struct xen_mem *m, struct chunk *c)
{
    xen_dm_unmap_guest(m->dm, c->host, XEN_MEM_CHUNK_PAGES);
    rte_hash_del_key(m->places, &c->number);
    c->number = NONE;
    hist_store(&m->n.chunks, m->n.chunks - 1);
}

void xen_mem_flush(struct xen_mem *m)
{
    for (unsigned i = 0; i < XEN_MEM_CHUNKS; i++)
        if (m->chunk[i].number != NONE)
            release(m, &m->chunk[i]);
    hist_store(&m->n.flushes, m->n.flushes + 1);
}

void xen_mem_free(struct xen_mem *m)
{
    xen_mem_flush(m);
    rte_hash_free(m->places);
    free(m);
}

/* A free place; second chance: one that was used since the hand came by is passed over once. */
static struct chunk *make_room(struct xen_mem *m)
{
    for (;;) {
        struct chunk *c = &m->chunk[m->hand];

        m->hand = (m->hand + 1) % XEN_MEM_CHUNKS;
        if (c->number == NONE)
            return c;
        if (!c->used) {
            release(m, c);
            hist_store(&m->n.evictions, m->n.evictions + 1);
            return c;
        }
        c->used = false;
    }
}

/* Pages that are not there leave holes that must not be touched. */
static struct chunk *map_chunk(struct xen_mem *m, uint64_t number)
{
    int err[XEN_MEM_CHUNK_PAGES];
    struct chunk *c = make_room(m);

    c->host = xen_dm_map_guest(m->dm, number * XEN_MEM_CHUNK_PAGES, XEN_MEM_CHUNK_PAGES, err);
    if (!c->host)
        return NULL;
    c->number = number;
    c->there = 0;
    for (unsigned i = 0; i < XEN_MEM_CHUNK_PAGES; i++)
        c->there |= (uint32_t)!err[i] << i;
    hist_store(&m->n.maps, m->n.maps + 1);
    hist_store(&m->n.chunks, m->n.chunks + 1);
    if (!c->there || rte_hash_add_key_data(m->places, &number, (void *)(uintptr_t)(c - m->chunk))) {
        release(m, c);
        return NULL;
    }
    return c;
}

static struct chunk *find(struct xen_mem *m, uint64_t number)
{
    struct chunk *c = &m->chunk[m->latest];
    void *place;

    if (c->number == number)
        return c;
    if (rte_hash_lookup_data(m->places, &number, &place) >= 0)
        return &m->chunk[(uintptr_t)place];
    return NULL;
}

/* Bytes from `offset` on before the first page that is not there. */
static uint64_t contiguous(const struct chunk *c, uint64_t offset)
{
    unsigned page = (unsigned)(offset / XEN_DM_PAGE);
    uint32_t gone = ~(c->there >> page);
    unsigned pages = gone ? (unsigned)__builtin_ctz(gone) : 32;

    return pages ? (page + pages) * (uint64_t)XEN_DM_PAGE - offset : 0;
}

void *xen_mem_at(void *mem, uint64_t gpa, uint64_t *len)
{
    struct xen_mem *m = mem;
    uint64_t offset = gpa % CHUNK_SIZE, room;
    struct chunk *c = find(m, gpa / CHUNK_SIZE);

    /* A page that was not there may be there by now: one more look. */
    if (c && !contiguous(c, offset)) {
        release(m, c);
        c = NULL;
    }
    if (!c)
        c = map_chunk(m, gpa / CHUNK_SIZE);
    room = c ? contiguous(c, offset) : 0;
    if (!room) {
        hist_store(&m->n.failures, m->n.failures + 1);
        return NULL;
    }
    c->used = true;
    m->latest = (unsigned)(c - m->chunk);
    if (*len > room)
        *len = room;
    return c->host + offset;
}

struct xen_mem_counters xen_mem_read(const struct xen_mem *m)
{
    return (struct xen_mem_counters){.maps = hist_load(&m->n.maps),
                                     .evictions = hist_load(&m->n.evictions),
                                     .failures = hist_load(&m->n.failures),
                                     .flushes = hist_load(&m->n.flushes),
                                     .chunks = hist_load(&m->n.chunks)};
}
