/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user back end and a front end that knows what it does, or does not. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../iocore/vhost_user.h"
#include "../../nicmodels/model.h"
#include "../../nicmodels/virtio_pci.h"
#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"
#include "virtq_rig.h"

const char *const suite_name = "vhost";

#define MEM_SIZE 0x200000u
#define UADDR    0x7f0000000000ull /* where the front end has its memory, as it says */
#define BUFS     (DRV_MEM_BASE + 0x100000u)

static struct front {
    int sock, back; /* both ends */
    struct vhost v;
    struct vhost_rx rx;
    int memfd;
    uint8_t *mem;
    struct drv_mem m;
    struct drv q[4];
    int call[4], kick[4];
    unsigned sent;
    size_t len;
    uint8_t frame[2048]; /* the last one that was sent */
    struct vnet_frame room[VHOST_TX_BURST];
    uint8_t data[VHOST_TX_BURST][NM_MAX_FRAME];
} f;

static void on_core(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
}

static struct vnet_frame *room(void *ctx, unsigned *n)
{
    (void)ctx;
    for (unsigned i = 0; i < VHOST_TX_BURST; i++)
        f.room[i].data = f.data[i];
    *n = VHOST_TX_BURST;
    return f.room;
}

static void sent(void *ctx, unsigned n)
{
    (void)ctx;
    f.sent += n;
    f.len = f.room[n - 1].len;
    memcpy(f.frame, f.room[n - 1].data, f.len);
}

static const struct vhost_ops ops = {.on_core = on_core, .room = room, .send = sent};

static unsigned receive(uint8_t *frame, uint32_t len)
{
    struct vnet_frame one = {.data = frame, .len = len};

    return vhost_receive(&f.v, &one, 1);
}

static void *front_at(void *ctx, uint64_t gpa, uint64_t *len, bool write)
{
    (void)ctx, (void)write;
    if (gpa - DRV_MEM_BASE >= MEM_SIZE || *len > MEM_SIZE - (gpa - DRV_MEM_BASE))
        abort();
    return f.mem + (gpa - DRV_MEM_BASE);
}

static void open_front(unsigned pairs)
{
    int s[2];

    memset(&f, 0, sizeof(f));
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    f.sock = s[0];
    f.back = s[1];
    f.memfd = memfd_create("guest", 0); /* not sealed, as front ends have it */
    CU_ASSERT_EQUAL_FATAL(ftruncate(f.memfd, MEM_SIZE), 0);
    f.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f.memfd, 0);
    f.m.m = (struct vq_mem){.at = front_at};
    vhost_init(&f.v, &ops, NULL, pairs);
    for (unsigned i = 0; i < 4; i++) {
        f.call[i] = eventfd(0, EFD_NONBLOCK);
        f.kick[i] = eventfd(0, EFD_NONBLOCK);
    }
}

static void close_front(void)
{
    vhost_rx_done(&f.rx);
    vhost_fini(&f.v);
    munmap(f.mem, MEM_SIZE);
    close(f.memfd);
    close(f.sock);
    close(f.back);
    for (unsigned i = 0; i < 4; i++) {
        close(f.call[i]);
        close(f.kick[i]);
    }
}

/* Sends bytes and descriptors as they are. */
static void put(const void *p, size_t len, const int *fd, unsigned nfds)
{
    char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec v = {(void *)(uintptr_t)p, len};
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

    if (nfds) {
        struct cmsghdr *c;

        h.msg_control = control;
        h.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        memcpy(CMSG_DATA(c), fd, nfds * sizeof(int));
    }
    CU_ASSERT_EQUAL(sendmsg(f.sock, &h, 0), (ssize_t)len);
}

/* The back end takes what is there. @return what it said */
static int serve(void)
{
    const char *why;
    int err = vhost_recv(f.back, &f.rx, &why);

    if (!err)
        err = vhost_serve(&f.v, f.back, &f.rx, &why);
    if (err != -EAGAIN)
        vhost_rx_done(&f.rx);
    return err;
}

static int say(uint32_t request, const void *payload, uint32_t size, const int *fd, unsigned nfds)
{
    uint32_t msg[3 + 80] = {request, VHOST_VERSION, size};

    memcpy(msg + 3, payload, size);
    put(msg, VHOST_HDR_SIZE + size, fd, nfds);
    return serve();
}

