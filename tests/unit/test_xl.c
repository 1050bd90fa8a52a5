/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said to xl and what it says: the file for `xl create`, read back by the library xl reads
 * it with; lists; failures in words; and xl as a child process, played by scripts.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <libxlutil.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "coopvmm/xl.h"
#include "coopvmm/xl_config.h"
#include "coopvmm/xl_parse.h"
#include "cu_main.h"

const char *const suite_name = "xl";

#define UUID "12345678-1234-4234-8234-123456789abc"

/* --- the file --- */

static char *written(const struct cfg *cfg, const char *device_model, int *ret)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    *ret = xl_config_write(cfg, &cfg->vms[0], UUID, device_model, f);
    fclose(f);
    return text;
}

static char *write_yaml(const char *yaml, const char *device_model)
{
    struct cfg *c;
    char *text;
    int ret;

    CU_ASSERT_EQUAL_FATAL(
        cfg_load_data("/lab/t.yaml", (const uint8_t *)yaml, strlen(yaml), &c, stderr), 0);
    text = written(c, device_model, &ret);
    CU_ASSERT_EQUAL_FATAL(ret, 0);
    cfg_free(c);
    return text;
}

static void test_pvh(void)
{
    char *text =
        write_yaml("vms: [{name: a, engine: xen, vcpus: 3, cores: [2, any, 0], kernel: k,\n"
                   "  initrd: i, cmdline: 'ip=1 x=2'}]\n",
                   NULL);

    CU_ASSERT_STRING_EQUAL(text,
                           "# written by coopvmm-vm; to change a domain, change the testbed's "
                           "file\n"
                           "name=\"t.a\"\nuuid=\"" UUID "\"\ntype=\"pvh\"\nmemory=64\nvcpus=3\n"
                           "cpus=[\"2\", \"all\", \"0\"]\n"
                           "kernel=\"/lab/k\"\nramdisk=\"/lab/i\"\nextra=\"ip=1 x=2\"\n"
                           "tsc_mode=\"native\"\non_poweroff=\"preserve\"\n"
                           "on_reboot=\"preserve\"\non_crash=\"preserve\"\n"
                           "on_watchdog=\"preserve\"\non_soft_reset=\"preserve\"\n");
    free(text);
}

static void test_hvm(void)
{
    char *text = write_yaml("vms: [{name: a, engine: xen, xen: {type: hvm, cpupool: p,\n"
                            "  disk: ['phy:/dev/a,xvda,w', 'b'], options: ['vif=[]', 'x=1']}}]\n",
                            "/q");

    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntype=\"hvm\"\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ndisk=[\"phy:/dev/a,xvda,w\", \"b\"]\npool=\"p\"\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "kernel"));
    CU_ASSERT_PTR_NULL(strstr(text, "extra"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ndevice_model_override=\"/q\"\n"
                                        "device_model_version=\"qemu-xen\"\nvga=\"none\"\nvnc=0\n"
                                        "serial=\"pty\"\nvif=[]\nx=1\n"));
    free(text);
    text = write_yaml("vms: [{name: a, engine: xen, kernel: /k, xen: {type: hvm}}]\n", NULL);
    CU_ASSERT_PTR_NULL(strstr(text, "device_model"));
    free(text);
}

/* A hostile text as xl's own reader understands it: the same text again, and no setting more. */
static void expect_same(const char *hostile)
{
    char name[] = "n", *disks[] = {(char *)hostile, (char *)"d2"};
    int core = 0, ret, n = 0;
    struct cfg_xen x = {.disk = disks, .disk_count = 2};
    struct cfg_vm vm = {.name = name,
                        .engine = CFG_ENGINE_XEN,
                        .vcpus = 1,
                        .cores = &core,
                        .kernel = (char *)hostile,
                        .initrd = (char *)hostile,
                        .cmdline = (char *)hostile,
                        .xen = &x};
    struct cfg cfg = {.name = name, .vms = &vm, .vms_count = 1};
    char *text = written(&cfg, NULL, &ret);
    XLU_Config *read = xlu_cfg_init(stderr, "test");
    XLU_ConfigList *list;
    const char *value = NULL;

    CU_ASSERT_EQUAL_FATAL(ret, 0);
    CU_ASSERT_EQUAL_FATAL(xlu_cfg_readdata(read, text, (int)strlen(text)), 0);
    CU_ASSERT_EQUAL(xlu_cfg_get_string(read, "extra", &value, 0), 0);
    CU_ASSERT_STRING_EQUAL(value, hostile);
    CU_ASSERT_EQUAL(xlu_cfg_get_string(read, "kernel", &value, 0), 0);
    CU_ASSERT_STRING_EQUAL(value, hostile);
    CU_ASSERT_EQUAL(xlu_cfg_get_string(read, "ramdisk", &value, 0), 0);
    CU_ASSERT_STRING_EQUAL(value, hostile);
    CU_ASSERT_EQUAL_FATAL(xlu_cfg_get_list(read, "disk", &list, &n, 0), 0);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_STRING_EQUAL(xlu_cfg_get_listitem(list, 0), hostile);
    CU_ASSERT_EQUAL(xlu_cfg_get_string(read, "evil", &value, 1), ESRCH);
    CU_ASSERT_EQUAL(xlu_cfg_get_string(read, "uuid", &value, 0), 0);
    CU_ASSERT_STRING_EQUAL(value, UUID);
    xlu_cfg_destroy(read);
    free(text);
}

