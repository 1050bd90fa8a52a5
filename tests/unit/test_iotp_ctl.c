/* SPDX-License-Identifier: BSD-3-Clause */
/* IOTP's control messages over a real socket pair: every message there and back, every malformation
 * refused, no descriptor left behind. */
#include <CUnit/CUnit.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void make_pair(int s[2])
{
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s),
                          0);
}

static void close_pair(int s[2])
{
    close(s[0]);
    close(s[1]);
}

/* --- one good message of each type --- */

static void fill_memory(struct iotp_memory *t)
{
    t->nregions = 3;
    t->region[0] = (struct iotp_memory_region){0, 0xa0000, 0};
    t->region[1] = (struct iotp_memory_region){0x100000, 0x7ff00000, 0x100000};
    t->region[2] = (struct iotp_memory_region){0 - 0x1000ull, 0x1000, 0};
}

static void fill_device(struct iotp_device *d)
{
    *d = (struct iotp_device){.area = IOTP_MAX_AREAS - 1,
                              .device = IOTP_MAX_DEVICES - 1,
                              .nlines = 2,
                              .has_state = 1,
                              .mac = {0x52, 0x54, 0, 1, 2, 3},
                              .io_base = 0x300,
                              .mmio_base = 0xfe000000,
                              .irq = 9,
                              .connected = 1,
                              .model = "ne2000",
                              .name = "ne2000.0"};
}

static void fill_device_info(struct iotp_device_info *d)
{
    *d = (struct iotp_device_info){.nwindows = 2, .nranges = 2, .ncells = 2, .pci = 1};
    d->window[0] = (struct iotp_window){.space = 1, .size = 32, .base = 65536 - 32};
    d->window[1] = (struct iotp_window){.region = 1, .space = 2, .size = 4096, .base = 0xfebf0000};
    d->range[0] = (struct iotp_range){.flags = IOTP_RANGE_POSTED, .length = 4, .offset = 0x10};
    d->range[1] = (struct iotp_range){.region = 7, .length = 65535, .offset = 0};
    d->cell[0] = (struct iotp_cell){.size = 1, .offset = 7};
    d->cell[1] = (struct iotp_cell){.region = 7, .size = 8, .offset = 0xfffffff8};
}

static unsigned fds_of(unsigned type)
{
    switch (type) {
    case IOTP_MSG_MEMORY:
    case IOTP_MSG_MSI:
    case IOTP_MSG_DEVICE: return 3;
    case IOTP_MSG_AREA: return 2;
    case IOTP_MSG_DOMAIN:
    case IOTP_MSG_DEVICE_INFO: return 1;
    default: return 0;
    }
}

/* A good message of this type; its descriptors (all the same file) are the caller's to close. */
static struct iotp_msg good(unsigned type)
{
    struct iotp_msg m = {.type = (uint16_t)type, .serial = 0x1000 + type, .nfds = fds_of(type)};

    for (unsigned i = 0; i < IOTP_MAX_FDS; i++)
        m.fd[i] = STDERR_FILENO;
    switch (type) {
    case IOTP_MSG_HELLO: m.u.hello = (struct iotp_hello){1, 9, 4711, ~0ull, "vm-1_a.b"}; break;
    case IOTP_MSG_HELLO_OK:
        m.u.hello_ok = (struct iotp_hello_ok){
            .version = 1, .max_vcpus = 256, .max_devices = 64, .features = IOTP_F_ALL};
        strcpy(m.u.hello_ok.daemon, "0123456789012345678901234567890");
        break;
    case IOTP_MSG_MEMORY: fill_memory(&m.u.memory); break;
    case IOTP_MSG_AREA:
        m.u.area = (struct iotp_area){.area = 15, .size = 40960, .core = "io0"};
        break;
    case IOTP_MSG_DOMAIN:
        m.u.domain = (struct iotp_domain){
            .area = 15, .domid = 7, .nvcpus = 128, .flags = IOTP_DOMAIN_ALL, .core = "io0"};
        break;
    case IOTP_MSG_DEVICE: fill_device(&m.u.device); break;
    case IOTP_MSG_MSI: m.u.msi = (struct iotp_msi){.area = 15, .device = 63, .nroutes = 1}; break;
    case IOTP_MSG_DEVICE_INFO: fill_device_info(&m.u.device_info); break;
    case IOTP_MSG_ERROR:
        m.u.error = (struct iotp_error){.error = -EPERM, .text = "no: \"that\" is not allowed"};
        break;
    }
    return m;
}

