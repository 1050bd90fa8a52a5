/* SPDX-License-Identifier: BSD-3-Clause */
#include "fdb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_hash_crc.h>

#define PINNED (1ull << 48)

static void *pack(struct fdb_where w)
{
    return (void *)(uintptr_t)(w.port | (uint64_t)w.gen << 16 | (w.pinned ? PINNED : 0));
}

static struct fdb_where unpack(const void *data)
{
    uint64_t v = (uintptr_t)data;

    return (struct fdb_where){
        .port = (uint16_t)v,
        .gen = (uint32_t)(v >> 16),
        .pinned = (v & PINNED) != 0,
    };
}

static struct rte_hash *make_hash(const struct fdb *f, uint32_t entries, int socket)
{
    char name[RTE_HASH_NAMESIZE];
    struct rte_hash_parameters p = {
        .name = name,
        .entries = entries,
        .key_len = sizeof(uint64_t),
        .hash_func = rte_hash_crc,
        .socket_id = socket,
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
    };

    snprintf(name, sizeof(name), "fdb%lx", (unsigned long)(uintptr_t)f);
    return rte_hash_create(&p);
}

int fdb_init(struct fdb *f, uint32_t limit, int socket, struct rte_rcu_qsbr *v)
{
    /* Twice as many: cuckoo buckets fill unevenly, and deleted entries wait for the cores. */
    uint32_t entries = limit * 2 < 64 ? 64 : limit * 2;
    struct rte_hash_rcu_config rcu = {
        .v = v,
        .mode = RTE_HASH_QSBR_MODE_DQ,
        .dq_size = entries,
    };

    *f = (struct fdb){.limit = limit, .lock = RTE_SPINLOCK_INITIALIZER};
    f->hash = make_hash(f, entries, socket);
    if (!f->hash)
        return -rte_errno;
    f->stamp = calloc((size_t)rte_hash_max_key_id(f->hash) + 1, sizeof(*f->stamp));
    if (!f->stamp || rte_hash_rcu_qsbr_add(f->hash, &rcu)) {
        fdb_fini(f);
        return -ENOMEM;
    }
    return 0;
}

void fdb_fini(struct fdb *f)
{
    rte_hash_free(f->hash);
    free(f->stamp);
    f->hash = NULL;
    f->stamp = NULL;
}

int fdb_find(const struct fdb *f, uint64_t key, struct fdb_where *w)
{
    void *data;
    int pos = rte_hash_lookup_with_hash_data(f->hash, &key, rte_hash_hash(f->hash, &key), &data);

    if (pos >= 0)
        *w = unpack(data);
    return pos;
}

static void set_count(struct fdb *f, uint32_t n)
{
    __atomic_store_n(&f->count, n, __ATOMIC_RELAXED);
}

int fdb_set(struct fdb *f, uint64_t key, struct fdb_where to, uint32_t sec, struct fdb_where *was)
{
    int pos = fdb_find(f, key, was);

    if (pos < 0) {
        if (f->count >= f->limit)
            return -ENOSPC;
        was->port = UINT16_MAX;
    } else if (was->pinned && (was->port != to.port || was->gen != to.gen)) {
        return -EEXIST;
    }
    if (rte_hash_add_key_data(f->hash, &key, pack(to)))
        return -ENOSPC;
    if (pos < 0) {
        set_count(f, f->count + 1);
        pos = rte_hash_lookup(f->hash, &key);
    }
    fdb_touch(f, pos, sec);
    return 0;
}

void fdb_del(struct fdb *f, uint64_t key)
{
    if (rte_hash_del_key(f->hash, &key) >= 0)
        set_count(f, f->count - 1);
}

int fdb_next(struct fdb *f, uint32_t *iter, uint64_t *key, struct fdb_where *w)
{
    const void *k;
    void *data;
    int pos = rte_hash_iterate(f->hash, &k, &data, iter);

    if (pos < 0)
        return -ENOENT;
    __builtin_memcpy(key, k, sizeof(*key));
    *w = unpack(data);
    return pos;
}
