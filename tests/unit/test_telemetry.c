/* SPDX-License-Identifier: BSD-3-Clause */
/* The endpoints, asked over DPDK's own telemetry socket. */
#include "../../iocore/telemetry.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "cu_main.h"
#include "test_eal.h"

#define VCPUS 40

/* --- a source with one VM of many vCPUs --- */

static void src_info(void *ctx, struct tel_info *out)
{
    (void)ctx;
    *out = (struct tel_info){.name = "bed", .tsc_hz = 123, .pid = 42, .seccomp = true};
}

static int src_core(void *ctx, unsigned i, struct tel_core *out, unsigned *total)
{
    (void)ctx;
    *total = 2;
    *out = (struct tel_core){.name = "io", .cpu = 7, .idle = CFG_IDLE_SLEEP};
    out->c.busy_ticks = rte_get_tsc_hz() * 3;
    return i < 2 ? 0 : -ENOENT;
}

static int src_vm(void *ctx, unsigned i, struct tel_vm *out, unsigned *total)
{
    (void)ctx;
    *total = 1;
    *out = (struct tel_vm){.name = "we\"b\n1", .pid = 9, .vcpus = VCPUS, .running = true};
    return i < 1 ? 0 : -ENOENT;
}

static int src_slot(void *ctx, const char *vm, unsigned i, struct tel_slot *out, unsigned *total)
{
    struct hist h = {0};

    (void)ctx;
    *total = strcmp(vm, "web1") == 0 ? VCPUS : 0;
    if (i >= *total)
        return -ENOENT;
    *out = (struct tel_slot){.vcpu = i, .core = "io", .requests = 1000 + i, .posted = UINT64_MAX};
    for (unsigned k = 1; k <= 100; k++)
        hist_add(&h, rte_get_tsc_hz() / 1000000 * k); /* 1 to 100 microseconds */
    hist_read(&h, &out->service);
    hist_reset(&h);
    for (unsigned k = 0; k < HIST_BUCKETS; k++) /* the longest answer there can be */
        hist_add(&h, hist_bucket_low(k));
    hist_read(&h, &out->wait);
    return 0;
}

static int src_device(void *ctx, const char *vm, unsigned i, struct tel_device *out,
                      unsigned *total)
{
    (void)ctx;
    *total = strcmp(vm, "web1") == 0 ? 20 : 0;
    if (i >= *total)
        return -ENOENT;
    memset(out, 0xff, sizeof(*out)); /* every counter at its longest */
    memset(out->name, 'n', TEL_NAME - 1);
    memset(out->model, 'm', TEL_NAME - 1);
    memset(out->core, 'c', TEL_NAME - 1);
    out->name[TEL_NAME - 1] = out->model[TEL_NAME - 1] = out->core[TEL_NAME - 1] = 0;
    out->sw_port = -1;
    return 0;
}

static int src_vhost(void *ctx, unsigned i, struct tel_vhost *out, unsigned *total)
{
    (void)ctx;
    *total = 17;
    memset(out, 0xff, sizeof(*out)); /* every counter at its longest */
    memset(out->name, 'n', TEL_NAME - 1);
    memset(out->core, 'c', TEL_NAME - 1);
    out->name[TEL_NAME - 1] = out->core[TEL_NAME - 1] = 0;
    out->pid = 77 + i;
    out->features = 1ull << 34 | 1;
    out->kicks = 3;
    return i < *total ? 0 : -ENOENT;
}

static struct tel_source src = {.info = src_info,
                                .core = src_core,
                                .vm = src_vm,
                                .slot = src_slot,
                                .device = src_device,
                                .vhost = src_vhost};

/* --- a client --- */

static int sock = -1;

static void connect_once(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char hello[1024];

    if (sock >= 0)
        return;
    test_eal();
    CU_ASSERT_EQUAL_FATAL(telemetry_register(&src), 0);
    CU_ASSERT_EQUAL_FATAL(telemetry_register(&src), 0); /* again: harmless */
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
    sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CU_ASSERT_EQUAL_FATAL(connect(sock, (struct sockaddr *)&a, sizeof(a)), 0);
    CU_ASSERT_TRUE_FATAL(recv(sock, hello, sizeof(hello), 0) > 0);
}