static size_t body_of(unsigned type)
{
    switch (type) {
    case IOTP_MSG_HELLO: return sizeof(struct iotp_hello);
    case IOTP_MSG_HELLO_OK: return sizeof(struct iotp_hello_ok);
    case IOTP_MSG_MEMORY: return sizeof(struct iotp_memory);
    case IOTP_MSG_AREA: return sizeof(struct iotp_area);
    case IOTP_MSG_DOMAIN: return sizeof(struct iotp_domain);
    case IOTP_MSG_DEVICE: return sizeof(struct iotp_device);
    case IOTP_MSG_MSI: return sizeof(struct iotp_msi);
    case IOTP_MSG_DEVICE_INFO: return sizeof(struct iotp_device_info);
    case IOTP_MSG_ERROR: return sizeof(struct iotp_error);
    default: return 0;
    }
}

static void each_message_arrives(void)
{
    unsigned before = open_fds();
    int s[2];

    make_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= IOTP_MSG_MSI; type++) {
        struct iotp_msg m = good(type), r;
        const char *why = "";

        CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), 0);
        CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, &why), 0);
        CU_ASSERT_PTR_NULL(why);
        CU_ASSERT_EQUAL(r.type, type);
        CU_ASSERT_EQUAL(r.serial, m.serial);
        CU_ASSERT_EQUAL(r.nfds, m.nfds);
        CU_ASSERT_EQUAL(memcmp(&r.u, &m.u, body_of(type)), 0);
        for (unsigned i = 0; i < IOTP_MAX_FDS; i++)
            CU_ASSERT_EQUAL(i < r.nfds, r.fd[i] >= 0);
        iotp_msg_close(&r);
        CU_ASSERT_EQUAL(r.nfds, 0);
        iotp_msg_close(&r); /* harmless */
    }
    close_pair(s);
    CU_ASSERT_EQUAL(open_fds(), before);
}

/* The descriptors are the sender's files, in order, closed on exec. */
static void descriptors_are_passed(void)
{
    struct iotp_msg m = good(IOTP_MSG_AREA), r;
    uint64_t n = 7;
    int s[2];

    make_pair(s);
    m.fd[0] = iotp_memfd("test", 8192);
    m.fd[1] = eventfd(0, EFD_CLOEXEC);
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(r.fd[0], 8192), 0);
    CU_ASSERT_EQUAL(write(r.fd[1], &n, 8), 8);
    n = 0;
    CU_ASSERT_EQUAL(read(m.fd[1], &n, 8), 8);
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT_EQUAL(fcntl(r.fd[0], F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(fcntl(r.fd[1], F_GETFD), FD_CLOEXEC);
    iotp_msg_close(&r);
    iotp_msg_close(&m);
    close_pair(s);
}

/* --- malformed packets --- */

/* Sends raw bytes with `nfds` descriptors. */
static void send_raw(int sock, const void *p, size_t len, unsigned nfds)
{
    char room[CMSG_SPACE(64 * sizeof(int))] = {0};
    struct iovec iov = {.iov_base = (void *)p, .iov_len = len};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

    if (nfds) {
        struct cmsghdr *c;

        h.msg_control = room;
        h.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        c = CMSG_FIRSTHDR(&h);
        *c = (struct cmsghdr){CMSG_LEN(nfds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        for (unsigned i = 0; i < nfds; i++)
            memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){STDERR_FILENO}, sizeof(int));
    }
    CU_ASSERT_EQUAL(sendmsg(sock, &h, MSG_NOSIGNAL), (ssize_t)len);
}

/* A good message as a packet. @return its length */
static size_t packet_of(unsigned type, uint8_t packet[IOTP_MAX_MSG])
{
    struct iotp_msg m = good(type);
    struct iotp_msg_hdr h = {IOTP_MAGIC, m.type, (uint16_t)m.nfds, (uint32_t)body_of(type),
                             m.serial};

    memcpy(packet, &h, sizeof(h));
    memcpy(packet + sizeof(h), &m.u, body_of(type));
    return sizeof(h) + body_of(type);
}

/* @return the error; with it there must be a reason, and no descriptor left. */
static int receive(int sock, uint32_t *serial)
{
    unsigned before = open_fds();
    const char *why = NULL;
    struct iotp_msg r;
    int err = iotp_msg_recv(sock, &r, &why);

    if (serial)
        *serial = r.serial;
    if (err == -EPROTO) {
        CU_ASSERT_PTR_NOT_NULL(why);
        CU_ASSERT_EQUAL(r.nfds, 0);
    }
    iotp_msg_close(&r);
    CU_ASSERT_EQUAL(open_fds(), before);
    return err;
}

static void lengths_are_exact(void)
{
    uint8_t p[IOTP_MAX_MSG];
    uint32_t serial;
    int s[2];

    make_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= IOTP_MSG_MSI; type++) {
        size_t len = packet_of(type, p);

        for (size_t cut = 1; cut <= len; cut++) {
            send_raw(s[0], p, len - cut, cut < len ? fds_of(type) : 0);
            CU_ASSERT_EQUAL(receive(s[1], &serial), cut < len ? -EPROTO : -ENOTCONN);
            CU_ASSERT_EQUAL(serial, len - cut >= 16 ? 0x1000 + type : 0);
        }
        memset(p + len, 0, sizeof(p) - len);
        send_raw(s[0], p, len + 1, fds_of(type));
        CU_ASSERT_EQUAL(receive(s[1], &serial), -EPROTO);
        send_raw(s[0], p, IOTP_MAX_MSG, fds_of(type));
        CU_ASSERT_EQUAL(receive(s[1], &serial), -EPROTO);
        send_raw(s[0], p, len, fds_of(type)); /* still in step */
        CU_ASSERT_EQUAL(receive(s[1], &serial), 0);
    }
    close_pair(s);
}

