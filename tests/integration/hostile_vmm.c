/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMM that does everything wrong, against a real I/O-core process: each case must end in a clear
 * error or a closed connection, and a well-behaved VM must be served all the while (that is checked
 * by the script that runs this). Prints one TAP line a case.
 *
 * usage: hostile_vmm SOCKET CORE [SEED]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/iotp_ctl.h"
#include "../../protocol/iotp_vmm.h"

#define MEM_SIZE (1u << 20)

static const char *path, *core;
static unsigned passed, failed, vm_number;
static uint64_t rng;

static void result(bool good, const char *what, const char *detail)
{
    printf("%s - %s%s%s\n", good ? "ok" : "not ok", what, detail ? ": " : "", detail ? detail : "");
    if (good)
        passed++;
    else
        failed++;
}

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

/* --- one connection --- */

struct client {
    int sock;
    int mem_fd, area_fd, kick_fd, irq_fd;
    uint8_t *area;
    struct iotp_layout lay;
};

static bool open_client(struct client *c)
{
    struct timeval tv = {.tv_sec = 3};

    *c = (struct client){.mem_fd = -1, .area_fd = -1, .kick_fd = -1, .irq_fd = -1};
    c->sock = iotp_connect(path);
    if (c->sock < 0)
        return false;
    setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return true;
}

