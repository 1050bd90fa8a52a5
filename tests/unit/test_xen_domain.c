/* SPDX-License-Identifier: BSD-3-Clause */
/* A Xen domain on an I/O core: how it is opened, what may go wrong, and how it is given up. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cu_main.h"
#include "test_xen.h"

static const char *why;

static int open_domain(uint32_t flags)
{
    why = NULL;
    return xr_open(&ioc, flags, &why);
}

static int add(unsigned n, struct iotp_device q)
{
    why = NULL;
    return xr_add(&ioc, n, &q, &why);
}

static bool why_has(const char *words)
{
    return why && strstr(why, words);
}

/* --- opening --- */

static void the_way_of_a_domain(void)
{
    test_eal();
    xr_power_on(3, true);
    CU_ASSERT_EQUAL_FATAL(open_domain(IOTP_DOMAIN_LINES), 0);
    CU_ASSERT_TRUE(xr.made && !xr.enabled);
    CU_ASSERT_EQUAL(ioc.x->nvcpus, 3);
    CU_ASSERT_EQUAL(ioc.x->note->stage, XEN_SERVER_MADE);
    CU_ASSERT_EQUAL(add(0, xr_ne2000(ISA, ISA_MEM, 5)), 0);
    CU_ASSERT_EQUAL(add(1, xr_rtl8029(SLOT)), 0);
    CU_ASSERT_EQUAL(xr.nranges, 2);
    CU_ASSERT_EQUAL(xr.slots, 1u << SLOT);
    CU_ASSERT_FALSE(xr.enabled);
    CU_ASSERT_EQUAL(xr_start(&ioc, &why), 0);
    CU_ASSERT_TRUE(xr.enabled);
    CU_ASSERT_EQUAL(ioc.x->note->stage, XEN_SERVER_ENABLED);
    CU_ASSERT_EQUAL(ioc.x->src.kick_fd, xen_dm_event_fd(ioc.x->dm));
    xr_close(&ioc);
    CU_ASSERT_TRUE(!xr.made && xr.created == 1 && xr.destroyed == 1);
    CU_ASSERT_EQUAL(xr.nranges, 0);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* Each call on the way fails once: an error, a reason, and nothing is left. */
static void opening_fails(void)
{
    static const struct {
        const char *call;
        int err, result;
        const char *words;
    } step[] = {
        {"xendevicemodel_open", ENOENT, -ENODEV, "no Xen here"},
        {"xendevicemodel_open", ENXIO, -ENODEV, "no Xen here"},
        {"xenforeignmemory_open", EACCES, -EACCES, "daemon.user"},
        {"xenevtchn_open", EPERM, -EPERM, "daemon.user"},
        {"xenevtchn_open", EMFILE, -EMFILE, "cannot be opened"},
        {"xendevicemodel_restrict", ENOTTY, -ENOTTY, "restricted"},
        {"xenforeignmemory_restrict", ENOTTY, -ENOTTY, "restricted"},
        {"xenevtchn_restrict", ENOTTY, -ENOTTY, "restricted"},
        {"xendevicemodel_nr_vcpus", ESRCH, -ESRCH, "no such domain"},
        {"xendevicemodel_create_ioreq_server", ENOSPC, -ENOSPC, "as many ioreq servers"},
        {"xendevicemodel_create_ioreq_server", EPERM, -EPERM, "refuses an ioreq server"},
        {"xenforeignmemory_map_resource", ENOMEM, -ENOMEM, "page of requests"},
    };

    test_eal();
    for (unsigned i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
        xr_power_on(1, true);
        xr_fail(step[i].call, 1, step[i].err);
        CU_ASSERT_EQUAL(open_domain(0), step[i].result);
        CU_ASSERT_TRUE(why_has(step[i].words));
        CU_ASSERT_FALSE(xr.made);
        CU_ASSERT_EQUAL(open_domain(0), 0); /* nothing stands in the way of another try */
        xr_close(&ioc);
        CU_ASSERT_EQUAL(xr_power_off(), 0);
    }
}

static void probing(void)
{
    xr_power_on(1, true);
    CU_ASSERT_EQUAL(xen_dm_probe(&why), 0);
    xr_fail("xenevtchn_open", 1, ENOENT);
    CU_ASSERT_EQUAL(xen_dm_probe(&why), -ENODEV);
    CU_ASSERT_TRUE(why_has("no Xen here"));
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* As many as the domain has, and no more than its owner said. */
static void vcpus(void)
{
    struct iotp_domain q = {.domid = XR_DOMID, .nvcpus = 2};
    struct xen_domain *x;

    test_eal();
    xr_power_on(3, true);
    CU_ASSERT_EQUAL(xen_domain_open(&q, xr_note_fd, &x, &why), -EINVAL);
    CU_ASSERT_TRUE(why_has("more vCPUs"));
    CU_ASSERT_EQUAL(xr.created, 0);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

static void too_many_servers(void)
{
    test_eal();
    xr_power_on(1, true);
    xr.servers = 8;
    CU_ASSERT_EQUAL(open_domain(0), -ENOSPC);
    xr.servers = 7;
    CU_ASSERT_EQUAL(open_domain(0), 0);
    xr_close(&ioc);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* --- the notebook --- */

static void not_a_notebook(void)
{
    struct iotp_domain q = {.domid = XR_DOMID, .nvcpus = 1};
    struct xen_domain *x;
    int fd = memfd_create("note", MFD_ALLOW_SEALING);

    test_eal();
    xr_power_on(1, true);
    CU_ASSERT_EQUAL(ftruncate(fd, IOTP_DOMAIN_STATE_SIZE), 0);
    CU_ASSERT_EQUAL(xen_domain_open(&q, fd, &x, &why), -EPERM); /* could be truncated later */
    CU_ASSERT_PTR_NOT_NULL(why);
    close(fd);
    fd = iotp_memfd("note", IOTP_DOMAIN_STATE_SIZE / 2);
    CU_ASSERT_EQUAL(xen_domain_open(&q, fd, &x, &why), -EPROTO);
    close(fd);
    CU_ASSERT_EQUAL(xr.created, 0);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* Whose server it was, and how far it got: refused if it cannot be so, and no server is touched. */
static void notebooks_that_are_refused(void)
{
    static const struct {
        size_t at;
        uint8_t flip;
    } garbage[] = {
        {offsetof(struct xen_note, magic), 1},    {offsetof(struct xen_note, magic) + 3, 0x80},
        {offsetof(struct xen_note, version), 4},  {offsetof(struct xen_note, version) + 1, 1},
        {offsetof(struct xen_note, domid), 1},    {offsetof(struct xen_note, domid) + 1, 0x40},
        {offsetof(struct xen_note, stage), 0x11}, {offsetof(struct xen_note, spins), 2},
    };
    uint8_t good[IOTP_DOMAIN_STATE_SIZE], bad[IOTP_DOMAIN_STATE_SIZE];

    set_up();
    xr_die(&ioc);
    CU_ASSERT_EQUAL(pread(xr_note_fd, good, sizeof(good), 0), sizeof(good));
    for (unsigned i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        memcpy(bad, good, sizeof(bad));
        bad[garbage[i].at] ^= garbage[i].flip;
        CU_ASSERT_EQUAL(pwrite(xr_note_fd, bad, sizeof(bad), 0), sizeof(bad));
        CU_ASSERT_EQUAL(open_domain(IOTP_DOMAIN_LINES), -EPROTO);
        CU_ASSERT_PTR_NOT_NULL(why);
        CU_ASSERT_EQUAL(xr.destroyed, 0);
    }
    CU_ASSERT_EQUAL(pwrite(xr_note_fd, good, sizeof(good), 0), sizeof(good));
    CU_ASSERT_EQUAL(open_domain(IOTP_DOMAIN_LINES), 0);
    CU_ASSERT_EQUAL(xr.created, 1);
    tear_down();
}

/* A notebook that passes, but whose steps and ranges are made up. */
static void invented_notes(void)
{
    struct xen_note n;
    struct ioreq r = xr_rep(PIO, true, ISA + DATA, 1, 0, 10);

    set_up();
    xr_die(&ioc);
    CU_ASSERT_EQUAL(pread(xr_note_fd, &n, sizeof(n), 0), sizeof(n));
    for (unsigned i = 0; i < XEN_MAX_TOLD; i++)
        n.told[i] = (struct xen_told){.base = i % 3 ? UINT64_MAX - i : i * 0x11111111ull,
                                      .size = i % 5 ? UINT64_MAX >> i % 64 : 0,
                                      .device = (uint8_t)(i % 4 ? i % 2 : i),
                                      .window = (uint8_t)(i % 7 ? i % 9 : i * 31),
                                      .ports = (uint8_t)(i % 6),
                                      .used = (uint8_t)i,
                                      .reserved = i};
    for (unsigned i = 0; i < IOTP_DOMAIN_MAX_VCPUS; i++)
        n.vcpu[i] = (struct xen_step){.seq = 0xffffffff, .done = 0xfffffff0};
    CU_ASSERT_EQUAL(pwrite(xr_note_fd, &n, sizeof(n), 0), sizeof(n));
    xr_post(0, &r);
    xr_slot[0].state = STATE_IOREQ_INPROCESS;
    CU_ASSERT_EQUAL(open_domain(IOTP_DOMAIN_LINES), 0);
    add(0, xr_ne2000(ISA, ISA_MEM, 5));
    add(1, xr_rtl8029(SLOT));
    CU_ASSERT_EQUAL(xr_start(&ioc, &why), 0);
    CU_ASSERT_TRUE(xr_is_answered(0));
    xr_take(0);
    xr_post(1, &r);
    xr_poll(&ioc);
    xr_take(1);
    tear_down();
}

/* --- devices --- */

static void devices_that_make_no_sense(void)
{
    struct iotp_device q = xr_ne2000(ISA, 0, 5);

    set_up();
    q.slot = 3;
    CU_ASSERT_EQUAL(add(2, q), -EINVAL);
    CU_ASSERT_TRUE(why_has("no slot"));
    CU_ASSERT_EQUAL(add(2, xr_rtl8029(0)), -EINVAL);
    CU_ASSERT_TRUE(why_has("slot, 1 to 31"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(0x240, 0, 0)), -EINVAL);
    CU_ASSERT_TRUE(why_has("interrupt line"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(0x240, 0, 16)), -EINVAL);
    CU_ASSERT_EQUAL(xr.nranges, 3);
    tear_down();
}

/* Said clearly; and the loser leaves nothing behind. */
static void places_that_are_taken(void)
{
    set_up();
    CU_ASSERT_EQUAL(add(2, xr_rtl8029(SLOT)), -EEXIST);
    CU_ASSERT_TRUE(why_has("slot"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(ISA, 0, 5)), -EEXIST);
    CU_ASSERT_TRUE(why_has("ports"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(0x240, ISA_MEM, 5)), -EEXIST); /* its ports are free */
    CU_ASSERT_TRUE(why_has("addresses"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(0x240, UINT64_MAX - 0x0f, 5)), -EINVAL);
    CU_ASSERT_EQUAL(xr.nranges, 3);
    CU_ASSERT_EQUAL(xr_inb(&ioc, ISA), CR_RD2 | CR_STP);
    xr_fail("xendevicemodel_map_pcidev_to_ioreq_server", 1, EPERM);
    CU_ASSERT_EQUAL(add(2, xr_rtl8029(9)), -EPERM);
    CU_ASSERT_TRUE(why_has("refuses its slot"));
    CU_ASSERT_EQUAL(add(2, xr_ne2000(0x240, 0xfe001000, 5)), 0);
    CU_ASSERT_EQUAL(xr_inb(&ioc, 0x240), CR_RD2 | CR_STP);
    tear_down();
}

/* --- starting --- */

static void starting_fails(void)
{
    static const struct {
        const char *call;
        unsigned n;
        const char *words;
    } step[] = {
        {"xendevicemodel_map_pcidev_to_ioreq_server", 1, "PCI root"},
        {"xendevicemodel_map_io_range_to_ioreq_server", 1, "PCI root"},
        {"xendevicemodel_set_ioreq_server_state", 1, "enable"},
        {"xenevtchn_bind_interdomain", 1, "event channels"},
        {"xenevtchn_bind_interdomain", 2, "event channels"},
    };

    test_eal();
    for (unsigned i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
        xr_power_on(2, false);
        CU_ASSERT_EQUAL(open_domain(IOTP_DOMAIN_PCI_ROOT), 0);
        CU_ASSERT_EQUAL(add(0, xr_rtl8029(1)), 0);
        xr_fail(step[i].call, step[i].n, EPERM);
        CU_ASSERT_EQUAL(xen_domain_start(ioc.x, &why), -EPERM);
        CU_ASSERT_TRUE(why_has(step[i].words));
        dev_join(ioc.dev[0]);
        xr_close(&ioc);
        CU_ASSERT_FALSE(xr.made);
        CU_ASSERT_EQUAL(xr_power_off(), 0);
    }
}

/* --- ending --- */

/* A vCPU whose request is pending when its server goes would be blocked for ever. */
static void closing_answers(void)
{
    struct ioreq in = xr_req(PIO, true, ISA, 1), out = xr_req(PIO, false, ISA, 1);

    set_up();
    out.data = 0x5a;
    xr_post(0, &in);
    xr_post(1, &out);
    xr_slot[1].state = STATE_IOREQ_INPROCESS;
    xr_close(&ioc);
    CU_ASSERT_EQUAL(xr.notified[1], 1);
    CU_ASSERT_TRUE(xr.woken[0] && xr.woken[1]);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

static struct ioreq late;
static unsigned lates;

/* vCPU 0 asks once more, as soon as its last answer was there. */
static void ask_again(void)
{
    if (xr.made && lates && xr_slot[0].state == STATE_IORESP_READY && xr.woken[0]) {
        CU_ASSERT_EQUAL(xr_slot[0].data, ~0ull);
        xr_take(0);
        xr_post(0, &late);
        lates--;
    }
}

/* Requests that were on their way when the ranges went are waited for, and answered. */
static void closing_waits(void)
{
    set_up();
    late = xr_req(PIO, true, ISA, 1);
    xr_post(0, &late);
    lates = 8;
    xr_hook = ask_again;
    xr_close(&ioc);
    xr_hook = NULL;
    CU_ASSERT_EQUAL(lates, 0);
    CU_ASSERT_TRUE(xr.woken[0]);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* ... but not for ever: Xen tells each server of memory that goes, as often as the guest likes. */
static void closing_ends(void)
{
    set_up();
    late = xr_req(IOREQ_TYPE_INVALIDATE, true, 0, 4);
    xr_post(0, &late);
    lates = UINT32_MAX;
    xr_hook = ask_again;
    xr_close(&ioc);
    xr_hook = NULL;
    CU_ASSERT_FALSE(xr.made);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* The domain went first. */
static void the_domain_is_gone(void)
{
    struct ioreq r = xr_rep(PIO, true, ISA + DATA, 1, 0, 10);

    set_up();
    xr_post(0, &r);
    xr.gone = true;
    xr_poll(&ioc);
    CU_ASSERT_EQUAL(xr_slot[0].state, STATE_IORESP_READY);
    xr_close(&ioc);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* --- quiet for a while --- */

static void quiesce(void)
{
    struct ioreq r = xr_req(PIO, true, ISA + PG0R_BNRY, 1);

    set_up();
    xr_outb(&ioc, ISA + PG0W_BNRY, 0x44);
    xr_quiesce(&ioc);
    xr_post(0, &r);
    CU_ASSERT_TRUE(xr.enabled);
    CU_ASSERT_EQUAL(xr_start(&ioc, &why), 0);
    CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
    CU_ASSERT_EQUAL(xr_take(0), 0x44);
    CU_ASSERT_EQUAL(xr.created, 1);
    tear_down();
}

const char *const suite_name = "xen_domain";
const struct cu_test suite_tests[] = {
    {"the way of a domain", the_way_of_a_domain},
    {"opening fails, step by step", opening_fails},
    {"probing", probing},
    {"vCPUs", vcpus},
    {"too many servers", too_many_servers},
    {"what is no notebook", not_a_notebook},
    {"notebooks that are refused", notebooks_that_are_refused},
    {"invented notes", invented_notes},
    {"devices that make no sense", devices_that_make_no_sense},
    {"places that are taken", places_that_are_taken},
    {"starting fails, step by step", starting_fails},
    {"closing answers what is pending", closing_answers},
    {"closing waits for what is on its way", closing_waits},
    {"closing ends", closing_ends},
    {"the domain is gone", the_domain_is_gone},
    {"quiet for a while", quiesce},
    {NULL, NULL},
};