static int say_u64(uint32_t request, uint64_t v)
{
    return say(request, &v, 8, NULL, 0);
}

static int say_state(uint32_t request, uint32_t index, uint32_t num)
{
    struct vhost_state st = {index, num};

    return say(request, &st, sizeof(st), NULL, 0);
}

static uint64_t answer(void)
{
    struct {
        uint32_t h[3];
        uint8_t payload[64];
    } m = {0};
    uint64_t v;

    CU_ASSERT_TRUE(recv(f.sock, &m, sizeof(m), MSG_DONTWAIT) >= VHOST_HDR_SIZE);
    CU_ASSERT_EQUAL(m.h[1], VHOST_VERSION | VHOST_F_REPLY);
    memcpy(&v, m.payload, 8);
    return v;
}

static uint64_t ask(uint32_t request)
{
    CU_ASSERT_EQUAL(say(request, "", 0, NULL, 0), 0);
    return answer();
}

static int set_memory(void)
{
    struct vhost_memory m = {.nregions = 1,
                             .region = {{DRV_MEM_BASE, MEM_SIZE, UADDR + DRV_MEM_BASE, 0}}};

    return say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 32, &f.memfd, 1);
}

static int set_fd(uint32_t request, unsigned i, int fd)
{
    uint64_t v = i;

    return say(request, &v, 8, &fd, 1);
}

static void start_ring(unsigned i, uint64_t features, uint32_t base)
{
    struct vhost_addr a = {.index = i};
    struct drv *d = &f.q[i];

    a.desc = UADDR + d->base + DRV_DESC;
    a.avail = UADDR + d->base + DRV_DRIVER;
    a.used = UADDR + d->base + DRV_DEVICE;
    (void)features;
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, i, d->size), 0);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_BASE, i, base), 0);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_VRING_ADDR, &a, sizeof(a), NULL, 0), 0);
    CU_ASSERT_EQUAL(set_fd(VHOST_USER_SET_VRING_CALL, i, f.call[i]), 0);
    CU_ASSERT_EQUAL(set_fd(VHOST_USER_SET_VRING_KICK, i, f.kick[i]), 0);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_ENABLE, i, 1), 0);
}

static void start_front(unsigned rings, uint64_t features)
{
    features |= VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES;
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, features), 0);
    CU_ASSERT_EQUAL(set_memory(), 0);
    for (unsigned i = 0; i < rings; i++) {
        drv_init(&f.q[i], &f.m, DRV_MEM_BASE + i * 0x40000u, 64, features & VIRTIO_F_RING_PACKED);
        start_ring(i, features, features & VIRTIO_F_RING_PACKED ? 0x80008000 : 0);
    }
}

static void guest_sends(unsigned ring, uint32_t len)
{
    struct vq_buf b = {BUFS + 0x1000 * ring, 12 + len};
    uint8_t data[2048] = {0};

    memset(data + 12, 0x5a, len);
    drv_put(&f.m, b.gpa, data, 12 + len);
    CU_ASSERT_TRUE(drv_add(&f.q[ring], &b, 1, 1) >= 0);
}

static uint64_t calls(unsigned ring)
{
    uint64_t n = 0;

    return read(f.call[ring], &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* --- */

static void test_hello(void)
{
    uint64_t v;

    open_front(2);
    v = ask(VHOST_USER_GET_FEATURES);
    CU_ASSERT_NOT_EQUAL(v & VIRTIO_F_VERSION_1, 0);
    CU_ASSERT_NOT_EQUAL(v & VIRTIO_NET_F_MQ, 0);
    v = ask(VHOST_USER_GET_PROTOCOL_FEATURES);
    CU_ASSERT_NOT_EQUAL(v & 1u << VHOST_USER_PROTOCOL_F_REPLY_ACK, 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, v), 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, 1u << 9), -EPROTO);
    CU_ASSERT_EQUAL(ask(VHOST_USER_GET_QUEUE_NUM), 2);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, 1ull << 63), -EPROTO);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_NET_SET_MTU, 1500), 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_NET_SET_MTU, 9000), -EPROTO);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_STATUS, 7), 0);
    CU_ASSERT_EQUAL(ask(VHOST_USER_GET_STATUS), 7);
    close_front();
}

