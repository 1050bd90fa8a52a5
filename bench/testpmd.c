/* SPDX-License-Identifier: BSD-3-Clause */
#include "testpmd.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "../coopvmm/jsonutil.h"

#define PROGRAM "dpdk-testpmd"
#define PEER    "52:54:00:bb:00:01" /* whom txonly's frames are for */

bool testpmd_found(void)
{
    char path[PATH_MAX];

    return child_find(PROGRAM, path, sizeof(path)) == 0;
}

/* Each option stands in a buffer of its own; argv is what child_spec wants. */
struct command {
    unsigned n;
    char text[16][256];
    char *argv[17];
};

static void __attribute__((format(printf, 2, 3))) add(struct command *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->text[c->n], sizeof(c->text[0]), fmt, ap);
    va_end(ap);
    c->argv[c->n] = c->text[c->n];
    c->n++;
}

/* Its standard input is empty, which would end it at once, but for --stats-period. */
static void build(struct command *c, const struct testpmd_spec *s)
{
    add(c, "--no-huge");
    add(c, "-m256");
    add(c, "--no-pci");
    add(c, "--file-prefix=%s", s->name);
    add(c, "--lcores=0@%d,1@%d", s->main_cpu, s->cpu);
    for (unsigned i = 0; i < TESTPMD_MAX_VDEVS && s->vdev[i]; i++)
        add(c, "--vdev=%s", s->vdev[i]);
    add(c, "--");
    add(c, "--forward-mode=%s", s->mode);
    add(c, "--auto-start");
    add(c, "--stats-period=3600");
    add(c, "--total-num-mbufs=8192");
    add(c, "--eth-peer=0,%s", PEER);
    if (s->size)
        add(c, "--txpkts=%u", s->size);
}

int testpmd_start(struct testpmd *t, const struct testpmd_spec *s)
{
    struct command c = {.n = 1};
    struct child_spec spec = {.argv = c.argv, .env_name = "RUNTIME_DIRECTORY", .env_value = s->dir};
    int err = child_find(PROGRAM, c.text[0], sizeof(c.text[0]));

    *t = (struct testpmd){.child = {.pidfd = -1, .out_fd = -1, .ready_fd = -1}};
    c.argv[0] = c.text[0];
    build(&c, s);
    snprintf(t->telemetry, sizeof(t->telemetry), "%s/dpdk/%s/dpdk_telemetry.v2", s->dir, s->name);
    return err ? err : child_start(&spec, &t->child);
}

static void ignore(void *ctx, const char *line)
{
    (void)ctx, (void)line;
}

bool testpmd_ended(struct testpmd *t)
{
    struct pollfd p = {.fd = t->child.pidfd, .events = POLLIN};
    bool ended = poll(&p, 1, 0) == 1;

    console_take(&t->console, t->child.out_fd, ignore, NULL);
    return ended;
}

void testpmd_stop(struct testpmd *t)
{
    if (t->child.pid <= 0)
        return;
    child_kill(&t->child);
    close(t->child.pidfd);
    close(t->child.out_fd);
    close(t->child.ready_fd);
    t->child.pid = 0;
}

int ethdev_count(struct telclient *t, unsigned port, struct ethdev_count *out)
{
    char number[16];
    json_t *stats;
    int err;

    snprintf(number, sizeof(number), "%u", port);
    err = telclient_ask(t, "/ethdev/stats", number, &stats);
    if (err)
        return err;
    *out = (struct ethdev_count){json_u64(stats, "ipackets"), json_u64(stats, "opackets")};
    json_decref(stats);
    return 0;
}
