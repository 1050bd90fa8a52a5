/* SPDX-License-Identifier: BSD-3-Clause */
/* The config file: what is loaded, what is filled in, and what is said about mistakes. */
#include <CUnit/CUnit.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "config/doc.h"
#include "config/schema.h"
#include "config/shape.h"
#include "config/syntax.h"
#include "cu_main.h"
#include "nicmodels/model.h"

#define EXAMPLES "config/examples"
#define MAN_PAGE "docs/man/coopvmm.yaml.5"

const char *const suite_name = "config";

/* What came of loading a text. */
struct loaded {
    int ret;
    struct cfg *c;
    char *said;
    size_t len;
};

static struct loaded load_bytes(const void *data, size_t len)
{
    struct loaded l = {0};
    FILE *f = open_memstream(&l.said, &l.len);

    l.ret = cfg_load_data("/lab/t.yaml", data, len, &l.c, f);
    fclose(f);
    return l;
}

static struct loaded load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static void unload(struct loaded *l)
{
    if (!l->ret)
        cfg_free(l->c);
    free(l->said);
}

#define IOCORE  "iocores:\n  - name: io0\n"
#define PORTS   IOCORE "ports:\n"
#define VM      "vms:\n  - name: a\n    kernel: /k\n"
#define DEVICE  IOCORE VM "    devices:\n      - model: ne2000\n"
#define XEN     IOCORE "vms:\n  - name: a\n    engine: xen\n"
#define HVM     XEN "    kernel: /k\n    xen: {type: hvm}\n    devices:\n"
#define PC      IOCORE VM "    engine: kvm\n    platform: pc\n"
#define PC_DEV  PC "    devices:\n"
#define DEVICE2 DEVICE "      - model: ne2000\n        io_base: 0x320\n        irq: 5\n"

