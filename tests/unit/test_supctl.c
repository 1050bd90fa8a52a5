/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's control socket: requests and answers, bad ones, and who may ask. */
#include "../../coopvmm/supctl.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cu_main.h"

const char *const suite_name = "supctl";

struct server {
    char dir[64], path[80];
    int listener, fd;
    int rc; /* of the last receive */
    pthread_t thread;
    json_t *answer; /* instead of the request itself; NULL: echo */
    bool silent, hang_up;
};

static void server_up(struct server *s)
{
    memset(s, 0, sizeof(*s));
    strcpy(s->dir, "/tmp/supctl-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/ctl.sock", s->dir);
    s->listener = supctl_listen(s->path);
    CU_ASSERT_FATAL(s->listener >= 0);
    s->fd = -1;
}

static void server_down(struct server *s)
{
    close(s->listener);
    if (s->fd >= 0)
        close(s->fd);
    unlink(s->path);
    rmdir(s->dir);
}

static void readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    poll(&p, 1, 5000);
}

/* Serves one request. */
static void *serve(void *arg)
{
    struct server *s = arg;
    json_t *request;

    readable(s->listener);
    s->fd = supctl_accept(s->listener);
    if (s->fd < 0)
        return NULL;
    readable(s->fd);
    s->rc = supctl_recv(s->fd, &request);
    if (s->hang_up) {
        close(s->fd);
        s->fd = -1;
        json_decref(request);
    } else if (s->silent) {
        json_decref(request);
    } else if (s->answer) {
        supctl_send(s->fd, s->answer);
        json_decref(request);
    } else if (request) {
        supctl_send(s->fd, request);
    }
    return NULL;
}

static int ask_once(struct server *s, json_t *request, int timeout_ms, json_t **answer)
{
    int fd, rc;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread, NULL, serve, s), 0);
    fd = supctl_connect(s->dir);
    CU_ASSERT_FATAL(fd >= 0);
    rc = supctl_ask(fd, request, timeout_ms, answer);
    pthread_join(s->thread, NULL);
    close(fd);
    return rc;
}

static void test_ask(void)
{
    struct server s;
    json_t *answer;

    server_up(&s);
    CU_ASSERT_EQUAL(ask_once(&s, json_pack("{s:b, s:i}", "ok", 1, "n", 7), 3000, &answer), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(answer, "n")), 7);
    json_decref(answer);
    server_down(&s);
}

static void test_refusal(void)
{
    struct server s;
    json_t *answer;
    const char *text;

    server_up(&s);
    s.answer = supctl_error("no VM %s", "a\nb\xff");
    CU_ASSERT_EQUAL(ask_once(&s, json_object(), 3000, &answer), -EREMOTEIO);
    text = json_string_value(json_object_get(answer, "error"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "no VM a?b?");
    json_decref(answer);
    server_down(&s);
}

static void test_big_answer(void)
{
    struct server s;
    json_t *answer, *big = json_array();

    for (int i = 0; i < 600; i++) /* what `ps` says of a VM, 600 times */
        json_array_append_new(big, json_pack("{s:s, s:i, s:s, s:f, s:s, s:[i,i,i,i], s:i, s:s}",
                                             "name", "a-vm-with-a-name-of-31-letters-", "pid",
                                             1234567, "state", "running", "uptime_s", 123456.789,
                                             "engine", "user", "cores", 100, 101, 102, 103, "node",
                                             0, "how", "crashed: signal 11 (Segmentation fault)"));
    server_up(&s);
    s.answer = json_pack("{s:b, s:o}", "ok", 1, "vms", big);
    CU_ASSERT_EQUAL(ask_once(&s, json_object(), 3000, &answer), 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(answer, "vms")), 600);
    json_decref(answer);
    server_down(&s);
}

static void test_no_answer(void)
{
    struct server s;
    json_t *answer;

    server_up(&s);
    s.silent = true;
    CU_ASSERT_EQUAL(ask_once(&s, json_object(), 200, &answer), -ETIMEDOUT);
    CU_ASSERT_PTR_NULL(answer);
    server_down(&s);
}

static void test_hang_up(void)
{
    struct server s;
    json_t *answer;

    server_up(&s);
    s.hang_up = true;
    CU_ASSERT_EQUAL(ask_once(&s, json_object(), 3000, &answer), -ENOTCONN);
    CU_ASSERT_PTR_NULL(answer);
    server_down(&s);
}

