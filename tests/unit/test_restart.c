/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exactly once: the I/O-core process is killed (SIGKILL) at random instants, hundreds of times,
 * while a vCPU works a NE2000 through synchronous requests, posted writes and strings. Each access
 * to the data port moves the remote DMA address, so one that took effect twice, or not at all,
 * shows in every later byte.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cu_main.h"
#include "iotp_rig.h"

#define KILLS 300

/* DP8390 registers, page 0 */
enum { CR = 0, RSAR0 = 8, RSAR1 = 9, RBCR0 = 10, RBCR1 = 11, DCR = 14, DATA = 16, RESET = 31 };
enum { CR_STP = 0x01, CR_STA = 0x02, CR_READ = 0x08, CR_WRITE = 0x10, CR_NODMA = 0x20 };
#define RAM_START 0x4000
#define RAM_SIZE  0x4000

static struct rig_vmm vmm;
static bool done; /* the killer has finished */
static uint64_t rounds, wrong;
static uint32_t rng = 12345;

static uint32_t rnd(void)
{
    rng = rng * 1103515245u + 12345u;
    return rng >> 8;
}

static void dma(unsigned command, unsigned addr, unsigned len)
{
    rig_post(&vmm, 0, RSAR0, 1, addr & 0xff);
    rig_post(&vmm, 0, RSAR1, 1, addr >> 8);
    rig_post(&vmm, 0, RBCR0, 1, len & 0xff);
    rig_post(&vmm, 0, RBCR1, 1, len >> 8);
    rig_post(&vmm, 0, CR, 1, CR_STA | command);
}

static void write_block(unsigned addr, const uint8_t *p, unsigned len)
{
    unsigned how = rnd() % 3;

    dma(CR_WRITE, addr, len);
    memcpy(vmm.mem + 0x1000, p, len);
    if (how == 0)
        wrong += rig_string(&vmm, 0, true, DATA, 1, 0x1000, len) != len;
    for (unsigned i = 0; i < len && how == 1; i++)
        rig_out(&vmm, 0, DATA, 1, p[i]);
    for (unsigned i = 0; i < len && how == 2; i++)
        rig_post(&vmm, 0, DATA, 1, p[i]);
}

static void read_block(unsigned addr, uint8_t *p, unsigned len)
{
    dma(CR_READ, addr, len);
    if (rnd() % 2) {
        wrong += rig_string(&vmm, 0, false, DATA, 1, 0x3000, len) != len;
        memcpy(p, vmm.mem + 0x3000, len);
        return;
    }
    for (unsigned i = 0; i < len; i++)
        p[i] = (uint8_t)rig_in(&vmm, 0, DATA, 1);
}

static void *guest(void *arg)
{
    uint8_t out[256], in[256];

    (void)arg;
    rig_in(&vmm, 0, RESET, 1);
    rig_post(&vmm, 0, CR, 1, CR_STP | CR_NODMA);
    rig_post(&vmm, 0, DCR, 1, 0x08); /* byte-wide */
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        unsigned len = rnd() % sizeof(out) + 1, addr = RAM_START + rnd() % (RAM_SIZE - len);

        for (unsigned i = 0; i < len; i++)
            out[i] = (uint8_t)rnd();
        write_block(addr, out, len);
        read_block(addr, in, len);
        wrong += memcmp(out, in, len) != 0;
        rounds++;
    }
    return NULL;
}

static pid_t start_io_core(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rig_ioc ioc;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!rig_ioc_open(&ioc, &vmm, "ne2000"))
            _exit(1);
        for (;;)
            rig_poll(&ioc);
    }
    return pid;
}

static void nap_us(unsigned us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

    nanosleep(&t, NULL);
}

/* The state memfd must be known to the parent before the first child is killed. */
static bool make_state(void)
{
    struct rig_ioc ioc;

    if (!rig_ioc_open(&ioc, &vmm, "ne2000"))
        return false;
    rig_ioc_close(&ioc);
    return true;
}

static void killed_at_random(void)
{
    pthread_t thread;
    unsigned seed = 7, crashed = 0;

    CU_ASSERT_TRUE_FATAL(rig_vmm_open(&vmm, 1));
    CU_ASSERT_TRUE_FATAL(make_state());
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, guest, NULL), 0);
    for (unsigned i = 0; i <= KILLS; i++) {
        pid_t pid = start_io_core();
        int status;

        nap_us(2000 + (unsigned)rand_r(&seed) % 4000);
        if (i == KILLS)
            __atomic_store_n(&done, true, __ATOMIC_RELAXED);
        if (i == KILLS)
            pthread_join(thread, NULL); /* the last one lives until the guest has finished */
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        crashed += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
    }
    printf(" (%llu blocks written and read back over %u kills) ", (unsigned long long)rounds,
           KILLS);
    CU_ASSERT_EQUAL(crashed, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(rounds > KILLS);
    rig_vmm_close(&vmm);
}

const char *const suite_name = "restart";
const struct cu_test suite_tests[] = {
    {"an I/O core killed at random instants: each access takes effect once", killed_at_random},
    {NULL, NULL},
};
