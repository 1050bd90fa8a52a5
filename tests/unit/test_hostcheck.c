/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm check` on made-up hosts: trees with the files of /proc, /sys and /dev it looks at. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/plan.h"
#include "coopvmm/cmd.h"
#include "coopvmm/hostcheck.h"
#include "coopvmm/hostcheck_priv.h"
#include "coopvmm/xl_parse.h"
#include "cu_main.h"

const char *const suite_name = "hostcheck";

#define PATH_SIZE 256

/* Two I/O cores and one VM of two vCPUs, on CPUs 2 to 5. */
static const char testbed[] =
    "iocores: [{name: io0, core: 2}, {name: io1, core: 3}]\n"
    "ports: [{name: up, type: tap, iface: t0}]\n"
    "vms: [{name: web, kernel: /k, vcpus: 2, cores: [4, 5], memory: 64}]\n";
static const char kvm_testbed[] = "vms: [{name: web, kernel: /k, engine: kvm}]\n";
static const char xen_testbed[] =
    "iocores: [{name: io0, core: 1}]\nvms: [{name: web, kernel: /k, engine: xen}]\n";
static const char pci_testbed[] =
    "iocores: [{name: io0, core: 2}]\n"
    "ports: [{name: nic, type: pci, pci: '0000:03:00.0', iocore: io0}]\n";

/* Puts a file into the tree. */
static void __attribute__((format(printf, 3, 4)))
put(const char *root, const char *text, const char *fmt, ...)
{
    char path[PATH_SIZE];
    size_t n = (size_t)snprintf(path, sizeof(path), "%s", root);
    va_list ap;
    FILE *f;

    va_start(ap, fmt);
    vsnprintf(path + n, sizeof(path) - n, fmt, ap);
    va_end(ap);
    for (char *p = strchr(path + n + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        CU_ASSERT_FATAL(mkdir(path, 0755) == 0 || errno == EEXIST);
        *p = '/';
    }
    f = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

#define CPU_DIR "/sys/devices/system/cpu"

/* Xen's control domain. */
static void put_dom0(const char *root)
{
    put(root, "control_d\n", "/proc/xen/capabilities");
    put(root, "4\n", "/sys/hypervisor/version/major");
    put(root, "17\n", "/sys/hypervisor/version/minor");
    put(root, ".7\n", "/sys/hypervisor/version/extra");
    put(root, "", "/dev/xen/privcmd");
    put(root, "", "/dev/xen/evtchn");
    put(root, "oxenstored\n", "/proc/101/comm");
    put(root, "xenconsoled\n", "/proc/102/comm");
}

/* A host as it should be: eight CPUs, 2 to 7 isolated. */
static void put_tuned(const char *root)
{
    put(root, "2-7\n", CPU_DIR "/isolated");
    put(root, "2-7\n", CPU_DIR "/nohz_full");
    put(root, "0\n", CPU_DIR "/smt/active");
    for (unsigned i = 0; i < 8; i++)
        put(root, "performance\n", CPU_DIR "/cpu%u/cpufreq/scaling_governor", i);
    put(root, "BOOT_IMAGE=/vmlinuz quiet rcu_nocbs=2-7 ro\n", "/proc/cmdline");
    put(root, "processor\t: 0\nflags\t\t: fpu constant_tsc sse nonstop_tsc\n\n", "/proc/cpuinfo");
    put(root, "tsc\n", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    put(root, "0-1\n", "/proc/irq/9/effective_affinity_list");
    put(root, "1\n", "/proc/irq/24/smp_affinity_list");
    put(root, "0-1\n", "/sys/devices/system/node/online");
    put(root, "0\n", "/proc/sys/kernel/numa_balancing");
    put(root, "512\n", "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    put(root, "512\n", "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    put(root, "always [madvise] never\n", "/sys/kernel/mm/transparent_hugepage/enabled");
    put(root, "always within_size [advise] never deny force\n",
        "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    put(root, "Name:\tme\nCapEff:\t0000000000000000\n", "/proc/self/status");
    put(root,
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max locked memory         unlimited            unlimited            bytes\n"
        "Max realtime priority     50                   50\n",
        "/proc/self/limits");
    put(root, "-1\n", "/proc/sys/kernel/sched_rt_runtime_us");
    put(root, "", "/dev/kvm");
    put(root, "", "/dev/net/tun");
    put_dom0(root);
    put(root, "", "/sys/kernel/iommu_groups/0/type");
    put(root, "63000\n", "/proc/sys/user/max_user_namespaces");
    put(root, "Name:\tsshd\nVmSize:\t100 kB\nCpus_allowed_list:\t0-7\n", "/proc/100/status");
    put(root, "sshd\n", "/proc/100/comm");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

/* A tuned host in a folder of its own; end with leave(). */
static const char *enter(void)
{
    static char root[64];

    strcpy(root, "/tmp/coopvmm-hostcheck-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
    put_tuned(root);
    return root;
}

static void leave(const char *root)
{
    CU_ASSERT_EQUAL(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static struct cfg *config(const char *yaml)
{
    struct topo *t;
    struct cfg *c;

    CU_ASSERT_EQUAL_FATAL(cfg_load_data("t.yaml", (const uint8_t *)yaml, strlen(yaml), &c, stderr),
                          0);
    CU_ASSERT_EQUAL_FATAL(topo_load("[numa] core:8 pu:1", &t), 0);
    CU_ASSERT_EQUAL_FATAL(plan_fill(c, t, stderr), 0);
    topo_free(t);
    return c;
}

static const struct hc_finding *find(const struct hostcheck *h, const char *topic)
{
    const struct hc_finding *f;

    for (unsigned i = 0; (f = hostcheck_at(h, i)); i++)
        if (!strcmp(f->topic, topic))
            return f;
    return NULL;
}

/* The host, checked for a testbed (NULL: none), must say this about a topic. */
static void expect(const char *root, const char *yaml, const char *topic, enum hc_level level,
                   const char *text)
{
    struct cfg *c = yaml ? config(yaml) : NULL;
    struct hostcheck *h = hostcheck_run(root, c);
    const struct hc_finding *f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    f = find(h, topic);
    if (!f || f->level != level || !strstr(f->found, text))
        fprintf(stderr, "\n-- %s: expected %s \"%s\", got %s \"%s\"\n", topic, hc_level_name(level),
                text, f ? hc_level_name(f->level) : "nothing", f ? f->found : "");
    CU_ASSERT_TRUE(f && f->level == level && strstr(f->found, text));
    CU_ASSERT_TRUE(f && (level == HC_OK || level == HC_NOTE || f->todo));
    hostcheck_free(h);
    cfg_free(c);
}

static void test_tuned(void)
{
    const char *root = enter();
    struct cfg *c = config(testbed);
    struct hostcheck *h = hostcheck_run(root, c);
    const struct hc_finding *f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    for (unsigned i = 0; (f = hostcheck_at(h, i)); i++) {
        if (f->level != HC_OK)
            fprintf(stderr, "\n-- %s: %s\n", f->topic, f->found);
        CU_ASSERT_EQUAL(f->level, HC_OK);
        CU_ASSERT(strlen(f->found) > 0);
    }
    CU_ASSERT_EQUAL(hostcheck_worst(h), HC_OK);
    hostcheck_free(h);
    cfg_free(c);
    leave(root);
}

static void test_isolation(void)
{
    const char *root = enter();

    expect(root, testbed, "isolcpus", HC_OK, "2-7");
    put(root, "4-7\n", CPU_DIR "/isolated");
    expect(root, testbed, "isolcpus", HC_WARN, "4-7; CPUs 2-3 of the testbed are not among them");
    expect(root, NULL, "isolcpus", HC_OK, "4-7");
    put(root, "2-3\n", "/sys/fs/cgroup/cpuset.cpus.isolated");
    expect(root, testbed, "isolcpus", HC_OK, "2-7");
    put(root, "\n", "/sys/fs/cgroup/cpuset.cpus.isolated");
    put(root, "\n", CPU_DIR "/isolated");
    expect(root, NULL, "isolcpus", HC_WARN, ": none");
    put(root, "(null)\n", CPU_DIR "/nohz_full");
    expect(root, testbed, "nohz_full", HC_WARN, "none; CPUs 2-5 of the testbed");
    expect(root, testbed, "rcu_nocbs", HC_OK, "2-7");
    put(root, "ro rcu_nocbs=2-4\n", "/proc/cmdline");
    expect(root, testbed, "rcu_nocbs", HC_WARN, "2-4; CPUs 5 of the testbed");
    put(root, "ro\n", "/proc/cmdline");
    put(root, "2-5\n", CPU_DIR "/nohz_full");
    expect(root, testbed, "rcu_nocbs", HC_OK, "2-5"); /* nohz_full implies it */
    leave(root);
}

static void test_cpus(void)
{
    const char *root = enter();

    put(root, "powersave\n", CPU_DIR "/cpu7/cpufreq/scaling_governor");
    expect(root, testbed, "governor", HC_OK, "performance on 4 CPUs");
    expect(root, NULL, "governor", HC_WARN, "powersave on CPUs 7");
    put(root, "schedutil\n", CPU_DIR "/cpu3/cpufreq/scaling_governor");
    expect(root, testbed, "governor", HC_WARN, "schedutil on CPUs 3");
    put(root, "1\n", CPU_DIR "/smt/active");
    expect(root, testbed, "smt", HC_NOTE, "on; the planner");
    put(root, "2,6\n", CPU_DIR "/cpu2/topology/thread_siblings_list");
    expect(root, testbed, "smt", HC_NOTE, "on; the planner");
    put(root, "2,4\n", CPU_DIR "/cpu2/topology/thread_siblings_list");
    expect(root, testbed, "smt", HC_WARN,
           "I/O core io0 (CPU 2) and vCPU 0 of VM web (CPU 4) share a physical core");
    put(root, "processor\t: 0\nflags\t\t: fpu nonstop_tsc_x constant_tsc\n", "/proc/cpuinfo");
    expect(root, NULL, "tsc", HC_WARN, "does not say");
    put(root, "hpet\n", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    expect(root, NULL, "clocksource", HC_WARN, "hpet");
    leave(root);
}

static void test_irqs(void)
{
    const char *root = enter();

    expect(root, testbed, "irqs", HC_OK, "none of 2 interrupts");
    expect(root, NULL, "irqs", HC_NOTE, "2 interrupts");
    put(root, "4\n", "/proc/irq/9/effective_affinity_list"); /* a vCPU's CPU, not an I/O core's */
    expect(root, testbed, "irqs", HC_OK, "none of 2 interrupts");
    put(root, "3\n", "/proc/irq/9/effective_affinity_list");
    expect(root, testbed, "irqs", HC_WARN, "1 of 2 interrupts may arrive at I/O cores: 9");
    put(root, "0-7\n", "/proc/irq/24/smp_affinity_list");
    expect(root, testbed, "irqs", HC_WARN, "2 of 2 interrupts");
    put(root, "0\n", "/proc/irq/24/effective_affinity_list"); /* goes before what was wished for */
    expect(root, testbed, "irqs", HC_WARN, "1 of 2 interrupts");
    for (unsigned i = 30; i < 40; i++)
        put(root, "2\n", "/proc/irq/%u/smp_affinity_list", i);
    expect(root, testbed, "irqs", HC_WARN, ", ...");
    leave(root);
}

#define STATUS(name, vm, list) "Name:\t" name "\n" vm "Cpus_allowed_list:\t" list "\n"
#define VM_SIZE                "VmSize:\t  1 kB\n"

static void test_others(void)
{
    const char *root = enter();

    expect(root, testbed, "irqbalance", HC_OK, "not running");
    expect(root, testbed, "pinned", HC_OK, "no other process");
    put(root, "irqbalance\n", "/proc/7/comm");
    expect(root, testbed, "irqbalance", HC_WARN, "running");
    put(root, STATUS("kworker/2:0", "", "2"), "/proc/8/status"); /* a kernel thread */
    put(root, STATUS("other", VM_SIZE, "1"), "/proc/9/status");
    expect(root, testbed, "pinned", HC_OK, "no other process");
    expect(root, NULL, "pinned", HC_NOTE, "other (9) on CPU 1");
    put(root, STATUS("dpdk-app", VM_SIZE, "3"), "/proc/10/status");
    expect(root, testbed, "pinned", HC_WARN, "dpdk-app (10) on CPU 3, where I/O core io1 goes");
    put(root, STATUS("qemu", VM_SIZE, "0-7"), "/proc/10/task/10/status");
    put(root, STATUS("CPU 0/KVM", VM_SIZE, "5"), "/proc/10/task/11/status");
    expect(root, testbed, "pinned", HC_WARN,
           "1 pinned threads of others: CPU 0/KVM (11) on CPU 5, where vCPU 1 of VM web goes");
    leave(root);
}

static void test_memory(void)
{
    const char *root = enter();

    put(root, "1\n", "/proc/sys/kernel/numa_balancing");
    expect(root, NULL, "numa", HC_WARN, "2 nodes");
    put(root, "0\n", "/sys/devices/system/node/online");
    expect(root, NULL, "numa", HC_OK, "one node");
    expect(root, testbed, "hugepages", HC_OK, "2 MiB: 512 of 512 free");
    put(root, "100\n", "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    expect(root, testbed, "hugepages", HC_WARN, "200 MiB free, the testbed's daemon.memory is 256");
    put(root, "1\n", "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
    put(root, "1\n", "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
    expect(root, testbed, "hugepages", HC_OK, "1 GiB: 1 of 1 free");
    put(root, "0\n", "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
    put(root, "0\n", "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    expect(root, testbed, "hugepages", HC_NOTE, "none reserved");
    put(root, "[always] madvise never\n", "/sys/kernel/mm/transparent_hugepage/enabled");
    expect(root, NULL, "thp", HC_NOTE, "always");
    expect(root, NULL, "sharedthp", HC_OK, "[advise]");
    put(root, "always within_size advise [never] deny force\n",
        "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    expect(root, NULL, "sharedthp", HC_NOTE, "no huge pages for guests' memory");
    put(root, "950000\n", "/proc/sys/kernel/sched_rt_runtime_us");
    expect(root, NULL, "rtthrottle", HC_NOTE, "950000 us");
    leave(root);
}

static void test_limits(void)
{
    const char *root = enter();
    static const char poor[] =
        "Max locked memory         8388608              8388608       bytes\n"
        "Max realtime priority     0                    0\n";

    put(root, poor, "/proc/self/limits");
    expect(root, testbed, "memlock", HC_WARN, "8 MiB may be locked, 320 MiB are wanted");
    expect(root, testbed, "rtprio", HC_WARN, "not allowed");
    put(root, "CapEff:\t0000000000004000\n", "/proc/self/status"); /* CAP_IPC_LOCK */
    expect(root, testbed, "memlock", HC_OK, "any amount");
    expect(root, testbed, "rtprio", HC_WARN, "not allowed");
    put(root, "CapEff:\t0000000000800000\n", "/proc/self/status"); /* CAP_SYS_NICE */
    expect(root, testbed, "rtprio", HC_OK, "allowed");
    expect(root, testbed, "memlock", HC_WARN, "8 MiB");
    leave(root);
}

static void drop_file(const char *root, const char *path)
{
    char whole[PATH_SIZE];

    snprintf(whole, sizeof(whole), "%s%s", root, path);
    CU_ASSERT_EQUAL(remove(whole), 0);
}

static void test_devices(void)
{
    const char *root = enter();

    expect(root, kvm_testbed, "kvm", HC_OK, "/dev/kvm is there");
    drop_file(root, "/dev/kvm");
    expect(root, kvm_testbed, "kvm", HC_FAIL, "there is no /dev/kvm");
    expect(root, testbed, "kvm", HC_NOTE, "there is no /dev/kvm");
    expect(root, NULL, "kvm", HC_NOTE, "there is no /dev/kvm");
    drop_file(root, "/dev/net/tun");
    expect(root, testbed, "tun", HC_FAIL, "needed for tap t0");
    expect(root, kvm_testbed, "tun", HC_NOTE, "No such file");
    expect(root, NULL, "iommu", HC_OK, "1 groups");
    put(root, "0\n", "/proc/sys/kernel/unprivileged_userns_clone");
    expect(root, NULL, "userns", HC_NOTE, "cannot make user namespaces");
    leave(root);
}

static void test_xen(void)
{
    const char *root = enter();

    expect(root, xen_testbed, "xen", HC_OK, "control domain of Xen 4.17.7");
    drop_file(root, "/dev/xen/evtchn");
    expect(root, xen_testbed, "xen-dev", HC_FAIL, "/dev/xen/evtchn: No such file");
    expect(root, testbed, "xen-dev", HC_NOTE, "/dev/xen/evtchn: No such file");
    put(root, "sh\n", "/proc/102/comm");
    expect(root, xen_testbed, "xen-daemons", HC_FAIL, "xenconsoled not running");
    put(root, "sh\n", "/proc/101/comm");
    expect(root, NULL, "xen-daemons", HC_NOTE, "xenstored and xenconsoled not running");
    put(root, "\n", "/proc/xen/capabilities");
    put(root, "xen\n", "/sys/hypervisor/type");
    expect(root, NULL, "xen", HC_NOTE, "unprivileged Xen domain");
    expect(root, xen_testbed, "xen", HC_FAIL, "unprivileged Xen domain");
    drop_file(root, "/sys/hypervisor/type");
    expect(root, NULL, "xen", HC_NOTE, "no Xen");
    expect(root, xen_testbed, "xen", HC_FAIL, "no Xen");
    leave(root);
}

/* What Xen tells of dom0's vCPUs, for a testbed with an I/O core on CPU 1. */
static void expect_dom0(const char *vcpus, const char *topic, enum hc_level level, const char *text)
{
    struct hostcheck h = {.root = "", .c = config(xen_testbed)};
    struct xen_host x = {0};
    const struct hc_finding *f;

    CU_ASSERT_EQUAL_FATAL(xl_parse_vcpus(vcpus, &x), 0);
    hc_check_dom0(&h, &x);
    f = find(&h, topic);
    CU_ASSERT_TRUE(f && f->level == level && strstr(f->found, text));
    for (unsigned i = 0; i < h.count; i++)
        free(h.findings[i].found);
    free(h.findings);
    xen_host_clear(&x);
    cfg_free((struct cfg *)h.c);
}

static void test_dom0(void)
{
    static const char two[] = "Domain-0 0 0 0 r-- 1.0 0 / all\nDomain-0 0 1 3 r-- 1.0 3 / all\n";
    static const char one[] = "Domain-0 0 0 0 r-- 1.0 0 / all\n";
    static const char loose[] =
        "Domain-0 0 0 0 r-- 1.0 0 / all\nDomain-0 0 1 3 r-- 1.0 2-3 / all\n";

    expect_dom0(two, "dom0", HC_OK, "2 vCPUs, 2 of them pinned");
    expect_dom0(two, "xen-pinning", HC_OK, "I/O core io0: dom0's vCPU 1 on physical CPU 3");
    expect_dom0(one, "dom0", HC_WARN, "1 vCPUs for 1 I/O cores");
    expect_dom0(loose, "xen-pinning", HC_WARN, "I/O core io0: dom0's vCPU 1 is not pinned");
}

static void test_pci_port(void)
{
    const char *root = enter();
    char path[PATH_SIZE];

    expect(root, pci_testbed, "pci", HC_FAIL, "0000:03:00.0 of port nic: no driver");
    put(root, "", "/sys/bus/pci/devices/0000:03:00.0/class");
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:03:00.0/driver", root);
    CU_ASSERT_EQUAL(symlink("../../../bus/pci/drivers/ixgbe", path), 0);
    expect(root, pci_testbed, "pci", HC_FAIL, "port nic: ixgbe; DPDK needs vfio-pci");
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(symlink("../../../bus/pci/drivers/vfio-pci", path), 0);
    expect(root, pci_testbed, "pci", HC_OK, "bound to vfio-pci");
    leave(root);
}

/* An empty tree, and one whose files hold nonsense: findings, but nothing breaks. */
static void test_nonsense(void)
{
    static const char *const files[] = {CPU_DIR "/isolated",
                                        CPU_DIR "/nohz_full",
                                        "/proc/cmdline",
                                        "/proc/cpuinfo",
                                        "/proc/self/limits",
                                        "/proc/self/status",
                                        "/proc/100/status",
                                        "/proc/irq/9/effective_affinity_list",
                                        CPU_DIR "/cpu2/topology/thread_siblings_list",
                                        "/sys/devices/system/node/online"};
    static char junk[9000];
    const char *root = enter();
    struct cfg *c = config(testbed);
    struct hostcheck *h = hostcheck_run("/nonexistent", c);

    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    CU_ASSERT_EQUAL(hostcheck_worst(h), HC_FAIL); /* no /dev/net/tun */
    hostcheck_free(h);
    for (unsigned i = 0; i < sizeof(junk) - 1; i++)
        junk[i] = (char)(1 + i * 7 % 255);
    put(root, "1\n", CPU_DIR "/smt/active");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        put(root, i % 2 ? junk : "9999999999-1,,-", "%s", files[i]);
        h = hostcheck_run(root, c);
        CU_ASSERT_PTR_NOT_NULL_FATAL(h);
        CU_ASSERT_PTR_NOT_NULL(hostcheck_at(h, 10));
        hostcheck_free(h);
    }
    cfg_free(c);
    leave(root);
}

/* This very host: whatever it is like, each topic is there once at least and nothing crashes. */
static void test_here(void)
{
    static const char *const topics[] = {
        "isolcpus",  "governor", "smt",    "tsc", "irqs", "pinned", "numa", "thp",
        "sharedthp", "memlock",  "rtprio", "kvm", "xen",  "iommu",  "tun",  "userns"};
    struct hostcheck *h = hostcheck_run("", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(find(h, topics[i]));
    hostcheck_free(h);
}

/* Runs a command with its output in a file, which is read back. */
static int run(int (*cmd)(int, char **), char *out, size_t size, int argc, char **argv)
{
    char name[] = "/tmp/coopvmm-out-XXXXXX";
    int fd = mkstemp(name), saved[2] = {dup(1), dup(2)}, ret;
    ssize_t n;

    CU_ASSERT_FATAL(fd >= 0 && saved[0] >= 0 && saved[1] >= 0);
    fflush(NULL);
    dup2(fd, 1);
    dup2(fd, 2);
    optind = 0;
    ret = cmd(argc, argv);
    fflush(NULL);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    close(saved[0]);
    close(saved[1]);
    n = pread(fd, out, size - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(name);
    return ret;
}

#define RUN(cmd, ...)                                                                              \
    run(cmd, out, sizeof(out), sizeof((char *[]){__VA_ARGS__}) / sizeof(char *),                   \
        (char *[]){__VA_ARGS__, NULL})

static void test_cmd_check(void)
{
    static char out[1 << 16];
    char *root = (char *)(uintptr_t)enter();
    json_t *j;

    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "--root", root), CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "ok    isolcpus"));
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "-q", "--root", root, "-s", "[numa] core:4 pu:1",
                        "config/examples/demo.yaml"),
                    CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "warn  isolcpus"));
    CU_ASSERT_PTR_NULL(strstr(out, "ok    "));
    drop_file(root, "/dev/net/tun");
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "--json", "--root", root, "--synthetic",
                        "[numa] core:4 pu:1", "config/examples/demo.yaml"),
                    CMD_FAILED);
    j = json_loads(out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "worst")), "fail");
    CU_ASSERT(json_array_size(json_object_get(j, "findings")) > 15);
    json_decref(j);
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "--help"), CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "Exit codes"));
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "--colour"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "a", "b"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_check, "check", "/nonexistent.yaml"), CMD_CONFIG);
    leave(root);
}

static void test_cmd_plan(void)
{
    static char out[1 << 17];
    json_t *j, *io;

    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan", "-s", "[numa] core:4 pu:1", "config/examples/demo.yaml"),
                    CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\nI/O core io0    1     1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\nprobe vCPU 0    2     2"));
    CU_ASSERT_EQUAL(
        RUN(cmd_plan, "plan", "--json", "-s", "[numa] core:2 pu:1", "config/examples/latency.yaml"),
        CMD_OK);
    j = json_loads(out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    io = json_array_get(json_object_get(j, "iocores"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(io, "cpu")), 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "vms")), 3);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "warnings")), 1);
    json_decref(j);
    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan", "--yaml", "-i", "3", "-s", "[numa] core:4 pu:1",
                        "config/examples/demo.yaml"),
                    CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "  core: 3\n"));
    CU_ASSERT_EQUAL(
        RUN(cmd_plan, "plan", "-s", "[numa] core:4 pu:1", "config/examples/two-socket.yaml"),
        CMD_CONFIG);
    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan", "-s", "rubbish", "config/examples/demo.yaml"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan", "-i", "x", "config/examples/demo.yaml"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_plan, "plan", "--help"), CMD_OK);
}

static void test_cmd_topo(void)
{
    static char out[1 << 17];
    json_t *j;

    CU_ASSERT_EQUAL(RUN(cmd_topo, "topo"), CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "CPU  CORE  LLC  NODE  SOCKET"));
    CU_ASSERT_EQUAL(RUN(cmd_topo, "topo", "-i", "1", "-s", "package:2 [numa] core:2 pu:2"), CMD_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "8 CPUs, 4 cores, 2 last-level caches, 2 NUMA nodes, 2 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "isolated"));
    CU_ASSERT_EQUAL(RUN(cmd_topo, "topo", "--json", "-s", "[numa] core:3 pu:1"), CMD_OK);
    j = json_loads(out, 0, NULL);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "cpus")), 3);
    json_decref(j);
    CU_ASSERT_EQUAL(RUN(cmd_topo, "topo", "extra"), CMD_USAGE);
    CU_ASSERT_EQUAL(RUN(cmd_topo, "topo", "-h"), CMD_OK);
}

const struct cu_test suite_tests[] = {
    {"a tuned host", test_tuned},
    {"isolation", test_isolation},
    {"governor, SMT, clocks", test_cpus},
    {"interrupts", test_irqs},
    {"irqbalance and pinned processes", test_others},
    {"NUMA and pages", test_memory},
    {"limits", test_limits},
    {"KVM, Xen, tun, namespaces", test_devices},
    {"Xen, its devices and daemons", test_xen},
    {"dom0's vCPUs", test_dom0},
    {"a physical NIC", test_pci_port},
    {"missing files and nonsense", test_nonsense},
    {"this host", test_here},
    {"coopvmm check", test_cmd_check},
    {"coopvmm plan", test_cmd_plan},
    {"coopvmm topo", test_cmd_topo},
    {NULL, NULL},
};
