/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's filtering database (802.1D-2004 7.9): MAC address to port, one for all I/O cores.
 *
 * An rte_hash with lock-free readers. Writers exclude each other by a lock that I/O cores only ever
 * *try*: a core that finds it taken does not learn this time, the address's next frame will. So no
 * I/O core waits for a control thread that may have been preempted. What is deleted is reused only
 * after every core reported a quiescent state (the hash's own RCU defer queue).
 *
 * An entry's value names the port together with the port's generation, so that an entry which
 * outlived its port is unknown rather than wrong.
 */
#ifndef COOPVMM_IOCORE_FDB_H
#define COOPVMM_IOCORE_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_hash.h>
#include <rte_rcu_qsbr.h>
#include <rte_spinlock.h>

/* Where an address is. */
struct fdb_where {
    uint16_t port;
    bool pinned;
    uint32_t gen; /* of the port */
};

struct fdb {
    struct rte_hash *hash;
    uint32_t *stamp; /* by the key's position: second it was last a source */
    uint32_t count;  /* entries; written under the lock, read anywhere */
    uint32_t limit;
    rte_spinlock_t lock;
};

/** 48 bits of an address as a key; the first byte is the lowest. */
static inline uint64_t fdb_key(const uint8_t mac[6])
{
    uint64_t k = 0;

    __builtin_memcpy(&k, mac, 6);
    return k;
}

/** @param v cores that look up. @return 0; -ENOMEM, -EINVAL */
int fdb_init(struct fdb *f, uint32_t limit, int socket, struct rte_rcu_qsbr *v);
void fdb_fini(struct fdb *f);

/** @return position (0 and up) and *w; -ENOENT */
int fdb_find(const struct fdb *f, uint64_t key, struct fdb_where *w);

/** Says that the address at a position was seen; writes only if the second is a new one. */
static inline void fdb_touch(struct fdb *f, int pos, uint32_t sec)
{
    if (__atomic_load_n(&f->stamp[pos], __ATOMIC_RELAXED) != sec)
        __atomic_store_n(&f->stamp[pos], sec, __ATOMIC_RELAXED);
}

/**
 * Adds or moves an entry; the lock must be held.
 * @param was where it was before (port UINT16_MAX: it is new)
 * @return 0; -ENOSPC; -EEXIST: it is pinned elsewhere, and stays
 */
int fdb_set(struct fdb *f, uint64_t key, struct fdb_where to, uint32_t sec, struct fdb_where *was);
/** The lock must be held. */
void fdb_del(struct fdb *f, uint64_t key);
/**
 * Goes through the entries; the lock must be held, *iter starts at 0.
 * @return position, key and where; -ENOENT at the end
 */
int fdb_next(struct fdb *f, uint32_t *iter, uint64_t *key, struct fdb_where *w);

#endif
