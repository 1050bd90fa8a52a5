/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts (SDM 3.4.3, 13.4.17 to 21): causes and mask, the delays of receive and transmit
 * interrupts (RDTR, RADV, TIDV, TADV), and throttling of all of them (ITR).
 */
#include "e1000_priv.h"

#define DELAY_NS 1024 /* unit of RDTR, RADV, TIDV and TADV */
#define ITR_NS   256
#define MAX_NS   (0x10000ull * DELAY_NS) /* no timer runs longer */
#define HOLD_NS  1000000                 /* no transmit interrupt that may be late comes sooner */

static uint64_t now(struct nm_dev *d)
{
    return d->env->now(d);
}

/* Has `at` come? One further off than can be is of another clock. */
static bool is_over(uint64_t at, uint64_t t)
{
    return at <= t || at - t > MAX_NS;
}

/* An end is never 0, which is a timer that does not run. */
static uint64_t timer_end(uint64_t t, uint32_t delay, unsigned unit)
{
    return t + (uint64_t)(delay & 0xffff) * unit + !t;
}

void e1000_update_irq(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    bool want = (r->icr & r->ims) != 0;

    if (want && !r->level) {
        uint64_t t = r->itr ? now(d) : 0;

        if (!r->itr || is_over(r->itr_ready, t)) {
            r->level = 1;
            r->itr_ready = r->itr ? timer_end(t, r->itr, ITR_NS) : 0;
        }
    } else if (!want) {
        r->level = 0;
    }
    d->env->irq(d, 0, pci_set_interrupt(&r->pci, r->level));
}

void e1000_raise(struct nm_dev *d, uint32_t causes)
{
    e1000_regs(d)->icr |= causes;
    e1000_update_irq(d);
}

void e1000_flush_rx_timers(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);

    r->rdtr_at = r->radv_at = 0;
    e1000_raise(d, ICR_RXT0);
}

static void stop_tx_timers(struct e1000_regs *r)
{
    r->tidv_at = r->tadv_at = 0;
    r->tx_held = 0;
}

void e1000_flush_tx_timers(struct nm_dev *d)
{
    stop_tx_timers(e1000_regs(d));
    e1000_raise(d, ICR_TXDW);
}

void e1000_received(struct nm_dev *d, size_t len)
{
    struct e1000_regs *r = e1000_regs(d);
    uint64_t t;

    if (len < (r->rsrpd & 0xfff))
        e1000_raise(d, ICR_SRPD);
    if (!(r->rdtr & 0xffff)) {
        e1000_flush_rx_timers(d);
        return;
    }
    t = now(d);
    r->rdtr_at = timer_end(t, r->rdtr, DELAY_NS);
    if (r->radv && !r->radv_at)
        r->radv_at = timer_end(t, r->radv, DELAY_NS);
}

/* A device that polls is done with a frame before the driver looks away, and would interrupt it for
 * each one. So what may be delayed (IDE) waits for HOLD_NS at least, but not for longer than the
 * driver takes to use up a quarter of its ring, and is told with whatever comes first: a read of
 * ICR finds it (e1000_take_held). */
static uint64_t tx_delay_end(uint64_t t, uint32_t delay)
{
    uint64_t end = timer_end(t, delay, DELAY_NS);

    return end < t + HOLD_NS ? t + HOLD_NS : end;
}

/* Descriptors have 16 bytes. */
static unsigned quarter_ring(const struct e1000_regs *r)
{
    return r->tdlen / 16 / 4;
}

void e1000_transmitted(struct nm_dev *d, bool delay)
{
    struct e1000_regs *r = e1000_regs(d);
    uint64_t t;

    if (!delay || !(r->tidv & 0xffff) || ++r->tx_held >= quarter_ring(r)) {
        e1000_flush_tx_timers(d);
        return;
    }
    t = now(d);
    r->tidv_at = tx_delay_end(t, r->tidv);
    if (r->tadv && !r->tadv_at)
        r->tadv_at = tx_delay_end(t, r->tadv);
}

void e1000_take_held(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);

    if (!r->tidv_at && !r->tadv_at)
        return;
    stop_tx_timers(r);
    r->icr |= ICR_TXDW;
}

bool e1000_timers_run(const struct e1000_regs *r)
{
    return r->rdtr_at || r->radv_at || r->tidv_at || r->tadv_at || ((r->icr & r->ims) && !r->level);
}

static bool either_over(uint64_t a, uint64_t b, uint64_t t)
{
    return (a && is_over(a, t)) || (b && is_over(b, t));
}

unsigned e1000_run_timers(struct nm_dev *d)
{
    struct e1000_regs *r = e1000_regs(d);
    unsigned n = 0;
    uint64_t t;

    if (!e1000_timers_run(r))
        return 0;
    t = now(d);
    if (either_over(r->rdtr_at, r->radv_at, t)) {
        e1000_flush_rx_timers(d);
        n++;
    }
    if (either_over(r->tidv_at, r->tadv_at, t)) {
        e1000_flush_tx_timers(d);
        n++;
    }
    if ((r->icr & r->ims) && !r->level) {
        e1000_update_irq(d);
        n += r->level;
    }
    if (n)
        d->changed = true;
    return n;
}
