/* SPDX-License-Identifier: BSD-3-Clause */
#include "pc_console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FULL_MS 5 /* a guest whose FIFO is full is asked again after so long */

struct pc_console {
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    int listener, wake;
    bool ending;
    pthread_t thread;
    bool running;
    pthread_mutex_t pc_lock; /* of pc; held while it is given input */
    struct pc *pc;
    pthread_mutex_t lock; /* of what follows; taken after the machine's */
    int client;           /* -1: nobody */
    uint8_t recent[PC_CONSOLE_RECENT];
    uint64_t sent; /* bytes ever; the last of them are in recent[] */
};

int pc_console_path(const char *rundir, const char *vm, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s.console", rundir, vm);

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* What the guest sends, a byte at a time, under the machine's lock. */
static void output(void *ctx, uint8_t byte)
{
    struct pc_console *c = ctx;

    pthread_mutex_lock(&c->lock);
    c->recent[c->sent++ % PC_CONSOLE_RECENT] = byte;
    if (c->client >= 0)
        (void)!send(c->client, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    pthread_mutex_unlock(&c->lock);
}

static void send_recent(struct pc_console *c)
{
    uint64_t n = c->sent < PC_CONSOLE_RECENT ? c->sent : PC_CONSOLE_RECENT;
    unsigned from = (c->sent - n) % PC_CONSOLE_RECENT;
    unsigned first = n < PC_CONSOLE_RECENT - from ? (unsigned)n : PC_CONSOLE_RECENT - from;

    (void)!send(c->client, c->recent + from, first, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)!send(c->client, c->recent, n - first, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_client(struct pc_console *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    pthread_mutex_lock(&c->lock);
    if (c->client >= 0)
        close(c->client);
    c->client = fd;
    send_recent(c);
    pthread_mutex_unlock(&c->lock);
}

static void drop_client(struct pc_console *c)
{
    pthread_mutex_lock(&c->lock);
    close(c->client);
    c->client = -1;
    pthread_mutex_unlock(&c->lock);
}

/* Input is peeked at: only what the guest took is consumed. @return whether the guest took all */
static bool take_input(struct pc_console *c)
{
    uint8_t buf[64];
    ssize_t n = recv(c->client, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
    unsigned took;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop_client(c);
        return true;
    }
    if (n < 0)
        return true;
    pthread_mutex_lock(&c->pc_lock);
    took = c->pc ? pc_serial_input(c->pc, buf, (unsigned)n) : (unsigned)n;
    pthread_mutex_unlock(&c->pc_lock);
    (void)!recv(c->client, buf, took, MSG_DONTWAIT);
    return took == (unsigned)n;
}

static void *thread(void *arg)
{
    struct pc_console *c = arg;
    bool full = false;

    while (!__atomic_load_n(&c->ending, __ATOMIC_ACQUIRE)) {
        struct pollfd p[3] = {{.fd = c->wake, .events = POLLIN},
                              {.fd = c->listener, .events = POLLIN},
                              {.fd = full ? -1 : c->client, .events = POLLIN}};
        uint64_t count;

        if (poll(p, 3, full ? FULL_MS : -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            (void)!read(c->wake, &count, sizeof(count));
        if ((full && c->client >= 0) || p[2].revents)
            full = !take_input(c);
        if (p[1].revents)
            take_client(c);
    }
    return NULL;
}

static int start_thread(struct pc_console *c)
{
    int err = -pthread_create(&c->thread, NULL, thread, c);

    c->running = !err;
    return err;
}

/* The run directory is the supervisor's alone, and a socket of a VM that died is in the way. */
static int serve(struct pc_console *c)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->wake < 0 || c->listener < 0)
        return -errno;
    memcpy(a.sun_path, c->path, sizeof(a.sun_path));
    unlink(c->path);
    if (bind(c->listener, (const struct sockaddr *)&a, sizeof(a)) < 0 || chmod(c->path, 0600) < 0 ||
        listen(c->listener, 4) < 0)
        return -errno;
    return start_thread(c);
}

struct pc_console *pc_console_open(const char *rundir, const char *vm, FILE *err)
{
    struct pc_console *c = calloc(1, sizeof(*c));
    int ret;

    if (!c)
        return NULL;
    c->listener = c->wake = c->client = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->pc_lock, NULL);
    ret = pc_console_path(rundir, vm, c->path, sizeof(c->path));
    if (!ret)
        ret = serve(c);
    if (!ret)
        return c;
    fprintf(err, "%s: no console at %s/%s.console: %s\n", vm, rundir, vm, strerror(-ret));
    pc_console_close(c);
    return NULL;
}

void pc_console_attach(struct pc_console *c, struct pc *pc)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->pc_lock);
    c->pc = pc;
    pthread_mutex_unlock(&c->pc_lock);
    if (pc)
        pc_serial_attach(pc, output, c);
}

void pc_console_close(struct pc_console *c)
{
    uint64_t one = 1;

    if (!c)
        return;
    if (c->running) {
        __atomic_store_n(&c->ending, true, __ATOMIC_RELEASE);
        (void)!write(c->wake, &one, sizeof(one));
        pthread_join(c->thread, NULL);
        unlink(c->path);
    }
    if (c->client >= 0)
        close(c->client);
    if (c->listener >= 0)
        close(c->listener);
    if (c->wake >= 0)
        close(c->wake);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->pc_lock);
    free(c);
}
