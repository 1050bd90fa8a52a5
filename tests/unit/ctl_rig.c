/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl_rig.h"

#include <CUnit/CUnit.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned ctl_open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

void ctl_pair(int s[2])
{
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s),
                          0);
}

void ctl_close(int s[2])
{
    close(s[0]);
    close(s[1]);
}

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

unsigned ctl_fds(unsigned type)
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

struct iotp_msg ctl_good(unsigned type)
{
    struct iotp_msg m = {.type = (uint16_t)type, .serial = 0x1000 + type, .nfds = ctl_fds(type)};

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

size_t ctl_body(unsigned type)
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

void ctl_send_raw(int sock, const void *p, size_t len, unsigned nfds)
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

size_t ctl_packet(unsigned type, uint8_t packet[IOTP_MAX_MSG])
{
    struct iotp_msg m = ctl_good(type);
    struct iotp_msg_hdr h = {IOTP_MAGIC, m.type, (uint16_t)m.nfds, (uint32_t)ctl_body(type),
                             m.serial};

    memcpy(packet, &h, sizeof(h));
    memcpy(packet + sizeof(h), &m.u, ctl_body(type));
    return sizeof(h) + ctl_body(type);
}

int ctl_receive(int sock, uint32_t *serial)
{
    unsigned before = ctl_open_fds();
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
    CU_ASSERT_EQUAL(ctl_open_fds(), before);
    return err;
}
