/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the QEMU beside a domain what it has: the protocol, the answers, clashes. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coopvmm/qemu_claims.h"
#include "coopvmm/qmp.h"
#include "cu_main.h"
#include "qemu_answers.h"

const char *const suite_name = "qemu";

/* --- a QEMU of one client: sends what it was given, an answer a line that arrives --- */

struct fake {
    char path[64];
    int listen_fd;
    const char *const *answers; /* the first is the greeting; NULL at the end: hangs up */
    pthread_t thread;
};

static bool await_line(int fd)
{
    char c = 0;

    while (c != '\n')
        if (read(fd, &c, 1) != 1)
            return false;
    return true;
}

static void *serve(void *arg)
{
    struct fake *f = arg;
    int fd = accept(f->listen_fd, NULL, NULL);

    for (unsigned i = 0; fd >= 0 && f->answers[i]; i++) {
        if (i && !await_line(fd))
            break;
        if (send(fd, f->answers[i], strlen(f->answers[i]), MSG_NOSIGNAL) < 0)
            break;
    }
    close(fd);
    return NULL;
}

static void start(struct fake *f, const char *const *answers)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    snprintf(f->path, sizeof(f->path), "/tmp/coopvmm-qmp-%d", (int)getpid());
    unlink(f->path);
    strcpy(sun.sun_path, f->path);
    f->answers = answers;
    f->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(bind(f->listen_fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(f->listen_fd, 1), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop(struct fake *f)
{
    pthread_join(f->thread, NULL);
    close(f->listen_fd);
    unlink(f->path);
}

static int open_fake(struct fake *f, const char *const *answers, struct qmp **q)
{
    start(f, answers);
    return qmp_open(f->path, 2000, q);
}

#define EVENT  "{\"timestamp\": {}, \"event\": \"RTC_CHANGE\", \"data\": {\"offset\": 0}}\r\n"
#define RETURN "{\"return\": {}}\r\n"

static void test_talk(void)
{
    const char *const answers[] = {
        QEMU_GREETING, EVENT RETURN, EVENT EVENT "{\"return\": " QEMU_PCI "}\r\n",
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n", NULL};
    struct fake f;
    struct qmp *q;
    json_t *j;

    CU_ASSERT_EQUAL_FATAL(open_fake(&f, answers, &q), 0);
    CU_ASSERT_EQUAL_FATAL(qmp_execute(q, "query-pci", NULL, &j), 0);
    CU_ASSERT_EQUAL(json_array_size(j), 1);
    json_decref(j);
    CU_ASSERT_EQUAL(qmp_execute(q, "x", json_pack("{s:s}", "a", "b"), &j), -EREMOTEIO);
    CU_ASSERT_PTR_NULL(j);
    CU_ASSERT(qmp_execute(q, "x", NULL, &j) < 0);
    qmp_close(q);
    stop(&f);
}

static void expect_open(const char *greeting, int want)
{
    const char *const answers[] = {greeting, NULL};
    struct fake f;
    struct qmp *q;

    CU_ASSERT_EQUAL(open_fake(&f, answers, &q), want);
    stop(&f);
}

static void test_strangers(void)
{
    struct qmp *q;

    expect_open("{}\n", -EPROTO);
    expect_open("[]\n", -EPROTO);
    expect_open("SSH-2.0\n", -EPROTO);
    expect_open("\n", -EPROTO);
    expect_open("{\"QMP\": {}", -ECONNRESET);
    expect_open("", -ECONNRESET);
    CU_ASSERT_EQUAL(qmp_open("/nonexistent/qmp", 100, &q), -ENOENT);
}

static void test_silence(void)
{
    const char *const answers[] = {"", "", NULL}; /* waits for a line that never comes */
    struct fake f;
    struct qmp *q;

    start(&f, answers);
    CU_ASSERT_EQUAL(qmp_open(f.path, 200, &q), -ETIMEDOUT);
    stop(&f);
}

static void test_endless_line(void)
{
    size_t size = 2 * QMP_MAX_LINE;
    char *text = malloc(size + 1);
    const char *const answers[] = {text, NULL};
    struct fake f;
    struct qmp *q;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', size);
    text[size] = '\0';
    start(&f, answers);
    CU_ASSERT_EQUAL(qmp_open(f.path, 20000, &q), -EPROTO);
    stop(&f);
    free(text);
}

/* --- answers --- */

static void read_all(struct qemu_claims *q)
{
    json_t *pci = json_loads(QEMU_PCI, 0, NULL);

    memset(q, 0, sizeof(*q));
    CU_ASSERT_EQUAL_FATAL(qemu_read_pci(pci, q), 0);
    CU_ASSERT_EQUAL_FATAL(qemu_read_ports(QEMU_MTREE, q), 0);
    json_decref(pci);
}

static void test_answers(void)
{
    struct qemu_claims q;

    read_all(&q);
    CU_ASSERT_STRING_EQUAL(q.slot[0], "Host bridge");
    CU_ASSERT_STRING_EQUAL(q.slot[1], "ISA bridge");
    CU_ASSERT_STRING_EQUAL(q.slot[2], "a device");
    CU_ASSERT_STRING_EQUAL(q.slot[3], "");
    CU_ASSERT_EQUAL_FATAL(q.nports, 10);
    CU_ASSERT(q.ports[0].first == 0 && q.ports[0].last == 7);
    CU_ASSERT_STRING_EQUAL(q.ports[5].who, "serial");
    CU_ASSERT_STRING_EQUAL(q.ports[3].who, "rtc @0000000000000001");
    CU_ASSERT_EQUAL(q.ports[9].first, 0xae00);
}

static void test_odd_answers(void)
{
    static const char *const odd[] = {"[]",
                                      "[1]",
                                      "[{\"devices\": 1}]",
                                      "[{\"devices\": [{}]}]",
                                      "[{\"devices\": [{\"bus\": 0, \"slot\": 99}]}]",
                                      "[{\"devices\": [{\"bus\": 0, \"slot\": -1}]}]",
                                      "[{\"devices\": [{\"bus\": 1, \"slot\": 6}]}]",
                                      "[{\"devices\": [{\"bus\": 0, \"slot\": \"6\"}]}]"};
    struct qemu_claims q = {0};
    json_t *j;

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        j = json_loads(odd[i], 0, NULL);
        CU_ASSERT_EQUAL(qemu_read_pci(j, &q), 0);
        json_decref(j);
    }
    for (unsigned i = 0; i < QEMU_SLOTS; i++)
        CU_ASSERT_EQUAL(q.slot[i][0], 0);
    j = json_string("x");
    CU_ASSERT_EQUAL(qemu_read_pci(j, &q), -EPROTO);
    json_decref(j);
    CU_ASSERT_EQUAL(qemu_read_ports("", &q), -EPROTO);
    CU_ASSERT_EQUAL(qemu_read_ports("FlatView #0\n AS \"memory\"\n", &q), -EPROTO);
    CU_ASSERT_EQUAL(qemu_read_ports(" AS \"I/O\"\n 10-20 (x): y\n"
                                    " 0000000000010000-0000000000010001 (x): y\n"
                                    " 0000000000000002-0000000000000001 (x): y\n"
                                    " 0000000000000001-0000000000000002\n",
                                    &q),
                    0);
    CU_ASSERT_EQUAL(q.nports, 0);
}

/* --- clashes --- */

static unsigned clashes(uint8_t slot, uint64_t base, uint64_t size, char **said)
{
    struct iotp_device_info info = {.nwindows = 1};
    struct qemu_rival r = {"web", "nic", slot, &info};
    struct qemu_claims q;
    size_t len;
    FILE *f = open_memstream(said, &len);
    unsigned n;

    info.window[0] = (struct iotp_window){.space = size ? 1 : 0, .base = base, .size = size};
    read_all(&q);
    n = qemu_clashes(&q, &r, f);
    fclose(f);
    return n;
}

static void expect_clash(uint8_t slot, uint64_t base, uint64_t size, const char *want)
{
    char *said = NULL;

    CU_ASSERT_EQUAL(clashes(slot, base, size, &said), want ? 1 : 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    if (want && !strstr(said, want))
        fprintf(stderr, "\n-- expected: %s\n-- got: %s", want, said);
    CU_ASSERT_TRUE(want ? strstr(said, want) != NULL : !said[0]);
    free(said);
}

static void test_clashes(void)
{
    expect_clash(6, 0, 0, NULL);
    expect_clash(2, 0, 0, "web: PCI slot 2 of nic is QEMU's already (a device); give the device");
    expect_clash(1, 0, 0, "QEMU's already (ISA bridge)");
    expect_clash(0, 0x300, 32, NULL);
    expect_clash(
        0, 0x3e0, 32,
        "web: ports 0x3e0 to 0x3ff of nic meet 0x3f8 to 0x3ff of QEMU's serial; set io_base");
    expect_clash(0, 0x3e0, 24, NULL);
    expect_clash(0, 0x400, 32, NULL);
    expect_clash(0, 0x500, 32, "meet 0x510 to 0x511 of QEMU's fwcfg");
    expect_clash(0, 0xffffffffffffffe0, 32, NULL);
}

const struct cu_test suite_tests[] = {
    {"commands, answers, events", test_talk},  {"who does not speak QMP", test_strangers},
    {"who does not answer", test_silence},     {"a line without end", test_endless_line},
    {"answers of a real QEMU", test_answers},  {"odd answers", test_odd_answers},
    {"clashes name both sides", test_clashes}, {NULL, NULL},
};
