/* SPDX-License-Identifier: BSD-3-Clause */
#include "source_vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../nicmodels/model.h"
#include "counter.h"

static struct vhost_port *of(struct ioc_source *s)
{
    return (struct vhost_port *)s;
}

/* --- what the back end asks --- */

struct call {
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct ioc_core *k, void *arg)
{
    struct call *c = arg;

    (void)k;
    c->fn(c->arg);
}

static void on_core(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct vhost_port *p = ctx;
    struct call c = {fn, arg};

    if (p->joined)
        core_do(p->core, run_call, &c);
    else
        fn(arg);
}

/* Fills up with fresh mbufs from tx[p->ntx] on, as far as there are any. */
static void refill(struct vhost_port *p)
{
    unsigned n = VHOST_TX_BURST - p->ntx;

    if (!n || rte_pktmbuf_alloc_bulk(p->pool, p->tx + p->ntx, n))
        return;
    for (; p->ntx < VHOST_TX_BURST; p->ntx++)
        p->room[p->ntx].data = rte_pktmbuf_mtod(p->tx[p->ntx], uint8_t *);
}

static struct vnet_frame *room(void *ctx, unsigned *n)
{
    struct vhost_port *p = ctx;

    refill(p);
    *n = p->ntx;
    return p->room;
}

/* What was filled goes to the switch, what was not moves down. */
static void send_filled(void *ctx, unsigned n)
{
    struct vhost_port *p = ctx;

    for (unsigned i = 0; i < n; i++)
        p->tx[i]->data_len = (uint16_t)(p->tx[i]->pkt_len = p->room[i].len);
    sw_input(p->core->sw, p->sw_port, p->tx, (uint16_t)n, p->now);
    p->ntx -= n;
    memmove(p->tx, p->tx + n, p->ntx * sizeof(p->tx[0]));
    memmove(p->room, p->room + n, p->ntx * sizeof(p->room[0]));
}

static void watch(void *ctx, int fd)
{
    idle_watch(&((struct vhost_port *)ctx)->core->idle, fd);
}

static void unwatch(void *ctx, int fd)
{
    idle_unwatch(&((struct vhost_port *)ctx)->core->idle, fd);
}

static const struct vhost_ops ops = {
    .on_core = on_core, .room = room, .send = send_filled, .watch = watch, .unwatch = unwatch};

/* --- the source's functions, and the switch's --- */

static unsigned poll(struct ioc_source *s, uint64_t now)
{
    of(s)->now = now;
    return vhost_poll(&of(s)->v);
}

static bool peek(struct ioc_source *s)
{
    return vhost_pending(&of(s)->v);
}

static bool cool(struct ioc_source *s)
{
    return !vhost_pending(&of(s)->v);
}

static bool arm(struct ioc_source *s)
{
    return vhost_arm(&of(s)->v);
}

static void disarm(struct ioc_source *s)
{
    vhost_disarm(&of(s)->v);
}

static const struct ioc_source_ops source_ops = {
    .name = "vhost-user", .poll = poll, .peek = peek, .cool = cool, .arm = arm, .disarm = disarm};

/* A frame in several pieces is put together in `flat`.
 * @return false: it is longer than frames may be */
static bool frame_of(struct rte_mbuf *m, uint8_t flat[NM_MAX_FRAME], struct vnet_frame *out)
{
    *out = (struct vnet_frame){rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_pkt_len(m), NULL};
    if (unlikely(m->nb_segs > 1) && out->len <= NM_MAX_FRAME)
        out->data = (uint8_t *)(uintptr_t)rte_pktmbuf_read(m, 0, out->len, flat);
    return out->data && out->len <= NM_MAX_FRAME;
}

/* As many as can be given at once: one that had to be put together ends it. */
static unsigned gather(struct rte_mbuf **m, unsigned n, uint8_t flat[NM_MAX_FRAME],
                       struct vnet_frame f[VHOST_TX_BURST])
{
    unsigned i = 0;

    while (i < n && i < VHOST_TX_BURST && frame_of(m[i], flat, &f[i]))
        if (m[i++]->nb_segs > 1)
            break;
    return i;
}

/* Frames for the guest: where it has no room they are lost, as behind a wire. */
static uint16_t to_guest(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    struct vnet_frame f[VHOST_TX_BURST];
    struct vhost_port *p = ctx;
    uint8_t flat[NM_MAX_FRAME];
    unsigned done = 0, run, taken;

    do {
        run = gather(m + done, n - done, flat, f);
        taken = run ? vhost_receive(&p->v, f, run) : 0;
        done += taken;
    } while (run && taken == run && done < n);
    rte_pktmbuf_free_bulk(m, done);
    vhost_signal(&p->v);
    return (uint16_t)done;
}

/* --- what outlives this process --- */

/* Without it the port works too, but packed rings are lost when this process is. */
static struct vhost_kept *map_kept(const char *rundir, const char *port)
{
    char path[PATH_MAX];
    void *p = MAP_FAILED;
    int fd;

