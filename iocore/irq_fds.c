/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt lines as descriptors (SPEC.md, "Interrupts"). */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol/iotp_ctl.h"
#include "irq.h"
#include "irq_msi.h"

struct irq_fds {
    struct irq_sink sink; /* first: what the device holds */
    int fd[IOTP_MAX_LINES];
    bool is_socket[IOTP_MAX_LINES];
    struct irq_msi *msi; /* NULL: messages are edges on line 0 */
};

/* Full means that an interrupt is pending already, which is all an edge can say. */
static void raise_fd(struct irq_sink *s, unsigned line)
{
    struct irq_fds *f = (struct irq_fds *)s;
    uint64_t one = 1;

    if (f->is_socket[line])
        (void)!send(f->fd[line], &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL);
    else
        (void)!write(f->fd[line], &one, sizeof(one));
}

static void close_fds(struct irq_sink *s)
{
    struct irq_fds *f = (struct irq_fds *)s;

    for (unsigned i = 0; i < s->nlines; i++)
        close(f->fd[i]);
    irq_msi_close(f->msi);
    free(f);
}

static void send_msi(struct irq_sink *s, uint64_t addr, uint32_t data)
{
    irq_msi_send(((struct irq_fds *)s)->msi, addr, data);
}

static const struct irq_ops fd_ops = {.raise = raise_fd, .close = close_fds};
static const struct irq_ops msi_ops = {.raise = raise_fd, .msi = send_msi, .close = close_fds};

int irq_fds_add_msi(struct irq_sink *s, const int *fd, unsigned nroutes)
{
    struct irq_fds *f = (struct irq_fds *)s;
    int err;

    if (s->ops != &fd_ops)
        return -EINVAL;
    err = irq_msi_open(fd, nroutes, &f->msi);
    if (!err)
        s->ops = &msi_ops;
    return err;
}

struct irq_sink *irq_fds_new(const int *fd, unsigned nlines)
{
    struct irq_fds *f = calloc(1, sizeof(*f));
    struct stat st;

    if (!f)
        return NULL;
    f->sink = (struct irq_sink){.ops = &fd_ops, .nlines = nlines};
    for (unsigned i = 0; i < nlines; i++) {
        f->fd[i] = fd[i];
        f->is_socket[i] = !fstat(fd[i], &st) && S_ISSOCK(st.st_mode);
    }
    return &f->sink;
}