static void test_quoting(void)
{
    static const char *const texts[] = {
        "plain",    "a b",     "\"",         "\\",       "\\\"",        "a\"\nevil=\"1",
        "a\nb",     "tab\tx",  "it's",       "\\n",      "\\x41\\101",  "\"]\nevil=\"1\"\ndisk=[\"",
        "# no",     "a,b;c=d", "\xc3\xa4",   "%s%n",     "trailing\\",  "'\"'\"\\\\'",
        "\\\\\\\"", "$(x)`y`", "evil=1\n\n", "\n\n\"\"", "x\\\nevil=1",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_same(texts[i]);
}

/* All pairs of characters that mean anything, and of those around them. */
static void test_quoting_pairs(void)
{
    static const char chars[] = "\"'\\\nnx01=[],# \t";

    for (size_t i = 0; i < sizeof(chars) - 1; i++)
        for (size_t k = 0; k < sizeof(chars) - 1; k++)
            expect_same((const char[]){chars[i], chars[k], '\0'});
}

static void test_unquotable(void)
{
    int core = 0, ret;
    struct cfg_xen x = {0};
    struct cfg_vm vm = {.name = (char *)"n",
                        .vcpus = 1,
                        .cores = &core,
                        .kernel = (char *)"/k",
                        .cmdline = (char *)"a\033b",
                        .xen = &x};
    struct cfg cfg = {.name = (char *)"t", .vms = &vm, .vms_count = 1};

    free(written(&cfg, NULL, &ret));
    CU_ASSERT_EQUAL(ret, -EINVAL);
    vm.cmdline = (char *)"a\x7f";
    free(written(&cfg, NULL, &ret));
    CU_ASSERT_EQUAL(ret, -EINVAL);
}

/* --- lists --- */

#define LIST_HEAD                                                                                  \
    "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID          "  \
    "                  Reason-Code\tSecurity Label\n"                                              \
    "Domain-0                                     0  2048     1     r-----      26.0 "             \
    "00000000-0000-0000-0000-000000000000        -                -\n"
#define ENTRY(id, state, uuid, reason)                                                             \
    "demo.probe                                   " id "   256     1     " state                   \
    "       0.0 " uuid "        " reason "                -\n"

static void expect_state(const char *text, enum xl_reason want, int domid)
{
    int found = -1;

    CU_ASSERT_EQUAL(xl_parse_list(text, UUID, &found), want);
    CU_ASSERT_EQUAL(found, domid);
}

static void test_list(void)
{
    expect_state("", XL_GONE, -1);
    expect_state(LIST_HEAD, XL_GONE, -1);
    expect_state(LIST_HEAD ENTRY("1", "--p---", UUID, "-"), XL_RUNS, 1);
    expect_state(LIST_HEAD ENTRY("17", "-b----", UUID, "-"), XL_RUNS, 17);
    expect_state(LIST_HEAD ENTRY("1", "---s--", UUID, "0"), XL_POWEROFF, 1);
    expect_state(LIST_HEAD ENTRY("1", "---sr-", UUID, "1"), XL_REBOOT, 1);
    expect_state(LIST_HEAD ENTRY("1", "---ss-", UUID, "2"), XL_SUSPEND, 1);
    expect_state(LIST_HEAD ENTRY("1", "---sc-", UUID, "3"), XL_CRASH, 1);
    expect_state(LIST_HEAD ENTRY("1", "---sw-", UUID, "4"), XL_WATCHDOG, 1);
    expect_state(LIST_HEAD ENTRY("1", "---s?-", UUID, "5"), XL_SOFT_RESET, 1);
    expect_state(LIST_HEAD ENTRY("1", "---s?-", UUID, "ff"), XL_OTHER, 1);
    expect_state(LIST_HEAD ENTRY("1", "---s-d", UUID, "0"), XL_GONE, 1);
    expect_state(LIST_HEAD ENTRY("1", "-b----", "12345678-0000-4234-8234-123456789abc", "-"),
                 XL_GONE, -1);
    /* a name with blanks, and one with the UUID in it */
    expect_state("a b c 3 256 1 -b---- 0.0 " UUID " - -\n", XL_RUNS, 3);
    expect_state(UUID " 3 256 1 -b---- 0.0 ffffffff-0000-4234-8234-123456789abc - -\n", XL_GONE,
                 -1);
    expect_state("(null) 4 0 1 --p--- 0.0 " UUID " - -\n", XL_RUNS, 4);
}

static void test_info(void)
{
    struct xen_host h = {0};

    CU_ASSERT_EQUAL(xl_parse_info("", &h), -EPROTO);
    xen_host_clear(&h);
    CU_ASSERT_EQUAL(xl_parse_vcpus("xl: no\n", &h), -EPROTO);
    CU_ASSERT_EQUAL(xl_parse_pools("\n", &h), -EPROTO);
    CU_ASSERT_EQUAL_FATAL(
        xl_parse_info("xen_version            : 4.17.7\ncpu_topology           :\n"
                      "cpu:    core    socket     node\n  0:       0        0        0\n"
                      "  0:       0        0        0\n  2:       0        1        5\n"
                      "  x:       0        1        5\n  3:       -        -        -\n",
                      &h),
        0);
    CU_ASSERT_STRING_EQUAL(h.version, "4.17.7");
    CU_ASSERT_EQUAL_FATAL(h.ncpus, 2);
    CU_ASSERT(h.cpus[0].cpu == 0 && h.cpus[1].cpu == 2);
    CU_ASSERT(h.cpus[0].core != h.cpus[1].core);
    CU_ASSERT(h.nnodes == 1 && h.cpus[1].node == 0); /* nothing was said of nodes */
    CU_ASSERT_EQUAL_FATAL(
        xl_parse_vcpus(
            "a b 3 r-- 1.0 0 / all 7 2 - --p 2.0 0,2 / all\nDomain-0 0 0 2 r-- 1.0 2 / 0\n", &h),
        0);
    CU_ASSERT_EQUAL_FATAL(h.nvcpus, 2);
    CU_ASSERT(h.vcpus[0].domid == 7 && h.vcpus[0].vcpu == 2 && h.vcpus[0].cpu == CFG_ANY);
    CU_ASSERT_EQUAL(xen_host_pinned(&h, 0), 2);
    CU_ASSERT_EQUAL(xen_host_pinned(&h, 1), CFG_ANY);
    xen_host_clear(&h);
}

/* --- failures in words --- */

static char *explained(int ret, const char *printed)
{
    struct xl_text t = {(char *)printed, printed ? strlen(printed) : 0};
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    xl_explain("web", "creating the domain", ret, &t, f);
    fclose(f);
    return text;
}

static void expect_said(int ret, const char *printed, const char *want)
{
    char *text = explained(ret, printed);

    if (!strstr(text, want))
        fprintf(stderr, "\n-- expected: %s\n-- got: %s", want, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, want));
    free(text);
}

