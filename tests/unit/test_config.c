/* SPDX-License-Identifier: BSD-3-Clause */
/* The config file: what is loaded, what is filled in, what is saved; files that cannot be. */
#include <CUnit/CUnit.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/doc.h"
#include "config/schema.h"
#include "config_rig.h"
#include "cu_main.h"

const char *const suite_name = "config";

static void test_demo(void)
{
    struct cfg *c;
    const struct cfg_device *d;
    uint8_t mac[6];

    CU_ASSERT_EQUAL_FATAL(cfg_load(CONFIG_EXAMPLES "/demo.yaml", &c, stderr), 0);
    CU_ASSERT_STRING_EQUAL(c->name, "demo");
    CU_ASSERT_EQUAL_FATAL(c->iocores_count, 1);
    CU_ASSERT_STRING_EQUAL(c->iocores[0].name, "io0");
    CU_ASSERT_EQUAL(c->iocores[0].core, CFG_ANY);
    CU_ASSERT_EQUAL_FATAL(c->ports_count, 1);
    CU_ASSERT_STRING_EQUAL(c->ports[0].name, "uplink");
    CU_ASSERT_EQUAL(c->ports[0].type, CFG_PORT_TAP);
    CU_ASSERT_STRING_EQUAL(c->ports[0].iface, "dtap0");
    CU_ASSERT_STRING_EQUAL(c->ports[0].address, "10.77.0.1/24");
    CU_ASSERT_STRING_EQUAL(c->ports[0].iocore, "io0");
    CU_ASSERT_EQUAL_FATAL(c->vms_count, 1);
    CU_ASSERT_EQUAL(c->vms[0].engine, CFG_ENGINE_USER);
    CU_ASSERT_EQUAL(c->vms[0].memory, 64);
    CU_ASSERT_STRING_EQUAL(c->vms[0].cmdline, "ip=10.77.0.2");
    CU_ASSERT_EQUAL(c->vms[0].kernel[0], '/');
    CU_ASSERT_PTR_NOT_NULL(strstr(c->vms[0].kernel, "build/guest/probe.elf"));
    CU_ASSERT_EQUAL_FATAL(c->vms[0].devices_count, 1);
    d = &c->vms[0].devices[0];
    CU_ASSERT_STRING_EQUAL(d->model, "ne2000");
    CU_ASSERT_STRING_EQUAL(d->iocore, "io0");
    CU_ASSERT_EQUAL(d->irq, 9);
    CU_ASSERT_EQUAL(cfg_parse_mac(d->mac, mac), 0);
    CU_ASSERT_EQUAL(mac[5], 2);
    cfg_free(c);
}

