/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: any bytes as what xl or QEMU printed. Whatever they say, a config plans on it
 * or is refused, and nothing is read or written that is not there.
 */
#include <stdlib.h>
#include <string.h>

#include "config/plan_xen.h"
#include "coopvmm/qemu_claims.h"
#include "coopvmm/xl_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UUID "12345678-1234-4234-8234-123456789abc"

static const char testbed[] = "iocores: [{name: io0, core: 0}, {name: io1, core: 1}]\n"
                              "vms:\n- {name: a, engine: xen, kernel: /k, vcpus: 3, cores: [2], "
                              "devices: [{model: rtl8029}]}\n"
                              "- {name: b, engine: xen, kernel: /k, xen: {cpupool: p}}\n";

static FILE *nowhere(void)
{
    static FILE *f;

    if (!f && !(f = fopen("/dev/null", "we")))
        abort();
    return f;
}

/* The I/O cores' CPUs are named, so that nothing of this machine is needed to plan domains. */
static void plan(const struct xen_host *h)
{
    struct cfg *c;

    if (cfg_load_data("t.yaml", (const uint8_t *)testbed, sizeof(testbed) - 1, &c, stderr))
        abort();
    plan_xen(c, h, nowhere());
    cfg_free(c);
}

static void read_host(const char *text)
{
    struct xen_host h = {0};

    if (!xl_parse_info(text, &h) && !xl_parse_vcpus(text, &h) && !xl_parse_pools(text, &h))
        plan(&h);
    xen_host_clear(&h);
}

static void read_qemu(const char *text, size_t size)
{
    static const struct iotp_device_info info = {
        .nwindows = 1, .window[0] = {.space = 1, .size = 32, .base = 0x300}};
    struct qemu_rival r = {"vm", "nic", 6, &info};
    struct qemu_claims q = {0};
    json_t *j = json_loadb(text, size, 0, NULL);

    if (j)
        qemu_read_pci(j, &q);
    json_decref(j);
    qemu_read_ports(text, &q);
    qemu_clashes(&q, &r, nowhere());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int domid;

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    read_host(text);
    read_qemu(text, size);
    xl_parse_list(text, UUID, &domid);
    free(text);
    return 0;
}
