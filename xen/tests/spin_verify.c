/* SPDX-License-Identifier: BSD-3-Clause */
/* Is what the guest reads right, does it always go on, does Xen spin when it can? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

static void verify(const char *what, enum op op, uint32_t n, uint32_t at, enum before before)
{
    char line[200];
    uint64_t polled = rig.spin.unnotified, blocked = rig.spin.notified;
    bool done;

    rig.before = before;
    done = rig_order(op, n, at);
    rig.before = BEFORE_NOTHING;
    snprintf(line, sizeof(line), "%s: %s%u wrong, %llu answered in time, %llu not", what,
             done ? "" : "BLOCKED, ", rig.word[2] + rig.wrong,
             (unsigned long long)(rig.spin.unnotified - polled),
             (unsigned long long)(rig.spin.notified - blocked));
    say(done && rig.word[2] + rig.wrong == 0, line);
    if (!done)
        exit(1);
}

/* Nothing but answers that nobody can have waited for by polling. */
static void late(uint32_t n)
{
    uint64_t polled = rig.spin.unnotified;

    verify("port, all answers too late", OP_VERIFY_PORT, n, PORT_SPIN, BEFORE_TOO_LATE);
    say(rig.spin.unnotified == polled, "nobody polls for longer than the bound");
}

/* Meanwhile something happens that is to be no reason for Xen to give up: then it never polls to
 * the end, else it mostly does, unless the machine is very busy. */
static void undisturbed(const char *what, enum op op, uint32_t n, uint32_t at, enum before before)
{
    uint64_t polled = rig.spin.unnotified;

    verify(what, op, n, at, before);
    say(rig.spin.unnotified - polled > n / 20, "... which does not end the polling");
}

int run_stock(void)
{
    struct server s = {0};
    char line[80];
    int err = dm_add_server(&rig.dm, &s, true);

    snprintf(line, sizeof(line), "stock Xen refuses to spin: %s", strerror(-err));
    say(err == -EINVAL, line);
    return rig.failures != 0;
}

static void verify_answers(void)
{
    undisturbed("port", OP_VERIFY_PORT, 2000 * rig.times, PORT_SPIN, BEFORE_NOTHING);
    undisturbed("memory", OP_VERIFY_MMIO, 1500 * rig.times, MMIO_SPIN, BEFORE_NOTHING);
    verify("rep insb", OP_VERIFY_INS, 100 * rig.times, PORT_SPIN, BEFORE_NOTHING);
    verify("rep outsb", OP_VERIFY_OUTS, 100 * rig.times, PORT_SPIN, BEFORE_NOTHING);
    verify("port, answers around the bound", OP_VERIFY_PORT, 4000 * rig.times, PORT_SPIN,
           BEFORE_DELAY);
    verify("memory, answers around the bound", OP_VERIFY_MMIO, 2000 * rig.times, MMIO_SPIN,
           BEFORE_DELAY);
    verify("rep insb, answers around the bound", OP_VERIFY_INS, 100 * rig.times, PORT_SPIN,
           BEFORE_DELAY);
    late(500 * rig.times);
}

static void verify_invalidation(void)
{
    uint64_t n = 200 * rig.times, was[2] = {rig.invalidates[0], rig.invalidates[1]};

    verify("mapcache invalidated", OP_REPLACE_PAGE, (uint32_t)n, 0, BEFORE_NOTHING);
    say(rig.invalidates[0] - was[0] >= n && rig.invalidates[1] - was[1] >= n,
        "both servers were told each time");
}

int run_verify(void)
{
    rig_begin();
    verify_answers();
    verify_invalidation();
    rig.asleep = true;
    verify("port, asleep", OP_VERIFY_PORT, 500 * rig.times, PORT_SPIN, BEFORE_NOTHING);
    verify("memory, asleep", OP_VERIFY_MMIO, 500 * rig.times, MMIO_SPIN, BEFORE_NOTHING);
    rig.asleep = false;
    undisturbed("port, awake again", OP_VERIFY_PORT, 2000 * rig.times, PORT_SPIN, BEFORE_NOTHING);
    say(rig_order(OP_SHUTDOWN, 0, 0), "the guest has lived to its end");
    return rig.failures != 0;
}

int run_meanwhile(void)
{
    rig_begin();
    undisturbed("port, interrupts", OP_VERIFY_PORT, VECTORS, PORT_SPIN, BEFORE_INTERRUPT);
    undisturbed("port, p2m lock taken", OP_VERIFY_PORT, 500 * rig.times, PORT_SPIN,
                BEFORE_P2M_LOCK);
    undisturbed("memory, p2m lock taken", OP_VERIFY_MMIO, 500 * rig.times, MMIO_SPIN,
                BEFORE_P2M_LOCK);
    verify("port, domain paused", OP_VERIFY_PORT, 500 * rig.times, PORT_SPIN, BEFORE_PAUSE);
    verify("memory, domain paused", OP_VERIFY_MMIO, 500 * rig.times, MMIO_SPIN, BEFORE_PAUSE);
    verify("port, guest memory mapped", OP_VERIFY_PORT, 300 * rig.times, PORT_SPIN, BEFORE_MAP);
    verify("memory, guest memory mapped", OP_VERIFY_MMIO, 300 * rig.times, MMIO_SPIN, BEFORE_MAP);
    verify("port, range taken away", OP_VERIFY_PORT, 500 * rig.times, PORT_SPIN, BEFORE_TAKE_RANGE);
    return rig.failures != 0;
}

int run_late(void)
{
    rig_begin();
    late(300 * rig.times);
    return rig.failures != 0;
}

int run_crash(void)
{
    rig_begin();
    say(rig_order(OP_VERIFY_PORT, 10, PORT_SPIN), "the guest is there");
    rig.spin.answer_state = 7;
    rig.patience = 1000000000;
    say(!rig_order(OP_VERIFY_PORT, 10, PORT_SPIN), "it does not go on after state 7");
    return rig.failures != 0;
}

/* Until it is killed, or its caller is gone. */
int run_mute(void)
{
    rig_begin();
    rig.word[0] = OP_VERIFY_PORT | 1000u << 8;
    rig.word[1] = PORT_SPIN;
    rig.at = 0;
    while (getppid() != 1) {
        dm_poll(&rig.stock);
        if (rig.spin.slot->state == STATE_IOREQ_READY)
            rig.spin.slot->state = STATE_IOREQ_INPROCESS;
    }
    return 0;
}
