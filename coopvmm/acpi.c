/* SPDX-License-Identifier: BSD-3-Clause */
#include "acpi.h"

#include <stdbool.h>
#include <string.h>

#include "dsdt.hex"
#include "pc.h"

#define PACKED __attribute__((packed))

/* 5.2.6 */
struct PACKED acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};

/* 5.2.5.3 */
struct PACKED acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt_address;
    uint32_t length;
    uint64_t xsdt_address;
    uint8_t extended_checksum;
    uint8_t reserved[3];
};

/* 5.2.3.2 */
struct PACKED acpi_gas {
    uint8_t space; /* 1: ports */
    uint8_t bit_width, bit_offset, access_size;
    uint64_t address;
};

/* 5.2.9, as of ACPI 2.0 (revision 3): nothing later is needed. */
struct PACKED acpi_fadt {
    struct acpi_header h;
    uint32_t firmware_ctrl, dsdt;
    uint8_t reserved0, preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk;
    uint32_t pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
    uint8_t gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alrm, mon_alrm, century;
    uint16_t iapc_boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    struct acpi_gas reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_firmware_ctrl, x_dsdt;
    struct acpi_gas x_pm1a_evt_blk, x_pm1b_evt_blk, x_pm1a_cnt_blk, x_pm1b_cnt_blk;
    struct acpi_gas x_pm2_cnt_blk, x_pm_tmr_blk, x_gpe0_blk, x_gpe1_blk;
};
_Static_assert(sizeof(struct acpi_fadt) == 244, "FADT");

#define FADT_WBINVD        (1u << 0)
#define FADT_SLEEP_BUTTON  (1u << 5) /* a control method's, of which there is none */
#define FADT_POWER_BUTTON  (1u << 4)
#define FADT_RESET_REG     (1u << 10)
#define FADT_APIC_PHYSICAL (1u << 19)
#define BOOT_LEGACY        (1u << 0) /* ISA devices are there; bit 1, the keyboard, is not */
#define BOOT_NO_VGA        (1u << 2)
#define P_LVL_UNSUPPORTED  0xffffu
#define RTC_CENTURY        0x32

/* 5.2.10 */
struct PACKED acpi_facs {
    char signature[4];
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
};

/* 5.2.12 */
struct PACKED acpi_madt {
    struct acpi_header h;
    uint32_t lapic_address, flags;
};
#define MADT_PCAT_COMPAT 1 /* the pair of 8259s is there, too */

struct PACKED madt_lapic {
    uint8_t type, length, uid, apic_id;
    uint32_t flags;
};
struct PACKED madt_ioapic {
    uint8_t type, length, id, reserved;
    uint32_t address, gsi_base;
};
struct PACKED madt_lapic_nmi {
    uint8_t type, length, uid;
    uint16_t flags;
    uint8_t lint;
};

struct PACKED acpi_mcfg {
    struct acpi_header h;
    uint64_t reserved;
    uint64_t base;
    uint16_t segment;
    uint8_t start_bus, end_bus;
    uint32_t reserved1;
};

/* Tables one after the other, 16-byte aligned. */
struct tables {
    uint8_t *base;
    uint32_t used;
    uint64_t xsdt_entry[4];
    unsigned entries;
};

static uint8_t checksum(const void *p, uint32_t len)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    while (len--)
        sum = (uint8_t)(sum + *b++);
    return (uint8_t)-sum;
}

static uint64_t put(struct tables *t, const void *p, uint32_t len)
{
    uint32_t at = (t->used + 15) & ~15u;

    memcpy(t->base + at, p, len);
    t->used = at + len;
    return ACPI_TABLES + at;
}

static struct acpi_header header(const char *signature, uint32_t length, uint8_t revision)
{
    struct acpi_header h = {.length = length, .revision = revision, .oem_revision = 1};

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, "COOPVM", sizeof(h.oem_id));
    memcpy(h.oem_table_id, "PC      ", sizeof(h.oem_table_id));
    memcpy(h.creator_id, "COOP", sizeof(h.creator_id));
    h.creator_revision = 1;
    return h;
}

/* A table that begins with a header, whose checksum is made here; listed in the XSDT if so wished.
 */
static uint64_t put_table(struct tables *t, void *table, bool listed)
{
    struct acpi_header *h = table;
    uint64_t at;

    h->checksum = 0;
    h->checksum = checksum(table, h->length);
    at = put(t, table, h->length);
    if (listed)
        t->xsdt_entry[t->entries++] = at;
    return at;
}

static struct acpi_gas port(uint32_t address, uint8_t bytes)
{
    return (struct acpi_gas){.space = 1,
                             .bit_width = (uint8_t)(8 * bytes),
                             .access_size = bytes == 1 ? 1 : 2,
                             .address = address};
}

