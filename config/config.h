/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One YAML file describes a testbed: I/O cores, ports, VMs. This header is what the rest of coopvmm
 * sees of it, after loading (libcyaml), checking and filling in of defaults. The keys of the file
 * have the names of the fields here; docs/man/coopvmm.yaml.5 describes them for people.
 *
 * Threads: a loaded config is read-only. Memory: all of it belongs to the config.
 */
#ifndef COOPVMM_CONFIG_H
#define COOPVMM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CFG_MAX_NAME     31 /* characters of a name: [A-Za-z0-9_.-], first one a letter or digit */
#define CFG_ANY          (-1) /* a core or node the file leaves to the planner */
#define CFG_IRQ_ISA      9    /* interrupt line of an ISA device, if the file names none */
#define CFG_IRQ_PCI      11   /* line INTA# of a PCI device is routed to, if the file names none */
#define CFG_PC_MAX_VCPUS 64   /* of a VM of platform pc */
#define CFG_IRQ_HVM      5 /* of an ISA device beside QEMU in a Xen HVM domain, where ACPI has 9 */
/* PCI device numbers of a Xen domain that are dealt out if the file names none: from these on. */
#define CFG_SLOT_PVH 1
#define CFG_SLOT_HVM 6 /* QEMU's own devices come first */
/* MiB of a VM under the user engine; its guests lie in the lower 2 GiB of an ordinary process. */
#define CFG_USER_MAX_MEMORY 1791

/* What an I/O core does when there is nothing to do. */
enum cfg_idle {
    CFG_IDLE_SPIN,  /* poll on without a pause: lowest latency */
    CFG_IDLE_PAUSE, /* a pause (or umwait) between rounds; the default */
    CFG_IDLE_SLEEP, /* after idle_us without work: armed, asleep until kicked */
};

struct cfg_iocore {
    char *name;
    int core; /* CPU number, CFG_ANY until planned */
    enum cfg_idle idle;
    uint32_t idle_us;   /* CFG_IDLE_SLEEP: microseconds without work before sleeping; else 0 */
    bool share_sibling; /* a vCPU may run on this core's SMT sibling */
};

enum cfg_port_type {
    CFG_PORT_TAP,       /* a tap of the host's, named iface */
    CFG_PORT_AF_PACKET, /* net_af_packet on iface */
    CFG_PORT_AF_XDP,    /* net_af_xdp on iface */
    CFG_PORT_PCAP,      /* net_pcap: rx_pcap and tx_pcap files, or iface */
    CFG_PORT_RING,      /* net_ring: loops back; for measuring */
    CFG_PORT_NULL,      /* net_null: what is sent is gone, nothing comes; for measuring */
    CFG_PORT_PCI,       /* physical device `pci`, bound to vfio-pci */
    CFG_PORT_VHOST,     /* a VMM's guest: it connects to `socket` and speaks vhost-user */
};

struct cfg_port {
    char *name;
    enum cfg_port_type type;
    char *iface;    /* tap, af_packet, af_xdp, pcap: interface name */
    char *pci;      /* pci: address "0000:03:00.0" */
    char *rx_pcap;  /* pcap: file frames are read from */
    char *tx_pcap;  /* pcap: file frames are written to */
    bool repeat;    /* pcap: rx_pcap's frames come over and over, as fast as they are taken */
    char *address;  /* tap: the host's address on it, "10.77.0.1/24"; NULL: leave it alone */
    char *mac;      /* tap: the host's MAC; NULL: any */
    char *socket;   /* vhost-user: path */
    uint8_t queues; /* vhost-user: queue pairs, at most; 0: one */
    char *iocore;   /* the I/O core that polls it; NULL until filled in: the first one */
};

enum cfg_engine { CFG_ENGINE_USER, CFG_ENGINE_KVM, CFG_ENGINE_XEN };

/* What surrounds the guest's vCPUs. */
enum cfg_platform {
    CFG_PLATFORM_BARE, /* the guest contract for freestanding guests; the default */
    CFG_PLATFORM_PC,   /* what a stock Linux kernel wants: ACPI, serial port, clock (engine kvm) */
};

/* Which thread runs a device model. */
enum cfg_placement {
    CFG_PLACE_IOCORE,   /* an I/O core polls for it: the default */
    CFG_PLACE_INLINE,   /* on the vCPU's own thread */
    CFG_PLACE_BLOCKING, /* an unpinned thread, woken by eventfd */
};