/* @return what the answer holds under the command's name; NULL for JSON's null */
static json_t *ask(const char *request)
{
    static char answer[64 * 1024];
    char command[128];
    json_t *all, *value;
    ssize_t n;

    connect_once();
    CU_ASSERT_EQUAL_FATAL(send(sock, request, strlen(request), 0), (ssize_t)strlen(request));
    n = recv(sock, answer, sizeof(answer), 0);
    CU_ASSERT_TRUE_FATAL(n > 0 && n < 16384);
    all = json_loadb(answer, (size_t)n, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(all);
    snprintf(command, sizeof(command), "%.*s", (int)strcspn(request, ","), request);
    value = json_object_get(all, command);
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    value = json_is_null(value) ? NULL : json_incref(value);
    json_decref(all);
    return value;
}

static json_int_t number(json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    CU_ASSERT_TRUE(json_is_number(v));
    return (json_int_t)json_number_value(v);
}

static const char *string(json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    CU_ASSERT_PTR_NOT_NULL(s);
    return s ? s : "";
}

static void test_info(void)
{
    json_t *v = ask("/coopvmm/info");

    CU_ASSERT_STRING_EQUAL(string(v, "name"), "bed");
    CU_ASSERT_STRING_EQUAL(string(v, "version"), COOPVMM_VERSION);
    CU_ASSERT_EQUAL(number(v, "pid"), 42);
    CU_ASSERT_EQUAL(number(v, "tsc_hz"), 123);
    CU_ASSERT_EQUAL(number(v, "seccomp"), 1);
    json_decref(v);
}

static void test_cores(void)
{
    json_t *v = ask("/coopvmm/cores"), *item;

    CU_ASSERT_EQUAL(number(v, "total"), 2);
    CU_ASSERT_EQUAL(number(v, "count"), 2);
    item = json_object_get(json_object_get(v, "items"), "1");
    CU_ASSERT_STRING_EQUAL(string(item, "idle"), "sleep");
    CU_ASSERT_EQUAL(number(item, "cpu"), 7);
    CU_ASSERT_EQUAL(number(item, "busy_ns"), 3000000000);
    json_decref(v);
}

/* Names come from VMMs: they cannot break the JSON. */
static void test_hostile_name(void)
{
    json_t *v = ask("/coopvmm/vms");

    CU_ASSERT_STRING_EQUAL(string(json_object_get(json_object_get(v, "items"), "0"), "name"),
                           "we?b?1");
    json_decref(v);
}

static void test_pages(void)
{
    json_int_t first = 0;

    while (first < VCPUS) {
        char request[64];
        json_t *v, *item;
        const char *key;

        snprintf(request, sizeof(request), "/coopvmm/slots,web1,%d", (int)first);
        v = ask(request);
        CU_ASSERT_PTR_NOT_NULL_FATAL(v);
        CU_ASSERT_EQUAL(number(v, "total"), VCPUS);
        CU_ASSERT_EQUAL(number(v, "first"), first);
        CU_ASSERT_TRUE_FATAL(number(v, "count") > 0);
        json_object_foreach(json_object_get(v, "items"), key, item)
        {
            CU_ASSERT_EQUAL(number(item, "vcpu"), atoi(key));
            CU_ASSERT_EQUAL(number(item, "requests"), 1000 + atoi(key));
        }
        CU_ASSERT_EQUAL(json_object_size(json_object_get(v, "items")), (size_t)number(v, "count"));
        first += number(v, "count");
        json_decref(v);
    }
    CU_ASSERT_EQUAL(first, VCPUS);
}

static void test_slot_times(void)
{
    json_t *v = ask("/coopvmm/slot,web1,3"), *low, *n, *e;
    json_int_t sum = 0;
    size_t i;

    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_EQUAL(number(v, "vcpu"), 3);
    CU_ASSERT_TRUE(number(v, "service_p50_ns") >= 49000 && number(v, "service_p50_ns") <= 58000);
    CU_ASSERT_TRUE(number(v, "service_p99_ns") >= 98000 && number(v, "service_p99_ns") <= 100000);
    CU_ASSERT_TRUE(number(v, "service_max_ns") >= 99900 && number(v, "service_max_ns") <= 100000);
    low = json_object_get(v, "service_low_ns");
    n = json_object_get(v, "service_n");
    CU_ASSERT_EQUAL(json_array_size(low), json_array_size(n));
    json_array_foreach(n, i, e) sum += json_integer_value(e);
    CU_ASSERT_EQUAL(sum, 100);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(v, "wait_n")), HIST_BUCKETS);
    json_decref(v);
}