#define BURST 70 /* frames: more than a batch has chains */

static void fill_burst(uint8_t data[BURST][64], struct vnet_frame burst[BURST])
{
    for (unsigned i = 0; i < BURST; i++) {
        memset(data[i], (int)i, 64);
        burst[i] = (struct vnet_frame){.data = data[i], .len = 64};
    }
}

/* The first buffers are too short for a frame: it takes two, as mergeable ones. */
static void add_buffers(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct vq_buf b = {BUFS + 0x8000 + 0x100 * i, i < 4 ? 40 : 200};

        CU_ASSERT_TRUE(drv_add(&f.q[0], &b, 0, 1) >= 0);
    }
}

static void check_burst(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        bool split = i < 2;
        unsigned at = split ? 2 * i : i + 2; /* which buffer */
        uint8_t got[76];
        uint32_t used;

        CU_ASSERT_TRUE(drv_take(&f.q[0], &used) >= 0);
        CU_ASSERT_EQUAL(used, split ? 40 : 76);
        drv_get(&f.m, BUFS + 0x8000 + 0x100 * at, got, 40);
        CU_ASSERT_EQUAL(got[10], split ? 2 : 1); /* num_buffers */
        CU_ASSERT_EQUAL(got[12], i);
        CU_ASSERT_EQUAL(got[39], i);
        if (split)
            CU_ASSERT_TRUE(drv_take(&f.q[0], &used) >= 0);
    }
}

/* Frames for the guest in a burst: in order, as many as there are buffers, each frame whole. */
static void bursts(uint64_t features)
{
    uint8_t data[BURST][64];
    struct vnet_frame burst[BURST];

    open_front(1);
    start_front(2, features | VIRTIO_NET_F_MRG_RXBUF);
    fill_burst(data, burst);
    add_buffers(52);
    CU_ASSERT_EQUAL(vhost_receive(&f.v, burst, BURST), 50);
    CU_ASSERT_EQUAL(f.v.n.rx_frames, 50);
    CU_ASSERT_EQUAL(f.v.n.rx_drops, BURST - 50);
    check_burst(50);
    CU_ASSERT_EQUAL(vhost_receive(&f.v, burst, BURST), 0);
    close_front();
}

static void test_bursts(void)
{
    bursts(0);
    bursts(VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER);
}

static void frames(uint64_t features)
{
    uint8_t frame[100] = {2, 1, 2, 3, 4, 5, 2}, got[100];
    uint32_t used;

    open_front(1);
    start_front(2, features);
    calls(0), calls(1);
    for (unsigned i = 0; i < 300; i++) {
        struct vq_buf b = {BUFS + 0x8000, 200};

        guest_sends(1, 60 + i % 40);
        CU_ASSERT_TRUE(vhost_pending(&f.v));
        CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
        CU_ASSERT_EQUAL(f.sent, i + 1);
        CU_ASSERT_EQUAL(f.len, 60 + i % 40);
        CU_ASSERT_TRUE(drv_take(&f.q[1], &used) >= 0);
        CU_ASSERT_EQUAL(calls(1), 1);
        CU_ASSERT_EQUAL(receive(frame, 100), 0);
        drv_add(&f.q[0], &b, 0, 1);
        CU_ASSERT_EQUAL(receive(frame, 100), 1);
        vhost_signal(&f.v);
        CU_ASSERT_TRUE(drv_take(&f.q[0], &used) >= 0);
        CU_ASSERT_EQUAL(used, 112);
        drv_get(&f.m, b.gpa + 12, got, 100);
        CU_ASSERT_EQUAL(memcmp(got, frame, 100), 0);
        CU_ASSERT_EQUAL(calls(0), 1);
    }
    close_front();
}

static void test_frames(void)
{
    frames(0);
    frames(VIRTIO_F_RING_PACKED);
}

