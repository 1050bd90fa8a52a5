/* SPDX-License-Identifier: BSD-3-Clause */
#include "attach.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 5

void attach_name(char to[IOTP_NAME_SIZE], const char *from)
{
    strncpy(to, from, IOTP_NAME_SIZE - 1);
    to[IOTP_NAME_SIZE - 1] = '\0';
}

int attach_ask(struct attach *a, struct iotp_msg *m, const char *what, FILE *err)
{
    const char *why = NULL;
    int ret = iotp_msg_ask(a->sock, m, &why);

    if (ret && m->type == IOTP_MSG_ERROR)
        fprintf(err, "%s: %s: the I/O core refused: %s\n", a->vm, what, m->u.error.text);
    else if (ret && why)
        fprintf(err, "%s: %s: the I/O core's answer makes no sense: %s\n", a->vm, what, why);
    return ret; /* a broken connection is made anew; attach_retry says if that failed for good */
}

int attach_hello(struct attach *a, uint64_t *features, FILE *err)
{
    struct iotp_msg m = {.type = IOTP_MSG_HELLO};
    int ret;

    m.u.hello = (struct iotp_hello){.version_min = IOTP_VERSION,
                                    .version_max = IOTP_VERSION,
                                    .pid = (uint32_t)getpid(),
                                    .features = IOTP_F_ALL};
    attach_name(m.u.hello.vm, a->vm);
    ret = attach_ask(a, &m, "hello", err);
    if (!ret)
        *features = m.u.hello_ok.features;
    return ret;
}

int attach_start(struct attach *a, FILE *err)
{
    struct iotp_msg m = {.type = IOTP_MSG_START};

    return attach_ask(a, &m, "start", err);
}

static void describe(struct iotp_device *d, const struct cfg_device *c)
{
    d->io_base = c->io_base;
    d->mmio_base = c->mmio_base;
    d->irq = c->irq;
    d->slot = c->slot;
    d->connected = c->connected;
    d->queues = c->queues;
    cfg_parse_mac(c->mac, d->mac);
    attach_name(d->model, c->model);
    attach_name(d->name, c->name);
}

int attach_device(struct attach *a, struct iotp_msg *m, const struct cfg_device *c, int *state_fd,
                  struct iotp_device_info *info, FILE *err)
{
    bool is_new = *state_fd < 0;
    int ret = 0;

    describe(&m->u.device, c);
    m->u.device.has_state = !is_new;
    if (!is_new)
        m->fd[m->nfds++] = *state_fd;
    ret = attach_ask(a, m, c->name, err);
    if (ret)
        return ret;
    if (is_new && m->nfds != 1) {
        ret = -EPROTO;
    } else if (is_new) {
        *state_fd = m->fd[0];
        *info = m->u.device_info;
        m->nfds = 0;
    }
    iotp_msg_close(m);
    return ret;
}

void attach_close(struct attach *a)
{
    if (a->sock >= 0)
        close(a->sock);
    a->sock = -1;
}

/* Between two tries. @return whether waiting is to end */
static bool nap(const struct attach *a)
{
    struct pollfd p = {.fd = a->stop_fd, .events = POLLIN};

    return poll(&p, 1, RETRY_MS) > 0;
}

static bool is_broken(int ret)
{
    return ret == -ENOTCONN || ret == -EPIPE || ret == -ECONNRESET;
}

int attach_retry(struct attach *a, unsigned timeout_ms, attach_talk *talk, void *arg, FILE *err)
{
    int ret = -ETIMEDOUT;

    attach_close(a);
    for (unsigned waited = 0; waited <= timeout_ms; waited += RETRY_MS) {
        a->sock = iotp_connect(a->path);
        ret = a->sock < 0 ? a->sock : talk(arg, err);
        if (!ret)
            return 0;
        if (a->sock >= 0 && !is_broken(ret)) {
            attach_close(a);
            return ret; /* refused for a reason: asking again will not help */
        }
        attach_close(a);
        if (nap(a))
            return -ECANCELED;
    }
    fprintf(err, "%s: no I/O-core process at %s: %s; is coopvmm-iocored running?\n", a->vm, a->path,
            strerror(-ret));
    return ret;
}
