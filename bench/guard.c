/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../coopvmm/termsig.h"

#define MAX_VMS 320
#define TAIL    4096 /* bytes of the child's output that are kept */

struct guard {
    pthread_t thread;
    pthread_mutex_t lock; /* all below but the atomics */
    struct termsig *sig;
    int wake_fd, stop_fd;
    int pid_fd, out_fd; /* the child's; -1: none */
    bool quit;
    bool stop; /* __atomic */
    unsigned used;
    char tail[TAIL];
    unsigned nvms;
    struct vm *vm[MAX_VMS];
};

static void notify(int fd)
{
    uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one)); /* the counter cannot be full */
}

static void cancel(struct vm *vm)
{
    __atomic_store_n(&vm->stopping, true, __ATOMIC_RELEASE);
}

static void stop(struct guard *g)
{
    __atomic_store_n(&g->stop, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < g->nvms; i++)
        cancel(g->vm[i]);
    notify(g->stop_fd);
}

/* Keeps the last TAIL - 1 bytes. */
static void keep(struct guard *g, const char *text, unsigned n)
{
    unsigned room = TAIL - 1;

    if (n > room) {
        text += n - room;
        n = room;
    }
    if (g->used + n > room) {
        unsigned drop = g->used + n - room;

        memmove(g->tail, g->tail + drop, g->used - drop);
        g->used -= drop;
    }
    memcpy(g->tail + g->used, text, n);
    g->used += n;
    g->tail[g->used] = '\0';
}

/* @return false: there will be no more */
static bool take_output(struct guard *g)
{
    char text[TAIL];
    ssize_t n;

    if (g->out_fd < 0)
        return false;
    while ((n = read(g->out_fd, text, sizeof(text))) > 0)
        keep(g, text, (unsigned)n);
    return n < 0;
}

static void serve(struct guard *g, const struct pollfd *p)
{
    uint64_t n;

    if (p[0].revents)
        (void)!read(g->wake_fd, &n, sizeof(n));
    if (p[1].revents && read(p[1].fd, &n, sizeof(n)) == sizeof(n))
        stop(g);
    if (p[2].revents && p[2].fd == g->out_fd && !take_output(g))
        g->out_fd = -1;
    if (p[3].revents && p[3].fd == g->pid_fd) {
        g->pid_fd = -1;
        stop(g);
    }
}

static void *watch(void *arg)
{
    struct guard *g = arg;

    pthread_mutex_lock(&g->lock);
    while (!g->quit) {
        struct pollfd p[] = {{.fd = g->wake_fd, .events = POLLIN},
                             {.fd = termsig_fd(g->sig), .events = POLLIN},
                             {.fd = g->out_fd, .events = POLLIN},
                             {.fd = g->pid_fd, .events = POLLIN}};
        int n;

        pthread_mutex_unlock(&g->lock);
        n = poll(p, 4, -1);
        pthread_mutex_lock(&g->lock);
        if (n > 0)
            serve(g, p);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static int start(struct guard *g)
{
    int err = termsig_create(&g->sig);

    if (err)
        return err;
    g->wake_fd = eventfd(0, EFD_CLOEXEC);
    g->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (g->wake_fd < 0 || g->stop_fd < 0)
        return -errno;
    return -pthread_create(&g->thread, NULL, watch, g);
}

static void release(struct guard *g)
{
    termsig_free(g->sig);
    if (g->wake_fd >= 0)
        close(g->wake_fd);
    if (g->stop_fd >= 0)
        close(g->stop_fd);
    free(g);
}

int guard_create(struct guard **out)
{
    struct guard *g = calloc(1, sizeof(*g));
    int err;

    if (!g)
        return -ENOMEM;
    pthread_mutex_init(&g->lock, NULL);
    g->wake_fd = g->stop_fd = g->pid_fd = g->out_fd = -1;
    err = start(g);
    if (err)
        release(g);
    else
        *out = g;
    return err;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->quit = true;
    pthread_mutex_unlock(&g->lock);
    notify(g->wake_fd);
    pthread_join(g->thread, NULL);
    release(g);
}

bool guard_stopped(const struct guard *g)
{
    return __atomic_load_n(&g->stop, __ATOMIC_ACQUIRE);
}

int guard_signal(const struct guard *g)
{
    return termsig_which(g->sig);
}

int guard_fd(const struct guard *g)
{
    return g->stop_fd;
}

void guard_child(struct guard *g, const struct child *c)
{
    pthread_mutex_lock(&g->lock);
    g->pid_fd = c ? c->pidfd : -1;
    g->out_fd = c ? c->out_fd : -1;
    if (c) {
        g->used = 0;
        g->tail[0] = '\0';
    }
    pthread_mutex_unlock(&g->lock);
    notify(g->wake_fd);
}

const char *guard_output(struct guard *g)
{
    pthread_mutex_lock(&g->lock);
    take_output(g);
    pthread_mutex_unlock(&g->lock);
    return g->tail;
}

int guard_add_vm(struct guard *g, struct vm *vm)
{
    int err = 0;

    pthread_mutex_lock(&g->lock);
    if (g->nvms == MAX_VMS)
        err = -ENOSPC;
    else
        g->vm[g->nvms++] = vm;
    if (guard_stopped(g))
        cancel(vm);
    pthread_mutex_unlock(&g->lock);
    return err;
}

void guard_remove_vm(struct guard *g, struct vm *vm)
{
    pthread_mutex_lock(&g->lock);
    for (unsigned i = 0; i < g->nvms; i++)
        if (g->vm[i] == vm) {
            g->vm[i] = g->vm[--g->nvms];
            break;
        }
    pthread_mutex_unlock(&g->lock);
}
