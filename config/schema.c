/* SPDX-License-Identifier: BSD-3-Clause */
#include "schema.h"

#include <stdbool.h>
#include <string.h>

#include "config.h"

#define OPT     CYAML_FLAG_OPTIONAL
#define OPT_PTR (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define PTR     CYAML_FLAG_POINTER
#define STRICT  (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)

#define TEXT(key, flags, type, member, max) CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, max)
#define CHOICE(key, flags, type, member, strings)                                                  \
    CYAML_FIELD_ENUM(key, flags, type, member, strings, CYAML_ARRAY_LEN(strings))
#define LIST(key, type, member, entry, max)                                                        \
    CYAML_FIELD_SEQUENCE(key, OPT_PTR, type, member, entry, 0, max)

/* As libcyaml compares it when saving: the 32 bits of CFG_ANY, not sign-extended. */
static const cyaml_strval_t any_strings[] = {{"any", (uint32_t)CFG_ANY}};
static const cyaml_strval_t idle_strings[] = {
    {"spin", CFG_IDLE_SPIN}, {"pause", CFG_IDLE_PAUSE}, {"sleep", CFG_IDLE_SLEEP}};
static const cyaml_strval_t port_strings[] = {
    {"tap", CFG_PORT_TAP},   {"af_packet", CFG_PORT_AF_PACKET}, {"af_xdp", CFG_PORT_AF_XDP},
    {"pcap", CFG_PORT_PCAP}, {"ring", CFG_PORT_RING},           {"null", CFG_PORT_NULL},
    {"pci", CFG_PORT_PCI},   {"vhost-user", CFG_PORT_VHOST}};
static const cyaml_strval_t engine_strings[] = {
    {"user", CFG_ENGINE_USER}, {"kvm", CFG_ENGINE_KVM}, {"xen", CFG_ENGINE_XEN}};
static const cyaml_strval_t platform_strings[] = {{"bare", CFG_PLATFORM_BARE},
                                                  {"pc", CFG_PLATFORM_PC}};
static const cyaml_strval_t placement_strings[] = {
    {"iocore", CFG_PLACE_IOCORE}, {"inline", CFG_PLACE_INLINE}, {"blocking", CFG_PLACE_BLOCKING}};

static const cyaml_strval_t xen_type_strings[] = {{"pvh", CFG_XEN_PVH}, {"hvm", CFG_XEN_HVM}};