/* What the server makes of a raw packet. */
static int raw(const char *packet, size_t len)
{
    struct server s;
    json_t *request = NULL;
    int fd, rc;

    server_up(&s);
    fd = supctl_connect(s.dir);
    CU_ASSERT_FATAL(fd >= 0);
    s.fd = supctl_accept(s.listener);
    CU_ASSERT_FATAL(s.fd >= 0);
    CU_ASSERT_EQUAL(supctl_recv(s.fd, &request), -EAGAIN);
    CU_ASSERT_EQUAL(send(fd, packet, len, 0), (ssize_t)len);
    rc = supctl_recv(s.fd, &request);
    CU_ASSERT_EQUAL(rc == 0, request != NULL);
    json_decref(request);
    close(fd);
    CU_ASSERT_EQUAL(supctl_recv(s.fd, &request), -ENOTCONN);
    server_down(&s);
    return rc;
}

static void test_bad_requests(void)
{
    char *big = malloc(SUPCTL_MAX_REQUEST + 64);

    CU_ASSERT_EQUAL(raw("{\"verb\":\"ps\"}", 13), 0);
    CU_ASSERT_EQUAL(raw("{\"verb\":\"ps\"", 12), -EPROTO);
    CU_ASSERT_EQUAL(raw("{\"verb\":\"ps\"} x", 15), -EPROTO);
    CU_ASSERT_EQUAL(raw("[1]", 3), -EPROTO);
    CU_ASSERT_EQUAL(raw("\0\0\0", 3), -EPROTO);
    CU_ASSERT_EQUAL(raw("\"\xff\"", 3), -EPROTO);
    CU_ASSERT_EQUAL(raw("{\"verb\":1,\"verb\":2}", 19), -EPROTO);
    memset(big, ' ', SUPCTL_MAX_REQUEST + 64);
    big[0] = '{';
    big[1] = '}';
    CU_ASSERT_EQUAL(raw(big, SUPCTL_MAX_REQUEST), 0);
    CU_ASSERT_EQUAL(raw(big, SUPCTL_MAX_REQUEST + 1), -EPROTO);
    memset(big, '[', SUPCTL_MAX_REQUEST);
    CU_ASSERT_EQUAL(raw(big, SUPCTL_MAX_REQUEST), -EPROTO);
    free(big);
}

/* Who does not read must not stop the server. */
static void test_never_blocks(void)
{
    struct server s;
    int fd, rc = 0, n;

    server_up(&s);
    fd = supctl_connect(s.dir);
    CU_ASSERT_FATAL(fd >= 0);
    s.fd = supctl_accept(s.listener);
    for (n = 0; n < 100000 && rc == 0; n++)
        rc = supctl_send(s.fd, supctl_error("%0200d", 0));
    CU_ASSERT_EQUAL(rc, -EAGAIN);
    close(fd);
    server_down(&s);
}

static void test_mode(void)
{
    struct server s;
    struct stat st;

    server_up(&s);
    CU_ASSERT_EQUAL(stat(s.path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    server_down(&s);
}

/* Another user gets in only if somebody opened the doors, and then is refused all the same. */
static void test_credentials(void)
{
    struct server s;
    int status;
    pid_t pid;

    if (geteuid() != 0) {
        printf("(not root: cannot become another user; only one's own was tried) ");
        return;
    }
    server_up(&s);
    CU_ASSERT_EQUAL(chmod(s.dir, 0755) | chmod(s.path, 0666), 0);
    pid = fork();
    if (pid == 0)
        _exit(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0 &&
                      supctl_connect(s.dir) >= 0
                  ? 0
                  : 1);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(supctl_accept(s.listener), -EACCES);
    CU_ASSERT_EQUAL(supctl_accept(s.listener), -EAGAIN);
    server_down(&s);
}

static void test_wait_end(void)
{
    struct server s;
    int fd;

    server_up(&s);
    fd = supctl_connect(s.dir);
    CU_ASSERT_FATAL(fd >= 0);
    s.fd = supctl_accept(s.listener);
    CU_ASSERT_EQUAL(supctl_wait_end(fd, 50), -ETIMEDOUT);
    close(s.fd);
    s.fd = -1;
    CU_ASSERT_EQUAL(supctl_wait_end(fd, 1000), 0);
    close(fd);
    server_down(&s);
}

const struct cu_test suite_tests[] = {
    {"ask and answer", test_ask},
    {"an answer that says no", test_refusal},
    {"an answer about 600 VMs", test_big_answer},
    {"no answer", test_no_answer},
    {"the supervisor ends", test_hang_up},
    {"malformed and oversized requests", test_bad_requests},
    {"a client that does not read", test_never_blocks},
    {"the socket's mode", test_mode},
    {"another user's process", test_credentials},
    {"waiting for the end", test_wait_end},
    {NULL, NULL},
};
