/* SPDX-License-Identifier: BSD-3-Clause */
/* A Linux guest with one NIC for coopvmm bench net: its start and its end. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../iocore/tap.h"
#include "guest.h"
#include "iod.h"
#include "net_guest.h"

#define MEMORY   256   /* MiB */
#define IDLE_US  20000 /* while it is measured it polls; beside others it sleeps */
#define BOOT_S   180   /* emulated, with other guests beside: minutes */
#define END_S    20
#define NETWORK  0x0a4e0000u /* 10.78.0.0; the guest's number is the third byte */
#define NETMASK  0xffffff00u
#define MAC      "52:54:00:78:00:%02x"
#define TAP_WAIT 200 /* of 50 ms */

struct dotted {
    char text[INET_ADDRSTRLEN];
};

static struct dotted dotted(uint32_t address)
{
    struct in_addr in = {htonl(address)};
    struct dotted d;

    inet_ntop(AF_INET, &in, d.text, sizeof(d.text));
    return d;
}

static uint32_t host_address(const struct net_guest *n)
{
    return n->address - 1;
}

static unsigned number_of(const struct net_guest *n)
{
    return n->address >> 8 & 0xff;
}

static void put_cmdline(const struct net_guest *n, char *out, size_t size)
{
    snprintf(out, size, "console=ttyS0 panic=-1 quiet net=%s addr=%s/24", n->model->modules,
             dotted(n->address).text);
}

static bool is_qemu(const struct net_guest *n)
{
    return n->system == NET_QEMU || n->system == NET_QEMU_VHOST;
}

/* --- ours --- */

static void put_device(FILE *f, const struct net_guest *n)
{
    static const char *const placement[NET_SYSTEMS] = {
        [NET_IOCORE] = "iocore", [NET_INLINE] = "inline", [NET_BLOCKING] = "blocking"};

    fprintf(f, "    devices:\n      - {model: %s, mac: '" MAC "', placement: %s", n->model->name,
            number_of(n), placement[n->system]);
    if (n->system != NET_IOCORE)
        fprintf(f, ", tap: %s, tap_address: %s/24", n->tap, dotted(host_address(n)).text);
    fputs("}\n", f);
}

/* Ordinary scheduling, for what is compared runs under the same. */
static void put_iocore(FILE *f, const struct net_guest *n, const struct net_cpus *cpus)
{
    fprintf(f,
            "daemon: {realtime: false}\n"
            "iocores: [{name: " IOD_CORE ", core: %d, idle: sleep, idle_us: %u}]\n"
            "ports: [{name: uplink, type: tap, iface: %s, address: %s/24}]\n",
            cpus->io, IDLE_US, n->tap, dotted(host_address(n)).text);
}

static int write_config(const struct net_guest *n, const struct net_options *o,
                        const struct net_cpus *cpus, const char *path)
{
    FILE *f = fopen(path, "we");
    char cmdline[256];

    if (!f)
        return -errno;
    fprintf(f, "name: %s\n", n->tap);
    if (n->system == NET_IOCORE)
        put_iocore(f, n, cpus);
    fprintf(f, "vms:\n  - name: linux\n    engine: kvm\n    platform: pc\n    memory: %u\n",
            MEMORY);
    fprintf(f, "    cores: [%d]\n    kernel: ", cpus->vcpu);
    guest_put_quoted(f, o->kernel);
    fputs("\n    initrd: ", f);
    guest_put_quoted(f, o->initrd);
    put_cmdline(n, cmdline, sizeof(cmdline));
    fprintf(f, "\n    cmdline: '%s'\n", cmdline);
    put_device(f, n);
    return fclose(f) ? -errno : 0;
}

static int start_ours(struct net_guest *n, const struct net_options *o, const struct net_cpus *cpus)
{
    char program[PATH_MAX], config[96];
    char *argv[] = {program, "run", config, NULL};
    struct child_spec spec = {.argv = argv};
    int err = child_find("coopvmm", program, sizeof(program));

    snprintf(config, sizeof(config), "%s/net.yaml", n->dir);
    if (!err)
        err = write_config(n, o, cpus, config);
    return err ? err : bed_start(&n->bed, &spec);
}

/* --- QEMU --- */