static const cyaml_schema_field_t daemon_fields[] = {
    CYAML_FIELD_UINT("memory", OPT, struct cfg_daemon, memory),
    CYAML_FIELD_BOOL("hugepages", OPT, struct cfg_daemon, hugepages),
    CYAML_FIELD_BOOL("realtime", OPT, struct cfg_daemon, realtime),
    CYAML_FIELD_BOOL("seccomp", OPT, struct cfg_daemon, seccomp),
    TEXT("user", OPT_PTR, struct cfg_daemon, user, CFG_MAX_NAME),
    CYAML_FIELD_UINT("mac_age_s", OPT, struct cfg_daemon, mac_age_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t iocore_fields[] = {
    TEXT("name", PTR, struct cfg_iocore, name, CFG_MAX_NAME),
    CHOICE("core", OPT, struct cfg_iocore, core, any_strings),
    CHOICE("idle", STRICT, struct cfg_iocore, idle, idle_strings),
    CYAML_FIELD_UINT("idle_us", OPT, struct cfg_iocore, idle_us),
    CYAML_FIELD_BOOL("share_sibling", OPT, struct cfg_iocore, share_sibling),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t port_fields[] = {
    TEXT("name", PTR, struct cfg_port, name, CFG_MAX_NAME),
    CHOICE("type", CYAML_FLAG_STRICT, struct cfg_port, type, port_strings),
    TEXT("iface", OPT_PTR, struct cfg_port, iface, SCHEMA_MAX_TEXT),
    TEXT("pci", OPT_PTR, struct cfg_port, pci, SCHEMA_MAX_TEXT),
    TEXT("rx_pcap", OPT_PTR, struct cfg_port, rx_pcap, SCHEMA_MAX_PATH),
    TEXT("tx_pcap", OPT_PTR, struct cfg_port, tx_pcap, SCHEMA_MAX_PATH),
    CYAML_FIELD_BOOL("repeat", OPT, struct cfg_port, repeat),
    TEXT("address", OPT_PTR, struct cfg_port, address, SCHEMA_MAX_TEXT),
    TEXT("mac", OPT_PTR, struct cfg_port, mac, SCHEMA_MAX_TEXT),
    TEXT("socket", OPT_PTR, struct cfg_port, socket, SCHEMA_MAX_PATH),
    CYAML_FIELD_UINT("queues", OPT, struct cfg_port, queues),
    TEXT("iocore", OPT_PTR, struct cfg_port, iocore, CFG_MAX_NAME),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t device_fields[] = {
    TEXT("model", PTR, struct cfg_device, model, CFG_MAX_NAME),
    TEXT("name", OPT_PTR, struct cfg_device, name, CFG_MAX_NAME),
    TEXT("mac", OPT_PTR, struct cfg_device, mac, SCHEMA_MAX_TEXT),
    CHOICE("placement", STRICT, struct cfg_device, placement, placement_strings),
    TEXT("iocore", OPT_PTR, struct cfg_device, iocore, CFG_MAX_NAME),
    TEXT("tap", OPT_PTR, struct cfg_device, tap, SCHEMA_MAX_TEXT),
    TEXT("tap_address", OPT_PTR, struct cfg_device, tap_address, SCHEMA_MAX_TEXT),
    CYAML_FIELD_UINT("io_base", OPT, struct cfg_device, io_base),
    CYAML_FIELD_UINT("mmio_base", OPT, struct cfg_device, mmio_base),
    CYAML_FIELD_UINT("irq", OPT, struct cfg_device, irq),
    CYAML_FIELD_BOOL("connected", OPT, struct cfg_device, connected),
    CYAML_FIELD_UINT("slot", OPT, struct cfg_device, slot),
    CYAML_FIELD_UINT("queues", OPT, struct cfg_device, queues),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t line_value = {CYAML_VALUE_STRING(PTR, char, 1, SCHEMA_MAX_TEXT)};

static const cyaml_schema_field_t xen_fields[] = {
    CHOICE("type", STRICT, struct cfg_xen, type, xen_type_strings),
    TEXT("device_model", OPT_PTR, struct cfg_xen, device_model, SCHEMA_MAX_PATH),
    LIST("disk", struct cfg_xen, disk, &line_value, SCHEMA_MAX_LINES),
    TEXT("cpupool", OPT_PTR, struct cfg_xen, cpupool, CFG_MAX_NAME),
    LIST("options", struct cfg_xen, options, &line_value, SCHEMA_MAX_LINES),
    CYAML_FIELD_BOOL("spin", OPT, struct cfg_xen, spin),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t core_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_DEFAULT, int, any_strings, CYAML_ARRAY_LEN(any_strings))};
static const cyaml_schema_value_t device_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct cfg_device, device_fields)};

static const cyaml_schema_field_t vm_fields[] = {
    TEXT("name", PTR, struct cfg_vm, name, CFG_MAX_NAME),
    CHOICE("engine", STRICT, struct cfg_vm, engine, engine_strings),
    CHOICE("platform", STRICT, struct cfg_vm, platform, platform_strings),
    CYAML_FIELD_UINT("memory", OPT, struct cfg_vm, memory),
    CYAML_FIELD_BOOL("hugepages", OPT, struct cfg_vm, hugepages),
    CYAML_FIELD_UINT("vcpus", OPT, struct cfg_vm, vcpus),
    LIST("cores", struct cfg_vm, cores, &core_value, SCHEMA_MAX_VCPUS),
    CHOICE("node", OPT, struct cfg_vm, node, any_strings),
    TEXT("kernel", OPT_PTR, struct cfg_vm, kernel, SCHEMA_MAX_PATH),
    TEXT("initrd", OPT_PTR, struct cfg_vm, initrd, SCHEMA_MAX_PATH),
    CYAML_FIELD_STRING_PTR("cmdline", OPT_PTR, struct cfg_vm, cmdline, 0, SCHEMA_MAX_TEXT),
    CYAML_FIELD_UINT("spin_us", OPT, struct cfg_vm, spin_us),
    CYAML_FIELD_MAPPING_PTR("xen", OPT_PTR, struct cfg_vm, xen, xen_fields),
    LIST("devices", struct cfg_vm, devices, &device_value, SCHEMA_MAX_DEVICES),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t iocore_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct cfg_iocore, iocore_fields)};
static const cyaml_schema_value_t port_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct cfg_port, port_fields)};
static const cyaml_schema_value_t vm_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct cfg_vm, vm_fields)};

