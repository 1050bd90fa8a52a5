/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "xl.h"

#define CREATE_MS  240000 /* hotplug scripts, QEMU, scrubbing memory; xl creates one at a time */
#define ORDER_MS   60000
#define LIST_MS    20000
#define DEBIAN_DM  "/usr/libexec/xen-qemu-system-i386"
#define LIST_AGAIN 3 /* times, if xl does not answer */

void domain_log(const struct domain *d, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(d->err, "%s: %s\n", d->c->name, line);
    fflush(d->err);
}

/* A random one (RFC 4122, version 4). */
static int make_uuid(char out[XL_UUID])
{
    unsigned char r[16];

    if (getrandom(r, sizeof(r), 0) != sizeof(r))
        return -EIO;
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    snprintf(out, XL_UUID, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
             r[14], r[15]);
    return 0;
}

static const char *device_model(const struct cfg_vm *c)
{
    if (c->xen->type != CFG_XEN_HVM || c->xen->device_model)
        return c->xen->device_model;
    return access(DEBIAN_DM, X_OK) ? NULL : DEBIAN_DM;
}

static int write_file(const struct domain *d)
{
    int fd = open(d->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    int ret;

    if (!f)
        return -errno;
    ret = xl_config_write(d->cfg, d->c, d->uuid, device_model(d->c), f);
    if (fclose(f) && !ret)
        ret = -errno;
    return ret;
}

int domain_init(struct domain *d, const struct cfg *cfg, const struct cfg_vm *c, const char *rundir,
                int stop_fd, FILE *err)
{
    int ret;

    *d = (struct domain){.cfg = cfg, .c = c, .err = err, .stop_fd = stop_fd, .domid = -1};
    xl_domain_name(cfg, c, d->name);
    ret = make_uuid(d->uuid);
    if (!ret && snprintf(d->file, sizeof(d->file), "%s/%s.xl", rundir, c->name) >= DOMAIN_PATH)
        ret = -ENAMETOOLONG;
    if (!ret)
        ret = write_file(d);
    if (ret)
        domain_log(d, "cannot write %s for xl: %s", d->file,
                   ret == -EINVAL ? "a text of the config holds a control character"
                                  : strerror(-ret));
    return ret;
}

/* Files that are not there are better said by us: xl's words are many and far from it. */
static int check_files(const struct domain *d)
{
    const char *const files[] = {d->c->kernel, d->c->initrd, d->c->xen->device_model};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i] && access(files[i], R_OK)) {
            int err = -errno;

            domain_log(d, "cannot read %s: %s", files[i], strerror(-err));
            return err;
        }
    return 0;
}

static int order(const struct domain *d, const char *const args[], const char *what, unsigned ms)
{
    struct xl_text t = {NULL, 0};
    int ret = xl_run(args, ms, d->stop_fd, &t);

    if (ret && ret != -ECANCELED)
        xl_explain(d->c->name, what, ret, &t, d->err);
    xl_text_clear(&t);
    return ret > 0 ? -EIO : ret;
}

int domain_find(const char *uuid, int *domid)
{
    const char *const args[] = {"list", "-v", NULL};
    struct xl_text t = {NULL, 0};
    int ret = xl_run(args, LIST_MS, -1, &t);

    *domid = -1;
    if (ret > 0)
        ret = -EIO;
    if (!ret) {
        xl_parse_list(t.text ? t.text : "", uuid, domid);
        ret = *domid < 0 ? -ENOENT : 0;
    }
    xl_text_clear(&t);
    return ret;
}

int domain_create(struct domain *d)
{
    const char *const args[] = {"create", "-p", "-e", d->file, NULL};
    int ret = check_files(d);

    if (!ret)
        ret = order(d, args, "creating the domain", CREATE_MS);
    if (ret)
        return ret;
    ret = domain_find(d->uuid, &d->domid);
    if (ret)
        domain_log(d, "the domain was created, but xl does not list it: %s", strerror(-ret));
    return ret;
}

int domain_unpause(struct domain *d)
{
    char id[16];
    const char *const args[] = {"unpause", id, NULL};

    snprintf(id, sizeof(id), "%d", d->domid);
    return order(d, args, "starting the domain", ORDER_MS);
}

enum xl_reason domain_state(const struct domain *d)
{
    const char *const args[] = {"list", "-v", NULL};
    enum xl_reason state = XL_RUNS;

    for (unsigned i = 0; i < LIST_AGAIN; i++) {
        struct xl_text t = {NULL, 0};
        int ret = xl_run(args, LIST_MS, d->stop_fd, &t);

        if (!ret)
            state = xl_parse_list(t.text ? t.text : "", d->uuid, NULL);
        xl_text_clear(&t);
        if (!ret || ret == -ECANCELED)
            break;
    }
    return state;
}

/* Whoever wishes the end must not cancel this, too. */
int domain_destroy(struct domain *d)
{
    struct domain now = *d;
    char id[16];
    const char *const args[] = {"destroy", id, NULL};
    int ret = domain_find(d->uuid, &now.domid);

    now.stop_fd = -1;
    snprintf(id, sizeof(id), "%d", now.domid);
    if (!ret)
        ret = order(&now, args, "destroying the domain", ORDER_MS);
    if (ret && ret != -ENOENT) {
        domain_log(d,
                   "domain %s may be there still; look with `xl list` and end it with `xl destroy`",
                   d->name);
        return ret;
    }
    unlink(d->file);
    d->domid = -1;
    return 0;
}
