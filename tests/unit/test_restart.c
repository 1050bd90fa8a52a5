/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exactly once: the I/O-core process is killed (SIGKILL) at random instants, hundreds of times,
 * while a vCPU works a NE2000 through synchronous requests, posted writes and strings. Each access
 * to the data port moves the remote DMA address, so one that took effect twice, or not at all,
 * shows in every later byte.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "cu_main.h"
#include "kill_rig.h"

/* DP8390 registers, page 0 */
enum { CR = 0, RSAR0 = 8, RSAR1 = 9, RBCR0 = 10, RBCR1 = 11, DCR = 14, DATA = 16, RESET = 31 };
enum { CR_STP = 0x01, CR_STA = 0x02, CR_READ = 0x08, CR_WRITE = 0x10, CR_NODMA = 0x20 };
#define RAM_START 0x4000
#define RAM_SIZE  0x4000

static uint64_t rounds, wrong;

static void dma(unsigned command, unsigned addr, unsigned len)
{
    rig_post(&kill_vmm, 0, RSAR0, 1, addr & 0xff);
    rig_post(&kill_vmm, 0, RSAR1, 1, addr >> 8);
    rig_post(&kill_vmm, 0, RBCR0, 1, len & 0xff);
    rig_post(&kill_vmm, 0, RBCR1, 1, len >> 8);
    rig_post(&kill_vmm, 0, CR, 1, CR_STA | command);
}

static void write_block(unsigned addr, const uint8_t *p, unsigned len)
{
    unsigned how = kill_random() % 3;

    dma(CR_WRITE, addr, len);
    memcpy(kill_vmm.mem + 0x1000, p, len);
    if (how == 0)
        wrong += rig_string(&kill_vmm, 0, true, DATA, 1, 0x1000, len) != len;
    for (unsigned i = 0; i < len && how == 1; i++)
        rig_out(&kill_vmm, 0, DATA, 1, p[i]);
    for (unsigned i = 0; i < len && how == 2; i++)
        rig_post(&kill_vmm, 0, DATA, 1, p[i]);
}

static void read_block(unsigned addr, uint8_t *p, unsigned len)
{
    dma(CR_READ, addr, len);
    if (kill_random() % 2) {
        wrong += rig_string(&kill_vmm, 0, false, DATA, 1, 0x3000, len) != len;
        memcpy(p, kill_vmm.mem + 0x3000, len);
        return;
    }
    for (unsigned i = 0; i < len; i++)
        p[i] = (uint8_t)rig_in(&kill_vmm, 0, DATA, 1);
}

static void guest(void)
{
    uint8_t out[256], in[256];

    rig_in(&kill_vmm, 0, RESET, 1);
    rig_post(&kill_vmm, 0, CR, 1, CR_STP | CR_NODMA);
    rig_post(&kill_vmm, 0, DCR, 1, 0x08); /* byte-wide */
    while (!kill_is_over()) {
        unsigned len = kill_random() % sizeof(out) + 1,
                 addr = RAM_START + kill_random() % (RAM_SIZE - len);

        for (unsigned i = 0; i < len; i++)
            out[i] = (uint8_t)kill_random();
        write_block(addr, out, len);
        read_block(addr, in, len);
        wrong += memcmp(out, in, len) != 0;
        rounds++;
    }
}

static void killed_at_random(void)
{
    kill_run("ne2000", guest);
    printf(" (%llu blocks written and read back over %u kills) ", (unsigned long long)rounds,
           KILLS);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(rounds > KILLS);
}

const char *const suite_name = "restart";
const struct cu_test suite_tests[] = {
    {"an I/O core killed at random instants: each access takes effect once", killed_at_random},
    {NULL, NULL},
};
