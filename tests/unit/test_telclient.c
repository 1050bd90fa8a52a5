/* SPDX-License-Identifier: BSD-3-Clause */
/* The telemetry client: against DPDK's own server, and against one that lies. */
#include "../../coopvmm/telclient.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <pthread.h>
#include <rte_telemetry.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cu_main.h"
#include "test_eal.h"

const char *const suite_name = "telclient";

#define PAGE  3
#define ITEMS 8

/* A paged list as iocore/telemetry.h describes: "/test/list,NAME,FIRST". */
static int list(const char *cmd, const char *params, struct rte_tel_data *d)
{
    const char *comma = params ? strchr(params, ',') : NULL;
    unsigned first = comma ? (unsigned)atoi(comma + 1) : 0, n = 0;
    struct rte_tel_data *items;

    (void)cmd;
    if (!comma || strncmp(params, "things", 6) != 0 || first > ITEMS)
        return -1;
    items = rte_tel_data_alloc();
    rte_tel_data_start_dict(d);
    rte_tel_data_start_dict(items);
    for (; n < PAGE && first + n < ITEMS; n++) {
        struct rte_tel_data *item = rte_tel_data_alloc();
        char key[16];

        snprintf(key, sizeof(key), "%u", first + n);
        rte_tel_data_start_dict(item);
        rte_tel_data_add_dict_u64(item, "square", (uint64_t)(first + n) * (first + n));
        rte_tel_data_add_dict_container(items, key, item, 0);
    }
    rte_tel_data_add_dict_u64(d, "total", ITEMS);
    rte_tel_data_add_dict_u64(d, "first", first);
    rte_tel_data_add_dict_u64(d, "count", n);
    rte_tel_data_add_dict_container(d, "items", items, 0);
    return 0;
}

/* DPDK's server in this process. @return its socket's path */
static const char *dpdk(void)
{
    static char path[128];

    if (!*path) {
        test_eal();
        CU_ASSERT_EQUAL(rte_telemetry_register_cmd("/test/list", list, "A list"), 0);
        snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
    }
    return path;
}

static void test_dpdk(void)
{
    struct telclient t;
    json_t *v;

    CU_ASSERT_EQUAL_FATAL(telclient_open(&t, dpdk(), 3000), 0);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/info", NULL, &v), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(v, "pid")), getpid());
    json_decref(v);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/", NULL, &v), 0);
    CU_ASSERT_TRUE(json_array_size(v) > 5);
    json_decref(v);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/no/such", NULL, &v), -ENOENT);
    CU_ASSERT_PTR_NULL(v);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/test/list", "nothing", &v), -ENOENT);
    telclient_close(&t);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/info", NULL, &v), -ENOTCONN);
}

static void test_pages(void)
{
    struct telclient t;
    json_t *items;

    CU_ASSERT_EQUAL_FATAL(telclient_open(&t, dpdk(), 3000), 0);
    CU_ASSERT_EQUAL(telclient_list(&t, "/test/list", "things", &items), 0);
    CU_ASSERT_EQUAL(json_array_size(items), ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(items, i), "square")),
                        (json_int_t)(i * i));
    json_decref(items);
    CU_ASSERT_EQUAL(telclient_list(&t, "/test/list", "nothing", &items), -ENOENT);
    CU_ASSERT_PTR_NULL(items);
    telclient_close(&t);
}

static void test_too_long(void)
{
    char params[TELCLIENT_MAX_REQUEST + 1];
    struct telclient t;
    json_t *v;

    memset(params, 'x', sizeof(params));
    params[TELCLIENT_MAX_REQUEST] = '\0';
    CU_ASSERT_EQUAL_FATAL(telclient_open(&t, dpdk(), 3000), 0);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/info", params, &v), -EMSGSIZE);
    CU_ASSERT_EQUAL(telclient_ask(&t, "/info", NULL, &v), 0);
    json_decref(v);
    telclient_close(&t);
}

/* DPDK serves ten; the eleventh is told so, and can come back. */
static void test_many_clients(void)
{
    struct telclient t[10], one_more;
    int rc = 0;

    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL_FATAL(telclient_open(&t[i], dpdk(), 3000), 0);
    CU_ASSERT_EQUAL(telclient_open(&one_more, dpdk(), 3000), -EBUSY);
    for (int i = 0; i < 10; i++)
        telclient_close(&t[i]);
    for (int i = 0; i < 300; i++) { /* its threads notice in their own time */
        rc = telclient_open(&one_more, dpdk(), 3000);
        if (rc != -EBUSY)
            break;
        usleep(10000);
    }
    CU_ASSERT_EQUAL(rc, 0);
    telclient_close(&one_more);
}

static void test_nobody(void)
{
    struct telclient t;
    char path[200];

    CU_ASSERT_EQUAL(telclient_open(&t, "/nonexistent/socket", 100), -ENOENT);
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    CU_ASSERT_EQUAL(telclient_open(&t, path, 100), -ENAMETOOLONG);
    telclient_close(&t);
}

