/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "shape.h"
#include "syntax.h"

#define OWNER_SIZE 96

const struct doc_node *check_at(const struct doc_node *n, const char *key)
{
    const struct doc_node *child = doc_get(n, key);

    return child ? child : n;
}

void check_name(struct check *k, const struct doc_node *n, const char *kind, const char *what,
                const char *name)
{
    const struct doc_node *at = check_at(n, "name");
    const struct uniq_entry *twin;

    if (!syntax_is_name(name)) {
        report_node(k->report, at,
                    "\"%.40s\" is no name; use at most %d letters, digits, _ . - and begin with a "
                    "letter or digit",
                    name, CFG_MAX_NAME);
        return;
    }
    twin = uniq_add(&k->names, what, at->line, "%s %s", kind, name);
    if (twin)
        report_node(k->report, at, "line %u has %s named %s already; choose another name",
                    twin->line, what, name);
}

void check_iface(struct check *k, const struct doc_node *n, const char *key, const char *owner,
                 const char *iface)
{
    const struct doc_node *at = check_at(n, key);
    const struct uniq_entry *twin;

    if (!iface)
        return;
    if (!syntax_is_iface(iface)) {
        report_node(k->report, at,
                    "\"%.40s\" cannot be an interface name; use 1 to 15 characters without blanks, "
                    "/ and :",
                    iface);
        return;
    }
    twin = uniq_add(&k->ifaces, owner, at->line, "%s", iface);
    if (twin)
        report_node(k->report, at, "interface %s belongs to %s (line %u) already; name another",
                    iface, twin->owner, twin->line);
}

void check_mac(struct check *k, const struct doc_node *n, const char *owner, const char *mac)
{
    static const uint8_t zero[6];
    const struct doc_node *at = check_at(n, "mac");
    const struct uniq_entry *twin;
    uint8_t m[6];

    if (!mac)
        return;
    if (cfg_parse_mac(mac, m)) {
        report_node(k->report, at, "\"%.40s\" is no MAC address; write it as 52:54:00:12:34:56",
                    mac);
        return;
    }
    if (m[0] & 1 || !memcmp(m, zero, sizeof(zero))) {
        report_node(k->report, at,
                    "%s is %s address; a NIC's first byte must be even and not all may be zero, "
                    "52:54:00:... is a good choice",
                    mac, m[0] & 1 ? "a multicast" : "the null");
        return;
    }
    twin = uniq_add(&k->macs, owner, at->line, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
                    m[3], m[4], m[5]);
    if (twin)
        report_node(k->report, at, "%s (line %u) has the MAC address %s already; choose another",
                    twin->owner, twin->line, mac);
}

void check_cidr(struct check *k, const struct doc_node *n, const char *key, const char *cidr)
{
    if (cidr && !syntax_is_cidr(cidr))
        report_node(k->report, check_at(n, key),
                    "\"%.50s\" is no address with prefix length; write it as 10.77.0.1/24", cidr);
}

void check_iocore_ref(struct check *k, const struct doc_node *n, const char *iocore)
{
    const char *close = NULL;
    const struct cfg *c = k->c;

    if (!iocore || cfg_iocore_index(c, iocore) >= 0)
        return;
    for (unsigned i = 0; i < c->iocores_count && !close; i++)
        if (shape_distance(c->iocores[i].name, iocore) <= 2)
            close = c->iocores[i].name;
    if (close)
        report_node(k->report, check_at(n, "iocore"),
                    "there is no I/O core named %.40s; did you mean %s?", iocore, close);
    else
        report_node(k->report, check_at(n, "iocore"),
                    "there is no I/O core named %.40s; add it under iocores", iocore);
}

static void check_iocore(struct check *k, const struct cfg_iocore *io, const struct doc_node *n)
{
    const struct uniq_entry *twin;
    char owner[OWNER_SIZE];

    check_name(k, n, "iocore", "an I/O core", io->name);
    if (io->idle_us && io->idle != CFG_IDLE_SLEEP)
        report_node(k->report, check_at(n, "idle_us"),
                    "an I/O core with idle: %s never sleeps; remove idle_us, or set idle: sleep",
                    cfg_idle_name(io->idle));
    if (!io->idle_us && io->idle == CFG_IDLE_SLEEP)
        report_node(k->report, check_at(n, "idle_us"),
                    "idle: sleep needs at least 1 microsecond before it sleeps");
    if (io->core == CFG_ANY)
        return;
    snprintf(owner, sizeof(owner), "I/O core %s", io->name);
    twin = uniq_add(&k->cpus, owner, check_at(n, "core")->line, "%d", io->core);
    if (twin)
        report_node(k->report, check_at(n, "core"),
                    "CPU %d is given to %s (line %u) and to %s; give each its own", io->core,
                    twin->owner, twin->line, owner);
}

/* Which keys a port type uses; iface, pci, ... are bits. */
enum { IFACE = 1, PCI = 2, PCAP = 4, HOST = 8, SOCKET = 16 };

