/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN "/dev/net/tun"

/* One interface ioctl. */
static int request(unsigned long what, struct ifreq *r, const char *iface)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err;

    if (fd < 0)
        return -errno;
    snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", iface);
    err = ioctl(fd, what, r) ? -errno : 0;
    close(fd);
    return err;
}

bool tap_exists(const char *iface)
{
    return if_nametoindex(iface) != 0;
}

/* A multi-queue tap that is up has a carrier if and only if somebody is attached. */
static bool in_use(const char *iface)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq r = {.ifr_data = (char *)&link};

    return request(SIOCETHTOOL, &r, iface) == 0 && link.data;
}

int tap_node(void)
{
    int fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int tap_attach(int fd, const char *iface)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR};

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", iface);
    return ioctl(fd, TUNSETIFF, &r) ? -errno : 0;
}

int tap_try(const char *iface, bool held)
{
    int fd, err;

    if (!held && tap_exists(iface) && in_use(iface))
        return -EBUSY;
    fd = tap_node();
    if (fd < 0)
        return fd;
    err = tap_attach(fd, iface);
    close(fd);
    return err;
}

void tap_explain(int err, const char *iface, FILE *to)
{
    switch (-err) {
    case ENOENT:
    case ENODEV:
        fprintf(to, "there is no " TUN "; load the driver (modprobe tun), or in a container pass "
                    "the device in");
        break;
    case EACCES:
        fprintf(to, TUN " may not be opened; make it readable and writable for this user");
        break;
    case EPERM:
        fprintf(to,
                "making tap %s needs CAP_NET_ADMIN; run as root, in a user and network "
                "namespace of your own (unshare -Urn), or make it beforehand: ip tuntap add "
                "dev %s mode tap multi_queue user $USER",
                iface, iface);
        break;
    case EBUSY:
        fprintf(to, "another process is attached to tap %s; stop it, or choose another iface",
                iface);
        break;
    case EINVAL:
        fprintf(to,
                "%s is there already but is no multi-queue tap; remove it (ip link del %s) or "
                "choose another iface",
                iface, iface);
        break;
    default: fprintf(to, "tap %s: %s", iface, strerror(-err));
    }
}

int tap_get_mac(const char *iface, uint8_t mac[6])
{
    struct ifreq r = {0};
    int err = request(SIOCGIFHWADDR, &r, iface);

    if (!err)
        memcpy(mac, r.ifr_hwaddr.sa_data, 6);
    return err;
}

/* 64-bit FNV-1a (draft-eastlake-fnv) of the name. */
void tap_default_mac(const char *iface, uint8_t mac[6])
{
    uint64_t h = 0xcbf29ce484222325u;

    for (const char *c = iface; *c; c++)
        h = (h ^ (uint8_t)*c) * 0x100000001b3u;
    memcpy(mac, &h, 6);
    mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

static int set_inet(const char *iface, unsigned long what, uint32_t addr)
{
    struct ifreq r = {0};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = addr};

    memcpy(&r.ifr_addr, &in, sizeof(in));
    return request(what, &r, iface);
}

static bool has_inet(const char *iface, unsigned long what, uint32_t addr)
{
    struct ifreq r = {0};
    struct sockaddr_in in;

    r.ifr_addr.sa_family = AF_INET;
    if (request(what, &r, iface))
        return false;
    memcpy(&in, &r.ifr_addr, sizeof(in));
    return in.sin_addr.s_addr == addr;
}

int tap_set_up(const char *iface)
{
    struct ifreq r = {0};
    int err = request(SIOCGIFFLAGS, &r, iface);

    if (err || (r.ifr_flags & IFF_UP))
        return err;
    r.ifr_flags |= IFF_UP;
    return request(SIOCSIFFLAGS, &r, iface);
}

int tap_set_address(const char *iface, uint32_t addr, uint32_t mask)
{
    int err = 0;

    /* Setting it anew would drop routes and neighbours, so only if it differs. */
    if (!has_inet(iface, SIOCGIFADDR, addr))
        err = set_inet(iface, SIOCSIFADDR, addr);
    if (!err && !has_inet(iface, SIOCGIFNETMASK, mask))
        err = set_inet(iface, SIOCSIFNETMASK, mask);
    return err ? err : tap_set_up(iface);
}

int tap_forget(int fd)
{
    return ioctl(fd, TUNSETPERSIST, 0) ? -errno : 0;
}
