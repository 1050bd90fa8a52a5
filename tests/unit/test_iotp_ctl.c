/* SPDX-License-Identifier: BSD-3-Clause */
/* IOTP's control messages over a real socket pair: every message there and back, questions and
 * answers, no descriptor left behind. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ctl_rig.h"
#include "cu_main.h"

const char *const suite_name = "iotp_ctl";

static void each_message_arrives(void)
{
    unsigned before = ctl_open_fds();
    int s[2];

    ctl_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= CTL_LAST; type++) {
        struct iotp_msg m = ctl_good(type), r;
        const char *why = "";

        CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), 0);
        CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, &why), 0);
        CU_ASSERT_PTR_NULL(why);
        CU_ASSERT_EQUAL(r.type, type);
        CU_ASSERT_EQUAL(r.serial, m.serial);
        CU_ASSERT_EQUAL(r.nfds, m.nfds);
        CU_ASSERT_EQUAL(memcmp(&r.u, &m.u, ctl_body(type)), 0);
        for (unsigned i = 0; i < IOTP_MAX_FDS; i++)
            CU_ASSERT_EQUAL(i < r.nfds, r.fd[i] >= 0);
        iotp_msg_close(&r);
        CU_ASSERT_EQUAL(r.nfds, 0);
        iotp_msg_close(&r); /* harmless */
    }
    ctl_close(s);
    CU_ASSERT_EQUAL(ctl_open_fds(), before);
}

/* The descriptors are the sender's files, in order, closed on exec. */
static void descriptors_are_passed(void)
{
    struct iotp_msg m = ctl_good(IOTP_MSG_AREA), r;
    uint64_t n = 7;
    int s[2];

    ctl_pair(s);
    m.fd[0] = iotp_memfd("test", 8192);
    m.fd[1] = eventfd(0, EFD_CLOEXEC);
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(iotp_memfd_check(r.fd[0], 8192), 0);
    CU_ASSERT_EQUAL(write(r.fd[1], &n, 8), 8);
    n = 0;
    CU_ASSERT_EQUAL(read(m.fd[1], &n, 8), 8);
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT_EQUAL(fcntl(r.fd[0], F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(fcntl(r.fd[1], F_GETFD), FD_CLOEXEC);
    iotp_msg_close(&r);
    iotp_msg_close(&m);
    ctl_close(s);
}

static void a_peer_that_is_gone(void)
{
    struct iotp_msg m = ctl_good(IOTP_MSG_OK);
    int s[2];

    ctl_pair(s);
    close(s[1]);
    CU_ASSERT_EQUAL(ctl_receive(s[0], NULL), -ENOTCONN);
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -ENOTCONN);
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -ENOTCONN);
    close(s[0]);
    ctl_pair(s);
    CU_ASSERT_EQUAL(iotp_msg_send(s[1], &m), 0);
    close(s[0]); /* with a message unread: the kernel calls that a reset */
    CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), -ENOTCONN);
    close(s[1]);
}

/* The answer is there before the question, which is as good for the asker. */
static int ask(unsigned type, unsigned answer, uint32_t serial, struct iotp_msg *m)
{
    struct iotp_msg a = ctl_good(answer);
    const char *why;
    int s[2], err;

    ctl_pair(s);
    a.serial = serial;
    CU_ASSERT_EQUAL(iotp_msg_send(s[1], &a), 0);
    *m = ctl_good(type);
    m->serial = 77;
    err = iotp_msg_ask(s[0], m, &why);
    CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), 0);
    ctl_close(s);
    return err;
}

static void asking_takes_the_right_answer(void)
{
    unsigned before = ctl_open_fds();
    struct iotp_msg m;

    CU_ASSERT_EQUAL(ask(IOTP_MSG_HELLO, IOTP_MSG_HELLO_OK, 77, &m), 0);
    CU_ASSERT_EQUAL(m.u.hello_ok.max_vcpus, 256);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_MEMORY, IOTP_MSG_OK, 77, &m), 0);
    CU_ASSERT_EQUAL(m.nfds, 0);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_DEVICE, IOTP_MSG_DEVICE_INFO, 77, &m), 0);
    CU_ASSERT_EQUAL(m.nfds, 1);
    CU_ASSERT_TRUE(m.fd[0] > STDERR_FILENO);
    iotp_msg_close(&m);
    CU_ASSERT_EQUAL(ctl_open_fds(), before);
}

static void asking_refuses_other_answers(void)
{
    unsigned before = ctl_open_fds();
    struct iotp_msg m;

    CU_ASSERT_EQUAL(ask(IOTP_MSG_AREA, IOTP_MSG_ERROR, 77, &m), -EPERM);
    CU_ASSERT_EQUAL(m.type, IOTP_MSG_ERROR);
    CU_ASSERT_STRING_EQUAL(m.u.error.text, "no: \"that\" is not allowed");
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_ERROR, 0, &m), -EPERM);
    CU_ASSERT_EQUAL(m.serial, 0);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_ERROR, 76, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_OK, 76, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_START, IOTP_MSG_DEVICE_INFO, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_HELLO, IOTP_MSG_OK, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(ask(IOTP_MSG_DEVICE, IOTP_MSG_OK, 77, &m), -EPROTO);
    CU_ASSERT_EQUAL(ctl_open_fds(), before);
}

/* Without an answer; the asker's own descriptors must not look like received ones. */
static void asking_chooses_a_serial(void)
{
    struct iotp_msg m = ctl_good(IOTP_MSG_AREA), r;
    int s[2];

    ctl_pair(s);
    m.serial = 0;
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -EAGAIN);
    CU_ASSERT_EQUAL(m.nfds, 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_NOT_EQUAL(r.serial, 0);
    iotp_msg_close(&r);
    m = ctl_good(IOTP_MSG_AREA);
    m.nfds = 1;
    CU_ASSERT_EQUAL(iotp_msg_ask(s[0], &m, NULL), -EINVAL);
    CU_ASSERT_EQUAL(m.nfds, 0);
    ctl_close(s);
}

static void errors_are_made_presentable(void)
{
    struct iotp_msg r;
    char text[400];
    int s[2];

    ctl_pair(s);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[1] = '\n';
    text[2] = '\xc3';
    CU_ASSERT_EQUAL(iotp_msg_error(s[0], 5, -ENODEV, "%d%s", 1, text), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(r.u.error.error, -ENODEV);
    CU_ASSERT_EQUAL(r.serial, 5);
    CU_ASSERT_EQUAL(strlen(r.u.error.text), IOTP_TEXT_SIZE - 1);
    CU_ASSERT_EQUAL(strncmp(r.u.error.text, "1x??xxx", 7), 0);
    CU_ASSERT_EQUAL(iotp_msg_error(s[0], 0, 12, "positive"), 0);
    CU_ASSERT_EQUAL(iotp_msg_recv(s[1], &r, NULL), 0);
    CU_ASSERT_EQUAL(r.u.error.error, -EPROTO);
    ctl_close(s);
}

const struct cu_test suite_tests[] = {
    {"each message arrives", each_message_arrives},
    {"descriptors are passed", descriptors_are_passed},
    {"a peer that is gone", a_peer_that_is_gone},
    {"asking takes the right answer", asking_takes_the_right_answer},
    {"asking refuses other answers", asking_refuses_other_answers},
    {"asking chooses a serial", asking_chooses_a_serial},
    {"errors are made presentable", errors_are_made_presentable},
    {NULL, NULL},
};