static void oversized_packets_are_refused(void)
{
    uint8_t p[4 * IOTP_MAX_MSG] = {0};
    int s[2];

    make_pair(s);
    packet_of(IOTP_MSG_DEVICE, p);
    for (size_t len = IOTP_MAX_MSG + 1; len <= sizeof(p); len += 511) {
        send_raw(s[0], p, len, 3);
        CU_ASSERT_EQUAL(receive(s[1], NULL), -EPROTO);
    }
    close_pair(s);
}

/* Fewer, more, and more than there is room for: refused, and all of them closed. */
static void descriptors_are_counted(void)
{
    uint8_t p[IOTP_MAX_MSG];
    int s[2];

    make_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= IOTP_MSG_MSI; type++) {
        size_t len = packet_of(type, p);

        for (unsigned nfds = 0; nfds < 40; nfds += nfds < 10 ? 1 : 13) {
            /* both with the header's count as it was, and as it came */
            for (unsigned told = 0; told < 2; told++) {
                packet_of(type, p);
                if (told)
                    ((struct iotp_msg_hdr *)p)->nfds = (uint16_t)nfds;
                send_raw(s[0], p, len, nfds);
                CU_ASSERT_EQUAL(receive(s[1], NULL), nfds == fds_of(type) ? 0 : -EPROTO);
            }
        }
    }
    send_raw(s[0], p, 0, 2); /* an empty packet, with descriptors */
    CU_ASSERT_EQUAL(receive(s[1], NULL), -EPROTO);
    close_pair(s);
}

/* One field of a good message replaced. */
struct patch {
    const char *what;
    unsigned type;
    size_t at;      /* in the body; HDR: in the header */
    unsigned bytes; /* of value; 0: a name of 32 characters without an end */
    uint64_t value;
};
#define HDR(field)       0x8000 + offsetof(struct iotp_msg_hdr, field)
#define AT(type, field)  offsetof(struct type, field)
#define REGION(i, field) offsetof(struct iotp_memory, region[i].field)
#define INFO(field)      offsetof(struct iotp_device_info, field)