static void test_polled(void)
{
    open_front(1);
    vhost_disarm(&f.v);
    start_front(2, 0);
    CU_ASSERT_EQUAL(drv_get16(&f.m, f.q[1].base + DRV_DEVICE), 1); /* NO_NOTIFY */
    CU_ASSERT_TRUE(vhost_arm(&f.v));
    CU_ASSERT_EQUAL(drv_get16(&f.m, f.q[1].base + DRV_DEVICE), 0);
    guest_sends(1, 60);
    CU_ASSERT_FALSE(vhost_arm(&f.v));
    vhost_disarm(&f.v);
    CU_ASSERT_EQUAL(drv_get16(&f.m, f.q[1].base + DRV_DEVICE), 1);
    close_front();
}

/* What telemetry tells stays when the front end goes, but for what was the front end's own. */
static void test_counted(void)
{
    uint8_t frame[60] = {2, 1, 2, 3, 4, 5, 2};
    unsigned run, broken;

    open_front(1);
    vhost_disarm(&f.v);
    start_front(2, 0);
    vhost_arm(&f.v);
    vhost_disarm(&f.v); /* woken by somebody else */
    vhost_arm(&f.v);
    guest_sends(1, 60);
    vhost_disarm(&f.v);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    CU_ASSERT_EQUAL(receive(frame, sizeof(frame)), 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, 1ull << 63), -EPROTO);
    drv_put16(&f.m, f.q[0].base + DRV_DRIVER + 2, 1000); /* more available than there can be */
    CU_ASSERT_EQUAL(receive(frame, sizeof(frame)), 0);
    vhost_count_queues(&f.v, &run, &broken);
    CU_ASSERT_EQUAL(run, 1);
    CU_ASSERT_EQUAL(broken, 1);
    vhost_fini(&f.v);
    vhost_count_queues(&f.v, &run, &broken);
    CU_ASSERT_EQUAL(run + broken, 0);
    CU_ASSERT_EQUAL(f.v.features, 0);
    CU_ASSERT_EQUAL(f.v.n.kicks, 1);
    CU_ASSERT_EQUAL(f.v.n.tx_frames, 1);
    CU_ASSERT_EQUAL(f.v.n.rx_frames, 0);
    CU_ASSERT_EQUAL(f.v.n.rx_drops, 2);
    CU_ASSERT_EQUAL(f.v.n.refused, 1);
    CU_ASSERT_TRUE(f.v.n.calls > 0);
    close_front();
}

/* User-Mode Linux says base 0 of a fresh packed ring, which has wrap counter 1 all the same; a ring
 * that really is there has its first place used. */
static void test_packed_base(void)
{
    open_front(1);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED), 0);
    CU_ASSERT_EQUAL(set_memory(), 0);
    for (unsigned i = 0; i < 2; i++)
        drv_init(&f.q[i], &f.m, DRV_MEM_BASE + i * 0x40000u, 64, true);
    start_ring(1, VIRTIO_F_RING_PACKED, 0);
    guest_sends(1, 60);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    drv_put16(&f.m, f.q[0].base + DRV_DESC + 14, 0x8080);
    start_ring(0, VIRTIO_F_RING_PACKED, 0);
    CU_ASSERT_EQUAL(f.v.ring[0].q.pos.wrap, 0);
    close_front();
}

/* A ring that is disabled is emptied to nowhere; one that is stopped tells where it was. */
static void test_stop(void)
{
    struct vhost_state st = {1, 0};
    uint64_t v;

    open_front(1);
    start_front(2, 0);
    guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_ENABLE, 1, 0), 0);
    guest_sends(1, 60);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    CU_ASSERT_EQUAL(f.sent, 1);
    CU_ASSERT_EQUAL(say(VHOST_USER_GET_VRING_BASE, &st, sizeof(st), NULL, 0), 0);
    v = answer();
    CU_ASSERT_EQUAL((uint32_t)v, 1);
    CU_ASSERT_EQUAL(v >> 32, 2);
    guest_sends(1, 60);
    CU_ASSERT_EQUAL(vhost_poll(&f.v), 0);
    start_ring(1, 0, 2);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    CU_ASSERT_EQUAL(f.sent, 2);
    close_front();
}

/* A front end that never stops its ring but describes a new one in its place (virtio_uml, when its
 * driver is loaded again): the old one ends at once, the new one begins with its kick, at its
 * beginning. */