static void test_examples(void)
{
    DIR *dir = opendir(CONFIG_EXAMPLES);
    const struct dirent *e;
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((e = readdir(dir))) {
        char path[300];
        struct cfg *c;

        if (!strstr(e->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof(path), CONFIG_EXAMPLES "/%s", e->d_name);
        CU_ASSERT_EQUAL_FATAL(cfg_load(path, &c, stderr), 0);
        CU_ASSERT_TRUE(strstr(e->d_name, c->name) == e->d_name);
        CU_ASSERT(c->vms_count >= 1 || strstr(e->d_name, "vhost-user"));
        cfg_free(c);
        n++;
    }
    closedir(dir);
    CU_ASSERT(n >= 5);
}

static void check_device_defaults(const struct cfg_device *d)
{
    uint8_t mac[6];

    CU_ASSERT_STRING_EQUAL(d->name, "ne2000.0");
    CU_ASSERT_EQUAL(d->placement, CFG_PLACE_IOCORE);
    CU_ASSERT_STRING_EQUAL(d->iocore, "io0");
    CU_ASSERT_TRUE(d->connected);
    CU_ASSERT_PTR_NULL(d->tap);
    CU_ASSERT_EQUAL(d->io_base, 0);
    CU_ASSERT_EQUAL(d->irq, CFG_IRQ_ISA);
    CU_ASSERT_EQUAL_FATAL(cfg_parse_mac(d->mac, mac), 0);
    CU_ASSERT_EQUAL(memcmp(mac, "\x52\x54\x00", 3), 0);
}

static void test_defaults(void)
{
    struct loaded l = config_text(DEVICE);
    const struct cfg *c = l.c;

    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_STRING_EQUAL(c->name, "t");
    CU_ASSERT_STRING_EQUAL(c->path, "/lab/t.yaml");
    CU_ASSERT_EQUAL(c->daemon.memory, 256);
    CU_ASSERT_TRUE(c->daemon.hugepages && c->daemon.realtime && c->daemon.seccomp);
    CU_ASSERT_EQUAL(c->daemon.mac_age_s, 300);
    CU_ASSERT_PTR_NULL(c->daemon.user);
    CU_ASSERT_EQUAL(c->iocores[0].idle, CFG_IDLE_PAUSE);
    CU_ASSERT_EQUAL(c->iocores[0].idle_us, 0);
    CU_ASSERT_EQUAL(c->vms[0].memory, 64);
    CU_ASSERT_EQUAL(c->vms[0].vcpus, 1);
    CU_ASSERT_EQUAL(c->vms[0].cores_count, 1);
    CU_ASSERT_EQUAL(c->vms[0].cores[0], CFG_ANY);
    CU_ASSERT_EQUAL(c->vms[0].node, CFG_ANY);
    CU_ASSERT_EQUAL(c->vms[0].spin_us, 100);
    CU_ASSERT_STRING_EQUAL(c->vms[0].cmdline, "");
    check_device_defaults(&c->vms[0].devices[0]);
    config_unload(&l);
}

static void test_given_values_stay(void)
{
    struct loaded l =
        config_text("name: x-1\n"
                    "daemon: {memory: 0x100, hugepages: no, realtime: off, seccomp: false,\n"
                    "         user: nobody, mac_age_s: 10}\n"
                    "iocores:\n  - {name: io0, core: 3, idle: sleep}\n"
                    "  - {name: io1, core: any, idle: spin, share_sibling: yes}\n"
                    "vms:\n  - name: a\n    kernel: k/guest.elf\n    vcpus: 3\n"
                    "    cores: [5, any]\n    node: 1\n    spin_us: 0\n    devices:\n"
                    "      - {model: ne2000, placement: inline, tap: t0, mac: "
                    "02:00:00:00:00:01,\n"
                    "         tap_address: 'fe80::1/64', io_base: 0x240, mmio_base: "
                    "0xd0000000, irq: 5}\n"
                    "      - {model: rtl8029, connected: false, iocore: io1}\n"
                    "      - {model: rtl8029}\n");
    const struct cfg_vm *vm;

    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    CU_ASSERT_STRING_EQUAL(l.c->name, "x-1");
    CU_ASSERT_EQUAL(l.c->daemon.memory, 256);
    CU_ASSERT_FALSE(l.c->daemon.hugepages || l.c->daemon.realtime || l.c->daemon.seccomp);
    CU_ASSERT_STRING_EQUAL(l.c->daemon.user, "nobody");
    CU_ASSERT_EQUAL(l.c->iocores[0].core, 3);
    CU_ASSERT_EQUAL(l.c->iocores[0].idle, CFG_IDLE_SLEEP);
    CU_ASSERT_EQUAL(l.c->iocores[0].idle_us, 1000);
    CU_ASSERT_EQUAL(l.c->iocores[1].core, CFG_ANY);
    CU_ASSERT_EQUAL(l.c->iocores[1].idle, CFG_IDLE_SPIN);
    CU_ASSERT_TRUE(l.c->iocores[1].share_sibling);
    vm = &l.c->vms[0];
    CU_ASSERT_STRING_EQUAL(vm->kernel, "/lab/k/guest.elf");
    CU_ASSERT_EQUAL_FATAL(vm->cores_count, 3);
    CU_ASSERT(vm->cores[0] == 5 && vm->cores[1] == CFG_ANY && vm->cores[2] == CFG_ANY);
    CU_ASSERT(vm->node == 1 && vm->spin_us == 0);
    CU_ASSERT(vm->devices[0].io_base == 0x240 && vm->devices[0].mmio_base == 0xd0000000);
    CU_ASSERT_PTR_NULL(vm->devices[0].iocore);
    CU_ASSERT_FALSE(vm->devices[1].connected);
    CU_ASSERT_STRING_EQUAL(vm->devices[1].name, "rtl8029.0");
    CU_ASSERT_STRING_EQUAL(vm->devices[2].name, "rtl8029.1");
    CU_ASSERT_EQUAL(vm->devices[2].irq, CFG_IRQ_PCI);
    CU_ASSERT_PTR_NULL(vm->devices[2].iocore); /* two to choose from: the planner's business */
    config_unload(&l);
}

/* What a PC may have and others not. */
static void test_pc_values(void)
{
    struct loaded l =
        config_text(PC "    initrd: i\n    hugepages: yes\n    vcpus: 64\n    memory: 4096\n"
                       "    devices: [{model: ne2000, mmio_base: 0x140000000},\n"
                       "      {model: rtl8029}, {model: rtl8029}]\n");

    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    CU_ASSERT(l.c->vms[0].platform == CFG_PLATFORM_PC && l.c->vms[0].hugepages);
    CU_ASSERT_STRING_EQUAL(l.c->vms[0].initrd, "/lab/i");
    config_unload(&l);
}

/* Slots are dealt out around those that were asked for; a name of its own each. */
static void test_xen_defaults(void)
{
    struct loaded l =
        config_text(XEN "    kernel: k\n    initrd: i\n    cores: [0, 7]\n    vcpus: 2\n"
                        "    devices:\n      - {model: rtl8029}\n"
                        "      - {model: rtl8029, slot: 1}\n      - {model: rtl8029}\n"
                        "      - {model: ne2000}\n"
                        "  - {name: b, engine: xen, kernel: /k, xen: {type: hvm, spin: no,\n"
                        "     device_model: q, cpupool: p, disk: [d], options: ['x=1', y]},\n"
                        "     devices: [{model: rtl8029, slot: 7}, {model: rtl8029},\n"
                        "               {model: rtl8029}, {model: ne2000}]}\n");
    const struct cfg_vm *a, *b;

    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    a = &l.c->vms[0];
    b = &l.c->vms[1];
    CU_ASSERT_STRING_EQUAL(a->initrd, "/lab/i");
    CU_ASSERT(a->xen->type == CFG_XEN_PVH && a->xen->spin && !a->xen->options_count);
    CU_ASSERT(a->devices[0].slot == 2 && a->devices[1].slot == 1 && a->devices[2].slot == 3);
    CU_ASSERT(a->devices[3].slot == 0 && a->devices[3].irq == CFG_IRQ_ISA);
    CU_ASSERT(b->xen->type == CFG_XEN_HVM && !b->xen->spin);
    CU_ASSERT_STRING_EQUAL(b->xen->device_model, "/lab/q");
    CU_ASSERT_STRING_EQUAL(b->xen->cpupool, "p");
    CU_ASSERT_EQUAL_FATAL(b->xen->disk_count, 1);
    CU_ASSERT_EQUAL_FATAL(b->xen->options_count, 2);
    CU_ASSERT_STRING_EQUAL(b->xen->options[1], "y");
    CU_ASSERT(b->devices[0].slot == 7 && b->devices[1].slot == 6 && b->devices[2].slot == 8);
    CU_ASSERT_EQUAL(b->devices[3].irq, CFG_IRQ_HVM);
    config_unload(&l);
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Repeats a piece up to the size limit; the whole must be refused, and soon. */
static void refuse_repeated(const char *head, const char *piece, size_t total)
{
    char *text = malloc(total + strlen(head) + strlen(piece) + 1);
    double start = seconds();
    struct loaded l;
    size_t n;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    n = (size_t)sprintf(text, "%s", head);
    while (n < total)
        n += (size_t)sprintf(text + n, "%s", piece);
    l = config_bytes(text, n);
    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT(l.len > 0);
    CU_ASSERT(seconds() - start < 5);
    config_unload(&l);
    free(text);
}

static void test_hostile(void)
{
    static const char bomb[] = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n";
    struct loaded l = config_text(bomb);
    size_t big = DOC_MAX_SIZE - 100;

    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.said, ":2: an alias"));
    config_unload(&l);
    refuse_repeated("a: ", "[", big);
    refuse_repeated("", "{", big);
    refuse_repeated("", "? ", big);
    refuse_repeated("vms:\n", "- {name: a}\n", big);
    refuse_repeated("", "k: v\n", big);
    refuse_repeated("name: ", "x", big);
    refuse_repeated("name: \"", "\\x41", big);
    refuse_repeated("&", "a", big);
    refuse_repeated("", "- &x a\n", big);
    refuse_repeated("", "#\n", big);
    refuse_repeated("", "%YAML 1.1\n", big);
    refuse_repeated("", "!<", big);
    refuse_repeated("", "a: b\n", DOC_MAX_SIZE + 10);
}

