/* SPDX-License-Identifier: BSD-3-Clause */
#include "termsig.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct termsig {
    pthread_t thread;
    sigset_t set, old_mask;
    int fd;
    int which; /* __atomic */
    bool quit; /* __atomic */
};

static void *wait_for_them(void *arg)
{
    struct termsig *t = arg;
    uint64_t one = 1;
    int sig;

    while (sigwait(&t->set, &sig) == 0 && !__atomic_load_n(&t->quit, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&t->which, sig, __ATOMIC_RELAXED);
        (void)!write(t->fd, &one, sizeof(one)); /* the counter cannot be full */
    }
    return NULL;
}

int termsig_create(struct termsig **out)
{
    struct termsig *t = calloc(1, sizeof(*t));
    int err;

    if (!t)
        return -ENOMEM;
    sigemptyset(&t->set);
    sigaddset(&t->set, SIGINT);
    sigaddset(&t->set, SIGTERM);
    sigaddset(&t->set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &t->set, &t->old_mask);
    t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = t->fd < 0 ? -errno : -pthread_create(&t->thread, NULL, wait_for_them, t);
    if (err) {
        if (t->fd >= 0)
            close(t->fd);
        pthread_sigmask(SIG_SETMASK, &t->old_mask, NULL);
        free(t);
        return err;
    }
    *out = t;
    return 0;
}

void termsig_free(struct termsig *t)
{
    if (!t)
        return;
    __atomic_store_n(&t->quit, true, __ATOMIC_RELEASE);
    pthread_kill(t->thread, SIGTERM);
    pthread_join(t->thread, NULL);
    close(t->fd);
    pthread_sigmask(SIG_SETMASK, &t->old_mask, NULL);
    free(t);
}

int termsig_fd(const struct termsig *t)
{
    return t->fd;
}

int termsig_which(const struct termsig *t)
{
    return __atomic_load_n(&t->which, __ATOMIC_RELAXED);
}