static void test_described_anew(void)
{
    open_front(1);
    start_front(2, 0);
    guest_sends(1, 60);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, 1, 64), 0);
    guest_sends(1, 60);
    CU_ASSERT_EQUAL(vhost_poll(&f.v), 0);
    CU_ASSERT_EQUAL(f.sent, 1);
    drv_init(&f.q[1], &f.m, DRV_MEM_BASE + 2 * 0x40000u, 64, false);
    start_ring(1, 0, 0);
    CU_ASSERT_EQUAL(vhost_poll(&f.v), 0);
    guest_sends(1, 60);
    CU_ASSERT_TRUE(vhost_poll(&f.v) > 0);
    CU_ASSERT_EQUAL(f.sent, 2);
    close_front();
}

/* The front end comes back to a new process with the region it kept: that knows better than the
 * base the front end guesses. */
static void test_inflight(void)
{
    struct vhost_inflight i = {.nqueues = 2, .queue_size = 64};
    struct {
        uint32_t h[3];
        uint8_t payload[24];
    } m;
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec v = {&m, sizeof(m)};
    struct msghdr h = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    uint32_t used;
    int fd;

    open_front(1);
    CU_ASSERT_EQUAL(say(VHOST_USER_GET_INFLIGHT_FD, &i, sizeof(i), NULL, 0), 0);
    CU_ASSERT_EQUAL_FATAL(recvmsg(f.sock, &h, 0), (ssize_t)sizeof(m));
    CU_ASSERT_PTR_NOT_NULL_FATAL(CMSG_FIRSTHDR(&h));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
    memcpy(&i, m.payload, sizeof(i));
    start_front(2, VIRTIO_F_RING_PACKED);
    for (unsigned k = 0; k < 3; k++)
        guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.sent, 3);
    vhost_fini(&f.v); /* the process is gone */
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_INFLIGHT_FD, &i, sizeof(i), &fd, 1), 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED |
                                                         VHOST_USER_F_PROTOCOL_FEATURES),
                    0);
    CU_ASSERT_EQUAL(set_memory(), 0);
    start_ring(1, VIRTIO_F_RING_PACKED, 0x80008000);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 3);
    guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.sent, 4);
    for (unsigned k = 0; k < 4; k++)
        CU_ASSERT_TRUE(drv_take(&f.q[1], &used) >= 0);
    CU_ASSERT_EQUAL(drv_take(&f.q[1], &used), -1);
    close(fd);
    close_front();
}

/* Live migration: the pages that were written are marked, and no others. */
/* The process is gone; the front end comes again, knows where its rings began, and no more. */
static void reconnect(uint64_t ring, uint32_t base)
{
    vhost_fini(&f.v);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES,
                            VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES | ring),
                    0);
    CU_ASSERT_EQUAL(set_memory(), 0);
    start_ring(1, ring, base);
}

static void test_kept(void)
{
    struct vhost_kept kept = {0};
    int other = memfd_create("another guest", 0), first;
    uint32_t used;

    open_front(1);
    vhost_keep(&f.v, &kept);
    start_front(2, VIRTIO_F_RING_PACKED);
    for (unsigned k = 0; k < 3; k++)
        guest_sends(1, 60);
    vhost_poll(&f.v);
    reconnect(VIRTIO_F_RING_PACKED, 0x80008000);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 3);
    guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.sent, 4);
    for (unsigned k = 0; k < 4; k++)
        CU_ASSERT_TRUE(drv_take(&f.q[1], &used) >= 0);
    /* stopped in order, it begins where the front end says */
    CU_ASSERT_EQUAL(say_state(VHOST_USER_GET_VRING_BASE, 1, 0), 0);
    answer();
    reconnect(VIRTIO_F_RING_PACKED, 0x80008000);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 0);
    /* another guest in its place: nothing is known of it */
    guest_sends(1, 60);
    drv_init(&f.q[1], &f.m, f.q[1].base, 64, true);
    guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 1);
    CU_ASSERT_EQUAL(ftruncate(other, MEM_SIZE), 0);
    first = f.memfd;
    f.memfd = other;
    reconnect(VIRTIO_F_RING_PACKED, 0x80008000);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 0);
    /* a split ring begins where its front end says */
    f.memfd = first;
    reconnect(0, 7);
    reconnect(0, 5);
    CU_ASSERT_EQUAL(f.v.ring[1].q.pos.index, 5);
    close(other);
    close_front();
}

