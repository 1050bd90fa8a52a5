/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP from C++, as another project would use it: installed headers, the shared library, flags from
 * pkg-config. Both sides of an area and of the control channel, in one process.
 */
#include <coopvmm/iotp.h>
#include <coopvmm/iotp_ctl.h>
#include <coopvmm/iotp_ioc.h>
#include <coopvmm/iotp_vmm.h>

#include <cstdio>
#include <cstring>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace
{

unsigned passed, failed;

void check(bool good, const char *what)
{
    std::printf("%s - %s\n", good ? "ok" : "not ok", what);
    ++(good ? passed : failed);
}

/* An area as it came over the control channel. */
struct Mapping {
    void *base = MAP_FAILED;
    uint64_t size;

    Mapping(int fd, uint64_t bytes) : size(bytes)
    {
        if (iotp_memfd_check(fd, bytes) == 0)
            base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    ~Mapping()
    {
        if (base != MAP_FAILED)
            munmap(base, size);
    }
    Mapping(const Mapping &) = delete;
    Mapping &operator=(const Mapping &) = delete;
};

constexpr uint32_t posted = IOTP_MIN_POSTED;
constexpr uint64_t requests = 1000;

/* The I/O core: adds up what is posted; a read gives the sum, plus the offset. */
void serve(iotp_ioc_area *a)
{
    iotp_ioc_vcpu *c = &a->vcpu[0];
    uint64_t sum = 0;

    for (uint64_t n = 0; n < requests;) {
        iotp_req r;
        iotp_resp out{};
        struct iotp_post p; /* as with stat(2): the function has the name too */
        uint64_t stamp;
        uint32_t seq;

        if (!iotp_ioc_peek(c, &r, &seq, &stamp)) {
            iotp_pause();
            continue;
        }
        for (; iotp_ioc_next_post(c, posted - 1, &p); iotp_ioc_post_done(c))
            sum += p.data;
        out.data = sum + r.offset;
        out.status = iotp_ioc_valid(&r) ? IOTP_DONE : IOTP_FAILED;
        iotp_ioc_complete(c, seq, &out);
        n++;
    }
}

bool converse(iotp_vcpu *v)
{
    uint64_t sum = 0;

    for (uint64_t n = 0; n < requests; n++) {
        iotp_req r{};
        iotp_resp out;

        for (uint64_t i = 0; i < n % posted; i++) {
            if (!iotp_post(v, 0, IOTP_REGION_BAR0, i, 4, n))
                return false;
            sum += n;
        }
        r.offset = n;
        r.size = 4;
        if (iotp_call(v, &r, &out) || out.data != sum + n || out.status != IOTP_DONE)
            return false;
    }
    return true;
}

void rings(int fd, const iotp_layout &lay)
{
    Mapping vmm(fd, lay.size), ioc(fd, lay.size);
    iotp_ioc_area *a = nullptr;
    iotp_vcpu v;

    check(vmm.base != MAP_FAILED && ioc.base != MAP_FAILED, "the area is sealed and maps");
    check(iotp_area_format(vmm.base, &lay, IOTP_F_POSTED) == 0, "the VMM formats it");
    check(iotp_ioc_attach(ioc.base, lay.size, &a) == 0, "the I/O core attaches");
    check(iotp_vcpu_init(&v, vmm.base, &lay, 0, 1000, -1) == 0, "a vCPU is set up");
    std::thread core(serve, a);
    check(converse(&v), "a thousand requests and their posted writes");
    core.join();
    iotp_ioc_detach(a);
}

/* @return the area's descriptor as the other end received it */
int control(const iotp_layout &lay)
{
    iotp_msg m{}, r{};
    const char *why = nullptr;
    int s[2], fd;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s))
        return -1;
    m.type = IOTP_MSG_AREA;
    m.serial = 1;
    m.nfds = 2;
    m.fd[0] = iotp_memfd("iotp-cxx", lay.size);
    m.fd[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m.u.area.size = lay.size;
    std::strcpy(m.u.area.core, "io0");
    check(iotp_msg_send(s[0], &m) == 0, "AREA is sent");
    check(iotp_msg_recv(s[1], &r, &why) == 0 && !why, "and arrives");
    fd = r.fd[0];
    r.fd[0] = -1;
    iotp_msg_close(&r);
    iotp_msg_close(&m);
    close(s[0]);
    close(s[1]);
    return fd;
}

} // namespace

int main()
{
    iotp_layout lay;
    int fd;

    check(iotp_layout_of(1, 1, posted, &lay) == 0, "layout");
    fd = control(lay);
    rings(fd, lay);
    close(fd);
    std::printf("iotp_cxx: %u passed, %u failed\n", passed, failed);
    return failed != 0;
}