static void test_devices(void)
{
    json_t *v = ask("/coopvmm/devices,web1"), *w;

    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_EQUAL(number(v, "total"), 20);
    w = json_object_get(json_object_get(v, "items"), "0");
    CU_ASSERT_EQUAL(number(w, "port"), -1);
    CU_ASSERT_EQUAL(strlen(string(w, "name")), TEL_NAME - 1);
    json_decref(v);
    v = ask("/coopvmm/devices,web1,16");
    CU_ASSERT_EQUAL(number(v, "count"), 4);
    json_decref(v);
    v = ask("/coopvmm/devices,web1,1000"); /* past the end: an empty page */
    CU_ASSERT_EQUAL(number(v, "count"), 0);
    CU_ASSERT_EQUAL(number(v, "total"), 20);
    json_decref(v);
}

static uint16_t no_send(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    (void)ctx;
    (void)m;
    (void)n;
    return 0;
}

static void test_switch(void)
{
    struct sw_opts o = {.ncores = 1, .tsc_hz = rte_get_tsc_hz(), .socket = -1, .port_macs = 100};
    json_t *v, *item;
    char name[32];

    connect_once();
    src.sw = sw_create(&o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(src.sw);
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t mac[6] = {2, 0, 0, 0, 0, i};
        int p;

        snprintf(name, sizeof(name), "port%u", i);
        p = sw_port_add(src.sw, name, 0, 0, no_send, NULL);
        CU_ASSERT_EQUAL(sw_port_pin(src.sw, p, mac), 0);
    }
    CU_ASSERT_EQUAL(sw_port_remove(src.sw, 5), 0);
    v = ask("/coopvmm/ports");
    CU_ASSERT_EQUAL(number(v, "total"), 19);
    CU_ASSERT_EQUAL(number(v, "count"), TEL_PAGE);
    item = json_object_get(json_object_get(v, "items"), "5"); /* the sixth there is */
    CU_ASSERT_STRING_EQUAL(string(item, "name"), "port6");
    CU_ASSERT_EQUAL(number(item, "port"), 6);
    CU_ASSERT_EQUAL(number(item, "macs"), 1);
    json_decref(v);
    v = ask("/coopvmm/macs,16");
    CU_ASSERT_EQUAL(number(v, "total"), 19);
    CU_ASSERT_EQUAL(number(v, "count"), 3);
    item = json_object_get(json_object_get(v, "items"), "16");
    CU_ASSERT_EQUAL(strncmp(string(item, "mac"), "02:00:00:00:00:", 15), 0);
    CU_ASSERT_EQUAL(number(item, "pinned"), 1);
    json_decref(v);
    sw_free(src.sw);
    src.sw = NULL;
}

static void test_vhosts(void)
{
    json_t *v = ask("/coopvmm/vhosts"), *w;

    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_EQUAL(number(v, "total"), 17);
    CU_ASSERT_TRUE_FATAL(number(v, "count") > 2);
    w = json_object_get(json_object_get(v, "items"), "2");
    CU_ASSERT_EQUAL(number(w, "pid"), 79);
    CU_ASSERT_EQUAL(number(w, "features"), (1ll << 34) + 1);
    CU_ASSERT_EQUAL(number(w, "packed"), 1);
    CU_ASSERT_EQUAL(number(w, "kicks"), 3);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(w, "malformed")), INT64_MAX);
    json_decref(v);
    v = ask("/coopvmm/vhosts,16");
    CU_ASSERT_EQUAL(number(v, "count"), 1);
    json_decref(v);
}

static void test_wrong_parameters(void)
{
    static const char *const wrong[] = {
        "/coopvmm/slots",         "/coopvmm/slots,nosuch", "/coopvmm/slots,web1,x",
        "/coopvmm/slots,web1,-1", "/coopvmm/slot,web1,40", "/coopvmm/slot,web1,99999999999999999",
        "/coopvmm/cores,x",       "/coopvmm/devices,",     "/coopvmm/devices,nosuch,0",
        "/coopvmm/nothing",
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_PTR_NULL(ask(wrong[i]));
}

static void test_no_source(void)
{
    connect_once();
    CU_ASSERT_EQUAL(telemetry_register(NULL), 0);
    CU_ASSERT_PTR_NULL(ask("/coopvmm/info"));
    CU_ASSERT_PTR_NULL(ask("/coopvmm/cores"));
    CU_ASSERT_EQUAL(telemetry_register(&src), 0);
}

const char *const suite_name = "telemetry";
const struct cu_test suite_tests[] = {
    {"info", test_info},
    {"cores", test_cores},
    {"hostile names", test_hostile_name},
    {"pages", test_pages},
    {"a slot's times and buckets", test_slot_times},
    {"devices", test_devices},
    {"ports and addresses", test_switch},
    {"vhost-user ports", test_vhosts},
    {"wrong parameters", test_wrong_parameters},
    {"no source", test_no_source},
    {NULL, NULL},
};