static void test_log(void)
{
    struct vq_buf b = {BUFS + 0x5ff0, 200};
    struct vhost_log l = {.size = 4096};
    uint8_t frame[100] = {2}, *bits;
    int fd = memfd_create("log", 0);

    CU_ASSERT_EQUAL(ftruncate(fd, 4096), 0);
    bits = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    open_front(1);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_LOG_BASE, &l, sizeof(l), &fd, 1), -EPROTO); /* not agreed */
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, 1u << 1), 0);
    start_front(2, 0);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_LOG_BASE, &l, sizeof(l), &fd, 1), 0);
    answer();
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES,
                            VIRTIO_F_VERSION_1 | VHOST_F_LOG_ALL | VHOST_USER_F_PROTOCOL_FEATURES),
                    0);
    drv_add(&f.q[0], &b, 0, 1);
    CU_ASSERT_EQUAL(receive(frame, 100), 1);
    vhost_signal(&f.v);
    for (unsigned page = 0; page < 4096 * 8; page++) {
        uint64_t gpa = page * 4096ull;
        bool written =
            gpa == BUFS + 0x5000 || gpa == BUFS + 0x6000 || gpa == f.q[0].base + DRV_DEVICE;

        CU_ASSERT_EQUAL(bits[page / 8] >> page % 8 & 1, written);
    }
    munmap(bits, 4096);
    close(fd);
    close_front();
}

/* --- hostile --- */

static void test_messages_in_pieces(void)
{
    uint32_t msg[3] = {VHOST_USER_GET_QUEUE_NUM, VHOST_VERSION, 0};

    open_front(1);
    for (unsigned i = 0; i < sizeof(msg) - 1; i++) {
        put((uint8_t *)msg + i, 1, NULL, 0);
        CU_ASSERT_EQUAL(serve(), -EAGAIN);
    }
    put((uint8_t *)msg + sizeof(msg) - 1, 1, NULL, 0);
    CU_ASSERT_EQUAL(serve(), 0);
    CU_ASSERT_EQUAL(answer(), 1);
    shutdown(f.sock, SHUT_WR);
    CU_ASSERT_EQUAL(serve(), -ENOTCONN);
    close_front();
}

static void test_refused(void)
{
    struct vhost_memory m = {.nregions = 1, .region = {{0, MEM_SIZE + 1, 0, 0}}};
    int fds[9];

    open_front(1);
    for (unsigned i = 0; i < 9; i++)
        fds[i] = f.memfd;
    CU_ASSERT_EQUAL(say(0, "", 0, NULL, 0), -EPROTO);
    CU_ASSERT_EQUAL(say(99, "", 0, NULL, 0), -EPROTO);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_FEATURES, "", 0, NULL, 0), -EPROTO);
    CU_ASSERT_EQUAL(say(VHOST_USER_GET_FEATURES, "", 0, fds, 1), -EPROTO);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 32, fds, 1),
                    -EPROTO); /* file too short */
    m.region[0] = (struct vhost_region){1, MEM_SIZE, 0, UINT64_MAX - 5};
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 32, fds, 1), -EPROTO);
    m.region[0] = (struct vhost_region){UINT64_MAX - 5, MEM_SIZE, 0, 0};
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 32, fds, 1), -EPROTO);
    m.region[0] = m.region[1] = (struct vhost_region){0, MEM_SIZE, 0, 0};
    m.nregions = 2;
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 64, fds, 2), -EPROTO); /* overlap */
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 32, fds, 2), -EPROTO); /* cut short */
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, 8 + 64, fds, 1), -EPROTO);
    m.nregions = 9;
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_MEM_TABLE, &m, sizeof(m), fds, 8), -EPROTO);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, 2, 64), -EPROTO);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, 0, 0), -EPROTO);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, 0, 65536), -EPROTO);
    CU_ASSERT_EQUAL(set_fd(VHOST_USER_SET_VRING_KICK, 2, f.kick[0]), -EPROTO);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_VRING_KICK, 0), -EPROTO); /* no descriptor */
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_VRING_KICK, VHOST_VRING_NOFD), 0);
    put("\1\0\0\0\1\0\0\0\xff\xff\xff\xff", 12, NULL, 0);
    CU_ASSERT_EQUAL(serve(), -EPROTO);
    put("\1\0\0\0\1\0\0\0\0\0\0\0", 12, fds, 9);
    CU_ASSERT_EQUAL(serve(), -EPROTO);
    start_front(2, 0);
    CU_ASSERT_EQUAL(say_u64(VHOST_USER_SET_FEATURES, VIRTIO_F_VERSION_1), -EPROTO);
    close_front();
}

