/* SPDX-License-Identifier: BSD-3-Clause */
#include "trap_guest.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "console.h"

#define LIMIT_S 60         /* a guest that takes longer hangs */
#define MMIO    0x70000000 /* the NIC's window in memory: above the guest's, below 2 GiB */

const struct trap_kind *trap_find(const struct trap_result *r, const char *name)
{
    for (unsigned i = 0; i < r->nkinds; i++)
        if (!strcmp(r->kind[i].name, name))
            return &r->kind[i];
    return NULL;
}

static int write_config(const struct session *s, const char *path, const char *guest,
                        enum cfg_placement place, unsigned n)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return -errno;
    fprintf(f,
            "name: trap\n"
            "iocores: [{name: " IOD_CORE ", core: %d}]\n"
            "vms:\n"
            "  - name: probe\n"
            "    engine: %s\n"
            "    cores: [%d]\n"
            "    cmdline: mode=lat exit=1 n=%u mmio=%#x\n"
            "    devices: [{model: ne2000, placement: %s, mmio_base: %#x%s}]\n"
            "    kernel: ",
            s->pair.iocpu, cfg_engine_name(s->o.engine), s->pair.cpu, n, MMIO,
            cfg_placement_name(place), MMIO, place == CFG_PLACE_IOCORE ? ", connected: false" : "");
    guest_put_quoted(f, guest);
    return fclose(f) ? -errno : 0;
}

static void take_line(void *ctx, const char *line)
{
    struct trap_result *out = ctx;

    if (out->nkinds < TRAP_MAX_KINDS && trap_parse(line, &out->kind[out->nkinds]))
        out->nkinds++;
}

static int follow(const struct session *s, struct child *child, struct console *c,
                  struct trap_result *out)
{
    time_t end = time(NULL) + LIMIT_S;
    int status = 0, err;

    for (;;) {
        struct pollfd p[] = {{.fd = child->out_fd, .events = POLLIN},
                             {.fd = child->pidfd, .events = POLLIN},
                             {.fd = guard_fd(s->guard), .events = POLLIN}};

        poll(p, 3, 1000);
        console_take(c, child->out_fd, take_line, out);
        if (p[2].revents)
            return -EINTR;
        err = p[1].revents ? child_reap(child, &status) : -EAGAIN;
        if (err != -EAGAIN)
            break;
        if (time(NULL) > end)
            return -ETIMEDOUT;
    }
    console_take(c, child->out_fd, take_line, out);
    return err ? err : status || !out->nkinds ? -ECHILD : 0;
}

static int run(struct session *s, const char *config, struct console *c, struct trap_result *out)
{
    char program[PATH_MAX];
    char *argv[] = {program,    "--config", (char *)config, "--rundir",
                    s->iod.dir, "--vm",     "probe",        NULL};
    struct child_spec spec = {.argv = argv};
    struct child child;
    int err = child_find("coopvmm-vm", program, sizeof(program));

    if (!err)
        err = child_start(&spec, &child);
    if (err)
        return err;
    err = follow(s, &child, c, out);
    child_kill(&child);
    close(child.pidfd);
    close(child.out_fd);
    close(child.ready_fd);
    return err;
}

int trap_guest_run(struct session *s, enum cfg_placement place, unsigned n, FILE *err,
                   struct trap_result *out)
{
    char guest[PATH_MAX], config[96];
    struct console *c = calloc(1, sizeof(*c));
    int ret = c ? guest_find(s->o.guest, guest, err) : -ENOMEM;

    out->nkinds = 0;
    if (ret) {
        free(c);
        return ret;
    }
    snprintf(config, sizeof(config), "%s/trap.yaml", s->iod.dir);
    ret = write_config(s, config, guest, place, n);
    session_unpin(s); /* whatever the process starts beside the vCPU may run anywhere */
    if (!ret)
        ret = run(s, config, c, out);
    session_pin(s);
    if (ret && ret != -EINTR)
        fprintf(err, "coopvmm-vm (placement %s): %s; it printed:\n%s", cfg_placement_name(place),
                ret == -ETIMEDOUT ? "the guest hangs" : "it failed", c->text);
    free(c);
    return ret;
}