static void test_file_errors(void)
{
    char *said = NULL;
    size_t len;
    FILE *f = open_memstream(&said, &len);
    struct cfg *c;

    CU_ASSERT_EQUAL(cfg_load("/nonexistent/x.yaml", &c, f), -ENOENT);
    CU_ASSERT_EQUAL(cfg_load("/", &c, f), -EISDIR);
    CU_ASSERT_EQUAL(cfg_load("/dev/zero", &c, f), -EINVAL);
    CU_ASSERT_EQUAL(cfg_load("/dev/null", &c, NULL), -EINVAL);
    fclose(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "/nonexistent/x.yaml: No such file"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "/dev/zero:1: the file is larger than 1 MiB"));
    free(said);
}

static void test_many_macs(void)
{
    static char text[1 << 18];
    size_t n = (size_t)sprintf(text, IOCORE "vms:\n");
    struct loaded l;

    for (unsigned i = 0; i < SCHEMA_MAX_VMS; i++)
        n += (size_t)sprintf(text + n,
                             "- {name: v%u, kernel: /k, devices: [{model: rtl8029}, "
                             "{model: rtl8029}, {model: rtl8029}, {model: rtl8029}]}\n",
                             i);
    l = config_text(text);
    CU_ASSERT_EQUAL_FATAL(l.ret, 0); /* duplicates would have been refused */
    CU_ASSERT_EQUAL(l.c->vms_count, SCHEMA_MAX_VMS);
    CU_ASSERT_STRING_NOT_EQUAL(l.c->vms[0].devices[0].mac, l.c->vms[1].devices[0].mac);
    config_unload(&l);
}