static const struct patch refused[] = {
    {"magic", IOTP_MSG_OK, HDR(magic), 4, 0x50544f48},
    {"type 0", IOTP_MSG_OK, HDR(type), 2, 0},
    {"type 12", IOTP_MSG_OK, HDR(type), 2, 12},
    {"type 65535", IOTP_MSG_OK, HDR(type), 2, 65535},
    {"length 1", IOTP_MSG_OK, HDR(length), 4, 1},
    {"length huge", IOTP_MSG_HELLO, HDR(length), 4, 0xffffffff},
    {"serial 0", IOTP_MSG_START, HDR(serial), 4, 0},
    {"version_min 0", IOTP_MSG_HELLO, AT(iotp_hello, version_min), 2, 0},
    {"version_min above max", IOTP_MSG_HELLO, AT(iotp_hello, version_min), 2, 10},
    {"vm empty", IOTP_MSG_HELLO, AT(iotp_hello, vm), 1, 0},
    {"vm endless", IOTP_MSG_HELLO, AT(iotp_hello, vm), 0, 0},
    {"vm with a slash", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 1, 1, '/'},
    {"vm begins with a dot", IOTP_MSG_HELLO, AT(iotp_hello, vm), 1, '.'},
    {"vm with an escape", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 3, 1, 0x1b},
    {"vm not ASCII", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 3, 1, 0xe4},
    {"version 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, version), 2, 0},
    {"version 2", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, version), 2, 2},
    {"max_vcpus 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_vcpus), 2, 0},
    {"max_vcpus 257", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_vcpus), 2, 257},
    {"max_devices 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_devices), 4, 0},
    {"max_devices 65", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_devices), 4, 65},
    {"features unknown", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, features), 8, 1ull << 40},
    {"daemon empty", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, daemon), 1, 0},
    {"daemon endless", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, daemon), 0, 0},
    {"nregions 0", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 0},
    {"nregions 2 of 3", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 2},
    {"nregions 9", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 9},
    {"nregions huge", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 0xffffffff},
    {"memory reserved", IOTP_MSG_MEMORY, AT(iotp_memory, reserved), 4, 1},
    {"unused region", IOTP_MSG_MEMORY, REGION(7, offset), 8, 1},
    {"gpa unaligned", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0x100800},
    {"size unaligned", IOTP_MSG_MEMORY, REGION(1, size), 8, 0x1001},
    {"size 0", IOTP_MSG_MEMORY, REGION(1, size), 8, 0},
    {"offset unaligned", IOTP_MSG_MEMORY, REGION(1, offset), 8, 1},
    {"overlap by a page", IOTP_MSG_MEMORY, REGION(0, size), 8, 0x101000},
    {"same place", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0},
    {"overlap from within", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0x1000},
    {"gpa wraps", IOTP_MSG_MEMORY, REGION(2, size), 8, 0x2000},
    {"gpa wraps far", IOTP_MSG_MEMORY, REGION(2, size), 8, 0 - 0x1000ull},
    {"offset negative", IOTP_MSG_MEMORY, REGION(1, offset), 8, 1ull << 63},
    {"offset plus size", IOTP_MSG_MEMORY, REGION(1, offset), 8, (1ull << 63) - 0x1000},
    {"area index", IOTP_MSG_AREA, AT(iotp_area, area), 4, IOTP_MAX_AREAS},
    {"area reserved", IOTP_MSG_AREA, AT(iotp_area, reserved), 4, 1},
    {"area unaligned", IOTP_MSG_AREA, AT(iotp_area, size), 8, 40961},
    {"area too small", IOTP_MSG_AREA, AT(iotp_area, size), 8, 8192},
    {"area too large", IOTP_MSG_AREA, AT(iotp_area, size), 8, 1ull << 40},
    {"core empty", IOTP_MSG_AREA, AT(iotp_area, core), 1, 0},
    {"core endless", IOTP_MSG_AREA, AT(iotp_area, core), 0, 0},
    {"domain's area", IOTP_MSG_DOMAIN, AT(iotp_domain, area), 4, IOTP_MAX_AREAS},
    {"nvcpus 0", IOTP_MSG_DOMAIN, AT(iotp_domain, nvcpus), 2, 0},
    {"nvcpus 129", IOTP_MSG_DOMAIN, AT(iotp_domain, nvcpus), 2, 129},
    {"domain flags", IOTP_MSG_DOMAIN, AT(iotp_domain, flags), 4, IOTP_DOMAIN_ALL + 1},
    {"domain reserved", IOTP_MSG_DOMAIN, AT(iotp_domain, reserved), 4, 1},
    {"domain's core", IOTP_MSG_DOMAIN, AT(iotp_domain, core), 1, 0},
    {"msi's area", IOTP_MSG_MSI, AT(iotp_msi, area), 4, IOTP_MAX_AREAS},
    {"msi's device", IOTP_MSG_MSI, AT(iotp_msi, device), 2, IOTP_MAX_DEVICES},
    {"no routes", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 0},
    {"routes without descriptors", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 2},
    {"33 routes", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 33},
    {"slot 32", IOTP_MSG_DEVICE, AT(iotp_device, slot), 1, 32},
    {"device's area", IOTP_MSG_DEVICE, AT(iotp_device, area), 4, IOTP_MAX_AREAS},
    {"device index", IOTP_MSG_DEVICE, AT(iotp_device, device), 2, IOTP_MAX_DEVICES},
    {"nlines 5", IOTP_MSG_DEVICE, AT(iotp_device, nlines), 1, 5},
    {"nlines 1 of 2", IOTP_MSG_DEVICE, AT(iotp_device, nlines), 1, 1},
    {"has_state 0", IOTP_MSG_DEVICE, AT(iotp_device, has_state), 1, 0},
    {"has_state 2", IOTP_MSG_DEVICE, AT(iotp_device, has_state), 1, 2},
    {"group address", IOTP_MSG_DEVICE, AT(iotp_device, mac), 1, 0x53},
    {"connected 2", IOTP_MSG_DEVICE, AT(iotp_device, connected), 1, 2},
    {"device reserved", IOTP_MSG_DEVICE, AT(iotp_device, reserved) + 4, 1, 1},
    {"model empty", IOTP_MSG_DEVICE, AT(iotp_device, model), 1, 0},
    {"model endless", IOTP_MSG_DEVICE, AT(iotp_device, model), 0, 0},
    {"name empty", IOTP_MSG_DEVICE, AT(iotp_device, name), 1, 0},
    {"name endless", IOTP_MSG_DEVICE, AT(iotp_device, name), 0, 0},
    {"nwindows 9", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 9},
    {"nwindows 1 of 2", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 1},
    {"nwindows 255", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 255},
    {"nranges 17", IOTP_MSG_DEVICE_INFO, INFO(nranges), 1, 17},
    {"nranges 1 of 2", IOTP_MSG_DEVICE_INFO, INFO(nranges), 1, 1},
    {"ncells 31", IOTP_MSG_DEVICE_INFO, INFO(ncells), 1, 31},
    {"ncells 3 of 2", IOTP_MSG_DEVICE_INFO, INFO(ncells), 1, 3},
    {"pci 2", IOTP_MSG_DEVICE_INFO, INFO(pci), 1, 2},
    {"info reserved", IOTP_MSG_DEVICE_INFO, INFO(reserved), 4, 1},
    {"window region", IOTP_MSG_DEVICE_INFO, INFO(window[1].region), 1, 8},
    {"window space", IOTP_MSG_DEVICE_INFO, INFO(window[1].space), 1, 3},
    {"window reserved", IOTP_MSG_DEVICE_INFO, INFO(window[1].reserved) + 5, 1, 1},
    {"window size 0", IOTP_MSG_DEVICE_INFO, INFO(window[1].size), 8, 0},
    {"window wraps", IOTP_MSG_DEVICE_INFO, INFO(window[1].base), 8, 0 - 4095ull},
    {"ports beyond", IOTP_MSG_DEVICE_INFO, INFO(window[0].base), 8, 65536 - 31},
    {"ports too many", IOTP_MSG_DEVICE_INFO, INFO(window[0].size), 8, 65537},
    {"range region", IOTP_MSG_DEVICE_INFO, INFO(range[1].region), 1, 8},
    {"range flags", IOTP_MSG_DEVICE_INFO, INFO(range[1].flags), 1, 2},
    {"range empty", IOTP_MSG_DEVICE_INFO, INFO(range[1].length), 2, 0},
    {"range wraps", IOTP_MSG_DEVICE_INFO, INFO(range[0].offset), 4, 0xfffffffd},
    {"cell region", IOTP_MSG_DEVICE_INFO, INFO(cell[1].region), 1, 8},
    {"cell size", IOTP_MSG_DEVICE_INFO, INFO(cell[1].size), 1, 3},
    {"cell reserved", IOTP_MSG_DEVICE_INFO, INFO(cell[1].reserved), 2, 1},
    {"cell wraps", IOTP_MSG_DEVICE_INFO, INFO(cell[1].offset), 4, 0xfffffff9},
    {"error 0", IOTP_MSG_ERROR, AT(iotp_error, error), 4, 0},
    {"error positive", IOTP_MSG_ERROR, AT(iotp_error, error), 4, 1},
    {"error too low", IOTP_MSG_ERROR, AT(iotp_error, error), 4, (uint32_t)-4096},
    {"error reserved", IOTP_MSG_ERROR, AT(iotp_error, reserved), 4, 1},
    {"text with an escape", IOTP_MSG_ERROR, AT(iotp_error, text), 1, 0x1b},
    {"text with a newline", IOTP_MSG_ERROR, AT(iotp_error, text), 1, '\n'},
    {"text not ASCII", IOTP_MSG_ERROR, AT(iotp_error, text), 1, 0xff},
};