static void close_client(struct client *c)
{
    const int fd[] = {c->sock, c->mem_fd, c->area_fd, c->kick_fd, c->irq_fd};

    for (unsigned i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
        if (fd[i] >= 0)
            close(fd[i]);
    if (c->area)
        munmap(c->area, c->lay.size);
}

static int hello(struct client *c)
{
    struct iotp_msg m = {.type = IOTP_MSG_HELLO};

    m.u.hello = (struct iotp_hello){.version_min = IOTP_VERSION,
                                    .version_max = IOTP_VERSION,
                                    .pid = (uint32_t)getpid(),
                                    .features = IOTP_F_ALL};
    snprintf(m.u.hello.vm, sizeof(m.u.hello.vm), "hostile%u", vm_number++);
    return iotp_msg_ask(c->sock, &m, NULL);
}

static int give_memory(struct client *c)
{
    struct iotp_msg m = {.type = IOTP_MSG_MEMORY, .nfds = 1};

    c->mem_fd = iotp_memfd("hostile", MEM_SIZE);
    m.fd[0] = c->mem_fd;
    m.u.memory.nregions = 1;
    m.u.memory.region[0].size = MEM_SIZE;
    return iotp_msg_ask(c->sock, &m, NULL);
}

static int give_area(struct client *c, unsigned vcpus)
{
    struct iotp_msg m = {.type = IOTP_MSG_AREA, .nfds = 2};

    iotp_layout_of(vcpus, 1, IOTP_DEFAULT_POSTED, &c->lay);
    c->area_fd = iotp_memfd("hostile-area", c->lay.size);
    c->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->area = mmap(NULL, c->lay.size, PROT_READ | PROT_WRITE, MAP_SHARED, c->area_fd, 0);
    if (c->area == MAP_FAILED)
        return -errno;
    iotp_area_format(c->area, &c->lay, IOTP_F_ALL);
    m.fd[0] = c->area_fd;
    m.fd[1] = c->kick_fd;
    m.u.area = (struct iotp_area){.size = c->lay.size};
    snprintf(m.u.area.core, sizeof(m.u.area.core), "%s", core);
    return iotp_msg_ask(c->sock, &m, NULL);
}

static int give_device(struct client *c, const char *model)
{
    struct iotp_msg m = {.type = IOTP_MSG_DEVICE, .nfds = 1};
    int err;

    c->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m.fd[0] = c->irq_fd;
    m.u.device = (struct iotp_device){
        .nlines = 1, .connected = 1, .mac = {0x52, 0x54, 0, 0x66, 0x66, (uint8_t)vm_number}};
    snprintf(m.u.device.model, sizeof(m.u.device.model), "%s", model);
    snprintf(m.u.device.name, sizeof(m.u.device.name), "nic");
    err = iotp_msg_ask(c->sock, &m, NULL);
    iotp_msg_close(&m);
    return err;
}

static int simple(struct client *c, uint16_t type)
{
    struct iotp_msg m = {.type = type};

    return iotp_msg_ask(c->sock, &m, NULL);
}

/* A VM that is attached and runs. */
static bool attach(struct client *c, unsigned vcpus)
{
    return open_client(c) && !hello(c) && !give_memory(c) && !give_area(c, vcpus) &&
           !give_device(c, "ne2000") && !simple(c, IOTP_MSG_START);
}

/* Is the daemon still there, and does it serve a newcomer? */
static bool daemon_lives(void)
{
    struct client c;
    struct iotp_vcpu v;
    struct iotp_req r = {.offset = 7, .count = 1, .size = 1};
    struct iotp_resp resp;
    bool good = attach(&c, 1);

    if (good) {
        iotp_vcpu_init(&v, c.area, &c.lay, 0, 100000, c.kick_fd);
        good = !iotp_call(&v, &r, &resp) && resp.status == IOTP_DONE;
    }
    close_client(&c);
    return good;
}

/* --- malformed packets --- */

/* Sends raw bytes; good if the answer is an ERROR or the connection ends, soon. */
static void raw_packet(const void *p, size_t len, const char *what)
{
    struct client c;
    struct iotp_msg m;
    int err;

    if (!open_client(&c)) {
        result(false, what, "cannot connect");
        return;
    }
    err = send(c.sock, p, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
    if (!err) {
        memset(&m, 0, sizeof(m));
        err = iotp_msg_recv(c.sock, &m, NULL);
    }
    if (!err && m.type == IOTP_MSG_ERROR)
        result(daemon_lives(), what, m.u.error.text);
    else
        result(err == -ENOTCONN && daemon_lives(), what, strerror(-err));
    close_client(&c);
}

static void malformed(void)
{
    struct {
        struct iotp_msg_hdr h;
        uint8_t body[4096];
    } p;

    memset(&p, 0, sizeof(p));
    raw_packet(&p, 1, "one byte");
    raw_packet(&p, sizeof(p.h), "no magic");
    p.h = (struct iotp_msg_hdr){.magic = IOTP_MAGIC, .type = 999, .serial = 1};
    raw_packet(&p, sizeof(p.h), "unknown type");
    p.h.type = IOTP_MSG_HELLO;
    raw_packet(&p, sizeof(p.h), "HELLO without a body");
    p.h.length = sizeof(struct iotp_hello);
    raw_packet(&p, sizeof(p.h) + 8, "HELLO cut short");
    p.h.length = sizeof(p.body);
    raw_packet(&p, sizeof(p), "HELLO oversized");
    p.h.length = 0xffffffffu;
    raw_packet(&p, sizeof(p.h) + sizeof(struct iotp_hello), "length that wraps");
    p.h.length = sizeof(struct iotp_hello);
    memset(p.body, 'A', sizeof(p.body));
    raw_packet(&p, sizeof(p.h) + sizeof(struct iotp_hello), "name without an end");
    p.h.nfds = 8;
    raw_packet(&p, sizeof(p.h) + sizeof(struct iotp_hello), "descriptors that are not there");
    for (unsigned i = 0; i < 2000; i++) {
        struct client c;
        size_t len = rnd() % sizeof(p);

        for (size_t k = 0; k < sizeof(p); k += 8) {
            uint64_t r = rnd();

            memcpy((uint8_t *)&p + k, &r, 8);
        }
        if (i % 2)
            p.h = (struct iotp_msg_hdr){.magic = IOTP_MAGIC,
                                        .type = (uint16_t)(rnd() % 13),
                                        .length = (uint32_t)(len - sizeof(p.h)),
                                        .serial = 1};
        if (!open_client(&c) || send(c.sock, &p, len, MSG_NOSIGNAL) < 0) {
            close_client(&c);
            break;
        }
        close_client(&c);
    }
    result(daemon_lives(), "2000 random packets", NULL);
}

/* --- well-formed, but wrong --- */

static void refused(int err, const char *what)
{
    result(err != 0 && err != -EAGAIN && daemon_lives(), what, err ? strerror(-err) : "accepted");
}

static void wrong_order(void)
{
    struct client c;

    open_client(&c);
    refused(give_memory(&c), "MEMORY before HELLO");
    close_client(&c);
    open_client(&c);
    hello(&c);
    refused(simple(&c, IOTP_MSG_START), "START before MEMORY");
    refused(hello(&c), "HELLO twice");
    close_client(&c);
    open_client(&c);
    hello(&c);
    give_memory(&c);
    refused(give_memory(&c), "MEMORY twice");
    refused(give_device(&c, "ne2000"), "DEVICE without its area");
    close_client(&c);
    open_client(&c);
    hello(&c);
    give_memory(&c);
    give_area(&c, 1);
    refused(give_device(&c, "no-such-nic"), "a model that is not there");
    close_client(&c);
}

static void wrong_memory(void)
{
    struct iotp_msg m = {.type = IOTP_MSG_MEMORY, .nfds = 1};
    struct client c;

    open_client(&c);
    hello(&c);
    c.mem_fd = (int)syscall(SYS_memfd_create, "unsealed", 0);
    if (ftruncate(c.mem_fd, MEM_SIZE))
        perror("ftruncate");
    m.fd[0] = c.mem_fd;
    m.u.memory.nregions = 1;
    m.u.memory.region[0].size = MEM_SIZE;
    refused(iotp_msg_ask(c.sock, &m, NULL), "memory that could be truncated");
    close_client(&c);

    open_client(&c);
    hello(&c);
    c.mem_fd = iotp_memfd("small", 4096);
    m = (struct iotp_msg){.type = IOTP_MSG_MEMORY, .nfds = 1, .fd = {c.mem_fd}};
    m.u.memory.nregions = 1;
    m.u.memory.region[0].size = MEM_SIZE;
    refused(iotp_msg_ask(c.sock, &m, NULL), "memory larger than its memfd");
    close_client(&c);
}

/* Routes for messages of device `device`, with a table of `size` bytes that may be truncated or
 * not. */
static int give_routes(struct client *c, uint16_t device, uint64_t size, bool sealed)
{
    int table = sealed ? iotp_memfd("routes", size) : (int)syscall(SYS_memfd_create, "routes", 0);
    struct iotp_msg m = {
        .type = IOTP_MSG_MSI, .nfds = 4, .fd = {table, c->irq_fd, c->irq_fd, c->irq_fd}};
    int err = sealed ? 0 : ftruncate(table, (off_t)size);

    m.u.msi = (struct iotp_msi){.device = device, .nroutes = 2};
    if (!err)
        err = iotp_msg_ask(c->sock, &m, NULL);
    close(table);
    return err;
}

static void wrong_routes(void)
{
    struct client c;

    open_client(&c);
    hello(&c);
    give_memory(&c);
    give_area(&c, 1);
    c.irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    refused(give_routes(&c, 0, 4096, true), "routes without their device");
    close(c.irq_fd);
    give_device(&c, "rtl8029");
    refused(give_routes(&c, 1, 4096, true), "routes of a device that is not there");
    refused(give_routes(&c, 0, 4096, false), "a table of routes that could be truncated");
    refused(give_routes(&c, 0, 32, true), "more routes than the table has");
    result(!give_routes(&c, 0, 64, true) && daemon_lives(), "routes as they should be", NULL);
    refused(give_routes(&c, 0, 4096, true), "routes twice");
    close_client(&c);
}

static void wrong_area(void)
{
    const char *real_core = core;
    int err;
    struct client c;
    struct iotp_area_hdr *h;
    struct iotp_msg m = {.type = IOTP_MSG_AREA, .nfds = 2};

    open_client(&c);
    hello(&c);
    iotp_layout_of(1, 1, 16, &c.lay);
    c.area_fd = iotp_memfd("bad-area", c.lay.size);
    c.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c.area = mmap(NULL, c.lay.size, PROT_READ | PROT_WRITE, MAP_SHARED, c.area_fd, 0);
    iotp_area_format(c.area, &c.lay, IOTP_F_ALL);
    h = (struct iotp_area_hdr *)c.area;
    h->nvcpus = 200; /* the layout would run off the end */
    m.fd[0] = c.area_fd;
    m.fd[1] = c.kick_fd;
    m.u.area = (struct iotp_area){.size = c.lay.size};
    snprintf(m.u.area.core, sizeof(m.u.area.core), "%s", core);
    refused(iotp_msg_ask(c.sock, &m, NULL), "an area whose header lies");
    close_client(&c);
    open_client(&c);
    hello(&c);
    core = "no-such-core";
    err = give_area(&c, 1);
    core = real_core;
    refused(err, "an I/O core that is not there");
    close_client(&c);
}

/* --- attached, then nonsense --- */

/* Every register, every size, random strings to random addresses; each must be answered. */
static void nonsense_requests(unsigned rounds)
{
    struct client c;
    struct iotp_vcpu v;
    unsigned answered = 0;
    char text[64];

    if (!attach(&c, 1)) {
        result(false, "nonsense requests", "cannot attach");
        close_client(&c);
        return;
    }
    iotp_vcpu_init(&v, c.area, &c.lay, 0, 1000000, c.kick_fd);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t a = rnd(), b = rnd();
        struct iotp_req r = {.offset = a % 5 ? a % 40 : rnd(),
                             .data = rnd(),
                             .mem = b % 3 ? b % (2 * MEM_SIZE) : rnd(),
                             .count = a % 7 ? (uint32_t)(b % 3000) : (uint32_t)rnd(),
                             .device = a % 50 ? 0 : (uint16_t)rnd(),
                             .region = a % 20 ? 0 : (uint8_t)rnd(),
                             .op = (uint8_t)(rnd() % (a % 9 ? 8 : 256)),
                             .size = a % 11 ? (uint8_t)(1u << (b % 4)) : (uint8_t)rnd()};
        struct iotp_resp resp;

        if (a % 3 == 0)
            iotp_post(&v, r.device, r.region, r.offset, r.size, r.data);
        if (iotp_call(&v, &r, &resp) || resp.status > IOTP_FAILED)
            break;
        answered++;
    }
    snprintf(text, sizeof(text), "%u of %u answered", answered, rounds);
    result(answered == rounds && daemon_lives(), "nonsense requests", text);
    close_client(&c);
}

/* Scribbles over the whole area while the I/O core serves it, then dies in mid-request. */
static void scribble(unsigned ms)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct client c;
        struct timespec t0, t;

        if (!attach(&c, 8))
            _exit(1);
        clock_gettime(CLOCK_MONOTONIC, &t0);
        do {
            for (unsigned i = 0; i < 2000; i++) {
                uint64_t at = rnd() % (c.lay.size / 8), value = rnd();

                __atomic_store_n((uint64_t *)c.area + at, value, __ATOMIC_RELAXED);
                at = (IOTP_OFF_SUMMARY + rnd() % 1024) / 8;
                __atomic_store_n((uint64_t *)c.area + at, value % 3 ? value % 64 : value,
                                 __ATOMIC_RELAXED);
            }
            clock_gettime(CLOCK_MONOTONIC, &t);
        } while ((t.tv_sec - t0.tv_sec) * 1000 + (t.tv_nsec - t0.tv_nsec) / 1000000 < (long)ms);
        _exit(0); /* with requests in flight */
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        status = -1;
    result(status == 0 && daemon_lives(), "an area scribbled over, then death in mid-request",
           NULL);
}

/* More VMs than one would like, none of which says anything. */
static void silent_crowd(void)
{
    int sock[200];
    unsigned n = 0;

    for (; n < 200; n++)
        if ((sock[n] = iotp_connect(path)) < 0)
            break;
    result(daemon_lives(), "200 silent connections", NULL);
    while (n)
        close(sock[--n]);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: hostile_vmm SOCKET CORE [SEED]\n");
        return 2;
    }
    path = argv[1];
    core = argv[2];
    rng = argc > 3 ? strtoull(argv[3], NULL, 10) : 0x9e3779b97f4a7c15ull;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("# seed %llu\n", (unsigned long long)rng);
    result(daemon_lives(), "a well-behaved VM is served", NULL);
    malformed();
    wrong_order();
    wrong_memory();
    nonsense_requests(20000);
    scribble(1500);
    silent_crowd();
    wrong_area();
    wrong_routes();
    result(daemon_lives(), "a well-behaved VM is served afterwards", NULL);
    printf("# %u passed, %u failed\n", passed, failed);
    return failed != 0;
}
