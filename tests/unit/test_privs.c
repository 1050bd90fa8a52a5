/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving privileges away. What is given away does not come back, so each test runs in a child; its
 * exit status says which step went wrong.
 */
#include "../../iocore/privs.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cu_main.h"
#include "test_privs.h"

/* A message buffer that must not stay empty. */
static FILE *text;
static char *said;
static size_t said_size;

static void open_text(void)
{
    text = open_memstream(&said, &said_size);
}

static size_t close_text(void)
{
    fclose(text);
    free(said);
    return said_size;
}

/* --- real time --- */

static void test_may_realtime(void)
{
    int cores[2] = {1, 2};
    struct cfg_iocore io[2] = {{.name = "io0", .core = 0}, {.name = "io1", .core = 3}};
    struct cfg_vm vm = {.name = "vm", .cores = cores, .cores_count = 2};
    struct cfg c = {.iocores = io, .iocores_count = 2, .vms = &vm, .vms_count = 1};
    const char *why = NULL;

    CU_ASSERT_TRUE(privs_may_realtime(&c, 0, 5, &why));
    CU_ASSERT_TRUE(privs_may_realtime(&c, 1, 5, &why));
    CU_ASSERT_FALSE(privs_may_realtime(&c, 0, 4, &why)); /* all CPUs would be taken */
    CU_ASSERT_PTR_NOT_NULL(why);
    cores[1] = 1; /* vCPUs that share one */
    CU_ASSERT_TRUE(privs_may_realtime(&c, 0, 4, &why));
    cores[1] = CFG_ANY; /* not known: one of its own */
    CU_ASSERT_FALSE(privs_may_realtime(&c, 0, 4, &why));
    cores[1] = 2;
    io[1].core = 2; /* with a vCPU */
    CU_ASSERT_FALSE(privs_may_realtime(&c, 1, 4, &why));
    CU_ASSERT_TRUE(privs_may_realtime(&c, 0, 4, &why));
    io[1].core = 0; /* with each other */
    CU_ASSERT_FALSE(privs_may_realtime(&c, 0, 4, &why));
    CU_ASSERT_FALSE(privs_may_realtime(&c, 1, 4, &why));
    c.iocores_count = 1;
    c.vms_count = 0;
    CU_ASSERT_TRUE(privs_may_realtime(&c, 0, 2, &why));
    CU_ASSERT_FALSE(privs_may_realtime(&c, 0, 1, &why)); /* the only CPU */
}

static void realtime_child(void)
{
    int err, policy = sched_getscheduler(0);

    open_text();
    err = privs_realtime(pthread_self(), "io0", text);
    EXPECT(err == 0 || close_text() > 0);
    EXPECT(sched_getscheduler(0) == (err ? policy : SCHED_FIFO));
}

/* Without the capability: it goes on, and says so. */
static void not_realtime_child(void)
{
    struct privs_drop d = {0};

    EXPECT(privs_drop(&d, stderr) == 0);
    open_text();
    EXPECT(privs_realtime(pthread_self(), "io0", text) == -EPERM);
    EXPECT(close_text() > 0);
    EXPECT(sched_getscheduler(0) == SCHED_OTHER);
}

static void test_realtime(void)
{
    expect_success(realtime_child);
    expect_success(not_realtime_child);
}

static long status_of(const char *file, const char *key)
{
    FILE *f = fopen(file, "r");
    char line[256];
    long v = -1;

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, key, strlen(key)) == 0)
            v = strtol(line + strlen(key), NULL, strcmp(key, "VmLck:") ? 16 : 10);
    if (f)
        fclose(f);
    return v;
}

/* The address sanitizer makes mlockall do nothing and say that all went well. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS 0
#elif defined(__has_feature)
#define LOCKS (!__has_feature(address_sanitizer))
#else
#define LOCKS 1
#endif

static void lock_child(void)
{
    int err;

    open_text();
    err = privs_lock_memory(text);
    EXPECT(err ? close_text() > 0 : (status_of("/proc/self/status", "VmLck:") > 0) == (LOCKS != 0));
}

static void test_lock_memory(void)
{
    expect_success(lock_child);
}

/* --- capabilities --- */