static void apply(const struct patch *c, uint8_t *packet)
{
    size_t at = c->at >= 0x8000 ? c->at - 0x8000 : c->at + sizeof(struct iotp_msg_hdr);

    if (c->bytes)
        memcpy(packet + at, &c->value, c->bytes);
    else
        memset(packet + at, 'a', IOTP_NAME_SIZE);
}

static void each_bad_field_is_refused(void)
{
    uint8_t p[IOTP_MAX_MSG];
    int s[2];

    make_pair(s);
    for (unsigned i = 0; i < COUNT(refused); i++) {
        const struct patch *c = &refused[i];
        size_t len = packet_of(c->type, p);

        apply(c, p);
        send_raw(s[0], p, len, fds_of(c->type));
        if (receive(s[1], NULL) != -EPROTO)
            CU_FAIL(c->what);
    }
    close_pair(s);
}

static void endless_text_is_refused(void)
{
    uint8_t p[IOTP_MAX_MSG];
    struct iotp_msg m;
    size_t len = packet_of(IOTP_MSG_ERROR, p);

    memset(p + len - IOTP_TEXT_SIZE, 'a', IOTP_TEXT_SIZE);
    CU_ASSERT_EQUAL(iotp_msg_parse(p, len, 0, &m, NULL), -EPROTO);
    p[len - 1] = '\0';
    CU_ASSERT_EQUAL(iotp_msg_parse(p, len, 0, &m, NULL), 0);
}

