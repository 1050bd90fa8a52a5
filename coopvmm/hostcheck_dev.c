/* SPDX-License-Identifier: BSD-3-Clause */
/* Host check: KVM, IOMMU, and the devices a testbed is made of. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "hostcheck_priv.h"

#define PATH_SIZE 512

static bool uses_engine(const struct hostcheck *h, enum cfg_engine e)
{
    for (unsigned i = 0; h->c && i < h->c->vms_count; i++)
        if (h->c->vms[i].engine == e)
            return true;
    return false;
}

static const char *tap_user(const struct hostcheck *h)
{
    for (unsigned i = 0; h->c && i < h->c->ports_count; i++)
        if (h->c->ports[i].type == CFG_PORT_TAP)
            return h->c->ports[i].iface;
    for (unsigned v = 0; h->c && v < h->c->vms_count; v++)
        for (unsigned i = 0; i < h->c->vms[v].devices_count; i++)
            if (h->c->vms[v].devices[i].tap)
                return h->c->vms[v].devices[i].tap;
    return NULL;
}

/* What is not there is a failure if the testbed needs it, else only worth a note. */
static enum hc_level unless(bool needed)
{
    return needed ? HC_FAIL : HC_NOTE;
}

static int try_access(const struct hostcheck *h, const char *path, int mode)
{
    char whole[PATH_SIZE];

    snprintf(whole, sizeof(whole), "%s%s", h->root, path);
    return access(whole, mode) ? -errno : 0;
}

/* Can the guests of the testbed run on KVM as it is? *why is left alone if so. */
static int suits_all(const struct hostcheck *h, char why[256])
{
    int err = 0;

    for (unsigned i = 0; h->c && i < h->c->vms_count && !err; i++)
        if (h->c->vms[i].engine == CFG_ENGINE_KVM)
            err = vm_engine_kvm.suits(&h->c->vms[i], why);
    return err;
}

/* Only the real host's KVM can be tried: of another tree the device node is looked at. */
static void check_kvm(struct hostcheck *h)
{
    enum hc_level level = unless(uses_engine(h, CFG_ENGINE_KVM));
    char found[256] = "";
    int err = try_access(h, "/dev/kvm", R_OK | W_OK);

    if (err == -ENOENT)
        hc_add(h, level, "kvm",
               "load kvm_intel or kvm_amd, enable VT-x/SVM in the firmware, or use "
               "engine: user",
               "there is no /dev/kvm");
    else if (err)
        hc_add(h, level, "kvm", "join the group that owns /dev/kvm: usermod -aG kvm USER",
               "/dev/kvm cannot be opened: %s", strerror(-err));
    else if (h->root[0])
        hc_add(h, HC_OK, "kvm", NULL, "/dev/kvm is there (not tried)");
    else if ((err = vm_engine_kvm.probe(found)))
        hc_add(h, level, "kvm", "use engine: user", "%.250s", found[0] ? found : strerror(-err));
    else if (suits_all(h, found))
        hc_add(h, HC_FAIL, "kvm",
               "stock kernels run here by User-Mode Linux or an emulating QEMU, on a port of type "
               "vhost-user",
               "%.250s", found);
    else
        hc_add(h, HC_OK, "kvm", NULL, "%.250s", found);
}

static void check_iommu(struct hostcheck *h)
{
    DIR *d = hc_opendir(h, "/sys/kernel/iommu_groups");
    unsigned groups = 0;

    while (d && hc_next_number(d))
        groups++;
    if (d)
        closedir(d);
    if (groups)
        hc_add(h, HC_OK, "iommu", NULL, "%u groups", groups);
    else
        hc_add(h, HC_NOTE, "iommu",
               "for physical NICs: enable VT-d/AMD-Vi in the firmware, boot with intel_iommu=on "
               "iommu=pt",
               "no IOMMU groups");
}

/* A port of type pci needs its device bound to vfio-pci. */
static void check_pci_port(struct hostcheck *h, const struct cfg_port *p)
{
    char path[PATH_SIZE], target[PATH_SIZE];
    const char *driver;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", h->root, p->pci);
    n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = '\0';
    driver = strrchr(target, '/');
    driver = driver ? driver + 1 : "no driver";
    if (!strcmp(driver, "vfio-pci"))
        hc_add(h, HC_OK, "pci", NULL, "%s of port %s is bound to vfio-pci", p->pci, p->name);
    else
        hc_add(h, HC_FAIL, "pci", "dpdk-devbind.py -b vfio-pci ADDRESS (package dpdk)",
               "%s of port %s: %s; DPDK needs vfio-pci", p->pci, p->name, driver);
}

static void check_tun(struct hostcheck *h)
{
    const char *user = tap_user(h);
    int err = try_access(h, "/dev/net/tun", R_OK | W_OK);

    if (!err)
        hc_add(h, HC_OK, "tun", NULL, "/dev/net/tun can be opened");
    else
        hc_add(h, unless(user != NULL), "tun", "modprobe tun; ls -l /dev/net/tun",
               "/dev/net/tun: %s%s%s", strerror(-err), user ? "; needed for tap " : "",
               user ? user : "");
}

static void check_userns(struct hostcheck *h)
{
    char max[HC_TEXT], clone[HC_TEXT], apparmor[HC_TEXT];

    hc_read(h, max, "/proc/sys/user/max_user_namespaces");
    hc_read(h, clone, "/proc/sys/kernel/unprivileged_userns_clone");
    hc_read(h, apparmor, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    if (!max[0] || !strcmp(max, "0") || !strcmp(clone, "0") || !strcmp(apparmor, "1"))
        hc_add(h, HC_NOTE, "userns",
               "run as root, or set user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
               "kernel.apparmor_restrict_unprivileged_userns=0",
               "ordinary users cannot make user namespaces, so no taps of their own");
    else
        hc_add(h, HC_OK, "userns", NULL, "ordinary users may make %.20s", max);
}

void hc_check_devices(struct hostcheck *h)
{
    check_kvm(h);
    hc_check_xen(h);
    check_iommu(h);
    for (unsigned i = 0; h->c && i < h->c->ports_count; i++)
        if (h->c->ports[i].type == CFG_PORT_PCI)
            check_pci_port(h, &h->c->ports[i]);
    check_tun(h);
    check_userns(h);
}