static void test_explain(void)
{
    static const char dup[] =
        "Parsing config from /run/a.xl\ngot a tsc mode string: \"native\"\n"
        "libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain 2:Domain with name "
        "\"demo.probe\" already exists.\n"
        "libxl: error: libxl_create.c:1296:initiate_domain_create: Domain 2:cannot make domain: "
        "-6\n";
    char *text = explained(3, dup);

    CU_ASSERT_PTR_NULL(strstr(text, "Parsing config"));
    CU_ASSERT_EQUAL(strncmp(text, "web: xl: libxl: error: ", 23), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "web: creating the domain failed (xl's exit status 3); a domain "
                                  "of that name is there"));
    free(text);
    expect_said(3, "xc: error: panic: xg_dom_core.c:689: xc_dom_find_loader: no loader found\n",
                "a PVH domain wants an ELF file");
    expect_said(3, "xc_dom_chk_alloc_pages: segment kernel too large (0x3a00 > 0x4000)\n",
                "raise the VM's memory");
    expect_said(3, "xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory\n",
                "lower the VM's memory");
    expect_said(1, "something new\n",
                "web: xl: something new\nweb: creating the domain failed (xl's "
                "exit status 1); see above");
    expect_said(-ENOENT, NULL, "install Xen's tools");
    expect_said(-ETIMEDOUT, "half a li", "did not end in time");
    expect_said(-EIO, NULL, "Input/output error");
}

