/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include <xen/hvm/hvm_op.h>

#define SOME_GFN     0x300ull    /* of memory that the guest does not use */
#define MSI_ADDRESS  0xfee00000u /* fixed delivery to APIC 0 */
#define FIRST_VECTOR 0x20

struct rig rig = {.patience = 20000000000u, .times = 1};

void say(bool ok, const char *what)
{
    printf("%s - %s\n", ok ? "ok" : "not ok", what);
    rig.failures += !ok;
}

/* --- the devices --- */

static void wait_ns(uint64_t ns)
{
    uint64_t end = dm_now() + ns;

    while (dm_now() < end)
        ;
}

static void before_answer(struct server *s, const ioreq_t *r)
{
    static uint32_t n;
    uint8_t byte;

    n++;
    switch (rig.before) {
    case BEFORE_NOTHING: break;
    case BEFORE_DELAY:
        if (n % 2)
            wait_ns(rig.bound / 2 + (uint64_t)rand() % rig.bound);
        break;
    case BEFORE_TOO_LATE: wait_ns(2 * rig.bound); break;
    case BEFORE_PAUSE:
        if (xendevicemodel_set_ioreq_server_state(rig.dm.dmod, rig.dm.domid, s->id, 1))
            dm_fail("enabling what is enabled");
        break;
    case BEFORE_INTERRUPT:
        if (xendevicemodel_inject_msi(rig.dm.dmod, rig.dm.domid, MSI_ADDRESS,
                                      FIRST_VECTOR + n % VECTORS))
            dm_fail("an interrupt");
        break;
    case BEFORE_P2M_LOCK: /* what is memory becomes memory */
        if (xendevicemodel_set_mem_type(rig.dm.dmod, rig.dm.domid, HVMMEM_ram_rw, SOME_GFN, 1))
            dm_fail("set_mem_type");
        break;
    case BEFORE_MAP: dm_copy(&rig.dm, SOME_GFN << 12, &byte, 1, false); break;
    case BEFORE_TAKE_RANGE:
        if (r->type != IOREQ_TYPE_PIO)
            break;
        xendevicemodel_unmap_io_range_from_ioreq_server(rig.dm.dmod, rig.dm.domid, s->id, 0,
                                                        PORT_SPIN, PORT_SPIN + 3);
        dm_add_ports(s, PORT_SPIN, 4);
        break;
    }
}

static void string(struct server *s, const ioreq_t *r)
{
    uint8_t bytes[4096];
    uint32_t n = r->count < sizeof(bytes) ? r->count : sizeof(bytes);

    if (r->size != 1 || r->df || n != r->count)
        dm_fail("a string instruction of another kind");
    if (r->dir == IOREQ_READ) {
        for (uint32_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)pattern(rig.reads++);
        dm_copy(s->dm, r->data, bytes, n, true);
        return;
    }
    dm_copy(s->dm, r->data, bytes, n, false);
    for (uint32_t i = 0; i < n; i++)
        rig.wrong += bytes[i] != (uint8_t)pattern(rig.writes++);
}

/* Reads and writes of the target count together but for strings: inl and outl go by turns. */
static uint64_t target(struct server *s, const ioreq_t *r)
{
    before_answer(s, r);
    if (r->data_is_ptr) {
        string(s, r);
        return 0;
    }
    if (r->dir == IOREQ_WRITE && (uint32_t)r->data != pattern(rig.reads))
        rig.wrong++;
    return pattern(rig.reads++);
}

static uint64_t command(const ioreq_t *r)
{
    if (r->dir == IOREQ_READ && r->addr == PORT_COMMAND && rig.at < 2)
        return rig.word[rig.at++];
    if (r->dir == IOREQ_WRITE && r->addr == PORT_RESULT && rig.at < 2 + RESULTS)
        rig.word[rig.at++] = (uint32_t)r->data;
    return ~0ull;
}

static uint64_t serve(struct server *s, const ioreq_t *r)
{
    if (r->type == IOREQ_TYPE_INVALIDATE) {
        rig.invalidates[s == &rig.spin]++;
        return 0;
    }
    if (s == &rig.stock && r->type == IOREQ_TYPE_PIO && r->addr < PORT_STOCK)
        return command(r);
    return target(s, r);
}

/* --- ordering the guest about --- */

bool rig_serve(void)
{
    bool stock_asked = dm_poll(&rig.stock), spin_asked = rig.spin.slot && dm_poll(&rig.spin);

    return stock_asked || spin_asked;
}

/* Reading the clock takes long in dom0, so it is done seldom.
 * @return nothing has come for too long */
static bool waited(bool served)
{
    static uint32_t rounds;
    static uint64_t since; /* 0: something has come just now */

    if (served) {
        since = 0;
        return false;
    }
    if (!rig.asleep && ++rounds % 4096)
        return false;
    if (!since)
        since = dm_now();
    return dm_now() - since > rig.patience;
}

bool rig_order(enum op op, uint32_t n, uint32_t at)
{
    unsigned words = op == OP_SHUTDOWN ? 2 : 2 + RESULTS;

    rig.word[0] = op | n << 8;
    rig.word[1] = at;
    rig.at = rig.reads = rig.writes = rig.wrong = 0;
    while (rig.at < words) {
        bool served = rig_serve();

        if (!served && rig.asleep)
            dm_sleep(&rig.dm, 100);
        if (waited(served))
            return false;
    }
    return true;
}

/* --- the servers --- */

static void add_stock(void)
{
    rig.stock.serve = serve;
    if (dm_add_server(&rig.dm, &rig.stock, false))
        dm_fail("an ioreq server");
    dm_add_ports(&rig.stock, PORT_COMMAND, 0x20);
}

static void add_spin(void)
{
    rig.spin.serve = serve;
    if (dm_add_server(&rig.dm, &rig.spin, true)) {
        fprintf(stderr, "spin_test: this Xen does not spin: it is not the patched one\n");
        exit(1);
    }
    dm_add_ports(&rig.spin, PORT_SPIN, 4);
    dm_add_memory(&rig.spin, MMIO_SPIN, 0x1000);
}

void rig_begin(void)
{
    add_stock();
    add_spin();
    printf("ready\n");
    fflush(stdout);
}