/* What would be refused is not sent either. */
static void nothing_bad_is_sent(void)
{
    struct iotp_msg m = good(IOTP_MSG_AREA);
    int s[2];

    make_pair(s);
    m.nfds = 1;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m = good(IOTP_MSG_DEVICE);
    m.u.device.name[0] = '\0';
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m = good(IOTP_MSG_OK);
    m.nfds = IOTP_MAX_FDS + 1;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m.nfds = 0;
    m.type = 99;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    CU_ASSERT_EQUAL(receive(s[1], NULL), -EAGAIN);
    close_pair(s);
}

/* --- the conversation --- */

static void a_peer_that_is_gone(void)
{
    struct iotp_msg m = good(IOTP_MSG_OK);
    int s[2];

    make_pair(s);
    close(s[1]);
    CU_ASSERT_EQUAL(receive(s[0], NULL), -ENOTCONN);
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -ENOTCONN);
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -ENOTCONN);
    close(s[0]);
    make_pair(s);
    CU_ASSERT_EQUAL(iotp_msg_send(s[1], &m), 0);
    close(s[0]); /* with a message unread: the kernel calls that a reset */
    CU_ASSERT_EQUAL(receive(s[1], NULL), -ENOTCONN);
    close(s[1]);
}

/* The answer is there before the question, which is as good for the asker. */
static int ask(unsigned type, unsigned answer, uint32_t serial, struct iotp_msg *m)
{
    struct iotp_msg a = good(answer);
    const char *why;
    int s[2], err;

    make_pair(s);
    a.serial = serial;
    CU_ASSERT_EQUAL(iotp_msg_send(s[1], &a), 0);
    *m = good(type);
    m->serial = 77;
    err = iotp_msg_ask(s[0], m, &why);
    CU_ASSERT_EQUAL(receive(s[1], NULL), 0);
    close_pair(s);
    return err;
}