static void test_demo(void)
{
    struct cfg *c;
    const struct cfg_device *d;
    uint8_t mac[6];

    CU_ASSERT_EQUAL_FATAL(cfg_load(EXAMPLES "/demo.yaml", &c, stderr), 0);
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
    DIR *dir = opendir(EXAMPLES);
    const struct dirent *e;
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((e = readdir(dir))) {
        char path[300];
        struct cfg *c;

        if (!strstr(e->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof(path), EXAMPLES "/%s", e->d_name);
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
    struct loaded l = load(DEVICE);
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
    unload(&l);
}

static void test_given_values_stay(void)
{
    struct loaded l = load("name: x-1\n"
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
    unload(&l);
}

/* A mistake, and what must be said of it, in full. */
struct mistake {
    const char *text;
    const char *said; /* a piece of the output: line, key and words */
};

static void expect(const struct mistake *m)
{
    struct loaded l = load(m->text);
    bool ok = l.ret == -EINVAL && strstr(l.said, m->said);

    if (!ok)
        fprintf(stderr, "\n-- expected: %s\n-- got (%d): %s-- of:\n%s", m->said, l.ret, l.said,
                m->text);
    CU_ASSERT_TRUE(ok);
    unload(&l);
}

static void test_form(void)
{
    static const struct mistake list[] = {
        {"", "t.yaml:1: the file is empty"},
        {"---\n...\n", "t.yaml:2: keys with values belong here"},
        {"- a\n", "t.yaml:1: keys with values belong here"},
        {"{}\n", "t.yaml:1: "},
        {"a: [1\n", "t.yaml:2: this is not YAML: "},
        {"a: 1\n  b: 2\n", "t.yaml:2: this is not YAML: "},
        {"name: \xff\n", "this is not YAML: "},
        {IOCORE "---\nname: b\n", "t.yaml:3: a second document begins"},
        {"name: &x a\nvms: *x\n", "t.yaml:2: an alias"},
        {"? [a]\n: b\n", "t.yaml:1: a key cannot be a list"},
        {"name: \"a\\0b\"\n", "t.yaml:1: a control character"},
        {"name: |\n  a\n  b\n", "t.yaml:1: a control character or line break"},
        {"iocore:\n  - name: io0\n",
         "t.yaml:1: iocore: there is no such key; did you mean \"iocores\"?"},
        {IOCORE "colour: red\n",
         "t.yaml:3: colour: there is no such key; the keys here are name, daemon, iocores, ports, "
         "vms"},
        {IOCORE "vms:\n  - name: a\n    memroy: 64\n",
         "t.yaml:5: vms[0].memroy: there is no such key; did you mean \"memory\"?"},
        {IOCORE "name: a\nname: b\n", "t.yaml:4: name: the key is there twice, first on line 3"},
        {"iocores:\n  - core: 1\n", "t.yaml:2: iocores[0]: the key \"name\" is missing; add it"},
        {"iocores: io0\n", "t.yaml:1: iocores: a list belongs here"},
        {"iocores:\n  - io0\n", "t.yaml:2: iocores[0]: keys with values belong here"},
        {"iocores:\n  - name: [io0]\n", "t.yaml:2: iocores[0].name: a single value belongs here"},
        {"iocores:\n  - name:\n", "t.yaml:2: iocores[0].name: nothing is there"},
        {IOCORE "    core: one\n",
         "t.yaml:3: iocores[0].core: \"one\" is not a whole number; use 0 to 65535"},
        {IOCORE "    core: -1\n", "t.yaml:3: iocores[0].core: \"-1\" is not a whole number"},
        {IOCORE "    core: 010\n", "iocores[0].core: \"010\" is not a whole number"},
        {IOCORE "    core: 1.5\n", "iocores[0].core: \"1.5\" is not a whole number"},
        {IOCORE "    core: 99999999999999999999999\n",
         "iocores[0].core: 99999999999999999999999 is "
         "out of range"},
        {IOCORE "    idle: sleepy\n",
         "t.yaml:3: iocores[0].idle: \"sleepy\" is not known here; did you mean \"sleep\"?"},
        {IOCORE "    idle: 1\n", "\"1\" is not known here; use one of spin, pause, sleep"},
        {IOCORE "    share_sibling: flase\n", "\"flase\" is neither true nor false"},
        {IOCORE VM "    memory: 64M\n",
         "t.yaml:6: vms[0].memory: \"64M\" is not a whole number; use 1 to 1048576 MiB"},
        {IOCORE VM "    memory: 0\n", "vms[0].memory: 0 is out of range; use 1 to 1048576 MiB"},
        {IOCORE VM "    memory: 1048577\n", "vms[0].memory: 1048577 is out of range"},
        {IOCORE VM "    vcpus: 0\n", "vms[0].vcpus: 0 is out of range; use 1 to 256"},
        {IOCORE VM "    vcpus: 257\n", "vms[0].vcpus: 257 is out of range; use 1 to 256"},
        {IOCORE VM "    cores: [1, x]\n", "vms[0].cores[1]: \"x\" is not a whole number"},
        {DEVICE "        io_base: 0x10000\n",
         "t.yaml:8: vms[0].devices[0].io_base: 0x10000 is out of range; use 0 to 0xffff (a port "
         "number)"},
        {DEVICE "        irq: 16\n", "vms[0].devices[0].irq: 16 is out of range; use 0 to 15"},
        {PORTS "  - name: p\n", "t.yaml:4: ports[0]: the key \"type\" is missing"},
        {PORTS "  - {name: p, type: tab}\n", "\"tab\" is not known here; did you mean \"tap\"?"},
        {"iocores:\n  - name: abcdefghijklmnopqrstuvwxyz0123456\n",
         "iocores[0].name: 33 characters are too many; use at most 31"},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        expect(&list[i]);
}

static void test_meaning(void)
{
    static const struct mistake list[] = {
        {"name: x\n", "t.yaml:1: there is nothing to run"},
        {"name: 'a b'\n" IOCORE, "t.yaml:1: name: \"a b\" is no name for a testbed"},
        {"iocores:\n  - name: -io\n", "iocores[0].name: \"-io\" is no name"},
        {IOCORE "  - name: io0\n",
         "t.yaml:3: iocores[1].name: line 2 has an I/O core named io0 already"},
        {"iocores:\n  - {name: a, core: 2}\n  - {name: b, core: 2}\n",
         "t.yaml:3: iocores[1].core: CPU 2 is given to I/O core a (line 2) and to I/O core b"},
        {IOCORE "    idle_us: 5\n", "t.yaml:3: iocores[0].idle_us: an I/O core with idle: pause"},
        {IOCORE "    idle: sleep\n    idle_us: 0\n", "idle: sleep needs at least 1 microsecond"},
        {IOCORE VM "    vcpus: 2\n    cores: [0, 1, 2]\n", "3 cores for 2 vCPUs"},
        {"iocores:\n  - {name: io0, core: 3}\nvms:\n  - name: web\n    kernel: /k\n    vcpus: 2\n"
         "    cores: [1, 3]\n",
         "t.yaml:7: vms[0].cores[1]: CPU 3 is given to I/O core io0 and to vCPU 1 of VM web"},
        {IOCORE VM "  - {name: a, kernel: /k}\n", "vms[1].name: line 4 has a VM named a already"},
        {IOCORE "vms:\n  - name: a\n", "t.yaml:4: vms[0]: the key \"kernel\" is missing"},
        {IOCORE VM "    memory: 1792\n",
         "t.yaml:6: vms[0].memory: 1792 MiB is too much for engine user; use at most 1791"},
        {PORTS "  - {name: p, type: tap, iface: t0}\n  - {name: p, type: ring}\n",
         "ports[1].name: line 4 has a port named p already"},
        {PORTS "  - {name: p, type: tap}\n",
         "t.yaml:4: ports[0]: a port of type tap needs the key \"iface\""},
        {PORTS "  - {name: p, type: ring, iface: x}\n",
         "ports[0].iface: a port of type ring has no such key"},
        {PORTS "  - {name: p, type: af_packet, iface: x, address: 10.0.0.1/8}\n",
         "ports[0].address: a port of type af_packet has no such key"},
        {PORTS "  - {name: p, type: pci}\n", "a port of type pci needs the key \"pci\""},
        {PORTS "  - {name: p, type: pci, pci: '03:00.0'}\n", "\"03:00.0\" is no PCI address"},
        {PORTS "  - {name: p, type: pci, pci: '0000:03:00.0'}\n"
               "  - {name: q, type: pci, pci: '0000:03:00.0'}\n",
         "ports[1].pci: the device belongs to port p (line 4) already"},
        {PORTS "  - {name: p, type: pcap}\n", "type pcap needs either iface, or rx_pcap"},
        {PORTS "  - {name: p, type: pcap, iface: a, rx_pcap: b}\n", "needs either iface, or"},
        {PORTS "  - {name: p, type: tap, iface: abcdefghijklmnop}\n",
         "\"abcdefghijklmnop\" cannot be an interface name"},
        {PORTS "  - {name: p, type: tap, iface: a/b}\n", "cannot be an interface name"},
        {PORTS "  - {name: p, type: tap, iface: t}\n  - {name: q, type: tap, iface: t}\n",
         "ports[1].iface: interface t belongs to port p (line 4) already"},
        {PORTS "  - {name: p, type: tap, iface: t, address: 10.0.0.1}\n",
         "ports[0].address: \"10.0.0.1\" is no address with prefix length"},
        {PORTS "  - {name: p, type: tap, iface: t, address: 10.0.0.1/33}\n", "is no address with"},
        {PORTS "  - {name: p, type: tap, iface: t, address: '::1/129'}\n", "is no address with"},
        {PORTS "  - {name: p, type: tap, iface: t, address: 10.0.0.256/8}\n", "is no address with"},
        {PORTS "  - {name: p, type: tap, iface: t, mac: '03:00:00:00:00:01'}\n",
         "ports[0].mac: 03:00:00:00:00:01 is a multicast address"},
        {PORTS "  - {name: p, type: tap, iface: t, iocore: io1}\n",
         "ports[0].iocore: there is no I/O core named io1; did you mean io0?"},
        {"vms:\n  - {name: a, kernel: /k}\nports:\n  - {name: p, type: ring}\n",
         "t.yaml:4: ports[0]: no I/O core is there to poll it"},
        {IOCORE VM "    devices: [{model: ne200}]\n",
         "vms[0].devices[0].model: there is no model ne200; did you mean \"ne2000\"?"},
        {IOCORE VM "    devices: [{model: e1000e-x}]\n", "there is no model e1000e-x; use one of "},
        {"vms:\n  - {name: a, kernel: /k, devices: [{model: ne2000}]}\n",
         "vms[0].devices[0]: no I/O core is there to run it"},
        {DEVICE "        iocore: nowhere\n", "there is no I/O core named nowhere; add it"},
        {DEVICE "        placement: inline\n        iocore: io0\n",
         "t.yaml:9: vms[0].devices[0].iocore: only a device with placement: iocore has one"},
        {DEVICE "        placement: blocking\n        connected: no\n",
         "is plugged into the switch"},
        {DEVICE "        placement: inline\n        tap_address: 10.0.0.1/8\n",
         "there is no tap to give the address to"},
        {DEVICE "        tap: t0\n", "reaches the host through a port"},
        {PORTS "  - {name: p, type: tap, iface: t}\n" VM
               "    devices:\n      - {model: ne2000, placement: inline, tap: t}\n",
         "vms[0].devices[0].tap: interface t belongs to port p (line 4) already"},
        {DEVICE "        mac: 52:54:00:00:00\n", "\"52:54:00:00:00\" is no MAC address"},
        {DEVICE "        mac: '00:00:00:00:00:00'\n", "is the null address"},
        {DEVICE "        mac: ff:ff:ff:ff:ff:ff\n", "is a multicast address"},
        {DEVICE2 "        name: ne2000.0\n",
         "vms[0].devices[1].name: line 7 has a device named ne2000.0 already"},
        {DEVICE "        mac: 52:54:00:AA:00:01\n      - model: rtl8029\n"
                "        mac: 52:54:00:aa:00:01\n",
         "ne2000.0 of VM a (line 8) has the MAC address 52:54:00:aa:00:01 already"},
        {DEVICE "      - {model: ne2000, irq: 5}\n",
         "ports 0x300 to 0x31f of ne2000.1 of VM a meet 0x300 to 0x31f of ne2000.0"},
        {DEVICE "      - {model: ne2000, io_base: 0x320}\n",
         "interrupt line 9 of ne2000.1 is that of ne2000.0 already; set irq"},
        {DEVICE "        io_base: 0x500\n",
         "of ne2000.0 of VM a meet 0x501 to 0x501 of the exit port"},
        {DEVICE "        io_base: 0xe0\n", "meet 0xe9 to 0xe9 of the debug console"},
        {DEVICE "        mmio_base: 0x100000\n", "meet 0 to 0x3ffffff of the VM's memory"},
        {DEVICE "        io_base: 0x310\n", "vms[0].devices[0].io_base: ne2000 refuses it: "},
        {IOCORE VM "    devices: [{model: rtl8029, io_base: 0x300}]\n",
         "a PCI device's addresses are its guest's to choose"},
        {IOCORE VM "    initrd: /i\n", "vms[0].initrd: engine user loads no initrd"},
        {IOCORE VM "    xen: {type: pvh}\n", "vms[0].xen: the engine is user; remove it"},
        {IOCORE VM "    platform: pc\n", "vms[0].platform: engine user makes no PC"},
        {IOCORE VM "    platform: pv\n", "vms[0].platform: \"pv\" is not known here"},
        {IOCORE VM "    hugepages: true\n",
         "vms[0].hugepages: engine user does not choose its guest's pages"},
        {IOCORE VM "    devices: [{model: rtl8029, slot: 3}]\n",
         "vms[0].devices[0].slot: engine user chooses PCI slots itself"},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        expect(&list[i]);
}

static void test_xen_meaning(void)
{
    static const struct mistake list[] = {
        {XEN, "t.yaml:4: vms[0]: the key \"kernel\" is missing; a PVH domain has no firmware"},
        {XEN "    xen: {type: hvm}\n", "t.yaml:4: vms[0]: there is nothing to boot"},
        {XEN "    kernel: /k\n    xen: {device_model: /q}\n",
         "vms[0].xen.device_model: a PVH domain has no QEMU"},
        {XEN "    kernel: /k\n    vcpus: 129\n",
         "vms[0].vcpus: 129 vCPUs are too many for a Xen domain; use at most 128"},
        {XEN "    initrd: /i\n    xen: {type: hvm, disk: ['x']}\n",
         "vms[0].initrd: an initrd goes with a kernel"},
        {XEN "    xen: {type: pv}\n",
         "vms[0].xen.type: \"pv\" is not known here; did you mean \"pvh\""},
        {HVM "      - {model: rtl8029, placement: inline}\n", "use placement: iocore"},
        {HVM "      - {model: ne2000, irq: 9}\n",
         "devices[0].irq: interrupt line 9 is ACPI's in an HVM domain; use 3, 5, 7, 10 or 11"},
        {HVM "      - {model: rtl8029, irq: 5}\n", "PCI lines are routed by its firmware"},
        {HVM "      - {model: ne2000}\n      - {model: ne2000, io_base: 0x320}\n",
         "interrupt line 5 of ne2000.1 is that of ne2000.0 already"},
        {HVM "      - {model: ne2000, io_base: 0x40}\n",
         "of ne2000.0 of VM a meet 0x40 to 0x43 of Xen's timer"},
        {HVM "      - {model: ne2000, mmio_base: 0xfec00000}\n",
         "meet 0xfec00000 to 0xfeffffff of Xen's interrupt controllers"},
        {HVM "      - {model: ne2000, slot: 5}\n", "devices[0].slot: ne2000 is no PCI device"},
        {HVM "      - {model: rtl8029, slot: 8}\n      - {model: rtl8029, slot: 8}\n",
         "devices[1].slot: PCI slot 8 of rtl8029.1 is that of rtl8029.0 already"},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        expect(&list[i]);
}

static void test_pc_meaning(void)
{
    static const struct mistake list[] = {
        {PC "    vcpus: 65\n", "vms[0].vcpus: 65 vCPUs are too many for a PC; use at most 64"},
        {PC "    xen: {type: pvh}\n", "vms[0].xen: the engine is kvm; remove it"},
        {PC_DEV "      - {model: rtl8029, irq: 5}\n",
         "devices[0].irq: a PC's PCI lines are what its ACPI tables say; remove irq"},
        {PC_DEV "      - {model: ne2000, irq: 4}\n",
         "interrupt line 4 is the serial port's in a PC"},
        {PC_DEV "      - {model: ne2000, io_base: 0x3e0}\n",
         "of ne2000.0 of VM a meet 0x3f8 to 0x3ff of the serial port"},
        {PC_DEV "      - {model: ne2000, mmio_base: 0xe0000000}\n",
         "meet 0xc0000000 to 0xffffffff of PCI and the interrupt controllers"},
        {PC "    memory: 4096\n    devices: [{model: ne2000, mmio_base: 0x13ffff000}]\n",
         "meet 0 to 0x13fffffff of the VM's memory"},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        expect(&list[i]);
}

/* What a PC may have and others not. */
static void test_pc_values(void)
{
    struct loaded l = load(PC "    initrd: i\n    hugepages: yes\n    vcpus: 64\n    memory: 4096\n"
                              "    devices: [{model: ne2000, mmio_base: 0x140000000},\n"
                              "      {model: rtl8029}, {model: rtl8029}]\n");

    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    CU_ASSERT(l.c->vms[0].platform == CFG_PLATFORM_PC && l.c->vms[0].hugepages);
    CU_ASSERT_STRING_EQUAL(l.c->vms[0].initrd, "/lab/i");
    unload(&l);
}

/* Slots are dealt out around those that were asked for; a name of its own each. */
static void test_xen_defaults(void)
{
    struct loaded l =
        load(XEN "    kernel: k\n    initrd: i\n    cores: [0, 7]\n    vcpus: 2\n"
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
    unload(&l);
}

static void test_xen_slots_run_out(void)
{
    static char text[4096] = HVM;

    for (unsigned i = 0; i < 27; i++)
        strcat(text, "      - model: rtl8029\n");
    expect(&(struct mistake){text, "vms[0].devices[26]: no PCI slot is left for rtl8029.26"});
}

static void test_all_errors(void)
{
    struct loaded l = load("iocores:\n  - {name: '?'}\n  - {name: io1, core: 1}\n"
                           "ports:\n  - {name: p, type: tap}\n  - {name: p, type: ring}\n"
                           "vms:\n  - {name: v, kernel: /k, cores: [1], memory: 4000,\n"
                           "     devices: [{model: x, iocore: y, mac: z}]}\n");
    static const char *const all[] = {
        ":2: ", ":5: ", ":6: ", ".cores[0]:", ".memory:", ".model:", ".iocore:", ".mac:"};

    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(l.said, all[i]));
    unload(&l);
}

static unsigned count_lines(const char *s)
{
    unsigned n = 0;

    for (; *s; s++)
        n += *s == '\n';
    return n;
}

static void test_flood(void)
{
    static char text[1 << 16];
    size_t n = (size_t)sprintf(text, "vms:\n");
    struct loaded l;

    for (unsigned i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "- {nam: x}\n");
    l = load(text);
    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT_EQUAL(count_lines(l.said), 101);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.said, "there are more errors"));
    unload(&l);
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
    l = load_bytes(text, n);
    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT(l.len > 0);
    CU_ASSERT(seconds() - start < 5);
    unload(&l);
    free(text);
}

static void test_hostile(void)
{
    static const char bomb[] = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n";
    struct loaded l = load(bomb);
    size_t big = DOC_MAX_SIZE - 100;

    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.said, ":2: an alias"));
    unload(&l);
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
    l = load(text);
    CU_ASSERT_EQUAL_FATAL(l.ret, 0); /* duplicates would have been refused */
    CU_ASSERT_EQUAL(l.c->vms_count, SCHEMA_MAX_VMS);
    CU_ASSERT_STRING_NOT_EQUAL(l.c->vms[0].devices[0].mac, l.c->vms[1].devices[0].mac);
    unload(&l);
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
    l = load_bytes(first, len1);
    CU_ASSERT_STRING_EQUAL(l.said, "");
    CU_ASSERT_EQUAL_FATAL(l.ret, 0);
    second = save(l.c, &len2);
    CU_ASSERT(len1 == len2 && !memcmp(first, second, len1));
    unload(&l);
    free(first);
    free(second);
}

static void test_save(void)
{
    save_twice(EXAMPLES "/demo-rtl8029.yaml");
    save_twice(EXAMPLES "/latency.yaml");
    save_twice(EXAMPLES "/two-socket.yaml");
    save_twice(EXAMPLES "/xen-pvh.yaml");
    save_twice(EXAMPLES "/xen-hvm.yaml");
}

static void test_syntax(void)
{
    uint8_t mac[6];

    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:Ab:cd:0f", mac), 0);
    CU_ASSERT_EQUAL(memcmp(mac, "\x52\x54\x00\xab\xcd\x0f", 6), 0);
    CU_ASSERT_EQUAL(cfg_parse_mac("", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:ab:cd:0", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:ab:cd:0f:", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52-54-00-ab-cd-0f", mac), -EINVAL);
    CU_ASSERT_TRUE(syntax_is_name("9a_.-") && !syntax_is_name("") && !syntax_is_name(".a"));
    CU_ASSERT_TRUE(syntax_is_iface("eth0.100") && !syntax_is_iface("..") &&
                   !syntax_is_iface("a b"));
    CU_ASSERT_TRUE(syntax_is_pci("0000:fF:1f.7") && !syntax_is_pci("0000:00:00.8"));
    CU_ASSERT_TRUE(syntax_is_cidr("::/0") && syntax_is_cidr("1.2.3.4/32"));
    CU_ASSERT_FALSE(syntax_is_cidr("1.2.3.4/") || syntax_is_cidr("/8") ||
                    syntax_is_cidr("1.2.3/8") || syntax_is_cidr("1.2.3.4/-1") ||
                    syntax_is_cidr("1.2.3.4/8x"));
}

static void test_distance(void)
{
    CU_ASSERT_EQUAL(shape_distance("memory", "memory"), 0);
    CU_ASSERT_EQUAL(shape_distance("memroy", "memory"), 1);
    CU_ASSERT_EQUAL(shape_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(shape_distance("kitten", "sitting"), 3);
    CU_ASSERT(shape_distance("abcdefghijklmnopqrstuvwxyz0123456789", "a") > 31);
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(cfg_idle_name(CFG_IDLE_SLEEP), "sleep");
    CU_ASSERT_STRING_EQUAL(cfg_port_type_name(CFG_PORT_AF_XDP), "af_xdp");
    CU_ASSERT_STRING_EQUAL(cfg_engine_name(CFG_ENGINE_KVM), "kvm");
    CU_ASSERT_STRING_EQUAL(cfg_placement_name(CFG_PLACE_BLOCKING), "blocking");
    CU_ASSERT_STRING_EQUAL(cfg_xen_type_name(CFG_XEN_HVM), "hvm");
    CU_ASSERT_STRING_EQUAL(cfg_engine_name((enum cfg_engine)99), "?");
}

/* The entry of a key in a man page's section; NULL if it is missing. To be freed. */
static char *man_entry(const char *page, const char *section, const char *key)
{
    char head[64], item[64];
    const char *at, *end, *next;

    snprintf(head, sizeof(head), "\n.Sh %s\n", section);
    snprintf(item, sizeof(item), "\n.It Cm %s\n", key);
    at = strstr(page, head);
    end = at ? strstr(at + 1, "\n.Sh ") : NULL;
    at = at ? strstr(at, item) : NULL;
    if (!at || !end || at > end)
        return NULL;
    next = strstr(at + 1, "\n.It Cm ");
    return strndup(at, (size_t)((next && next < end ? next : end) - at));
}

static void check_range_told(const char *entry, const char *path)
{
    const struct schema_range *r = schema_range_find(path);
    char text[64];

    if (!r)
        return;
    snprintf(text, sizeof(text), r->hex ? "%#lx to %#lx" : "%lu to %lu", (unsigned long)r->min,
             (unsigned long)r->max);
    if (!strstr(entry, text))
        fprintf(stderr, "\n-- %s: the man page does not say %s\n", path, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(entry, text));
}

static void check_words_told(const char *entry, const char *page, const cyaml_schema_value_t *v)
{
    char item[64];

    for (uint32_t i = 0; v->type == CYAML_ENUM && i < v->enumeration.count; i++) {
        snprintf(item, sizeof(item), ".It Cm %s\n", v->enumeration.strings[i].str);
        CU_ASSERT(strstr(page, item) || strstr(entry, v->enumeration.strings[i].str));
    }
}

static void check_documented(const char *page, const char *section, const char *path,
                             const cyaml_schema_value_t *mapping)
{
    for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key; f++) {
        const cyaml_schema_value_t *v = &f->value;
        char *entry = man_entry(page, section, f->key), below[128], *upper;

        snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", f->key);
        if (!entry)
            fprintf(stderr, "\n-- %s is not in section %s of the man page\n", below, section);
        CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
        check_range_told(entry, below);
        check_words_told(entry, page, v);
        free(entry);
        if (v->type == CYAML_SEQUENCE)
            v = v->sequence.entry;
        if (v->type != CYAML_MAPPING)
            continue;
        upper = strdup(f->key);
        for (char *p = upper; *p; p++)
            *p = (char)(*p - ('a' - 'A'));
        check_documented(page, upper, below, v);
        free(upper);
    }
}

/* Every key, range and word of the schema, and every device model, is in coopvmm.yaml(5). */
static void test_man_page(void)
{
    static char page[1 << 16];
    FILE *f = fopen(MAN_PAGE, "re");
    const struct nm_model *m;

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
    fclose(f);
    check_documented(page, "TOP LEVEL", "", &cfg_schema);
    for (unsigned i = 0; (m = nm_model_at(i)); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(page, m->name));
    CU_ASSERT_PTR_NULL(man_entry(page, "VMS", "colour"));
}

/* Each declared range belongs to a number that is in the schema. */
static void test_ranges(void)
{
    const struct schema_range *r;
    unsigned n = 0;

    for (unsigned i = 0; (r = schema_range_at(i)); i++, n++)
        CU_ASSERT(r->min <= r->max && schema_range_find(r->path) == r);
    CU_ASSERT(n > 5);
    CU_ASSERT_PTR_NULL(schema_range_find("vms.colour"));
}

const struct cu_test suite_tests[] = {
    {"the demo is read as written", test_demo},
    {"all examples load", test_examples},
    {"defaults are filled in", test_defaults},
    {"given values stay", test_given_values_stay},
    {"mistakes of form name line and key", test_form},
    {"mistakes of meaning name line and key", test_meaning},
    {"mistakes about Xen domains name line and key", test_xen_meaning},
    {"a Xen domain's defaults", test_xen_defaults},
    {"mistakes about PCs name line and key", test_pc_meaning},
    {"a PC's own keys", test_pc_values},
    {"a Xen domain's PCI slots run out", test_xen_slots_run_out},
    {"all mistakes are reported at once", test_all_errors},
    {"a flood of mistakes is cut short", test_flood},
    {"hostile files are refused quickly", test_hostile},
    {"unreadable files", test_file_errors},
    {"4096 default MACs differ", test_many_macs},
    {"a saved config loads again, the same", test_save},
    {"syntax of names and addresses", test_syntax},
    {"edit distance", test_distance},
    {"names of choices", test_names},
    {"the man page tells all keys, ranges and words", test_man_page},
    {"ranges are declared for what is there", test_ranges},
    {NULL, NULL},
};