static char *save(const struct cfg *c, size_t *len)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, len);

    CU_ASSERT_EQUAL(cfg_save(c, f), 0);
    fclose(f);
    return text;
}

/* What is saved is what was loaded: saving that again gives the same text. */
static void save_twice(const char *path)
{
    char *first, *second;
    size_t len1, len2;
    struct loaded l;
    struct cfg *c;

    CU_ASSERT_EQUAL_FATAL(cfg_load(path, &c, stderr), 0);
    first = save(c, &len1);
    cfg_free(c);
    l = config_bytes(first, len1);
    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    second = save(l.c, &len2);
    CU_ASSERT(len1 == len2 && !memcmp(first, second, len1));
    config_unload(&l);
    free(first);
    free(second);
}

static void test_save(void)
{
    save_twice(CONFIG_EXAMPLES "/demo-rtl8029.yaml");
    save_twice(CONFIG_EXAMPLES "/latency.yaml");
    save_twice(CONFIG_EXAMPLES "/two-socket.yaml");
    save_twice(CONFIG_EXAMPLES "/xen-pvh.yaml");
    save_twice(CONFIG_EXAMPLES "/xen-hvm.yaml");
}

const struct cu_test suite_tests[] = {
    {"the demo is read as written", test_demo},
    {"all examples load", test_examples},
    {"defaults are filled in", test_defaults},
    {"given values stay", test_given_values_stay},
    {"a PC's own keys", test_pc_values},
    {"a Xen domain's defaults", test_xen_defaults},
    {"hostile files are refused quickly", test_hostile},
    {"unreadable files", test_file_errors},
    {"4096 default MACs differ", test_many_macs},
    {"a saved config loads again, the same", test_save},
    {NULL, NULL},
};