/* With REPLY_ACK a refusal is an answer. */
static void test_reply_ack(void)
{
    uint32_t msg[5] = {VHOST_USER_NET_SET_MTU, VHOST_VERSION | VHOST_F_NEED_REPLY, 8, 9000, 0};

    uint32_t agree[5] = {VHOST_USER_SET_PROTOCOL_FEATURES, VHOST_VERSION | VHOST_F_NEED_REPLY, 8,
                         8};

    open_front(1);
    put(agree, sizeof(agree), NULL, 0);
    CU_ASSERT_EQUAL(serve(), 0);
    CU_ASSERT_EQUAL(answer(), 0);
    put(msg, sizeof(msg), NULL, 0);
    CU_ASSERT_EQUAL(serve(), 0);
    CU_ASSERT_EQUAL(answer(), 1);
    msg[3] = 1500;
    put(msg, sizeof(msg), NULL, 0);
    CU_ASSERT_EQUAL(serve(), 0);
    CU_ASSERT_EQUAL(answer(), 0);
    close_front();
}

/* A ring outside of memory does not start; one that breaks stops. */
static void test_bad_rings(void)
{
    struct vhost_addr a = {.index = 1, .desc = 16};

    open_front(1);
    start_front(1, 0);
    CU_ASSERT_EQUAL(say_state(VHOST_USER_SET_VRING_NUM, 1, 64), 0);
    CU_ASSERT_EQUAL(say(VHOST_USER_SET_VRING_ADDR, &a, sizeof(a), NULL, 0), 0);
    CU_ASSERT_EQUAL(set_fd(VHOST_USER_SET_VRING_KICK, 1, f.kick[1]), 0);
    CU_ASSERT_EQUAL(vhost_poll(&f.v), 0);
    CU_ASSERT_EQUAL(f.v.ring[1].q.state, VQ_OFF);
    close_front();
    open_front(1);
    start_front(2, 0);
    drv_put16(&f.m, f.q[1].base + DRV_DRIVER + 2, 999);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.v.ring[1].q.state, VQ_BROKEN);
    close_front();
}

/* The front end cuts its memory short while it is being used: that is its own loss. */
static void test_truncated(void)
{
    open_front(1);
    start_front(2, 0);
    guest_sends(1, 60);
    vhost_poll(&f.v);
    CU_ASSERT_EQUAL(f.sent, 1);
    CU_ASSERT_EQUAL(ftruncate(f.memfd, 0), 0);
    vhost_poll(&f.v);
    receive(f.frame, 60);
    CU_ASSERT_EQUAL(f.sent, 1);
    vhost_poll(&f.v);
    close_front();
}

const struct cu_test suite_tests[] = {
    {"features", test_hello},
    {"frames both ways", test_frames},
    {"bursts to the guest", test_bursts},
    {"polled without notifications", test_polled},
    {"counted", test_counted},
    {"disabled, stopped, started again", test_stop},
    {"described anew while it runs", test_described_anew},
    {"where a packed ring begins", test_packed_base},
    {"reconnected, with what was in flight", test_inflight},
    {"reconnected, without that", test_kept},
    {"the log of a migration", test_log},
    {"messages in pieces", test_messages_in_pieces},
    {"messages that are refused", test_refused},
    {"refusals as answers", test_reply_ack},
    {"rings that are none", test_bad_rings},
    {"memory that is cut short", test_truncated},
    {NULL, NULL},
};
