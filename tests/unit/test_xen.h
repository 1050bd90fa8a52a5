/* SPDX-License-Identifier: BSD-3-Clause */
/* A domain of two vCPUs with an ISA NE2000, ports and memory window, and an RTL8029 on PCI. */
#ifndef COOPVMM_TESTS_TEST_XEN_H
#define COOPVMM_TESTS_TEST_XEN_H

#include <CUnit/CUnit.h>
#include <string.h>

#include "../../nicmodels/dp8390.h"
#include "../../nicmodels/pci.h"
#include "test_eal.h"
#include "xen_rig.h"

#define PIO    IOREQ_TYPE_PIO
#define MMIO   IOREQ_TYPE_COPY
#define CONFIG IOREQ_TYPE_PCI_CONFIG

#define ISA     0x300u
#define ISA_MEM 0xfe000000u
#define PCI     0xc200u
#define SLOT    6
#define DATA    0x10 /* the data port */
#define RAM     0x4000
#define CHUNK   ((uint64_t)XEN_MEM_CHUNK_PAGES * XR_PAGE)

static struct xr_ioc ioc;

static inline void set_up(void)
{
    struct iotp_device isa = xr_ne2000(ISA, ISA_MEM, 5), pci = xr_rtl8029(SLOT);
    const char *why = NULL;

    test_eal();
    xr_power_on(2, true);
    CU_ASSERT_EQUAL_FATAL(xr_open(&ioc, IOTP_DOMAIN_LINES, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 0, &isa, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 1, &pci, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_start(&ioc, &why), 0);
    xr_write(&ioc, CONFIG, xr_bdf(SLOT, PCI_BAR0), 4, PCI);
    xr_write(&ioc, CONFIG, xr_bdf(SLOT, PCI_COMMAND), 2, PCI_COMMAND_IO);
    xr_outb(&ioc, ISA + PG0W_DCR, DCR_LS);
    xr_outb(&ioc, PCI + PG0W_DCR, DCR_LS);
    xr.nevents = 0;
}

static inline void tear_down(void)
{
    xr_close(&ioc);
    CU_ASSERT_FALSE(xr.made);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* What happened since nevents was 0, in this order; 'N' with the answer there, 'R' and 'I' after
 * it, all else while the request was being carried out. */
static inline bool happened(const char *kinds)
{
    bool right = xr.nevents == strlen(kinds);

    for (unsigned i = 0; i < xr.nevents && right; i++)
        right = xr.event[i].kind == kinds[i] &&
                xr.event[i].state ==
                    (strchr("NRI", kinds[i]) ? STATE_IORESP_READY : STATE_IOREQ_INPROCESS);
    xr.nevents = 0;
    return right;
}

static inline uint64_t config(unsigned slot, unsigned reg, unsigned size)
{
    return xr_read(&ioc, CONFIG, xr_bdf(slot, reg), size);
}

static inline void set_config(unsigned slot, unsigned reg, unsigned size, uint64_t value)
{
    xr_write(&ioc, CONFIG, xr_bdf(slot, reg), size, value);
}

#endif
