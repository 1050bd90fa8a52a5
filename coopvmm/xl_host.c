/* SPDX-License-Identifier: BSD-3-Clause */
#include "xl_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xl.h"
#include "xl_parse.h"

#define ASK_MS 20000 /* xl waits for its locks; dom0 may be busy */

bool xl_is_dom0(const char *root)
{
    char path[512], caps[128] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/proc/xen/capabilities", root);
    f = fopen(path, "re");
    if (!f)
        return false;
    caps[fread(caps, 1, sizeof(caps) - 1, f)] = '\0';
    fclose(f);
    return strstr(caps, "control_d") != NULL;
}

/* One question, and what reads its answer. */
struct question {
    const char *args[4], *shown;
    int (*parse)(const char *text, struct xen_host *h);
};

static const struct question questions[] = {
    {{"info", "-n", NULL}, "xl info -n", xl_parse_info},
    {{"vcpu-list", NULL}, "xl vcpu-list", xl_parse_vcpus},
    {{"cpupool-list", "-c", NULL}, "xl cpupool-list -c", xl_parse_pools},
};

static int ask(const struct question *q, struct xen_host *h, char why[XL_HOST_WHY])
{
    struct xl_text t = {NULL, 0};
    int ret = xl_run(q->args, ASK_MS, -1, &t);
    const char *hint = t.text ? xl_hint(t.text) : NULL;

    if (ret == -ENOENT)
        snprintf(why, XL_HOST_WHY, "there is no program xl; install Xen's tools (xen-utils)");
    else if (ret)
        snprintf(why, XL_HOST_WHY, "`%s` failed: %s; %s", q->shown,
                 ret < 0 ? strerror(-ret) : "it says why when it is run by hand",
                 hint ? hint : "is this root, and are xenstored and xenconsoled running?");
    else if ((ret = q->parse(t.text ? t.text : "", h)))
        snprintf(why, XL_HOST_WHY, "`%s` printed nothing that is understood: %s", q->shown,
                 strerror(-ret));
    xl_text_clear(&t);
    return ret > 0 ? -EIO : ret;
}

int xl_host_read(struct xen_host *h, char why[XL_HOST_WHY])
{
    int ret = 0;

    *h = (struct xen_host){0};
    if (!xl_is_dom0("")) {
        snprintf(
            why, XL_HOST_WHY,
            "this is not the control domain of a Xen host: boot Xen and run coopvmm in dom0, with "
            "xenfs mounted on /proc/xen");
        return -ENODEV;
    }
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && !ret; i++)
        ret = ask(&questions[i], h, why);
    if (ret)
        xen_host_clear(h);
    return ret;
}

static const char *first_xen_vm(const struct cfg *c)
{
    for (unsigned v = 0; v < c->vms_count; v++)
        if (c->vms[v].engine == CFG_ENGINE_XEN)
            return c->vms[v].name;
    return "?";
}

/* A made-up machine has no Xen below it that could be asked. */
static int read_for(const struct topo *t, struct xen_host *h, char why[XL_HOST_WHY])
{
    if (!topo_is_synthetic(t))
        return xl_host_read(h, why);
    snprintf(why, XL_HOST_WHY, "the topology is made up, Xen was not asked");
    return -ENODEV;
}

int xl_host_plan(struct cfg *c, const struct topo *t, bool must_run, FILE *err)
{
    struct xen_host h;
    char why[XL_HOST_WHY];
    int ret = plan_fill(c, t, err);

    if (ret || !plan_wants_xen(c))
        return ret;
    ret = read_for(t, &h, why);
    if (ret && must_run) {
        fprintf(err, "%s: error: VM %s has engine xen, but %s; or choose engine kvm or user\n",
                c->path, first_xen_vm(c), why);
        return -EINVAL;
    }
    if (ret) {
        fprintf(err, "%s: warning: VM %s has engine xen: its physical CPUs are left open, for %s\n",
                c->path, first_xen_vm(c), why);
        return 0;
    }
    ret = plan_xen(c, &h, err);
    xen_host_clear(&h);
    return ret;
}