static int start_qemu(struct net_guest *n, const struct net_options *o, const struct net_cpus *cpus)
{
    char netdev[96], device[96], cmdline[256], memory[16];
    char program[PATH_MAX];
    char *argv[] = {program,
                    "-M",
                    "q35,accel=kvm",
                    "-cpu",
                    "host",
                    "-m",
                    memory,
                    "-name",
                    "bench,debug-threads=on",
                    "-nodefaults",
                    "-no-user-config",
                    "-nographic",
                    "-serial",
                    "stdio",
                    "-kernel",
                    (char *)(uintptr_t)o->kernel,
                    "-initrd",
                    (char *)(uintptr_t)o->initrd,
                    "-append",
                    cmdline,
                    "-netdev",
                    netdev,
                    "-device",
                    device,
                    NULL};
    struct child_spec spec = {.argv = argv};
    cpu_set_t set;
    int err = child_find("qemu-system-x86_64", program, sizeof(program));

    if (err)
        return err;
    CPU_ZERO(&set);
    CPU_SET(cpus->io, &set);
    spec.cpus = &set;
    snprintf(memory, sizeof(memory), "%u", MEMORY);
    snprintf(netdev, sizeof(netdev), "tap,id=n0,ifname=%s,script=no,downscript=no,vhost=%s", n->tap,
             n->system == NET_QEMU_VHOST ? "on" : "off");
    snprintf(device, sizeof(device), "%s,netdev=n0,mac=" MAC, n->model->qemu, number_of(n));
    put_cmdline(n, cmdline, sizeof(cmdline));
    return bed_start(&n->bed, &spec);
}

/* QEMU makes its tap; the address is ours to give. */
static int set_tap(const struct net_guest *n)
{
    for (unsigned i = 0; i < TAP_WAIT && !tap_exists(n->tap); i++)
        usleep(50000);
    return tap_set_address(n->tap, htonl(host_address(n)), htonl(NETMASK));
}

/* --- which CPU --- */

static bool comm_is(pid_t pid, pid_t tid, const char *start)
{
    char path[64], name[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)tid);
    f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(name, sizeof(name), f))
        name[0] = '\0';
    fclose(f);
    return !strncmp(name, start, strlen(start));
}

static void pin(pid_t tid, int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(tid, sizeof(set), &set);
}

/* Threads have numbers near their process's; QEMU's vCPU calls itself "CPU 0/KVM". */
static void pin_vcpu(pid_t pid, void *ctx)
{
    const struct net_cpus *cpus = ctx;

    if (comm_is(pid, pid, "vhost-"))
        pin(pid, cpus->io);
    for (pid_t tid = pid; tid < pid + 64; tid++)
        if (comm_is(pid, tid, "CPU 0/KVM"))
            pin(tid, cpus->vcpu);
}

/* --- life --- */

struct boot {
    bool ready;
};

static void take_line(void *ctx, const char *text)
{
    struct boot *b = ctx;

    b->ready |= strstr(text, "guest: ready") != NULL;
}

int net_guest_start(struct guard *g, const struct net_options *o, const struct net_cpus *cpus,
                    unsigned number, struct net_guest *n, FILE *err)
{
    struct boot boot = {0};
    int ret = iod_make_dir(n->dir, sizeof(n->dir));

    n->address = NETWORK | number << 8 | 2;
    snprintf(n->tap, sizeof(n->tap), "bnet%u", number);
    n->bed = (struct bed){.line = take_line, .ctx = &boot};
    if (!ret)
        ret = is_qemu(n) ? start_qemu(n, o, cpus) : start_ours(n, o, cpus);
    if (!ret && is_qemu(n))
        ret = set_tap(n);
    if (!ret)
        ret = bed_wait(g, &n->bed, &boot.ready, BOOT_S);
    n->bed.line = NULL;
    if (!ret && is_qemu(n))
        net_count_family(n->bed.child.pid, pin_vcpu, (void *)(uintptr_t)cpus);
    if (ret && ret != -EINTR)
        bed_complain(&n->bed, is_qemu(n) ? "QEMU's guest" : "coopvmm's guest", ret, err);
    if (ret)
        net_guest_end(n);
    return ret;
}

void net_guest_end(struct net_guest *n)
{
    bed_end(&n->bed, END_S);
    if (n->dir[0])
        iod_remove_dir(n->dir);
    n->dir[0] = '\0';
}
