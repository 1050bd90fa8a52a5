/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placement "blocking": the classical device model. A request is left for an unpinned thread, which
 * an eventfd wakes; the vCPU blocks on another eventfd until the answer is there.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "local.h"

/* One vCPU's request in the hands of the device-model thread. */
struct handoff {
    bool pending;
    int done_fd;
    struct iotp_req req;
    struct iotp_resp resp;
};

struct blocking_dev {
    struct local_dev local;
    int work_fd; /* eventfd: requests are there, or quit */
    bool quit;
    pthread_t thread;
    bool running;
    unsigned nvcpus;
    struct handoff *handoff; /* [nvcpus] */
};

static void signal_fd(int fd)
{
    uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void wait_fd(int fd)
{
    uint64_t n;

    while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
        ;
}

static int call(struct bus_dev *d, unsigned vcpu, const struct iotp_req *r, struct iotp_resp *out)
{
    struct blocking_dev *b = d->place_state;
    struct handoff *h = &b->handoff[vcpu];

    h->req = *r;
    __atomic_store_n(&h->pending, true, __ATOMIC_RELEASE);
    signal_fd(b->work_fd);
    wait_fd(h->done_fd);
    *out = h->resp;
    return 0;
}

static void serve(struct blocking_dev *b, unsigned vcpu)
{
    struct handoff *h = &b->handoff[vcpu];

    if (!__atomic_load_n(&h->pending, __ATOMIC_ACQUIRE))
        return;
    local_request(&b->local, vcpu, &h->req, &h->resp);
    __atomic_store_n(&h->pending, false, __ATOMIC_RELAXED);
    signal_fd(h->done_fd);
}

static void *device_model(void *arg)
{
    struct blocking_dev *b = arg;

    while (!__atomic_load_n(&b->quit, __ATOMIC_ACQUIRE)) {
        wait_fd(b->work_fd);
        for (unsigned v = 0; v < b->nvcpus; v++)
            serve(b, v);
    }
    return NULL;
}

static void release(struct blocking_dev *b)
{
    if (b->running) {
        __atomic_store_n(&b->quit, true, __ATOMIC_RELEASE);
        signal_fd(b->work_fd);
        pthread_join(b->thread, NULL);
    }
    local_fini(&b->local);
    if (b->work_fd >= 0)
        close(b->work_fd);
    for (unsigned v = 0; b->handoff && v < b->nvcpus; v++)
        if (b->handoff[v].done_fd >= 0)
            close(b->handoff[v].done_fd);
    free(b->handoff);
    free(b);
}

static void remove_dev(struct bus_dev *d)
{
    release(d->place_state);
}

static const struct placement placement_blocking = {
    .name = "blocking", .call = call, .remove = remove_dev};

static int start_thread(struct blocking_dev *b)
{
    int ret;

    b->handoff = calloc(b->nvcpus, sizeof(b->handoff[0]));
    if (!b->handoff)
        return -ENOMEM;
    b->work_fd = eventfd(0, EFD_CLOEXEC);
    ret = b->work_fd < 0 ? -errno : 0;
    for (unsigned v = 0; v < b->nvcpus; v++) {
        b->handoff[v].done_fd = eventfd(0, EFD_CLOEXEC);
        if (b->handoff[v].done_fd < 0)
            ret = -errno;
    }
    if (!ret)
        ret = -pthread_create(&b->thread, NULL, device_model, b);
    b->running = !ret;
    return ret;
}

int blocking_create(struct vm *vm, const struct cfg_device *c, FILE *err)
{
    struct blocking_dev *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);
    int ret;

    if (!b)
        return -ENOMEM;
    *b = (struct blocking_dev){.work_fd = -1, .nvcpus = vm->c->vcpus};
    ret = local_init(&b->local, vm, c, &placement_blocking, err);
    b->local.bus.place_state = b;
    if (!ret)
        ret = start_thread(b);
    if (!ret)
        ret = bus_add(vm->bus, &b->local.bus);
    if (ret)
        release(b);
    return ret;
}