/* A server that says these packets, one at once and one for each request, then is silent. */
struct liar {
    const char *const *says;
    size_t last_len; /* bytes of the last packet, if not a string; 0: it is one */
    bool hang_up;    /* after the last */
    int listener, fd;
    char path[64];
    pthread_t thread;
};

static void *lie(void *arg)
{
    struct liar *l = arg;
    char request[2048];

    l->fd = accept(l->listener, NULL, NULL);
    for (const char *const *p = l->says; *p; p++) {
        size_t len = !p[1] && l->last_len ? l->last_len : strlen(*p);

        if (p != l->says && recv(l->fd, request, sizeof(request), 0) <= 0)
            break;
        if (send(l->fd, *p, len, MSG_NOSIGNAL) < 0)
            break;
    }
    if (l->hang_up)
        close(l->fd);
    return NULL;
}

static void liar_up(struct liar *l)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    snprintf(l->path, sizeof(l->path), "/tmp/telclient-liar-%d", (int)getpid());
    strcpy(sa.sun_path, l->path);
    l->listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CU_ASSERT_EQUAL_FATAL(bind(l->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(l->listener, 1), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&l->thread, NULL, lie, l), 0);
}

/* What comes of asking a list of it. */
static int listen_to(struct liar l)
{
    json_t *items = NULL;
    struct telclient t;
    int rc;

    liar_up(&l);
    rc = telclient_open(&t, l.path, 200);
    if (rc == 0) {
        rc = telclient_list(&t, "/l", NULL, &items);
        CU_ASSERT_EQUAL(rc == 0, items != NULL);
        json_decref(items);
        telclient_close(&t);
    }
    pthread_join(l.thread, NULL);
    if (!l.hang_up)
        close(l.fd);
    close(l.listener);
    unlink(l.path);
    return rc;
}

#define HELLO     "{\"version\":\"DPDK\",\"pid\":1,\"max_output_len\":16384}"
#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_bad_greetings(void)
{
    static char big[4096];

    memset(big, ' ', sizeof(big));
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS("hello")}), -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS("[]")}), -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS("{}")}), -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS("{\"max_output_len\":-5}")}), -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS("{\"max_output_len\":99999999999}")}),
                    -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(big), .last_len = sizeof(big)}),
                    -EMSGSIZE);
}

static void test_bad_answers(void)
{
    static char big[20000];

    memset(big, ' ', sizeof(big));
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO)}), -ETIMEDOUT);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, "nonsense"), .hang_up = true}),
                    -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, "{\"/other\":{}}")}), -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, "{\"/l\":null}")}), -ENOENT);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, big), .last_len = sizeof(big)}),
                    -EMSGSIZE);
}

/* Lists that do not fit together must end all the same. */
static void test_bad_lists(void)
{
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, "{\"/l\":[1]}")}), 0);
    CU_ASSERT_EQUAL(listen_to((struct liar){
                        .says = SAYS(HELLO, "{\"/l\":{\"total\":9,\"first\":0,\"count\":0}}")}),
                    0);
    CU_ASSERT_EQUAL(listen_to((struct liar){
                        .says = SAYS(HELLO, "{\"/l\":{\"total\":9,\"first\":4,\"count\":1}}")}),
                    -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){
                        .says = SAYS(HELLO, "{\"/l\":{\"total\":9,\"first\":0,\"count\":-1}}")}),
                    -EPROTO);
    CU_ASSERT_EQUAL(listen_to((struct liar){.says = SAYS(HELLO, "{\"/l\":{\"total\":9,\"first\":0,"
                                                                "\"count\":1999999999,"
                                                                "\"items\":{\"0\":1}}}")}),
                    -EPROTO);
    CU_ASSERT_EQUAL(
        listen_to((struct liar){.says = SAYS(HELLO, "{\"/l\":{\"total\":9,\"first\":0,"
                                                    "\"count\":2,\"items\":{\"0\":1}}}")}),
        -EPROTO);
    CU_ASSERT_EQUAL(
        listen_to((struct liar){.says = SAYS(HELLO,
                                             "{\"/l\":{\"total\":9,\"first\":0,\"count\":1,"
                                             "\"items\":{\"0\":1}}}",
                                             "{\"/l\":{\"total\":9,\"first\":0,\"count\":1,"
                                             "\"items\":{\"0\":1}}}")}),
        -EPROTO); /* the same page again */
}

const struct cu_test suite_tests[] = {
    {"DPDK's server", test_dpdk},
    {"a list of several pages", test_pages},
    {"a request too long", test_too_long},
    {"too many clients", test_many_clients},
    {"nobody there", test_nobody},
    {"greetings that are none", test_bad_greetings},
    {"answers that are none", test_bad_answers},
    {"lists that do not fit together", test_bad_lists},
    {NULL, NULL},
};
