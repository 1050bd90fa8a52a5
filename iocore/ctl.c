/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread: accepts VMMs, and once a second lets the switch forget silent addresses. */
#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"

static int watch_fd(struct daemon *d, int fd, void *tag)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = tag};

    return epoll_ctl(d->epfd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void accept_vm(struct daemon *d)
{
    /* non-blocking: a VMM that does not read its answers loses its connection, and holds nobody up
     */
    int sock = accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct attached_vm *vm;

    if (sock < 0)
        return;
    vm = d->nvms < DAEMON_MAX_VMS ? calloc(1, sizeof(*vm)) : NULL;
    if (!vm || watch_fd(d, sock, vm)) {
        iotp_msg_error(sock, 0, -EMFILE, "the I/O-core process serves %u VMs already", d->nvms);
        close(sock);
        free(vm);
        return;
    }
    vm->sock = sock;
    vm->since = rte_rdtsc();
    pthread_mutex_lock(&d->lock);
    d->vm[d->nvms++] = vm;
    pthread_mutex_unlock(&d->lock);
}

static void drop_vm(struct daemon *d, struct attached_vm *vm)
{
    vm_quiesce(d, vm);
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->nvms; i++)
        if (d->vm[i] == vm) {
            d->vm[i] = d->vm[--d->nvms];
            break;
        }
    pthread_mutex_unlock(&d->lock);
    if (vm->greeted)
        fprintf(stderr, "coopvmm-iocored: VM %s is gone\n", vm->name);
    close(vm->sock); /* takes it out of the epoll set too */
    vm_release(vm);
    free(vm);
}

static void serve_vm(struct daemon *d, struct attached_vm *vm)
{
    struct iotp_msg m;
    const char *why = NULL;
    int err = iotp_msg_recv(vm->sock, &m, &why);

    if (err == -EAGAIN)
        return;
    if (err == -EPROTO)
        iotp_msg_error(vm->sock, m.serial, err, "message refused: %s", why ? why : "malformed");
    if (!err) {
        err = ctl_request(d, vm, &m);
        iotp_msg_close(&m);
    }
    if (err) {
        if (err != -ENOTCONN)
            fprintf(stderr, "coopvmm-iocored: VM %s: %s%s%s: connection closed\n",
                    vm->greeted ? vm->name : "(unnamed)", strerror(-err), why ? ": " : "",
                    why ? why : "");
        drop_vm(d, vm);
    }
}

/* --- vhost-user front ends; the sockets' own places are their tags --- */

static bool serve_vhost(struct daemon *d, const void *tag)
{
    for (unsigned i = 0; i < d->nvhosts; i++) {
        struct vhost_port *p = d->vhost[i];

        if (tag == &p->listen_fd && vhost_port_accept(p) && watch_fd(d, p->sock, &p->sock))
            vhost_port_hang_up(p);
        if (tag == &p->sock)
            vhost_port_serve(p);
        if (tag == &p->listen_fd || tag == &p->sock)
            return true;
    }
    return false;
}

static int start_vhosts(struct daemon *d)
{
    int err = 0;

    for (unsigned i = 0; i < d->nvhosts && !err; i++) {
        vhost_port_start(d->vhost[i]);
        err = watch_fd(d, d->vhost[i]->listen_fd, &d->vhost[i]->listen_fd);
    }
    return err;
}

static void close_vhosts(struct daemon *d)
{
    unsigned n = d->nvhosts;

    pthread_mutex_lock(&d->lock);
    d->nvhosts = 0;
    pthread_mutex_unlock(&d->lock);
    while (n)
        vhost_port_close(d->vhost[--n]);
}

static void add_port(struct ioc_core *k, void *arg)
{
    core_add_port(k, arg); /* there is room: CORE_MAX_PORTS was checked when it was opened */
}

void daemon_poll_ports(struct daemon *d)
{
    if (d->ports_polled)
        return;
    d->ports_polled = true;
    for (unsigned i = 0; i < d->nports; i++)
        core_do(d->port_core[i], add_port, d->port[i]);
}

/* VMs of the configuration that will attach. */
static unsigned expected_vms(const struct cfg *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->vms_count; i++)
        for (unsigned k = 0; k < c->vms[i].devices_count; k++)
            if (c->vms[i].devices[k].placement == CFG_PLACE_IOCORE) {
                n++;
                break;
            }
    return n;
}

static void consider_ports(struct daemon *d)
{
    unsigned running = 0;

    if (d->ports_polled)
        return;
    for (unsigned i = 0; i < d->nvms; i++)
        running += d->vm[i]->running;
    if (running >= expected_vms(d->cfg) ||
        rte_rdtsc() - d->started > d->tsc_hz / 1000 * DAEMON_PORTS_MS)
        daemon_poll_ports(d);
}

static int prepare(struct daemon *d, int stop_fd)
{
    int err;

    d->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (d->epfd < 0)
        return -errno;
    err = watch_fd(d, d->listen_fd, &d->listen_fd);
    if (!err)
        err = watch_fd(d, stop_fd, &d->epfd);
    return err ? err : start_vhosts(d);
}

int ctl_loop(struct daemon *d, int stop_fd)
{
    uint64_t aged = d->started = rte_rdtsc();
    int err = prepare(d, stop_fd);
    bool stop = err != 0;

    while (!stop) {
        struct epoll_event e;
        int n = epoll_wait(d->epfd, &e, 1, d->ports_polled ? 1000 : 100);

        if (n > 0 && e.data.ptr == &d->listen_fd)
            accept_vm(d);
        else if (n > 0 && e.data.ptr == &d->epfd)
            stop = true;
        else if (n > 0 && !serve_vhost(d, e.data.ptr))
            serve_vm(d, e.data.ptr);
        consider_ports(d);
        if (rte_rdtsc() - aged > d->tsc_hz) {
            aged = rte_rdtsc();
            sw_age(d->sw, aged);
        }
    }
    while (d->nvms)
        drop_vm(d, d->vm[0]);
    close_vhosts(d);
    close(d->epfd);
    return err;
}
