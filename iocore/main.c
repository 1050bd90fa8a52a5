/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm-iocored: the I/O-core process. `coopvmm run` starts it and restarts it if it dies. */
#include <errno.h>
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon.h"
#include "eal.h"
#include "numa.h"
#include "privs.h"

struct options {
    const char *config, *rundir, *cores;
    int ready_fd;
    bool taps_held;
};

static const char usage[] =
    "Usage: coopvmm-iocored --config FILE --rundir DIR [options]\n"
    "Polls the I/O cores of a testbed; `coopvmm run` starts it.\n\n"
    "  --config FILE    the testbed's configuration\n"
    "  --rundir DIR     the testbed's run directory; VMMs connect to DIR/iotp.sock\n"
    "  --cores LIST     CPUs of the I/O cores, in the configuration's order: 1,2\n"
    "  --taps-held      the supervisor keeps the taps' carriers since a former process ended\n"
    "  --ready-fd N     write \"ready\" to this descriptor once VMs are served\n"
    "  --help           this text\n\n"
    "Exit status: 0 stopped by SIGTERM; 1 something failed (said on standard error);\n"
    "2 wrong usage; 3 the configuration is wrong.\n";

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"config", 1, NULL, 'c'},   {"rundir", 1, NULL, 'r'},    {"cores", 1, NULL, 'C'},
        {"ready-fd", 1, NULL, 'f'}, {"taps-held", 0, NULL, 't'}, {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.ready_fd = -1};
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'c': o->config = optarg; break;
        case 'r': o->rundir = optarg; break;
        case 'C': o->cores = optarg; break;
        case 'f': o->ready_fd = atoi(optarg); break;
        case 't': o->taps_held = true; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); return -EINVAL;
        }
    }
    if (!o->config || !o->rundir || optind != argc) {
        fputs(usage, stderr);
        return -EINVAL;
    }
    return 0;
}

/* The planner's decisions come as arguments: whoever started us made them for all at once. */
static int apply_plan(struct cfg *c, const char *cores)
{
    const char *p = cores;

    for (unsigned i = 0; p && i < c->iocores_count; i++) {
        char *end;
        long cpu = strtol(p, &end, 10);

        if (end == p || cpu < 0 || (*end && *end != ','))
            return -EINVAL;
        c->iocores[i].core = (int)cpu;
        p = *end ? end + 1 : NULL;
    }
    for (unsigned i = 0; i < c->iocores_count; i++)
        if (c->iocores[i].core == CFG_ANY)
            return -EINVAL;
    return c->iocores_count ? 0 : -EINVAL;
}

static void wake_core(void *ctx, unsigned core)
{
    struct daemon *d = ctx;

    idle_kick(&d->core[core]->idle);
}

static int make_switch(struct daemon *d)
{
    struct sw_opts o = {.mac_age_s = d->cfg->daemon.mac_age_s,
                        .ncores = d->cfg->iocores_count,
                        .socket = -1,
                        .tsc_hz = d->tsc_hz,
                        .pool = d->pool,
                        .wake = wake_core,
                        .wake_ctx = d};

    d->sw = sw_create(&o);
    return d->sw ? 0 : -errno;
}

static int make_cores(struct daemon *d)
{
    for (unsigned i = 0; i < d->cfg->iocores_count; i++) {
        struct ioc_core *k = calloc(1, sizeof(*k));
        int err = k ? core_init(k, i, &d->cfg->iocores[i], d->sw, d->tsc_hz) : -ENOMEM;

        if (err) {
            free(k);
            return err;
        }
        d->core[d->ncores++] = k;
    }
    return 0;
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "coopvmm-iocored: %s: %s\n", what, strerror(-err));
    return err;
}

static unsigned ports_on(const struct daemon *d, const struct ioc_core *k)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->nports; i++)
        n += d->port_core[i] == k;
    return n;
}

static int open_vhost(struct daemon *d, const struct options *o, const struct cfg_port *c,
                      struct ioc_core *core)
{
    int err = -ENOSPC;

    if (d->nvhosts < DAEMON_MAX_PORTS)
        err = vhost_port_open(c, o->rundir, core, d->pool, &d->vhost[d->nvhosts], stderr);
    d->nvhosts += !err;
    return err;
}

static int open_ports(struct daemon *d, const struct options *opts)
{
    for (unsigned i = 0; i < d->cfg->ports_count; i++) {
        const struct cfg_port *c = &d->cfg->ports[i];
        int core = cfg_iocore_index(d->cfg, c->iocore);
        struct port_opts o = {
            .cfg = c, .sw = d->sw, .pool = d->pool, .socket = -1, .held = opts->taps_held};
        int err;

        if (core >= 0 && c->type == CFG_PORT_VHOST) {
            err = open_vhost(d, opts, c, d->core[core]);
            if (err)
                return err;
            continue;
        }
        if (core < 0 || d->nports == DAEMON_MAX_PORTS ||
            ports_on(d, d->core[core]) == CORE_MAX_PORTS)
            return fail("more ports than an I/O core can poll", -EINVAL);
        o.core = (unsigned)core;
        err = port_open(&o, &d->port[d->nports], stderr);
        if (err)
            return err;
        d->port_core[d->nports++] = d->core[core];
    }
    return 0;
}