static const cyaml_schema_field_t top_fields[] = {
    TEXT("name", OPT_PTR, struct cfg, name, CFG_MAX_NAME),
    CYAML_FIELD_MAPPING("daemon", OPT, struct cfg, daemon, daemon_fields),
    LIST("iocores", struct cfg, iocores, &iocore_value, SCHEMA_MAX_IOCORES),
    LIST("ports", struct cfg, ports, &port_value, SCHEMA_MAX_PORTS),
    LIST("vms", struct cfg, vms, &vm_value, SCHEMA_MAX_VMS),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t cfg_schema = {CYAML_VALUE_MAPPING(PTR, struct cfg, top_fields)};

/* Zero where it stands for "the model's default" is in the range. */
static const struct schema_range ranges[] = {
    {"daemon.memory", 64, 1048576, "MiB", false},
    {"daemon.mac_age_s", 1, 86400, "seconds", false},
    {"iocores.core", 0, 65535, "(a CPU number) or any", false},
    {"iocores.idle_us", 0, 10000000, "microseconds", false},
    {"ports.queues", 0, 8, "(queue pairs)", false},
    {"vms.memory", 1, 1048576, "MiB", false},
    {"vms.vcpus", 1, SCHEMA_MAX_VCPUS, "", false},
    {"vms.cores", 0, 65535, "(CPU numbers) or any", false},
    {"vms.node", 0, 1023, "(a NUMA node) or any", false},
    {"vms.spin_us", 0, 10000000, "microseconds", false},
    {"vms.devices.io_base", 0, 0xffff, "(a port number)", true},
    {"vms.devices.mmio_base", 0, (1ull << 52) - 1, "(a guest-physical address)", true},
    {"vms.devices.irq", 0, 15, "(an interrupt line)", false},
    {"vms.devices.slot", 0, 31, "(a PCI device number)", false},
    {"vms.devices.queues", 0, 8, "(queue pairs)", false},
};

const struct schema_range *schema_range_at(unsigned i)
{
    return i < sizeof(ranges) / sizeof(ranges[0]) ? &ranges[i] : NULL;
}

const struct schema_range *schema_range_find(const char *path)
{
    const struct schema_range *r;

    for (unsigned i = 0; (r = schema_range_at(i)); i++)
        if (!strcmp(r->path, path))
            return r;
    return NULL;
}

static const char *name_of(const cyaml_strval_t *s, unsigned n, int64_t value)
{
    for (unsigned i = 0; i < n; i++)
        if (s[i].val == value)
            return s[i].str;
    return "?";
}

const char *cfg_idle_name(enum cfg_idle i)
{
    return name_of(idle_strings, CYAML_ARRAY_LEN(idle_strings), i);
}

const char *cfg_port_type_name(enum cfg_port_type t)
{
    return name_of(port_strings, CYAML_ARRAY_LEN(port_strings), t);
}

const char *cfg_engine_name(enum cfg_engine e)
{
    return name_of(engine_strings, CYAML_ARRAY_LEN(engine_strings), e);
}

const char *cfg_platform_name(enum cfg_platform p)
{
    return name_of(platform_strings, CYAML_ARRAY_LEN(platform_strings), p);
}

const char *cfg_placement_name(enum cfg_placement p)
{
    return name_of(placement_strings, CYAML_ARRAY_LEN(placement_strings), p);
}

const char *cfg_xen_type_name(enum cfg_xen_type t)
{
    return name_of(xen_type_strings, CYAML_ARRAY_LEN(xen_type_strings), t);
}