static void asking_takes_the_right_answer(void)
{
    unsigned before = open_fds();
    struct iotp_msg m;

    CU_ASSERT_EQUAL(ask(IOTP_MSG_HELLO, IOTP_MSG_HELLO_OK, 77, &m), 0);
    CU_ASSERT_EQUAL(m.u.hello_ok.max_vcpus, 256);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_MEMORY, IOTP_MSG_OK, 77, &m), 0);
    CU_ASSERT_EQUAL(m.nfds, 0);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_DEVICE, IOTP_MSG_DEVICE_INFO, 77, &m), 0);
    CU_ASSERT_EQUAL(m.nfds, 1);
    CU_ASSERT_TRUE(m.fd[0] > STDERR_FILENO);
    iotp_msg_close(&m);
    CU_ASSERT_EQUAL(open_fds(), before);
}

static void asking_refuses_other_answers(void)
{
    unsigned before = open_fds();
    struct iotp_msg m;

    CU_ASSERT_EQUAL(ask(IOTP_MSG_AREA, IOTP_MSG_ERROR, 77, &m), -EPERM);
    CU_ASSERT_EQUAL(m.type, IOTP_MSG_ERROR);
    CU_ASSERT_STRING_EQUAL(m.u.error.text, "no: \"that\" is not allowed");
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_ERROR, 0, &m), -EPERM);
    CU_ASSERT_EQUAL(m.serial, 0);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_ERROR, 76, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_OK, 76, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_DEVICE_INFO, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_HELLO, IOTP_MSG_OK, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_DEVICE, IOTP_MSG_OK, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(open_fds(), before);
}

/* Without an answer; the asker's own descriptors must not look like received ones. */
static void asking_chooses_a_serial(void)
{
    struct iotp_msg m = good(IOTP_MSG_AREA), r;
    int s[2];

    make_pair(s);
    m.serial = 0;
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -EAGAIN);
    CU_ASSERT_EQUAL(m.nfds, 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_NOT_EQUAL(r.serial, 0);
    iotp_msg_close(&r);
    m = good(IOTP_MSG_AREA);
    m.nfds = 1;
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -EINVAL);
    CU_ASSERT_EQUAL(m.nfds, 0);
    close_pair(s);
}

