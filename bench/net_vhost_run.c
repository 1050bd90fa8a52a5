/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_vhost_run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "iod.h"
#include "testpmd.h"

#define START_MS 15000 /* until frames flow */
#define WARM_MS  200
#define STEP_MS  10
#define FRAMES   32 /* in the file that is repeated */
#define GUEST    "\x52\x54\x00\xaa\x00\x01"
#define PEER     "\x52\x54\x00\xbb\x00\x01"
#define QUEUE    256 /* descriptors */

/* What one run has started. */
struct bed {
    struct guard *g;
    const struct nv_run *r;
    char dir[64]; /* the pcap file, the peer's socket, testpmd's own files */
    char pcap[96], sock[128];
    struct iod iod;         /* ours */
    struct testpmd backend; /* the peer */
    struct testpmd guest;
};

/* --- frames to be repeated --- */

static bool put(FILE *f, const void *p, size_t n)
{
    return fwrite(p, 1, n, f) == n;
}

/* pcap-savefile(5): a header, and one of four words before each frame. */
static bool put_frames(FILE *f, unsigned size)
{
    static const uint32_t head[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
    uint32_t record[4] = {0, 0, size, size};
    char frame[2048] = GUEST PEER "\x08";
    bool good = put(f, head, sizeof(head));

    for (unsigned i = 0; i < FRAMES && good; i++)
        good = put(f, record, sizeof(record)) && put(f, frame, size);
    return good;
}

static int write_pcap(const char *path, unsigned size)
{
    FILE *f = fopen(path, "we");
    bool good = f && put_frames(f, size);

    if (f && fclose(f))
        good = false;
    return good ? 0 : -EIO;
}

/* --- the back ends --- */

static int start_ours(struct bed *b, FILE *err)
{
    char ports[512];
    struct iod_spec spec = {.cpu = b->r->iocpu, .idle = CFG_IDLE_SPIN, .ports = ports};

    snprintf(ports, sizeof(ports),
             "  - {name: guest, type: vhost-user, socket: '%s'}\n"
             "  - {name: far, type: %s%s%s}\n",
             b->sock, b->r->c.in ? "pcap, repeat: true, rx_pcap: '" : "null",
             b->r->c.in ? b->pcap : "", b->r->c.in ? "'" : "");
    return iod_start(&b->iod, b->g, &spec, err);
}

static int start_peer(struct bed *b)
{
    char vhost[192], far[192];
    struct testpmd_spec s = {.dir = b->dir,
                             .name = "backend",
                             .mode = "io",
                             .cpu = b->r->iocpu,
                             .main_cpu = b->r->cpu,
                             .vdev = {vhost, far}};

    snprintf(vhost, sizeof(vhost), "net_vhost0,iface=%s,queues=1", b->sock);
    if (b->r->c.in)
        snprintf(far, sizeof(far), "net_pcap0,rx_pcap=%s,infinite_rx=1", b->pcap);
    else
        snprintf(far, sizeof(far), "net_null0,no-rx=1");
    return testpmd_start(&b->backend, &s);
}

static int start_guest(struct bed *b)
{
    char vdev[256];
    struct testpmd_spec s = {.dir = b->dir,
                             .name = "guest",
                             .mode = b->r->c.in ? "rxonly" : "txonly",
                             .cpu = b->r->cpu,
                             .main_cpu = b->r->cpu,
                             .vdev = {vdev},
                             .size = b->r->c.in ? 0 : b->r->c.size};

    snprintf(vdev, sizeof(vdev), "net_virtio_user0,path=%s,queue_size=%u,packed_vq=%d,mac=%s",
             b->sock, QUEUE, b->r->c.packed, "52:54:00:aa:00:01");
    return testpmd_start(&b->guest, &s);
}

/* --- waiting --- */

static void nap(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Is all that was started still there? */
static int check(struct bed *b)
{
    if (guard_signal(b->g))
        return -EINTR;
    if (guard_stopped(b->g) || (b->backend.child.pid > 0 && testpmd_ended(&b->backend)) ||
        (b->guest.child.pid > 0 && testpmd_ended(&b->guest)))
        return -ECHILD;
    return 0;
}

/* Asks again and again, until `there` says yes. @return 0, -ETIMEDOUT, as check() */
static int wait_for(struct bed *b, bool (*there)(struct bed *b, void *arg), void *arg)
{
    double end = now_s() + START_MS / 1e3;
    int err = 0;

    while (!err && !there(b, arg)) {
        nap(STEP_MS);
        err = now_s() > end ? -ETIMEDOUT : check(b);
    }
    return err;
}

static bool socket_there(struct bed *b, void *arg)
{
    struct stat st;

    (void)arg;
    return stat(b->sock, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* --- counting --- */

/* The receiver's counter: the guest's port, or the one behind the back end. */
struct meter {
    struct telclient t;
    const char *path;
    unsigned port;
    bool open, in;
    uint64_t frames;
};

static struct meter meter_of(struct bed *b)
{
    if (b->r->c.in)
        return (struct meter){.path = b->guest.telemetry, .in = true};
    if (b->r->backend == NV_OURS)
        return (struct meter){.path = b->iod.telemetry};
    return (struct meter){.path = b->backend.telemetry, .port = 1};
}

static int read_meter(struct meter *m)
{
    struct ethdev_count c;
    int err = ethdev_count(&m->t, m->port, &c);

    if (!err)
        m->frames = m->in ? c.received : c.sent;
    return err;
}

/* Its process may not serve yet, or not know the port yet. */
static bool frames_flow(struct bed *b, void *arg)
{
    struct meter *m = arg;

    (void)b;
    if (!m->open)
        m->open = telclient_open(&m->t, m->path, 1000) == 0;
    return m->open && read_meter(m) == 0 && m->frames > 0;
}

static int count(struct bed *b, struct meter *m, double *mpps)
{
    uint64_t before;
    double began;
    int err;

    nap(WARM_MS);
    began = now_s();
    err = read_meter(m);
    before = m->frames;
    nap(b->r->ms);
    if (!err)
        err = read_meter(m);
    *mpps = (double)(m->frames - before) / (now_s() - began) / 1e6;
    return err ? err : check(b);
}

static int measure(struct bed *b, double *mpps)
{
    struct meter m = meter_of(b);
    int err = wait_for(b, frames_flow, &m);

    if (!err)
        err = count(b, &m, mpps);
    if (m.open)
        telclient_close(&m.t);
    return err;
}

/* --- a run --- */

static int start(struct bed *b, FILE *err)
{
    int ret = iod_make_dir(b->dir, sizeof(b->dir));

    if (ret)
        return ret;
    snprintf(b->pcap, sizeof(b->pcap), "%s/frames.pcap", b->dir);
    snprintf(b->sock, sizeof(b->sock), "%s/vhost.sock", b->dir);
    ret = write_pcap(b->pcap, b->r->c.size);
    if (!ret)
        ret = b->r->backend == NV_OURS ? start_ours(b, err) : start_peer(b);
    if (!ret)
        ret = wait_for(b, socket_there, NULL);
    return ret ? ret : start_guest(b);
}

static void complain(struct bed *b, int ret, FILE *err)
{
    fprintf(err, "%s back end, %s rings, %u bytes, %s: %s\n",
            b->r->backend == NV_OURS ? "our" : "net_vhost", b->r->c.packed ? "packed" : "split",
            b->r->c.size, b->r->c.in ? "to the guest" : "from the guest",
            ret == -ETIMEDOUT ? "no frame arrived" : strerror(-ret));
    if (b->iod.guard)
        fprintf(err, "the I/O-core process printed:\n%s", guard_output(b->g));
    if (b->backend.child.pid > 0 && testpmd_ended(&b->backend))
        fprintf(err, "testpmd with net_vhost ended:\n%s", b->backend.console.text);
    if (b->guest.child.pid > 0 && testpmd_ended(&b->guest))
        fprintf(err, "testpmd with virtio_user ended:\n%s", b->guest.console.text);
}

int nv_run(struct guard *g, const struct nv_run *r, double *mpps, FILE *err)
{
    struct bed b = {.g = g, .r = r};
    int ret = start(&b, err);

    if (!ret)
        ret = measure(&b, mpps);
    if (ret && ret != -EINTR)
        complain(&b, ret, err);
    testpmd_stop(&b.guest);
    testpmd_stop(&b.backend);
    iod_stop(&b.iod);
    iod_remove_dir(b.dir);
    return ret;
}