static int listen_for_vms(struct daemon *d, const char *rundir)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/iotp.sock", rundir);
    d->listen_fd = iotp_listen(path);
    if (d->listen_fd < 0)
        fprintf(stderr, "coopvmm-iocored: %s: %s\n", path, strerror(-d->listen_fd));
    return d->listen_fd < 0 ? d->listen_fd : 0;
}

static bool expects_domains(const struct cfg *c)
{
    for (unsigned i = 0; i < c->vms_count; i++)
        if (c->vms[i].engine == CFG_ENGINE_XEN)
            return true;
    return false;
}

/* Better now than when the first domain comes. */
static int look_for_xen(void)
{
    const char *why;
    int err = xen_dm_probe(&why);

    if (err)
        fprintf(stderr, "coopvmm-iocored: %s (%s)\n", why, strerror(-err));
    return err;
}

static int set_up(struct daemon *d, const struct options *o)
{
    int err = expects_domains(d->cfg) ? look_for_xen() : 0;

    if (!err)
        err = eal_start(d->cfg, stderr);

    if (err)
        return err;
    d->tsc_hz = rte_get_tsc_hz();
    d->started = rte_rdtsc();
    d->hugepages = rte_eal_has_hugepages();
    d->numa_nodes = nl_nodes();
    d->pool = eal_pool(d->cfg, "frames", 0, nl_node_of_cpu(d->cfg->iocores[0].core), stderr);
    if (!d->pool)
        return -ENOMEM;
    if ((err = make_switch(d)))
        return fail("cannot make the switch", err);
    if ((err = make_cores(d)))
        return fail("cannot set up the I/O cores", err);
    if ((err = open_ports(d, o)))
        return err; /* port_open said why */
    if ((err = daemon_telemetry(d)))
        return fail("cannot register telemetry", err);
    return listen_for_vms(d, o->rundir);
}

/* Real time, one core at a time: a core that may not have it goes on without. */
static int be_realtime(void *arg)
{
    struct ioc_core *k = arg;

    return privs_realtime(pthread_self(), k->c->name, stderr);
}

static void ask_for_realtime(struct daemon *d)
{
    unsigned cpus;

    if (!d->cfg->daemon.realtime)
        return;
    rte_eal_mp_wait_lcore();
    /* all that are online: isolated ones are not in anybody's mask, yet they are not used up */
    cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    for (unsigned i = 0; i < d->ncores; i++) {
        const char *why;

        if (!privs_may_realtime(d->cfg, i, cpus, &why)) {
            fprintf(stderr, "coopvmm-iocored: %s: not SCHED_FIFO: %s\n", d->core[i]->c->name, why);
            continue;
        }
        rte_eal_remote_launch(be_realtime, d->core[i], eal_lcore(i));
        d->realtime |= rte_eal_wait_lcore(eal_lcore(i)) == 0;
    }
    d->memory_locked = privs_lock_memory(stderr) == 0;
}

static void say_ready(int fd)
{
    if (fd >= 0) {
        if (write(fd, "ready\n", 6) < 0)
            perror("coopvmm-iocored: --ready-fd");
        close(fd);
    }
}

static int serve(struct daemon *d, int stop_fd, int ready_fd)
{
    struct privs_drop drop = {.user = d->cfg->daemon.user,
                              .seccomp = d->cfg->daemon.seccomp,
                              .xen = expects_domains(d->cfg)};
    int err;

    ask_for_realtime(d);
    for (unsigned i = 0; i < d->ncores; i++)
        rte_eal_remote_launch(core_run, d->core[i], eal_lcore(i));
    err = privs_drop(&drop, stderr);
    d->seccomp = !err && drop.seccomp;
    if (!err) {
        say_ready(ready_fd);
        err = ctl_loop(d, stop_fd);
    }
    for (unsigned i = 0; i < d->ncores; i++)
        core_quit(d->core[i]);
    rte_eal_mp_wait_lcore();
    return err;
}

static int run(const struct options *o, const struct cfg *cfg, int stop_fd)
{
    static struct daemon d = {.listen_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
    int err;

    d.cfg = cfg;
    err = set_up(&d, o);
    if (!err)
        err = serve(&d, stop_fd, o->ready_fd);
    /* A tap that this process made goes with it when it was told to stop; when it crashes the tap
     * stays for its successor (port.h). */
    for (unsigned i = 0; i < d.nports; i++)
        port_close(d.port[i], false);
    telemetry_register(NULL);
    for (unsigned i = 0; i < d.ncores; i++) {
        core_fini(d.core[i]);
        free(d.core[i]);
    }
    if (d.sw)
        sw_free(d.sw);
    eal_stop();
    return err;
}

/* Termination comes as a readable descriptor; threads made later inherit the mask. */
static int block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cfg *cfg;
    int stop_fd, err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parse(argc, argv, &o))
        return EXIT_USAGE;
    if (cfg_load(o.config, &cfg, stderr))
        return EXIT_CONFIG;
    if (apply_plan(cfg, o.cores)) {
        fprintf(stderr,
                "coopvmm-iocored: --cores: one CPU for each I/O core (there are %u), please\n",
                cfg->iocores_count);
        return EXIT_CONFIG;
    }
    stop_fd = block_signals();
    err = run(&o, cfg, stop_fd);
    cfg_free(cfg);
    return err ? EXIT_FAILED : 0;
}