struct cfg_device {
    char *model; /* nm_model.name: "ne2000", "virtio-net" */
    char *name;  /* default: model and number in the VM, "ne2000.0" */
    char *mac;   /* default: 52:54:00 and a hash of VM and device name */
    enum cfg_placement placement;
    char *iocore;       /* placement iocore: which; with several, NULL until planned */
    char *tap;          /* placement inline, blocking: a tap of its own, NULL: not connected */
    char *tap_address;  /* the host's address on that tap, NULL: leave it alone */
    uint16_t io_base;   /* ISA: first port; 0: the model's default */
    uint64_t mmio_base; /* ISA: port window also at this guest-physical address; 0: nowhere */
    uint8_t irq;        /* ISA: its line; PCI: where INTA# is routed. Loaded: never 0 */
    bool connected;     /* plugged into the switch; default true */
    uint8_t slot;       /* engine xen, PCI: device number on bus 0, 1 to 31. Loaded: 0 otherwise */
    uint8_t queues;     /* virtio-net: queue pairs; 0: one */
};

enum cfg_xen_type {
    CFG_XEN_PVH, /* no firmware and no QEMU; the default */
    CFG_XEN_HVM, /* a whole PC, with QEMU for what is not ours */
};

/* What only a VM of engine xen has. */
struct cfg_xen {
    enum cfg_xen_type type;
    char *device_model; /* HVM: path of QEMU; NULL: the distribution's */
    char **disk;        /* as xl-disk-configuration(5) writes them */
    unsigned disk_count;
    char *cpupool;  /* NULL: where Xen puts new domains */
    char **options; /* lines of xl.cfg(5), added as they are */
    unsigned options_count;
    bool spin; /* a hypervisor that can may spin for an I/O core's answer; default true */
};

struct cfg_vm {
    char *name;
    enum cfg_engine engine;
    enum cfg_platform platform;
    uint32_t memory; /* MiB */
    bool hugepages;  /* its memory is made of huge pages, or it does not start */
    uint32_t vcpus;
    int *cores; /* [vcpus]; CFG_ANY until planned. Engine xen: physical CPUs, not dom0's */
    unsigned cores_count;
    int node;            /* NUMA node of its memory; CFG_ANY until planned */
    char *kernel;        /* path; relative ones are relative to the config file, made absolute here;
                            NULL: none (HVM with a disk only) */
    char *initrd;        /* path, as kernel; engine xen and platform pc only; NULL: none */
    char *cmdline;       /* never NULL */
    uint32_t spin_us;    /* how long a vCPU spins for an answer before it sleeps */
    struct cfg_xen *xen; /* engine xen: never NULL; else NULL */
    struct cfg_device *devices;
    unsigned devices_count;
};

/* The I/O-core process as a whole. */
struct cfg_daemon {
    uint32_t memory;    /* MiB for DPDK */
    bool hugepages;     /* use them if there are any; default true */
    bool realtime;      /* SCHED_FIFO and mlockall when allowed; default true */
    bool seccomp;       /* default true */
    char *user;         /* drop to this user after set-up; NULL: keep the user, drop capabilities */
    uint32_t mac_age_s; /* seconds before the switch forgets a silent MAC; default 300 */
};

struct cfg {
    char *name; /* of the testbed; default: the file's name without .yaml */
    char *path; /* absolute path of the file */
    struct cfg_daemon daemon;
    struct cfg_iocore *iocores;
    unsigned iocores_count;
    struct cfg_port *ports;
    unsigned ports_count;
    struct cfg_vm *vms;
    unsigned vms_count;
};

/**
 * Loads and checks a file. Errors name file, line and key and are written to `err`, one a line, as
 * "FILE:LINE: KEY: what is wrong; what to do". All errors found are reported, not just the first.
 * @return 0 and *out (release with cfg_free); -ENOENT, -EACCES, -EINVAL, -ENOMEM
 */
int cfg_load(const char *path, struct cfg **out, FILE *err);
/** The same from memory; `name` stands for the file in messages. For tests and fuzzing. */
int cfg_load_data(const char *name, const uint8_t *data, size_t len, struct cfg **out, FILE *err);
void cfg_free(struct cfg *c);

/**
 * Writes a config as YAML, with everything filled in so far: what plan_fill decided can so be
 * handed to other processes, which load it and find the same.
 * @return 0, -EIO, -ENOMEM
 */
int cfg_save(const struct cfg *c, FILE *out);

const char *cfg_idle_name(enum cfg_idle i);
const char *cfg_port_type_name(enum cfg_port_type t);
const char *cfg_engine_name(enum cfg_engine e);
const char *cfg_platform_name(enum cfg_platform p);
const char *cfg_placement_name(enum cfg_placement p);
const char *cfg_xen_type_name(enum cfg_xen_type t);

/** Are its `cores` CPUs of this machine? Those of a Xen domain are not: they are physical ones. */
static inline bool cfg_runs_here(const struct cfg_vm *vm)
{
    return vm->engine != CFG_ENGINE_XEN;
}

/** Looks an I/O core up by name. @return its index, -1 if there is none. */
int cfg_iocore_index(const struct cfg *c, const char *name);
/** Parses "52:54:00:12:34:56". @return 0 or -EINVAL. */
int cfg_parse_mac(const char *text, uint8_t mac[6]);

#endif
