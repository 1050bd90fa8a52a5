/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../iocore/port.h"
#include "../iocore/tap.h"

static void set_name(struct ifreq *r, const char *name)
{
    memset(r, 0, sizeof(*r));
    strncpy(r->ifr_name, name, IFNAMSIZ - 1);
}

static int bring_up(const char *name, const char *address)
{
    uint32_t addr, mask;
    int ret = address ? port_parse_address(address, &addr, &mask) : 0;

    if (!ret && address)
        ret = tap_set_address(name, addr, mask);
    return ret ? ret : tap_set_up(name);
}

int tap_open(const char *name, const char *address, FILE *err)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), ret = 0;
    struct ifreq r;

    if (fd < 0) {
        ret = -errno;
        fprintf(err, "tap %s: /dev/net/tun: %s; load the module tun\n", name, strerror(-ret));
        return ret;
    }
    set_name(&r, name);
    r.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd, TUNSETIFF, &r))
        ret = -errno;
    if (!ret)
        ret = bring_up(name, address);
    if (ret) {
        fprintf(err, "tap %s: %s%s\n", name, strerror(-ret),
                ret == -EPERM   ? "; run as root, or with --unshare in a namespace of its own"
                : ret == -EBUSY ? "; another process has it"
                                : "");
        close(fd);
        return ret;
    }
    return fd;
}
