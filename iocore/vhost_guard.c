/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

/* `base` is stored last and taken away first: the handler may come in between. */
static struct {
    uint8_t *base;
    size_t len;
} guarded[VHOST_GUARD_MAX];
static bool installed;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
    uint8_t *at = info->si_addr;

    (void)context;
    for (unsigned i = 0; i < VHOST_GUARD_MAX; i++) {
        uint8_t *base = __atomic_load_n(&guarded[i].base, __ATOMIC_ACQUIRE);

        if (!base || (size_t)(at - base) >= guarded[i].len)
            continue;
        if (mmap(base, guarded[i].len, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
            return;
    }
    signal(sig, SIG_DFL); /* a real one: it happens again */
}

static void install(void)
{
    struct sigaction a = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

    if (!installed)
        installed = !sigaction(SIGBUS, &a, NULL);
}

int vhost_guard_add(void *base, size_t len)
{
    install();
    for (unsigned i = 0; i < VHOST_GUARD_MAX; i++)
        if (!guarded[i].base) {
            guarded[i].len = len;
            __atomic_store_n(&guarded[i].base, base, __ATOMIC_RELEASE);
            return 0;
        }
    return -ENOSPC;
}

void vhost_guard_remove(const void *base)
{
    for (unsigned i = 0; i < VHOST_GUARD_MAX; i++)
        if (guarded[i].base == base) {
            __atomic_store_n(&guarded[i].base, NULL, __ATOMIC_RELEASE);
            return;
        }
}