static void errors_are_made_presentable(void)
{
    struct iotp_msg r;
    char text[400];
    int s[2];

    make_pair(s);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[1] = '\n';
    text[2] = '\xc3';
    CU_ASSERT_EQUAL(iotp_msg_error(s[0], 5, -ENODEV, "%d%s", 1, text), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(r.u.error.error, -ENODEV);
    CU_ASSERT_EQUAL(r.serial, 5);
    CU_ASSERT_EQUAL(strlen(r.u.error.text), IOTP_TEXT_SIZE - 1);
    CU_ASSERT_EQUAL(strncmp(r.u.error.text, "1x??xxx", 7), 0);
    CU_ASSERT_EQUAL(iotp_msg_error(s[0], 0, 12, "positive"), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(r.u.error.error, -EPROTO);
    close_pair(s);
}

/* --- sockets and memory --- */

static void temp_dir(char dir[64])
{
    strcpy(dir, "/tmp/iotp-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static void listening_takes_a_stale_socket_only(void)
{
    char dir[64], path[96];
    int l, c, a;
    struct stat st;
    mode_t mask = umask(0);

    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/ctl", dir);
    CU_ASSERT_EQUAL(iotp_connect(path), -ENOENT);
    l = iotp_listen(path);
    CU_ASSERT_TRUE_FATAL(l >= 0);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode, S_IFSOCK | 0600);
    CU_ASSERT_EQUAL(fcntl(l, F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(iotp_listen(path), -EADDRINUSE);
    close(accept(l, NULL, NULL)); /* the probe */
    c = iotp_connect(path);
    CU_ASSERT_TRUE(c >= 0);
    a = accept(l, NULL, NULL);
    CU_ASSERT_TRUE(a >= 0);
    close(l);
    CU_ASSERT_EQUAL(iotp_connect(path), -ECONNREFUSED);
    l = iotp_listen(path); /* although a connection of the former server lives on */
    CU_ASSERT_TRUE(l >= 0);
    close(a);
    close(c);
    close(l);
    unlink(path);
    rmdir(dir);
    umask(mask);
}

/* A socket of another kind that is served, and one whose server is too busy to accept. */
static void listening_respects_others(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char dir[64];
    int stream, l, c[64];
    unsigned n = 0;

    temp_dir(dir);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
    stream = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(stream, (struct sockaddr *)&a, sizeof(a)), 0);
    CU_ASSERT_EQUAL(listen(stream, 1), 0);
    CU_ASSERT_EQUAL(iotp_listen(a.sun_path), -EADDRINUSE);
    close(stream);
    l = iotp_listen(a.sun_path);
    CU_ASSERT_TRUE_FATAL(l >= 0);
    for (; n < COUNT(c); n++) { /* fill the backlog */
        c[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
        if (connect(c[n], (struct sockaddr *)&a, sizeof(a)))
            break;
    }
    CU_ASSERT_TRUE_FATAL(n < COUNT(c));
    CU_ASSERT_EQUAL(errno, EAGAIN);
    CU_ASSERT_EQUAL(iotp_listen(a.sun_path), -EADDRINUSE);
    for (unsigned i = 0; i <= n; i++)
        close(c[i]);
    close(l);
    unlink(a.sun_path);
    rmdir(dir);
}

static void listening_spares_files(void)
{
    char dir[64], path[96], longest[200];
    int fd;

    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/precious", dir);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CU_ASSERT_TRUE(fd >= 0);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOTSOCK);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    close(fd);
    unlink(path);
    CU_ASSERT_EQUAL(symlink("/nowhere", path), 0);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOTSOCK);
    unlink(path);
    rmdir(dir);
    CU_ASSERT_EQUAL(iotp_listen(path), -ENOENT);
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    CU_ASSERT_EQUAL(iotp_listen(longest), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(iotp_connect(longest), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(iotp_listen(""), -EINVAL);
    CU_ASSERT_EQUAL(iotp_connect(""), -EINVAL);
}

static void memory_is_sealed(void)
{
    int fd = iotp_memfd("test", 8192);
    const uint8_t *p;

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(ftruncate(fd, 4096), -1);
    CU_ASSERT_EQUAL(ftruncate(fd, 16384), -1);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    CU_ASSERT_EQUAL(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CU_ASSERT_TRUE_FATAL(p != MAP_FAILED);
    CU_ASSERT_TRUE(p[0] == 0 && p[8191] == 0);
    munmap((void *)p, 8192);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 8192), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 8193), -EINVAL);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, UINT64_MAX), -EINVAL);
    close(fd);
    CU_ASSERT_EQUAL(iotp_memfd("test", 0), -EINVAL);
    CU_ASSERT_EQUAL(iotp_memfd("test", 1ull << 63), -EINVAL);
}

static void unsealed_memory_is_refused(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), efd = eventfd(0, 0);
    int p[2];

    CU_ASSERT_EQUAL(ftruncate(fd, 8192), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EPERM);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EPERM);
    CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(efd, 0), -EPERM);
    CU_ASSERT_EQUAL(pipe(p), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(p[0], 0), -EPERM);
    close(p[0]);
    close(p[1]);
    close(efd);
    close(fd);
    CU_ASSERT_EQUAL(iotp_memfd_check(fd, 4096), -EBADF);
}

const char *const suite_name = "iotp_ctl";
const struct cu_test suite_tests[] = {
    {"each message arrives", each_message_arrives},
    {"descriptors are passed", descriptors_are_passed},
    {"lengths are exact", lengths_are_exact},
    {"oversized packets are refused", oversized_packets_are_refused},
    {"descriptors are counted", descriptors_are_counted},
    {"each bad field is refused", each_bad_field_is_refused},
    {"endless text is refused", endless_text_is_refused},
    {"nothing bad is sent", nothing_bad_is_sent},
    {"a peer that is gone", a_peer_that_is_gone},
    {"asking takes the right answer", asking_takes_the_right_answer},
    {"asking refuses other answers", asking_refuses_other_answers},
    {"asking chooses a serial", asking_chooses_a_serial},
    {"errors are made presentable", errors_are_made_presentable},
    {"listening takes a stale socket only", listening_takes_a_stale_socket_only},
    {"listening respects others", listening_respects_others},
    {"listening spares files", listening_spares_files},
    {"memory is sealed", memory_is_sealed},
    {"unsealed memory is refused", unsealed_memory_is_refused},
    {NULL, NULL},
};
