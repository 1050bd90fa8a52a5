/* SPDX-License-Identifier: BSD-3-Clause */
/* Host check: Xen, and dom0 as a place for I/O cores. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hostcheck_priv.h"
#include "xl_host.h"

#define PATH_SIZE 512

static bool needs_xen(const struct hostcheck *h)
{
    return h->c && plan_wants_xen(h->c);
}

static enum hc_level unless_needed(const struct hostcheck *h)
{
    return needs_xen(h) ? HC_FAIL : HC_NOTE;
}

static void check_version(struct hostcheck *h)
{
    char major[HC_TEXT], minor[HC_TEXT], extra[HC_TEXT];

    hc_read(h, major, "/sys/hypervisor/version/major");
    hc_read(h, minor, "/sys/hypervisor/version/minor");
    hc_read(h, extra, "/sys/hypervisor/version/extra");
    if (major[0])
        hc_add(h, HC_OK, "xen", NULL, "this is the control domain of Xen %.8s.%.8s%.32s", major,
               minor, extra);
    else
        hc_add(h, HC_NOTE, "xen", "modprobe xen-sys-hypervisor",
               "this is the control domain of a Xen whose version is not known");
}

/* What coopvmm-iocored opens. */
static void check_nodes(struct hostcheck *h)
{
    static const char *const nodes[] = {"/dev/xen/privcmd", "/dev/xen/evtchn"};

    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char path[PATH_SIZE];

        snprintf(path, sizeof(path), "%s%s", h->root, nodes[i]);
        if (!access(path, R_OK | W_OK))
            continue;
        hc_add(h, unless_needed(h), "xen-dev", "modprobe -a xen-privcmd xen-evtchn; run as root",
               "%s: %s", nodes[i], strerror(errno));
        return;
    }
    hc_add(h, HC_OK, "xen-dev", NULL, "/dev/xen/privcmd and evtchn can be opened");
}

/* Is a process of that name there, or one whose name ends so (oxenstored)? */
static bool runs(const struct hostcheck *h, const char *name)
{
    DIR *d = hc_opendir(h, "/proc");
    const char *pid;
    bool found = false;

    while (d && !found && (pid = hc_next_number(d))) {
        char comm[HC_TEXT];

        hc_read(h, comm, "/proc/%s/comm", pid);
        found = strlen(comm) >= strlen(name) && !strcmp(comm + strlen(comm) - strlen(name), name);
    }
    if (d)
        closedir(d);
    return found;
}

static void check_daemons(struct hostcheck *h)
{
    bool store = runs(h, "xenstored"), console = runs(h, "xenconsoled");

    if (store && console)
        hc_add(h, HC_OK, "xen-daemons", NULL, "xenstored and xenconsoled run");
    else
        hc_add(h, unless_needed(h), "xen-daemons",
               "systemctl start xen (or xencommons); xenstored may also be a domain of its own",
               "%s%s%s not running", store ? "" : "xenstored", store || console ? "" : " and ",
               console ? "" : "xenconsoled");
}

/* One I/O core: does Xen leave it where it is? */
static void check_iocore(struct hostcheck *h, const struct xen_host *x, const struct cfg_iocore *io)
{
    int cpu = xen_host_pinned(x, io->core);

    if (io->core == CFG_ANY)
        return;
    if (cpu != CFG_ANY)
        hc_add(h, HC_OK, "xen-pinning", NULL, "I/O core %s: dom0's vCPU %d on physical CPU %d",
               io->name, io->core, cpu);
    else
        hc_add(h, HC_WARN, "xen-pinning", "xl vcpu-pin 0 VCPU CPU, or boot Xen with dom0_vcpus_pin",
               "I/O core %s: dom0's vCPU %d is not pinned, Xen may move it and share its CPU",
               io->name, io->core);
}

void hc_check_dom0(struct hostcheck *h, const struct xen_host *x)
{
    unsigned n = 0, pinned = 0;

    for (unsigned i = 0; i < x->nvcpus; i++) {
        n += x->vcpus[i].domid == 0;
        pinned += x->vcpus[i].domid == 0 && hwloc_bitmap_weight(x->vcpus[i].hard) == 1;
    }
    if (needs_xen(h) && h->c->iocores_count >= n)
        hc_add(h, HC_WARN, "dom0",
               "boot Xen with dom0_max_vcpus=N dom0_vcpus_pin, N more than there are I/O cores",
               "%u vCPUs for %u I/O cores: they share them with everything else dom0 does", n,
               h->c->iocores_count);
    else
        hc_add(h, HC_OK, "dom0", NULL, "%u vCPUs, %u of them pinned; %u physical CPUs", n, pinned,
               x->ncpus);
    for (unsigned i = 0; needs_xen(h) && i < h->c->iocores_count; i++)
        check_iocore(h, x, &h->c->iocores[i]);
}

static void ask_xl(struct hostcheck *h)
{
    struct xen_host x;
    char why[XL_HOST_WHY];

    if (h->root[0]) {
        hc_add(h, HC_OK, "xl", NULL, "not asked: this is a copy of a host");
        return;
    }
    if (xl_host_read(&x, why)) {
        hc_add(h, unless_needed(h), "xl", "install xen-utils; run as root", "%s", why);
        return;
    }
    hc_add(h, HC_OK, "xl", NULL, "answers");
    hc_check_dom0(h, &x);
    xen_host_clear(&x);
}

void hc_check_xen(struct hostcheck *h)
{
    char type[HC_TEXT];

    hc_read(h, type, "/sys/hypervisor/type");
    if (xl_is_dom0(h->root)) {
        check_version(h);
        check_nodes(h);
        check_daemons(h);
        ask_xl(h);
    } else if (!strcmp(type, "xen")) {
        hc_add(h, unless_needed(h), "xen",
               "run coopvmm in the control domain (dom0), with xenfs mounted on /proc/xen",
               "this is an unprivileged Xen domain");
    } else {
        hc_add(h, unless_needed(h), "xen",
               needs_xen(h) ? "boot Xen, and run coopvmm in its dom0" : NULL, "no Xen here");
    }
}
