/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said about mistakes in a config file: the line, the key, and what to do. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config_rig.h"
#include "cu_main.h"

const char *const suite_name = "config_mistakes";

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

    expect_all(list, sizeof(list) / sizeof(list[0]));
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
        {IOCORE VM "    initrd: /i\n", "vms[0].initrd: engine user loads no initrd"},
        {IOCORE VM "    xen: {type: pvh}\n", "vms[0].xen: the engine is user; remove it"},
        {IOCORE VM "    platform: pc\n", "vms[0].platform: engine user makes no PC"},
        {IOCORE VM "    platform: pv\n", "vms[0].platform: \"pv\" is not known here"},
        {IOCORE VM "    hugepages: true\n",
         "vms[0].hugepages: engine user does not choose its guest's pages"},
        {IOCORE VM "    devices: [{model: rtl8029, slot: 3}]\n",
         "vms[0].devices[0].slot: engine user chooses PCI slots itself"},
    };

    expect_all(list, sizeof(list) / sizeof(list[0]));
}

static void test_port_meaning(void)
{
    static const struct mistake list[] = {
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
        {PORTS "  - {name: p, type: pcap, iface: a, repeat: true}\n",
         "ports[0].repeat: only the frames of rx_pcap can be repeated"},
        {PORTS "  - {name: p, type: null, rx_pcap: b}\n",
         "ports[0].rx_pcap: a port of type null has no such key"},
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
    };

    expect_all(list, sizeof(list) / sizeof(list[0]));
}

static void test_device_meaning(void)
{
    static const struct mistake list[] = {
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
    };

    expect_all(list, sizeof(list) / sizeof(list[0]));
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

    expect_all(list, sizeof(list) / sizeof(list[0]));
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

    expect_all(list, sizeof(list) / sizeof(list[0]));
}

static void test_xen_slots_run_out(void)
{
    static char text[4096] = HVM;

    for (unsigned i = 0; i < 27; i++)
        strcat(text, "      - model: rtl8029\n");
    expect_all(&(struct mistake){text, "vms[0].devices[26]: no PCI slot is left for rtl8029.26"},
               1);
}

static void test_all_errors(void)
{
    struct loaded l = config_text("iocores:\n  - {name: '?'}\n  - {name: io1, core: 1}\n"
                                  "ports:\n  - {name: p, type: tap}\n  - {name: p, type: ring}\n"
                                  "vms:\n  - {name: v, kernel: /k, cores: [1], memory: 4000,\n"
                                  "     devices: [{model: x, iocore: y, mac: z}]}\n");
    static const char *const all[] = {
        ":2: ", ":5: ", ":6: ", ".cores[0]:", ".memory:", ".model:", ".iocore:", ".mac:"};

    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(l.said, all[i]));
    config_unload(&l);
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
    l = config_text(text);
    CU_ASSERT_EQUAL(l.ret, -EINVAL);
    CU_ASSERT_EQUAL(count_lines(l.said), 101);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.said, "there are more errors"));
    config_unload(&l);
}

const struct cu_test suite_tests[] = {
    {"mistakes of form name line and key", test_form},
    {"mistakes of meaning name line and key", test_meaning},
    {"mistakes about ports name line and key", test_port_meaning},
    {"mistakes about devices name line and key", test_device_meaning},
    {"mistakes about Xen domains name line and key", test_xen_meaning},
    {"mistakes about PCs name line and key", test_pc_meaning},
    {"a Xen domain's PCI slots run out", test_xen_slots_run_out},
    {"all mistakes are reported at once", test_all_errors},
    {"a flood of mistakes is cut short", test_flood},
    {NULL, NULL},
};
