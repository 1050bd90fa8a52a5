/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user front end that sends any messages, whole and checked as vhost_recv leaves them, with
 * memory whose contents are the input too, while the rings are polled.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../iocore/vhost_user.h"
#include "input.h"

#define MEM_SIZE 0x10000u
#define FRAMES   70 /* for the guest at once: more than a batch */

static struct vnet_frame *filled;

static void on_core(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
}

/* Fewer than a poll may want now and then; each of exactly the size that is promised. */
static struct vnet_frame *room(void *ctx, unsigned *n)
{
    static struct vnet_frame f[VHOST_TX_BURST];
    static unsigned calls;

    (void)ctx;
    *n = ++calls % 5 ? VHOST_TX_BURST : calls % 4;
    for (unsigned i = 0; i < VHOST_TX_BURST && !f[i].data; i++)
        f[i].data = malloc(1518);
    filled = f;
    return f;
}

static void sent(void *ctx, unsigned n)
{
    (void)ctx;
    for (unsigned i = 0; i < n; i++)
        if (filled[i].len < 14 || filled[i].len > 1518)
            abort();
}

static const struct vhost_ops ops = {.on_core = on_core, .room = room, .send = sent};

static int memfd = -1;
static uint8_t *mem;

/* A descriptor for a message: memory, or something to be kicked. */
static int a_descriptor(uint32_t request)
{
    bool maps = request == VHOST_USER_SET_MEM_TABLE || request == VHOST_USER_SET_LOG_BASE ||
                request == VHOST_USER_SET_INFLIGHT_FD;

    return maps ? dup(memfd) : eventfd(0, EFD_NONBLOCK);
}

static void message(struct vhost *v, int sock, struct input *in)
{
    struct vhost_rx rx = {.m = {.request = (uint32_t)take(in, 1) % 41, .flags = VHOST_VERSION}};
    uint8_t how = (uint8_t)take(in, 1), *payload = (uint8_t *)&rx.m.u;
    const char *why;

    rx.m.size = how & 0x40 ? sizeof(rx.m.u) : (uint32_t)take(in, 1);
    if (rx.m.size > sizeof(rx.m.u))
        rx.m.size = sizeof(rx.m.u);
    if (how & 0x80)
        rx.m.flags |= VHOST_F_NEED_REPLY;
    for (unsigned i = 0; i < rx.m.size && i < 72; i++)
        payload[i] = (uint8_t)take(in, 1);
    for (rx.nfds = 0; rx.nfds < (how & 3u); rx.nfds++)
        rx.fd[rx.nfds] = a_descriptor(rx.m.request);
    if (!vhost_check(&rx.m, rx.nfds, &why))
        vhost_serve(v, sock, &rx, &why);
    vhost_rx_done(&rx);
}

/* As a front end sets up, so that rings run from the first step on. */
static void say(struct vhost *v, int sock, struct vhost_msg m, int fd)
{
    struct vhost_rx rx = {.m = m, .nfds = fd >= 0, .fd = {fd}};
    const char *why;

    rx.m.flags = VHOST_VERSION;
    rx.m.size = sizeof(rx.m.u);
    vhost_serve(v, sock, &rx, &why);
    vhost_rx_done(&rx);
}

static void set_up(struct vhost *v, int sock, struct input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    uint64_t features = 1ull << 32 | 1ull << 30 | 1 | 1 << 15 | 1 << 28 |
                        (uint64_t)(how & 1) << 34 | (uint64_t)(how >> 1 & 1) << 29;

    say(v, sock, (struct vhost_msg){.request = VHOST_USER_SET_FEATURES, .u.u64 = features}, -1);
    say(v, sock,
        (struct vhost_msg){.request = VHOST_USER_SET_MEM_TABLE,
                           .u.memory = {.nregions = 1, .region = {{0, MEM_SIZE, 0, 0}}}},
        dup(memfd));
    for (uint32_t i = 0; i < 2; i++) {
        struct vhost_addr a = {.index = i, .desc = 0x1000 * i, .avail = 0x4000 + 0x1000 * i};

        a.used = 0x8000 + 0x1000 * i;
        say(v, sock, (struct vhost_msg){.request = VHOST_USER_SET_VRING_NUM, .u.state = {i, 16}},
            -1);
        say(v, sock, (struct vhost_msg){.request = VHOST_USER_SET_VRING_ADDR, .u.addr = a}, -1);
        say(v, sock, (struct vhost_msg){.request = VHOST_USER_SET_VRING_KICK, .u.u64 = i},
            eventfd(0, EFD_NONBLOCK));
        say(v, sock, (struct vhost_msg){.request = VHOST_USER_SET_VRING_ENABLE, .u.state = {i, 1}},
            -1);
    }
}

static void scribble(struct input *in)
{
    size_t at = take(in, 2) % MEM_SIZE;

    for (unsigned n = (unsigned)take(in, 1) % 40; n && in->left; n--, at++)
        mem[at % MEM_SIZE] = (uint8_t)take(in, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frame[1518];
    struct vnet_frame f[FRAMES];
    struct input in = {data, size};
    char drain[4096];
    struct vhost v;
    int s[2];

    if (memfd < 0) {
        memfd = memfd_create("guest", 0);
        if (ftruncate(memfd, MEM_SIZE))
            abort();
        mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    }
    memset(mem, 0, MEM_SIZE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        abort();
    vhost_init(&v, &ops, NULL, 1 + (unsigned)(take(&in, 1) & 1));
    if (take(&in, 1) & 1)
        set_up(&v, s[0], &in);
    while (in.left) {
        uint8_t op = (uint8_t)take(&in, 1);

        switch (op & 7) {
        case 0:
        case 1: message(&v, s[0], &in); break;
        case 2: vhost_poll(&v); break;
        case 3:
            for (unsigned i = 0; i < FRAMES; i++)
                f[i] = (struct vnet_frame){.data = frame, .len = 14 + (op >> 3) * 48u};
            vhost_receive(&v, f, op & 8 ? FRAMES : 1);
            vhost_signal(&v);
            break;
        case 4:
            if (op & 8)
                vhost_arm(&v);
            else
                vhost_disarm(&v);
            break;
        default: scribble(&in); break;
        }
        (void)!recv(s[1], drain, sizeof(drain), MSG_DONTWAIT);
    }
    vhost_fini(&v);
    close(s[0]);
    close(s[1]);
    return 0;
}