    snprintf(path, sizeof(path), "%s/vhost-%s", rundir, port);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    if (!posix_fallocate(fd, 0, sizeof(struct vhost_kept)))
        p = mmap(NULL, sizeof(struct vhost_kept), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return p == MAP_FAILED ? NULL : p;
}

static void unmap_kept(struct vhost_port *p)
{
    if (p->kept)
        munmap(p->kept, sizeof(*p->kept));
}

/* --- the socket --- */

/* A socket that nobody serves is what a former process left. */
static bool is_stale(const struct sockaddr_un *a)
{
    struct stat st;
    int s, err;

    if (stat(a->sun_path, &st) || !S_ISSOCK(st.st_mode))
        return false;
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return false;
    err = connect(s, (const struct sockaddr *)a, sizeof(*a)) ? errno : 0;
    close(s);
    return err == ECONNREFUSED;
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    mode_t old;
    int s, err;

    if (strlen(path) >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    strcpy(a.sun_path, path);
    if (is_stale(&a))
        unlink(path);
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return -errno;
    old = umask(0177);
    err = bind(s, (const struct sockaddr *)&a, sizeof(a)) || listen(s, 4) ? -errno : 0;
    umask(old);
    if (err)
        close(s);
    return err ? err : s;
}

int vhost_port_open(const struct cfg_port *c, const char *rundir, struct ioc_core *core,
                    struct rte_mempool *pool, struct vhost_port **out, FILE *err)
{
    struct vhost_port *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    *p = (struct vhost_port){.src = {.ops = &source_ops, .kick_fd = -1},
                             .cfg = c,
                             .core = core,
                             .pool = pool,
                             .kept = map_kept(rundir, c->name),
                             .sock = -1,
                             .now = rte_rdtsc()};
    vhost_init(&p->v, &ops, p, c->queues ? c->queues : 1);
    vhost_keep(&p->v, p->kept);
    vhost_disarm(&p->v);
    p->listen_fd = listen_at(c->socket);
    p->sw_port = p->listen_fd < 0 ? p->listen_fd
                                  : sw_port_add(core->sw, c->name, core->index, 0, to_guest, p);
    if (p->sw_port < 0) {
        int e = p->sw_port;

        fprintf(err, "port %s: %s: %s\n", c->name, c->socket, strerror(-e));
        if (p->listen_fd >= 0)
            close(p->listen_fd);
        unmap_kept(p);
        free(p);
        return e;
    }
    *out = p;
    return 0;
}

static void join(struct ioc_core *k, void *arg)
{
    struct vhost_port *p = arg;

    p->joined = !core_add_source(k, &p->src);
}

static void leave(struct ioc_core *k, void *arg)
{
    core_remove_source(k, arg);
}

void vhost_port_start(struct vhost_port *p)
{
    core_do(p->core, join, p);
}

/* Zero if it is in a PID namespace that this process does not see. */
static int pid_of(int sock)
{
    struct ucred u = {0};
    socklen_t len = sizeof(u);

    return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &u, &len) ? 0 : u.pid;
}

void vhost_port_hang_up(struct vhost_port *p)
{
    vhost_rx_done(&p->rx);
    vhost_fini(&p->v);
    close(p->sock);
    p->sock = -1;
    p->pid = 0;
}

void vhost_port_close(struct vhost_port *p)
{
    if (p->sock >= 0)
        vhost_port_hang_up(p);
    if (p->joined)
        core_do(p->core, leave, p);
    sw_port_remove(p->core->sw, p->sw_port);
    rte_pktmbuf_free_bulk(p->tx, p->ntx);
    close(p->listen_fd);
    unlink(p->cfg->socket);
    unmap_kept(p);
    free(p);
}

bool vhost_port_accept(struct vhost_port *p)
{
    int s = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (s < 0)
        return false;
    if (p->sock >= 0) {
        close(s); /* one front end at a time */
        counter_add(&p->n.turned_away, 1);
        return false;
    }
    p->sock = s;
    p->pid = pid_of(s);
    counter_add(&p->n.connects, 1);
    return true;
}

bool vhost_port_serve(struct vhost_port *p)
{
    const char *why = NULL;
    int err = vhost_recv(p->sock, &p->rx, &why);
    uint64_t *kind = err == -EPROTO ? &p->n.malformed : &p->n.failed;

    if (err == -EAGAIN)
        return true;
    if (!err)
        err = vhost_serve(&p->v, p->sock, &p->rx, &why);
    vhost_rx_done(&p->rx);
    if (!err)
        return true;
    if (err != -ENOTCONN) {
        counter_add(kind, 1);
        fprintf(stderr, "coopvmm-iocored: port %s: the front end is sent away: %s%s%s\n",
                p->cfg->name, strerror(-err), why ? ": " : "", why ? why : "");
    }
    vhost_port_hang_up(p);
    return false;
}

static uint32_t load32(const void *p)
{
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}

void vhost_port_tel(const struct vhost_port *p, struct tel_vhost *out)
{
    const struct vhost *v = &p->v;

    *out = (struct tel_vhost){.sw_port = p->sw_port,
                              .pid = load32(&p->pid),
                              .features = hist_load(&v->features),
                              .protocol = hist_load(&v->protocol),
                              .max_pairs = v->max_pairs,
                              .pairs = load32(&v->pairs),
                              .tx_frames = hist_load(&v->n.tx_frames),
                              .rx_frames = hist_load(&v->n.rx_frames),
                              .rx_drops = hist_load(&v->n.rx_drops),
                              .kicks = hist_load(&v->n.kicks),
                              .calls = hist_load(&v->n.calls),
                              .connects = hist_load(&p->n.connects),
                              .turned_away = hist_load(&p->n.turned_away),
                              .malformed = hist_load(&p->n.malformed),
                              .refused = hist_load(&v->n.refused),
                              .failed = hist_load(&p->n.failed)};
    vhost_count_queues(v, &out->queues, &out->broken);
    snprintf(out->name, sizeof(out->name), "%s", p->cfg->name);
    snprintf(out->core, sizeof(out->core), "%s", p->core->c->name);
}
