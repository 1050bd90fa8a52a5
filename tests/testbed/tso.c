/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tso INTERFACE on|off: large sends (TCP segmentation by the NIC), for a guest whose programs are
 * busybox's, which has no ethtool. With them goes what they need, checksums and scattered frames.
 * Prints what it is then; a driver may say no. SIOCETHTOOL, linux/ethtool.h.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int ask(int fd, const char *interface, unsigned cmd, unsigned *data)
{
    struct ethtool_value v = {.cmd = cmd, .data = *data};
    struct ifreq r = {.ifr_data = (void *)&v};
    int err;

    strncpy(r.ifr_name, interface, sizeof(r.ifr_name) - 1);
    err = ioctl(fd, SIOCETHTOOL, &r);
    *data = v.data;
    return err;
}

int main(int argc, char **argv)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned want, is = 0;

    if (argc != 3) {
        fprintf(stderr, "Usage: tso INTERFACE on|off\n");
        return 2;
    }
    want = strcmp(argv[2], "on") == 0;
    if (want) { /* where they cannot be chosen, they are what they are */
        ask(fd, argv[1], ETHTOOL_STXCSUM, &want);
        ask(fd, argv[1], ETHTOOL_SSG, &want);
    }
    if (ask(fd, argv[1], ETHTOOL_STSO, &want) || ask(fd, argv[1], ETHTOOL_GTSO, &is)) {
        perror(argv[1]);
        return 1;
    }
    printf("tso %s\n", is ? "on" : "off");
    return is == want ? 0 : 1;
}
