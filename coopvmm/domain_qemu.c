/* SPDX-License-Identifier: BSD-3-Clause */
/* Does QEMU have what our devices have? Asked while the domain is paused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain_link.h"
#include "qmp.h"

#define ANSWER_MS 10000

/* libxl makes two; it uses the first itself, and each takes one client at a time. */
static int open_qmp(int domid, struct qmp **q)
{
    static const char *const names[] = {"libxenstat", "libxl"};
    int err = -ENOENT;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && err; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/var/run/xen/qmp-%s-%d", names[i], domid);
        err = qmp_open(path, ANSWER_MS, q);
    }
    return err;
}

static int ask_ports(struct qmp *q, struct qemu_claims *claims)
{
    json_t *answer;
    int err = qmp_execute(q, "human-monitor-command",
                          json_pack("{s:s}", "command-line", "info mtree -f"), &answer);

    if (err)
        return err;
    err = json_is_string(answer) ? qemu_read_ports(json_string_value(answer), claims) : -EPROTO;
    json_decref(answer);
    return err;
}

static int ask(int domid, struct qemu_claims *claims)
{
    struct qmp *q;
    json_t *answer;
    int err = open_qmp(domid, &q);

    if (err)
        return err;
    err = qmp_execute(q, "query-pci", NULL, &answer);
    if (!err) {
        err = qemu_read_pci(answer, claims);
        json_decref(answer);
    }
    if (!err)
        err = ask_ports(q, claims);
    qmp_close(q);
    return err;
}

int domain_check_qemu(const struct domain *d, const struct domain_link *l)
{
    struct qemu_claims *claims;
    struct qemu_rival r;
    unsigned clashes = 0;
    int err;

    if (d->c->xen->type != CFG_XEN_HVM || !domain_link_device(l, 0, &r))
        return 0;
    claims = calloc(1, sizeof(*claims));
    err = claims ? ask(d->domid, claims) : -ENOMEM;
    if (err)
        domain_log(
            d,
            "warning: QEMU cannot be asked which slots and ports it has (%s); if a device does "
            "not show up in the guest, give it another slot or io_base",
            strerror(-err));
    for (unsigned i = 0; !err && domain_link_device(l, i, &r); i++)
        clashes += qemu_clashes(claims, &r, d->err);
    free(claims);
    return clashes ? -EEXIST : 0;
}
