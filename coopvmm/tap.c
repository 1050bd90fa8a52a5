/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_name(struct ifreq *r, const char *name)
{
    memset(r, 0, sizeof(*r));
    strncpy(r->ifr_name, name, IFNAMSIZ - 1);
}

static int set_inet(int sock, const char *name, unsigned long request, uint32_t address)
{
    struct ifreq r;
    struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;

    set_name(&r, name);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = address;
    return ioctl(sock, request, &r) ? -errno : 0;
}

/* "10.77.1.1/24": checked when the configuration was loaded. */
static int set_address(int sock, const char *name, const char *address)
{
    char ip[INET_ADDRSTRLEN];
    const char *slash = strchr(address, '/');
    size_t len = slash ? (size_t)(slash - address) : strlen(address);
    unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 32;
    struct in_addr a;
    int ret;

    if (len >= sizeof(ip) || bits < 1 || bits > 32)
        return -EINVAL;
    memcpy(ip, address, len);
    ip[len] = '\0';
    if (inet_pton(AF_INET, ip, &a) != 1)
        return -EINVAL;
    ret = set_inet(sock, name, SIOCSIFADDR, a.s_addr);
    return ret ? ret : set_inet(sock, name, SIOCSIFNETMASK, htonl(~0u << (32 - bits)));
}

static int bring_up(const char *name, const char *address)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;
    struct ifreq r;

    if (sock < 0)
        return -errno;
    if (address)
        ret = set_address(sock, name, address);
    set_name(&r, name);
    if (!ret && ioctl(sock, SIOCGIFFLAGS, &r))
        ret = -errno;
    r.ifr_flags |= IFF_UP;
    if (!ret && ioctl(sock, SIOCSIFFLAGS, &r))
        ret = -errno;
    close(sock);
    return ret;
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
