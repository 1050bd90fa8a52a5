/* SPDX-License-Identifier: BSD-3-Clause */
#include "taphold.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../iocore/tap.h"

/* Attached and detached at once. @return the descriptor, -1 */
static int hold(const char *name)
{
    struct ifreq detach = {.ifr_flags = IFF_DETACH_QUEUE};
    int fd;

    if (!if_nametoindex(name))
        return -1; /* TUNSETIFF would make one */
    fd = tap_node();
    if (fd < 0)
        return -1;
    if (tap_attach(fd, name) || ioctl(fd, TUNSETQUEUE, &detach)) {
        close(fd);
        return -1;
    }
    return fd;
}

void taphold_take(struct taphold *h, const struct cfg *c)
{
    h->fd = calloc(c->ports_count + 1, sizeof(h->fd[0]));
    for (unsigned i = 0; h->fd && i < c->ports_count; i++) {
        int fd = c->ports[i].type == CFG_PORT_TAP ? hold(c->ports[i].iface) : -1;

        if (fd >= 0)
            h->fd[h->n++] = fd;
    }
}

void taphold_release(struct taphold *h)
{
    while (h->n)
        close(h->fd[--h->n]);
    free(h->fd);
    h->fd = NULL;
}