static const struct {
    const char *key;
    unsigned bit;
} port_keys[] = {{"iface", IFACE},  {"pci", PCI},  {"rx_pcap", PCAP}, {"tx_pcap", PCAP},
                 {"address", HOST}, {"mac", HOST}, {"socket", SOCKET}};

static const struct {
    unsigned may, must;
} port_rules[] = {
    [CFG_PORT_TAP] = {IFACE | HOST, IFACE},
    [CFG_PORT_AF_PACKET] = {IFACE, IFACE},
    [CFG_PORT_AF_XDP] = {IFACE, IFACE},
    [CFG_PORT_PCAP] = {IFACE | PCAP, 0},
    [CFG_PORT_RING] = {0, 0},
    [CFG_PORT_NULL] = {0, 0},
    [CFG_PORT_PCI] = {PCI, PCI},
    [CFG_PORT_VHOST] = {SOCKET, SOCKET},
};

static void check_port_keys(struct check *k, const struct cfg_port *p, const struct doc_node *n)
{
    const char *type = cfg_port_type_name(p->type);

    for (size_t i = 0; i < sizeof(port_keys) / sizeof(port_keys[0]); i++) {
        const struct doc_node *key = doc_get(n, port_keys[i].key);
        unsigned bit = port_keys[i].bit;

        if (key && !(port_rules[p->type].may & bit))
            report_node(k->report, key, "a port of type %s has no such key; remove it", type);
        if (!key && port_rules[p->type].must & bit)
            report_node(k->report, n, "a port of type %s needs the key \"%s\"; add it", type,
                        port_keys[i].key);
    }
    if (p->queues && p->type != CFG_PORT_VHOST)
        report_node(k->report, check_at(n, "queues"),
                    "a port of type %s has no such key; remove it", type);
    if (p->repeat && !p->rx_pcap)
        report_node(k->report, check_at(n, "repeat"),
                    "only the frames of rx_pcap can be repeated; add it, or remove repeat");
    if (p->type == CFG_PORT_PCAP && !p->iface == (!p->rx_pcap && !p->tx_pcap))
        report_node(k->report, n,
                    "a port of type pcap needs either iface, or rx_pcap or tx_pcap or both");
}

static void check_port(struct check *k, const struct cfg_port *p, const struct doc_node *n)
{
    const struct uniq_entry *twin;
    char owner[OWNER_SIZE];

    snprintf(owner, sizeof(owner), "port %s", p->name);
    check_name(k, n, "port", "a port", p->name);
    check_port_keys(k, p, n);
    check_iface(k, n, "iface", owner, p->iface);
    check_cidr(k, n, "address", p->address);
    check_mac(k, n, owner, p->mac);
    if (!k->c->iocores_count)
        report_node(k->report, n, "no I/O core is there to poll it; add one under iocores");
    else
        check_iocore_ref(k, n, p->iocore);
    if (!p->pci)
        return;
    if (!syntax_is_pci(p->pci))
        report_node(k->report, check_at(n, "pci"),
                    "\"%.40s\" is no PCI address; write it as 0000:03:00.0 (lspci -D shows them)",
                    p->pci);
    twin = uniq_add(&k->names, owner, check_at(n, "pci")->line, "pci %s", p->pci);
    if (twin)
        report_node(k->report, check_at(n, "pci"), "the device belongs to %s (line %u) already",
                    twin->owner, twin->line);
}

static void check_top(struct check *k)
{
    const struct cfg *c = k->c;

    if (!syntax_is_name(c->name))
        report_node(
            k->report, check_at(k->root, "name"),
            "\"%.40s\" is no name for a testbed; set \"name\" to at most %d letters, digits, "
            "_ . - that begin with a letter or digit",
            c->name, CFG_MAX_NAME);
    if (!c->vms_count && !c->iocores_count)
        report_line(k->report, k->root->line, NULL,
                    "there is nothing to run; add I/O cores under iocores and VMs under vms");
}

void check_config(struct report *r, const struct cfg *c, const struct doc_node *root)
{
    struct check k = {.report = r, .c = c, .root = root};
    const struct doc_node *n;

    check_top(&k);
    n = doc_at(doc_get(root, "iocores"), 0);
    for (unsigned i = 0; i < c->iocores_count; i++, n = n->next)
        check_iocore(&k, &c->iocores[i], n);
    n = doc_at(doc_get(root, "ports"), 0);
    for (unsigned i = 0; i < c->ports_count; i++, n = n->next)
        check_port(&k, &c->ports[i], n);
    n = doc_at(doc_get(root, "vms"), 0);
    for (unsigned i = 0; i < c->vms_count; i++, n = n->next)
        check_vm(&k, &c->vms[i], n);
    uniq_clear(&k.names);
    uniq_clear(&k.cpus);
    uniq_clear(&k.ifaces);
    uniq_clear(&k.macs);
}