/* --- xl as a child --- */

static char bin[64];

static void play_xl(const char *body)
{
    char path[80];
    FILE *f;

    strcpy(bin, "/tmp/coopvmm-xl-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(bin));
    snprintf(path, sizeof(path), "%s/xl", bin);
    f = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    chmod(path, 0755);
    snprintf(path, sizeof(path), "%s:/bin:/usr/bin", bin);
    setenv("PATH", path, 1);
}

static void end_play(void)
{
    char path[80];

    snprintf(path, sizeof(path), "%s/xl", bin);
    unlink(path);
    rmdir(bin);
}

static int call(unsigned timeout_ms, int stop_fd, struct xl_text *t)
{
    const char *const args[] = {"one", "two words", "; echo bad", NULL};

    *t = (struct xl_text){NULL, 0};
    return xl_run(args, timeout_ms, stop_fd, t);
}

static void test_run(void)
{
    struct xl_text t;

    play_xl("for a in \"$@\"; do echo \"<$a>\"; done; echo err >&2");
    CU_ASSERT_EQUAL(call(10000, -1, &t), 0);
    CU_ASSERT_STRING_EQUAL(t.text, "<one>\n<two words>\n<; echo bad>\nerr\n");
    xl_text_clear(&t);
    end_play();
    play_xl("exit 3");
    CU_ASSERT_EQUAL(call(10000, -1, &t), 3);
    CU_ASSERT_PTR_NULL(t.text);
    end_play();
    play_xl("kill -9 $$");
    CU_ASSERT_EQUAL(call(10000, -1, &t), -EINTR);
    end_play();
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_run_ends(void)
{
    double start = seconds();
    struct xl_text t;
    int wish[2];

    play_xl("echo before; sleep 1000");
    CU_ASSERT_EQUAL(call(300, -1, &t), -ETIMEDOUT);
    CU_ASSERT_STRING_EQUAL(t.text, "before\n");
    xl_text_clear(&t);
    CU_ASSERT_EQUAL_FATAL(pipe(wish), 0);
    CU_ASSERT_EQUAL(write(wish[1], "x", 1), 1);
    CU_ASSERT_EQUAL(call(100000, wish[0], &t), -ECANCELED);
    xl_text_clear(&t);
    close(wish[0]);
    close(wish[1]);
    end_play();
    CU_ASSERT(seconds() - start < 60);
}

/* What outlives xl (QEMU, with its output open) must not be waited for. */
static void test_run_leaves(void)
{
    struct xl_text t;

    play_xl("setsid sleep 5 & echo done");
    CU_ASSERT_EQUAL(call(4000, -1, &t), 0);
    CU_ASSERT_STRING_EQUAL(t.text, "done\n");
    xl_text_clear(&t);
    end_play();
}

/* More output than is kept is read all the same, so that xl does not hang on it. */
static void test_run_floods(void)
{
    struct xl_text t;

    play_xl("head -c 6000000 /dev/zero | tr '\\0' x");
    CU_ASSERT_EQUAL(call(60000, -1, &t), 0);
    CU_ASSERT(t.len > XL_MAX_TEXT / 2 && t.len <= XL_MAX_TEXT);
    xl_text_clear(&t);
    end_play();
}

const struct cu_test suite_tests[] = {
    {"the file of a PVH domain", test_pvh},
    {"the file of an HVM domain", test_hvm},
    {"hostile texts come out of xl's reader as they are", test_quoting},
    {"so do all pairs of special characters", test_quoting_pairs},
    {"what cannot be quoted is refused", test_unquotable},
    {"a domain in xl's list", test_list},
    {"odd answers about the host", test_info},
    {"failures in words", test_explain},
    {"xl gets its arguments as they are", test_run},
    {"xl is ended when it takes too long, or at a wish", test_run_ends},
    {"xl's own children are left alone", test_run_leaves},
    {"a flood of output", test_run_floods},
    {NULL, NULL},
};