static void put_fadt(struct tables *t, uint64_t facs, uint64_t dsdt)
{
    struct acpi_fadt f = {
        .h = header("FACP", sizeof(f), 3),
        .firmware_ctrl = (uint32_t)facs,
        .dsdt = (uint32_t)dsdt,
        .sci_int = PC_SCI,
        .pm1a_evt_blk = PC_PM1_EVT,
        .pm1a_cnt_blk = PC_PM1_CNT,
        .pm1_evt_len = 4,
        .pm1_cnt_len = 2,
        .p_lvl2_lat = P_LVL_UNSUPPORTED,
        .p_lvl3_lat = P_LVL_UNSUPPORTED,
        .century = RTC_CENTURY,
        .iapc_boot_arch = BOOT_LEGACY | BOOT_NO_VGA,
        .flags = FADT_WBINVD | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON | FADT_RESET_REG |
                 FADT_APIC_PHYSICAL,
        .reset_reg = port(PC_RESET, 1),
        .reset_value = PC_RESET_ALL,
        .x_dsdt = dsdt,
        .x_pm1a_evt_blk = port(PC_PM1_EVT, 4),
        .x_pm1a_cnt_blk = port(PC_PM1_CNT, 2),
    };

    put_table(t, &f, true);
}

/* No overrides: GSIs 0 to 15 are ISA's lines as they are (engine_kvm_irq.c routes them so). */
static void put_madt(struct tables *t, unsigned nvcpus)
{
    uint8_t buf[sizeof(struct acpi_madt) + 256 * sizeof(struct madt_lapic) + 64];
    struct acpi_madt m = {.lapic_address = PC_LAPIC, .flags = MADT_PCAT_COMPAT};
    const struct madt_ioapic io = {.type = 1, .length = sizeof(io), .address = PC_IOAPIC};
    const struct madt_lapic_nmi nmi = {.type = 4, .length = sizeof(nmi), .uid = 0xff, .lint = 1};
    uint32_t len = sizeof(m);

    for (unsigned i = 0; i < nvcpus; i++) {
        const struct madt_lapic cpu = {
            .length = sizeof(cpu), .uid = (uint8_t)i, .apic_id = (uint8_t)i, .flags = 1};

        memcpy(buf + len, &cpu, sizeof(cpu));
        len += sizeof(cpu);
    }
    memcpy(buf + len, &io, sizeof(io));
    memcpy(buf + len + sizeof(io), &nmi, sizeof(nmi));
    len += sizeof(io) + sizeof(nmi);
    m.h = header("APIC", len, 3);
    memcpy(buf, &m, sizeof(m));
    put_table(t, buf, true);
}

static void put_mcfg(struct tables *t)
{
    struct acpi_mcfg m = {.h = header("MCFG", sizeof(m), 1), .base = PC_ECAM};

    put_table(t, &m, true);
}

static uint64_t put_xsdt(struct tables *t)
{
    struct PACKED {
        struct acpi_header h;
        uint64_t entry[sizeof(t->xsdt_entry) / sizeof(t->xsdt_entry[0])];
    } x;
    uint32_t len = (uint32_t)(sizeof(x.h) + t->entries * sizeof(x.entry[0]));

    x.h = header("XSDT", len, 1);
    memcpy(x.entry, t->xsdt_entry, sizeof(x.entry));
    return put_table(t, &x, false);
}

static void write_rsdp(uint8_t *at, uint64_t xsdt)
{
    struct acpi_rsdp r = {.revision = 2, .length = sizeof(r), .xsdt_address = xsdt};

    memcpy(r.signature, "RSD PTR ", sizeof(r.signature));
    memcpy(r.oem_id, "COOPVM", sizeof(r.oem_id));
    r.checksum = checksum(&r, 20);
    r.extended_checksum = checksum(&r, sizeof(r));
    memcpy(at, &r, sizeof(r));
}

uint32_t acpi_write(uint8_t *at, unsigned nvcpus)
{
    struct tables t = {.base = at, .used = sizeof(struct acpi_rsdp)};
    struct acpi_facs facs = {.length = sizeof(facs), .version = 1};
    uint64_t facs_at, dsdt_at;

    if (!nvcpus || nvcpus > 255)
        return 0;
    memcpy(facs.signature, "FACS", sizeof(facs.signature));
    t.used = 64; /* the FACS is 64-byte aligned */
    facs_at = put(&t, &facs, sizeof(facs));
    dsdt_at = put_table(&t, dsdt_aml_code, false);
    put_fadt(&t, facs_at, dsdt_at);
    put_madt(&t, nvcpus);
    put_mcfg(&t);
    write_rsdp(at, put_xsdt(&t));
    return t.used;
}