static int never[2];

static void *sleeper(void *arg)
{
    char c;

    (void)arg;
    EXPECT(read(never[0], &c, 1) == 1); /* restarted after the signal */
    return NULL;
}

static void threads_child(void)
{
    struct privs_drop d = {0};
    pthread_t t[3];
    char path[64];
    pid_t self = getpid();

    EXPECT(pipe(never) == 0);
    for (int i = 0; i < 3; i++)
        EXPECT(pthread_create(&t[i], NULL, sleeper, NULL) == 0);
    EXPECT(privs_drop(&d, stderr) == 0);
    for (pid_t tid = self, seen = 0; seen < 4; tid++) {
        snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
        if (tid > self + 10000)
            EXPECT(!"four threads");
        if (access(path, F_OK))
            continue;
        seen++;
        EXPECT(status_of(path, "CapEff:") == 0);
        EXPECT(status_of(path, "CapPrm:") == 0);
        EXPECT(status_of(path, "CapInh:") == 0);
        EXPECT(status_of(path, "CapAmb:") == 0);
    }
    EXPECT(status_of("/proc/self/status", "NoNewPrivs:") == 1);
    if (geteuid() == 0) /* the bounding set cannot be changed without CAP_SETPCAP */
        EXPECT(status_of("/proc/self/status", "CapBnd:") == 0);
    EXPECT(write(never[1], "abc", 3) == 3);
    for (int i = 0; i < 3; i++)
        EXPECT(pthread_join(t[i], NULL) == 0);
}

static void test_all_threads(void)
{
    expect_success(threads_child);
}

static void user_child(void)
{
    struct privs_drop d = {.user = "nobody"};
    int root = geteuid() == 0, err;

    open_text();
    err = privs_drop(&d, text);
    EXPECT(root ? err == 0 && getuid() == 65534 && geteuid() == 65534 && getgid() == 65534
                : err < 0 && close_text() > 0);
    EXPECT(!root || setuid(0) == -1);
}

static void no_user_child(void)
{
    struct privs_drop d = {.user = "no such user"};

    open_text();
    EXPECT(privs_drop(&d, text) == -ENOENT);
    EXPECT(close_text() > 0);
}

static void test_user(void)
{
    expect_success(user_child);
    expect_success(no_user_child);
}

/* --- the filter --- */

static void drop_with_filter(bool refuse)
{
    struct privs_drop d = {.seccomp = true, .refuse = refuse};

    EXPECT(privs_drop(&d, stderr) == 0);
}

static void refused_child(void)
{
    drop_with_filter(true);
    EXPECT(privs_verify(stderr) == 0);
}

static void test_refused(void)
{
    expect_success(refused_child);
}

/* privs_verify itself must notice: without a filter most of it is allowed. */
static void unfiltered_child(void)
{
    open_text();
    EXPECT(privs_verify(text) >= 12);
    EXPECT(close_text() > 0);
}

static void exec_child(void)
{
    drop_with_filter(false);
    execl("/bin/true", "true", NULL);
}

