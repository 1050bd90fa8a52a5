/* SPDX-License-Identifier: BSD-3-Clause */
/* Who wakes whom: notifications, vCPUs that spin, and an I/O core that sleeps. */
#include <errno.h>
#include <poll.h>

#include "cu_main.h"
#include "test_xen.h"

static void open_spinning(bool patched, uint32_t flags)
{
    struct iotp_device isa = xr_ne2000(ISA, ISA_MEM, 5);
    const char *why = NULL;

    xr.patched = patched;
    CU_ASSERT_EQUAL_FATAL(xr_open(&ioc, IOTP_DOMAIN_LINES | flags, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_add(&ioc, 0, &isa, &why), 0);
    CU_ASSERT_EQUAL_FATAL(xr_start(&ioc, &why), 0);
}

static void set_up_spinning(bool patched, uint32_t flags)
{
    test_eal();
    xr_power_on(2, true);
    open_spinning(patched, flags);
}

static const struct ioreq cr = {
    .addr = ISA, .count = 1, .size = 1, .dir = IOREQ_READ, .type = IOREQ_TYPE_PIO};

/* --- vCPUs that spin --- */

static void spinning_is_not_notified(void)
{
    set_up_spinning(true, IOTP_DOMAIN_SPIN);
    CU_ASSERT_TRUE(xr.spin && ioc.x->spins);
    for (unsigned i = 1; i <= 5; i++) {
        xr_post(0, &cr);
        CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
        CU_ASSERT_EQUAL(xr_take(0), CR_RD2 | CR_STP);
        CU_ASSERT_EQUAL(xr.notified[0], 0);
        CU_ASSERT_EQUAL(ioc.x->n.unnotified, i);
    }
    CU_ASSERT_EQUAL(ioc.x->n.notifies, 0);
    tear_down();
}

static void patience_has_an_end(void)
{
    set_up_spinning(true, IOTP_DOMAIN_SPIN);
    xr_post(0, &cr);
    xr_post(1, &cr);
    xr_stop_spinning(0);
    CU_ASSERT_EQUAL(xr_poll(&ioc), 2);
    CU_ASSERT_EQUAL(xr.notified[0], 1);
    CU_ASSERT_EQUAL(xr.notified[1], 0);
    xr_take(0);
    xr_stop_spinning(1); /* it sees the answer by itself */
    xr_take(1);
    CU_ASSERT_EQUAL(ioc.x->n.unnotified, 1);
    CU_ASSERT_EQUAL(ioc.x->n.notifies, 1);
    tear_down();
}

/* Stock Xen says EINVAL, and is used as it is: each answer is notified, whatever the field says. */
static void stock_xen(void)
{
    set_up_spinning(false, IOTP_DOMAIN_SPIN);
    CU_ASSERT_FALSE(xr.spin || ioc.x->spins || ioc.x->note->spins);
    xr_post(0, &cr);
    xr_slot[0]._pad0 = 0xffff;
    xr_poll(&ioc);
    CU_ASSERT_EQUAL(xr.notified[0], 1);
    xr_take(0);
    tear_down();
}

static void not_asked_for(void)
{
    set_up_spinning(true, 0);
    CU_ASSERT_FALSE(xr.spin || ioc.x->spins);
    xr_post(0, &cr);
    xr_poll(&ioc);
    CU_ASSERT_EQUAL(xr.notified[0], 1);
    xr_take(0);
    tear_down();
}

/* Other refusals are no sign of stock Xen. */
static void another_refusal(void)
{
    const char *why = NULL;

    test_eal();
    xr_power_on(1, true);
    xr.patched = true;
    xr_fail("xendevicemodel_create_ioreq_server", 1, ENOMEM);
    CU_ASSERT_EQUAL(xr_open(&ioc, IOTP_DOMAIN_SPIN, &why), -ENOMEM);
    CU_ASSERT_FALSE(xr.made);
    CU_ASSERT_EQUAL(xr_power_off(), 0);
}

/* The successor knows what kind of server it is; a vCPU that waited so long is woken anyway. */
static void spinning_outlives_a_process(void)
{
    set_up_spinning(true, IOTP_DOMAIN_SPIN);
    xr_post(0, &cr);
    xr_slot[0].state = STATE_IOREQ_INPROCESS;
    xr_post(1, &cr);
    xr_poll(&ioc);
    xr_stop_spinning(1);
    xr.woken[1] = false; /* the answer was stored, and the process died */
    xr_die(&ioc);
    open_spinning(true, 0);
    CU_ASSERT_TRUE(ioc.x->spins);
    CU_ASSERT_EQUAL(xr.notified[0], 1); /* though its mark is still there */
    CU_ASSERT_EQUAL(xr_take(0), CR_RD2 | CR_STP);
    CU_ASSERT_EQUAL(xr_take(1), CR_RD2 | CR_STP);
    xr_post(0, &cr);
    xr_poll(&ioc);
    CU_ASSERT_EQUAL(xr.notified[0], 1);
    tear_down();
}

/* --- an I/O core that sleeps --- */

static bool would_wake(void)
{
    struct pollfd p = {.fd = ioc.x->src.kick_fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* While it polls it takes no interrupts, but for the first one of each channel. */
static void polling_takes_no_interrupts(void)
{
    struct ioc_source *s;

    set_up_spinning(false, 0);
    s = &ioc.x->src;
    for (unsigned i = 0; i < 1000; i++) {
        xr_post(i % 2, &cr);
        CU_ASSERT_TRUE(s->ops->peek(s));
        xr_poll(&ioc);
        xr_take(i % 2);
        CU_ASSERT_FALSE(s->ops->peek(s));
        if (i % 10 == 0)
            CU_ASSERT_TRUE(s->ops->cool(s));
    }
    CU_ASSERT_EQUAL(ioc.x->n.upcalls, 2);
    CU_ASSERT_FALSE(would_wake());
    tear_down();
}

static void sleeping(void)
{
    struct ioc_source *s;

    set_up_spinning(false, 0);
    s = &ioc.x->src;
    CU_ASSERT_TRUE(s->ops->arm(s));
    for (unsigned i = 0; i < 4; i++) {
        unsigned v = i % 2;

        CU_ASSERT_FALSE(would_wake());
        xr_post(v, &cr);
        CU_ASSERT_TRUE(would_wake());
        s->ops->disarm(s);
        CU_ASSERT_FALSE(would_wake());
        CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
        xr_take(v);
        xr_post(v, &cr); /* while it is awake: unheard, but seen */
        CU_ASSERT_FALSE(would_wake());
        CU_ASSERT_FALSE(s->ops->cool(s));
        CU_ASSERT_FALSE(s->ops->arm(s)); /* something is there: it must not sleep */
        s->ops->disarm(s);
        CU_ASSERT_EQUAL(xr_poll(&ioc), 1);
        xr_take(v);
        CU_ASSERT_TRUE(s->ops->arm(s));
    }
    CU_ASSERT_TRUE(ioc.x->n.upcalls <= 12);
    tear_down();
}

/* An event without a request wakes it; nothing else happens, and it can sleep again. */
static void rung_for_nothing(void)
{
    struct ioc_source *s;

    set_up_spinning(false, 0);
    s = &ioc.x->src;
    CU_ASSERT_TRUE(s->ops->arm(s));
    for (unsigned i = 0; i < 3; i++) {
        xr_ring(1);
        CU_ASSERT_TRUE(would_wake());
        s->ops->disarm(s);
        CU_ASSERT_EQUAL(xr_poll(&ioc), 0);
        CU_ASSERT_TRUE(s->ops->arm(s));
        CU_ASSERT_FALSE(would_wake());
    }
    CU_ASSERT_EQUAL(xr.notified[0] + xr.notified[1], 0);
    tear_down();
}

const char *const suite_name = "xen_wake";
const struct cu_test suite_tests[] = {
    {"a vCPU that spins is not notified", spinning_is_not_notified},
    {"its patience has an end", patience_has_an_end},
    {"stock Xen", stock_xen},
    {"spinning that nobody asked for", not_asked_for},
    {"another refusal", another_refusal},
    {"spinning outlives a process", spinning_outlives_a_process},
    {"polling takes no interrupts", polling_takes_no_interrupts},
    {"sleeping", sleeping},
    {"rung for nothing", rung_for_nothing},
    {NULL, NULL},
};
