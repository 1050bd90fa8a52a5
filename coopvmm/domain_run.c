/* SPDX-License-Identifier: BSD-3-Clause */
/* The process of a VM of engine xen, from the first xl to the last. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "domain.h"
#include "domain_console.h"
#include "domain_link.h"
#include "domain_reaper.h"
#include "domain_store.h"
#include "termsig.h"
#include "vm_run.h"

/* The supervisor ends us sooner if there is to be no successor; dom0 may be slow and busy. */
#define REATTACH_MS 120000

struct running {
    const struct vm_run *r;
    struct domain d;
    struct reaper reaper;
    struct termsig *sig;
    struct domain_link *link; /* NULL: no device, or not attached */
    struct store *store;      /* NULL: not open */
    struct domain_console console[STORE_CONSOLES];
    char tty[STORE_CONSOLES][128]; /* the consoles' terminals; "": not known yet */
};

/* How a domain ended, and what that makes of this process. */
static int ended(const struct domain *d, enum xl_reason why)
{
    switch (why) {
    case XL_POWEROFF: domain_log(d, "the guest powered off"); return 0;
    case XL_REBOOT:
        domain_log(d, "the guest asked for a reboot, which ends it here; run the testbed again");
        return 0;
    case XL_CRASH:
        domain_log(d, "the guest crashed; `xl dmesg` may say why");
        return VM_EXIT_CRASHED;
    case XL_WATCHDOG: domain_log(d, "the guest did not feed its watchdog"); return VM_EXIT_CRASHED;
    case XL_GONE:
        domain_log(d, "the domain was destroyed by somebody else");
        return VM_EXIT_DESTROYED;
    case XL_SUSPEND:
        domain_log(d, "the guest was suspended by somebody else; it cannot be resumed here");
        return VM_EXIT_DESTROYED;
    default: domain_log(d, "the guest ended for a reason not known here"); return VM_EXIT_CRASHED;
    }
}

/* A terminal is opened once: after its end the same name may be somebody else's. */
static void open_console(struct running *u, enum store_console which)
{
    char path[sizeof(u->tty[0])];
    int err;

    if (u->console[which].fd >= 0 || !store_console(u->store, which, path, sizeof(path)) ||
        !strcmp(path, u->tty[which]))
        return;
    strcpy(u->tty[which], path);
    err = domain_console_open(&u->console[which], path);
    if (err)
        domain_log(&u->d, "cannot open its console %s: %s", path, strerror(-err));
}

static void open_consoles(struct running *u)
{
    for (unsigned i = 0; i < STORE_CONSOLES; i++)
        open_console(u, i);
}

/* @return 0; -ECANCELED: the end was wished for; another negative errno */
static int reattach(struct running *u)
{
    int err;

    domain_log(&u->d, "the I/O-core process is gone; waiting for its successor");
    err = domain_link_reattach(u->link, REATTACH_MS);
    if (!err)
        domain_log(&u->d, "attached to the new I/O-core process");
    return err;
}

/* The end of a domain that does not run any more. @return false: it does */
static bool has_ended(struct running *u, int *status)
{
    enum xl_reason why = domain_state(&u->d);

    if (why == XL_RUNS)
        return false;
    for (unsigned i = 0; i < STORE_CONSOLES; i++)
        domain_console_drain(&u->console[i]);
    *status = ended(&u->d, why);
    return true;
}

/* The I/O cores could not be reached again, or refused: perhaps since the domain is no more. */
static int lost(struct running *u, int err)
{
    int status = VM_EXIT_CANNOT_START;

    if (err == -ECANCELED)
        return 0;
    has_ended(u, &status);
    return status;
}

/* Waits for the guest's end, SIGTERM, or a broken connection. @return the exit status */
static int watch(struct running *u)
{
    for (;;) {
        struct pollfd p[3 + STORE_CONSOLES] = {
            {.fd = termsig_fd(u->sig), .events = POLLIN},
            {.fd = store_fd(u->store), .events = POLLIN},
            {.fd = u->link ? domain_link_fd(u->link) : -1, .events = POLLIN | POLLRDHUP}};
        int err = 0, status;

        for (unsigned i = 0; i < STORE_CONSOLES; i++)
            p[3 + i] = (struct pollfd){.fd = u->console[i].fd, .events = POLLIN};
        if (poll(p, 3 + STORE_CONSOLES, -1) < 0)
            continue;
        if (p[0].revents)
            return 0;
        for (unsigned i = 0; i < STORE_CONSOLES; i++)
            if (p[3 + i].revents)
                domain_console_pump(&u->console[i]);
        if (p[1].revents && store_drain(u->store) && has_ended(u, &status))
            return status;
        if (p[1].revents)
            open_consoles(u);
        if (p[2].revents)
            err = reattach(u);
        if (err)
            return lost(u, err);
    }
}

static int attach_devices(struct running *u)
{
    char path[512];
    int err;

    if (!u->d.c->devices_count)
        return 0;
    snprintf(path, sizeof(path), "%s/iotp.sock", u->r->rundir);
    err = domain_link_create(&u->d, path, &u->link);
    return err ? err : domain_check_qemu(&u->d, u->link);
}

static int open_store(struct running *u)
{
    int err = store_open(u->d.domid, &u->store);

    if (err)
        domain_log(&u->d, "cannot talk to xenstore: %s; is xenstored running?", strerror(-err));
    else
        open_consoles(u);
    return err;
}

/* Everything before the guest runs, in the order Xen wants it: the I/O cores' ioreq servers are
 * there before the first instruction. */
static int bring_up(struct running *u)
{
    int err = domain_create(&u->d);

    if (!err)
        err = open_store(u);
    if (!err)
        err = attach_devices(u);
    if (!err)
        err = domain_unpause(&u->d);
    if (!err)
        domain_log(&u->d, "domain %s runs, number %d", u->d.name, u->d.domid);
    return err;
}

/* The I/O cores let go after the domain is dead: it never sees a device vanish. */
static void take_down(struct running *u)
{
    if (domain_destroy(&u->d))
        reaper_let(&u->reaper);
    else
        reaper_dismiss(&u->reaper);
    for (unsigned i = 0; i < STORE_CONSOLES; i++)
        domain_console_close(&u->console[i]);
    domain_link_free(u->link);
    store_close(u->store);
}

static int run(struct running *u)
{
    int err = bring_up(u), status;

    if (!err)
        vm_run_ready(u->r);
    if (err)
        status = err == -ECANCELED ? 0 : VM_EXIT_CANNOT_START;
    else
        status = watch(u);
    take_down(u);
    return status;
}

int domain_run(const struct vm_run *r)
{
    struct running u = {
        .r = r, .reaper.fd = -1, .console = {[0 ... STORE_CONSOLES - 1] = {.fd = -1}}};
    int status = VM_EXIT_CANNOT_START, err;

    if (domain_init(&u.d, r->cfg, r->c, r->rundir, -1, stderr))
        return VM_EXIT_CANNOT_START;
    err = reaper_start(&u.reaper, u.d.uuid, u.d.name);
    if (!err)
        err = termsig_create(&u.sig);
    if (err) {
        domain_log(&u.d, "cannot start: %s", strerror(-err));
    } else {
        u.d.stop_fd = termsig_fd(u.sig);
        status = run(&u);
    }
    reaper_dismiss(&u.reaper);
    termsig_free(u.sig);
    return status;
}