static void fork_child(void)
{
    drop_with_filter(false);
    syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void ptrace_child(void)
{
    drop_with_filter(false);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void mount_child(void)
{
    drop_with_filter(false);
    mount("none", "/mnt", "tmpfs", 0, NULL);
}

static void executable_child(void)
{
    drop_with_filter(false);
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void kill_child(void)
{
    drop_with_filter(false);
    kill(getppid(), 0);
}

static void test_killed(void)
{
    expect_killed(exec_child);
    expect_killed(fork_child);
    expect_killed(ptrace_child);
    expect_killed(mount_child);
    expect_killed(executable_child);
    expect_killed(kill_child);
}

/* What libraries try and bear to be refused does not kill. */
static void soft_child(void)
{
    drop_with_filter(false);
    EXPECT(open("/etc/localtime", O_RDONLY) == -1 && errno == EPERM);
    EXPECT(open("/tmp/x", O_CREAT | O_RDWR, 0600) == -1 && errno == EPERM);
    EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
    EXPECT(unlink("/tmp/nothing") == -1 && errno == EPERM);
}

static void test_soft(void)
{
    expect_success(soft_child);
}

/* A thread that lived before the filter is under it too. */
static void *late_exec(void *arg)
{
    char c;

    (void)arg;
    if (read(never[0], &c, 1) == 1)
        execl("/bin/true", "true", NULL);
    return NULL;
}

static void old_thread_child(void)
{
    pthread_t t;

    EXPECT(pipe(never) == 0);
    EXPECT(pthread_create(&t, NULL, late_exec, NULL) == 0);
    drop_with_filter(false);
    EXPECT(write(never[1], "x", 1) == 1);
    pthread_join(t, NULL);
}

static void test_old_threads(void)
{
    expect_killed(old_thread_child);
}

/* --- what must go on working --- */

static void *new_thread(void *arg)
{
    uint64_t one = 1;

    EXPECT(write(*(int *)arg, &one, sizeof(one)) == sizeof(one));
    return NULL;
}

static void receive_memory(int sock)
{
    union {
        struct cmsghdr h;
        char buf[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.buf,
                       .msg_controllen = sizeof(control.buf)};
    char *p;
    int fd;

    EXPECT(recvmsg(sock, &m, MSG_CMSG_CLOEXEC) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
    EXPECT(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK);
    p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT(p != MAP_FAILED);
    p[65535] = 1;
    EXPECT(munmap(p, 65536) == 0);
    EXPECT(close(fd) == 0);
}

static void send_memory(int sock)
{
    union {
        struct cmsghdr h;
        char buf[CMSG_SPACE(sizeof(int))];
    } control = {.h = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec iov = {(void *)"m", 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.buf,
                       .msg_controllen = sizeof(control.buf)};
    int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    EXPECT(fd >= 0 && ftruncate(fd, 65536) == 0);
    EXPECT(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
    EXPECT(sendmsg(sock, &m, 0) == 1);
}

static volatile sig_atomic_t signalled;

static void on_signal(int signo)
{
    signalled = signo;
}

static void working_child(void)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    struct timespec ts;
    pthread_t t;
    int sock[2], ev, ep;

    EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock) == 0);
    signal(SIGUSR1, on_signal);
    send_memory(sock[0]);
    drop_with_filter(false);
    receive_memory(sock[1]);
    ev = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ep = epoll_create1(EPOLL_CLOEXEC);
    EXPECT(ev >= 0 && ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0);
    EXPECT(pthread_create(&t, NULL, new_thread, &ev) == 0); /* as telemetry does */
    EXPECT(epoll_wait(ep, &e, 1, 1000) == 1);
    EXPECT(pthread_join(t, NULL) == 0);
    EXPECT(raise(SIGUSR1) == 0 && signalled == SIGUSR1);
    EXPECT(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    free(memset(malloc(1 << 20), 1, 1 << 20));
    EXPECT(fprintf(stderr, "%s", "") == 0);
    exit(0); /* with what atexit does */
}

static void test_working(void)
{
    expect_success(working_child);
}

static void test_verify_notices(void)
{
    expect_success(unfiltered_child);
}

const char *const suite_name = "privs";
const struct cu_test suite_tests[] = {
    {"which cores may be real-time", test_may_realtime},
    {"SCHED_FIFO", test_realtime},
    {"locked memory", test_lock_memory},
    {"all threads lose their capabilities", test_all_threads},
    {"another user", test_user},
    {"refused: all of privs_verify", test_refused},
    {"privs_verify notices", test_verify_notices},
    {"forbidden calls kill", test_killed},
    {"calls of libraries are refused", test_soft},
    {"threads from before", test_old_threads},
    {"what a daemon does goes on", test_working},
    {NULL, NULL},
};
