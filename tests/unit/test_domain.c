/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Xen domain's life without Xen: xl is a script that remembers what it was told, the I/O-core
 * process a thread that answers, the console a pseudo-terminal. The real ones meet in
 * tests/testbed.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coopvmm/domain.h"
#include "coopvmm/domain_console.h"
#include "coopvmm/domain_link.h"
#include "coopvmm/domain_reaper.h"
#include "cu_main.h"
#include "protocol/iotp_ctl.h"

const char *const suite_name = "domain";

/* --- xl: one domain, number 7, whose state is in files beside it --- */

static char dir[64];

static const char xl[] =
    "#!/bin/sh\n"
    "d=$(dirname \"$0\")\n"
    "echo \"$*\" >>\"$d/said\"\n"
    "[ -e \"$d/broken\" ] && { echo 'libxl: error: no loader found'; exit 3; }\n"
    "case $1 in\n"
    "create) sed -n 's/^uuid=\"\\(.*\\)\"/\\1/p' \"$4\" >\"$d/domain\"; echo --p--- - "
    ">\"$d/state\";;\n"
    "unpause) echo r----- - >\"$d/state\";;\n"
    "destroy) rm \"$d/domain\";;\n"
    "list) echo 'Domain-0 0 1 1 r----- 0.0 00000000-0000-0000-0000-000000000000 - -'\n"
    "  [ ! -e \"$d/domain\" ] || { read s r <\"$d/state\"; echo \"t.a 7 64 1 $s 0.0 $(cat "
    "\"$d/domain\") "
    "$r -\"; };;\n"
    "esac\n";

static const char *in_dir(const char *name)
{
    static char path[4][96];
    static unsigned n;
    char *p = path[n++ % 4];

    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* What xl was told so far, a line a call. */
static const char *said(void)
{
    static char text[4096];
    int fd = open(in_dir("said"), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static void enter(void)
{
    char path[96];

    strcpy(dir, "/tmp/coopvmm-domain-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    put("xl", xl, 0755);
    put("kernel", "k", 0644);
    snprintf(path, sizeof(path), "%s:/bin:/usr/bin", dir);
    setenv("PATH", path, 1);
}

static void leave(void)
{
    static const char *const files[] = {"xl",   "kernel", "said", "domain",    "state",
                                        "a.xl", "broken", "sock", "sock.lock", "log"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(in_dir(files[i]));
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* A config with one domain: two devices on two I/O cores. */
static struct cfg *config(const char *type)
{
    char yaml[512];
    struct cfg *c;

    snprintf(
        yaml, sizeof(yaml),
        "iocores: [{name: io0}, {name: io1}]\nvms: [{name: a, engine: xen, kernel: %s/kernel,\n"
        " vcpus: 2, xen: {type: %s}, devices: [{model: rtl8029, iocore: io1, slot: 9},\n"
        " {model: ne2000, iocore: io0, io_base: 0x340}]}]\n",
        dir, type);
    CU_ASSERT_EQUAL_FATAL(cfg_load_data("/x/t.yaml", (uint8_t *)yaml, strlen(yaml), &c, stderr), 0);
    return c;
}

struct made {
    struct cfg *c;
    struct domain d;
    FILE *err;
    char *text;
    size_t len;
};

static void make(struct made *m, const char *type)
{
    enter();
    m->c = config(type);
    m->err = open_memstream(&m->text, &m->len);
    CU_ASSERT_EQUAL_FATAL(domain_init(&m->d, m->c, &m->c->vms[0], dir, -1, m->err), 0);
}

static void drop(struct made *m)
{
    fclose(m->err);
    free(m->text);
    cfg_free(m->c);
    leave();
}

static void says(struct made *m, const char *text)
{
    fflush(m->err);
    if (!strstr(m->text, text))
        fprintf(stderr, "\n-- expected: %s\n-- got: %s", text, m->text);
    CU_ASSERT_PTR_NOT_NULL(strstr(m->text, text));
}

static void test_life(void)
{
    char create[160];
    struct made m;

    make(&m, "pvh");
    CU_ASSERT_STRING_EQUAL(m.d.name, "t.a");
    CU_ASSERT_EQUAL(strlen(m.d.uuid), 36);
    CU_ASSERT_EQUAL(m.d.uuid[14], '4');
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_GONE);
    CU_ASSERT_EQUAL_FATAL(domain_create(&m.d), 0);
    CU_ASSERT_EQUAL(m.d.domid, 7);
    CU_ASSERT_EQUAL(domain_unpause(&m.d), 0);
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_RUNS);
    put("state", "---sc- 3\n", 0644);
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_CRASH);
    CU_ASSERT_EQUAL(domain_destroy(&m.d), 0);
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_GONE);
    CU_ASSERT_EQUAL(access(m.d.file, F_OK), -1);
    snprintf(create, sizeof(create), "create -p -e %s/a.xl\nlist -v\nunpause 7\n", dir);
    CU_ASSERT_PTR_NOT_NULL(strstr(said(), create));
    CU_ASSERT_PTR_NOT_NULL(strstr(said(), "destroy 7\n"));
    CU_ASSERT_EQUAL(domain_destroy(&m.d), 0); /* there is nothing left */
    drop(&m);
}

/* The number is another domain's by now: nothing may happen to that. */
static void test_not_ours(void)
{
    struct made m;

    make(&m, "pvh");
    CU_ASSERT_EQUAL_FATAL(domain_create(&m.d), 0);
    put("domain", "ffffffff-0000-4000-8000-000000000000\n", 0644);
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_GONE);
    CU_ASSERT_EQUAL(domain_destroy(&m.d), 0);
    CU_ASSERT_PTR_NULL(strstr(said(), "destroy"));
    CU_ASSERT_EQUAL(access(in_dir("domain"), F_OK), 0);
    drop(&m);
}

static void test_failures(void)
{
    struct made m;

    make(&m, "pvh");
    put("broken", "", 0644);
    CU_ASSERT_EQUAL(domain_create(&m.d), -EIO);
    says(&m, "a: creating the domain failed (xl's exit status 3); the kernel is none that Xen can");
    CU_ASSERT_EQUAL(domain_state(&m.d), XL_RUNS); /* nobody knows */
    CU_ASSERT(domain_destroy(&m.d) < 0);
    says(&m, "domain t.a may be there still; look with `xl list`");
    unlink(in_dir("broken"));
    unlink(in_dir("kernel"));
    CU_ASSERT_EQUAL(domain_create(&m.d), -ENOENT);
    says(&m, "kernel: No such file or directory");
    drop(&m);
}

static void test_wish_to_end(void)
{
    struct made m;
    int wish[2];

    make(&m, "pvh");
    put("xl", "#!/bin/sh\nexec sleep 1000\n", 0755);
    CU_ASSERT_EQUAL_FATAL(pipe(wish), 0);
    CU_ASSERT_EQUAL(write(wish[1], "x", 1), 1);
    m.d.stop_fd = wish[0];
    CU_ASSERT_EQUAL(domain_create(&m.d), -ECANCELED);
    close(wish[0]);
    close(wish[1]);
    drop(&m);
}

/* --- the reaper --- */

static bool wait_until(bool (*true_now)(void))
{
    for (unsigned i = 0; i < 200; i++) {
        if (true_now())
            return true;
        usleep(50000);
    }
    return false;
}

static bool destroyed(void)
{
    return strstr(said(), "destroy 7\n") && access(in_dir("domain"), F_OK) != 0;
}

/* A VM's process: makes a domain, then whatever `end` does to it. @return the reaper's pid */
static pid_t live_and(struct made *m, void (*end)(struct reaper *))
{
    int out[2];
    pid_t reaper = 0;
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        struct reaper r;

        close(out[0]);
        if (reaper_start(&r, m->d.uuid, m->d.name) || domain_create(&m->d))
            _exit(1);
        _exit(write(out[1], &r.pid, sizeof(r.pid)) == sizeof(r.pid) ? (end(&r), 0) : 1);
    }
    close(out[1]);
    CU_ASSERT_EQUAL(read(out[0], &reaper, sizeof(reaper)), sizeof(reaper));
    close(out[0]);
    waitpid(pid, NULL, 0);
    return reaper;
}

static void be_killed(struct reaper *r)
{
    (void)r;
    kill(0, SIGTERM); /* the whole group: the reaper is not in it */
    kill(getpid(), SIGKILL);
}

static bool is_gone(pid_t pid)
{
    for (unsigned i = 0; i < 200; i++, usleep(50000))
        if (kill(pid, 0) < 0)
            return true;
    return false;
}

static void test_reaper(void)
{
    struct made m;
    pid_t group = getpgrp(), reaper;

    make(&m, "pvh");
    signal(SIGTERM, SIG_IGN);
    setpgid(0, 0);
    reaper = live_and(&m, be_killed);
    setpgid(0, group);
    signal(SIGTERM, SIG_DFL);
    CU_ASSERT_TRUE(reaper > 0 && wait_until(destroyed));
    CU_ASSERT_TRUE(is_gone(reaper));
    drop(&m);
}

static void test_reaper_dismissed(void)
{
    struct made m;
    pid_t reaper;

    make(&m, "pvh");
    reaper = live_and(&m, reaper_dismiss);
    CU_ASSERT_TRUE(reaper > 0 && is_gone(reaper));
    CU_ASSERT_PTR_NULL(strstr(said(), "destroy"));
    drop(&m);
}

static void test_reaper_let(void)
{
    struct made m;

    make(&m, "pvh");
    CU_ASSERT_TRUE(live_and(&m, reaper_let) > 0);
    CU_ASSERT_TRUE(wait_until(destroyed));
    drop(&m);
}

/* --- the link: an I/O-core process that notes what it is told --- */

#define MAX_NOTES 16

struct fake {
    int listen_fd, sock;
    pthread_t thread;
    struct iotp_msg note[MAX_NOTES]; /* descriptors: inode numbers instead */
    unsigned long inode[MAX_NOTES];
    unsigned notes;
    unsigned refuse; /* message type that is refused */
};

static unsigned long inode_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) ? 0 : st.st_ino;
}

static void answer(struct fake *f, struct iotp_msg *q)
{
    struct iotp_msg a = {.type = IOTP_MSG_OK, .serial = q->serial};

    if (q->type == f->refuse) {
        iotp_msg_error(f->sock, q->serial, -ENODEV, "this is no dom0");
        return;
    }
    if (q->type == IOTP_MSG_HELLO) {
        a.type = IOTP_MSG_HELLO_OK;
        a.u.hello_ok =
            (struct iotp_hello_ok){.version = IOTP_VERSION, .max_vcpus = 8, .max_devices = 8};
        strcpy(a.u.hello_ok.daemon, "t");
    }
    if (q->type == IOTP_MSG_DEVICE) {
        a.type = IOTP_MSG_DEVICE_INFO;
        a.nfds = 1;
        a.fd[0] = q->nfds ? q->fd[0] : iotp_memfd("state", 4096);
        a.u.device_info.pci = q->u.device.slot != 0;
    }
    iotp_msg_send(f->sock, &a);
    if (q->type == IOTP_MSG_DEVICE && !q->nfds)
        close(a.fd[0]);
}

static void *serve(void *arg)
{
    struct fake *f = arg;
    struct iotp_msg m;

    f->sock = accept(f->listen_fd, NULL, NULL);
    while (!iotp_msg_recv(f->sock, &m, NULL)) {
        unsigned i = f->notes++ % MAX_NOTES;

        f->note[i] = m;
        f->inode[i] = m.nfds ? inode_of(m.fd[0]) : 0;
        answer(f, &m);
        iotp_msg_close(&m);
        if (m.type == IOTP_MSG_START)
            break;
    }
    return NULL;
}

static void start(struct fake *f, unsigned refuse)
{
    memset(f, 0, sizeof(*f));
    f->refuse = refuse;
    f->listen_fd = iotp_listen(in_dir("sock"));
    CU_ASSERT_FATAL(f->listen_fd >= 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop(struct fake *f)
{
    pthread_join(f->thread, NULL);
    close(f->sock);
    close(f->listen_fd);
    unlink(in_dir("sock"));
}

static void check_notes(const struct fake *f, uint32_t flags0, uint32_t flags1)
{
    static const uint16_t order[] = {IOTP_MSG_HELLO,  IOTP_MSG_DOMAIN, IOTP_MSG_DOMAIN,
                                     IOTP_MSG_DEVICE, IOTP_MSG_DEVICE, IOTP_MSG_START};
    const struct iotp_device *d = &f->note[3].u.device;

    CU_ASSERT_EQUAL_FATAL(f->notes, 6);
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(f->note[i].type, order[i]);
    CU_ASSERT_STRING_EQUAL(f->note[1].u.domain.core, "io1");
    CU_ASSERT_STRING_EQUAL(f->note[2].u.domain.core, "io0");
    CU_ASSERT(f->note[1].u.domain.area == 0 && f->note[2].u.domain.area == 1);
    CU_ASSERT(f->note[1].u.domain.domid == 7 && f->note[1].u.domain.nvcpus == 2);
    CU_ASSERT_EQUAL(f->note[1].u.domain.flags, flags0);
    CU_ASSERT_EQUAL(f->note[2].u.domain.flags, flags1);
    CU_ASSERT(d->area == 0 && d->device == 0 && d->nlines == 0 && d->slot == 9);
    CU_ASSERT_STRING_EQUAL(d->model, "rtl8029");
    d = &f->note[4].u.device;
    CU_ASSERT(d->area == 1 && d->device == 0 && d->slot == 0 && d->io_base == 0x340);
}

static void attach(const char *type, uint32_t flags0, uint32_t flags1)
{
    unsigned long inode[MAX_NOTES];
    struct domain_link *l;
    struct qemu_rival r;
    struct fake f;
    struct made m;

    make(&m, type);
    m.d.domid = 7;
    start(&f, 0);
    CU_ASSERT_EQUAL_FATAL(domain_link_create(&m.d, in_dir("sock"), &l), 0);
    CU_ASSERT_TRUE(domain_link_fd(l) >= 0);
    check_notes(&f, flags0, flags1);
    CU_ASSERT_FALSE(f.note[3].u.device.has_state);
    CU_ASSERT_TRUE(domain_link_device(l, 0, &r) && r.slot == 9 && r.info->pci);
    CU_ASSERT_TRUE(domain_link_device(l, 1, &r) && r.slot == 0 && !r.info->pci);
    CU_ASSERT_FALSE(domain_link_device(l, 2, &r));
    memcpy(inode, f.inode, sizeof(inode));
    stop(&f);
    start(&f, 0); /* its successor: the same again, with the descriptors that were kept */
    CU_ASSERT_EQUAL(domain_link_reattach(l, 5000), 0);
    check_notes(&f, flags0, flags1);
    CU_ASSERT_TRUE(f.note[3].u.device.has_state && f.note[4].u.device.has_state);
    CU_ASSERT(inode[1] && f.inode[1] == inode[1] && f.inode[2] == inode[2] && inode[1] != inode[2]);
    CU_ASSERT(f.inode[3] && f.inode[4] && f.inode[3] != f.inode[4]);
    domain_link_free(l);
    stop(&f);
    drop(&m);
}

static void test_attach(void)
{
    attach("pvh", IOTP_DOMAIN_SPIN | IOTP_DOMAIN_PCI_ROOT, IOTP_DOMAIN_SPIN);
    attach("hvm", IOTP_DOMAIN_SPIN | IOTP_DOMAIN_LINES, IOTP_DOMAIN_SPIN | IOTP_DOMAIN_LINES);
}

static void test_refused(void)
{
    struct domain_link *l;
    struct fake f;
    struct made m;

    make(&m, "pvh");
    m.d.domid = 7;
    start(&f, IOTP_MSG_DOMAIN);
    CU_ASSERT_EQUAL(domain_link_create(&m.d, in_dir("sock"), &l), -ENODEV);
    says(&m, "a: domain: the I/O core refused: this is no dom0");
    stop(&f);
    drop(&m);
}

/* Waiting for an I/O-core process that does not come ends at the wish to end. */
static void test_nobody_there(void)
{
    struct domain_link *l;
    struct made m;
    int wish[2];

    make(&m, "pvh");
    CU_ASSERT_EQUAL_FATAL(pipe(wish), 0);
    CU_ASSERT_EQUAL(write(wish[1], "x", 1), 1);
    m.d.stop_fd = wish[0];
    CU_ASSERT_EQUAL(domain_link_create(&m.d, in_dir("sock"), &l), -ECANCELED);
    close(wish[0]);
    close(wish[1]);
    drop(&m);
}

/* --- the console --- */

/* What the console's reader wrote on standard output, which is a file meanwhile. */
static char *captured(void (*act)(void *), void *arg)
{
    static char text[8192];
    int keep, fd;
    ssize_t n;

    fflush(stdout);
    keep = dup(1);
    fd = open(in_dir("log"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, 1);
    act(arg);
    dup2(keep, 1);
    close(keep);
    n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

struct terminal {
    int master;
    char path[64];
    const char *text;
};

static void read_console(void *arg)
{
    struct terminal *t = arg;
    struct domain_console c = {.fd = -1};

    CU_ASSERT_EQUAL(domain_console_open(&c, t->path), 0);
    domain_console_pump(&c); /* nothing there: must not wait */
    CU_ASSERT_EQUAL(write(t->master, t->text, strlen(t->text)), (ssize_t)strlen(t->text));
    usleep(20000);
    domain_console_pump(&c);
    CU_ASSERT_TRUE(c.fd >= 0);
    close(t->master);
    for (unsigned i = 0; i < 10 && c.fd >= 0; i++)
        domain_console_pump(&c);
    CU_ASSERT_EQUAL(c.fd, -1); /* its other end is gone */
    domain_console_close(&c);
}

static void test_console(void)
{
    struct terminal t = {.text = "one\r\ntwo \033[2J\x01 three\n\nunfinished"};
    int slave;

    enter();
    CU_ASSERT_EQUAL_FATAL(openpty(&t.master, &slave, t.path, NULL, NULL), 0);
    close(slave);
    CU_ASSERT_STRING_EQUAL(captured(read_console, &t), "one\ntwo .[2J. three\n\nunfinished\n");
    leave();
}

static void test_no_console(void)
{
    struct domain_console c = {.fd = -1};

    CU_ASSERT_EQUAL(domain_console_open(&c, "/nonexistent/tty"), -ENOENT);
    CU_ASSERT_EQUAL(domain_console_open(&c, "/dev/null"), -ENOTTY);
    CU_ASSERT_EQUAL(c.fd, -1);
}

const struct cu_test suite_tests[] = {
    {"created, started, ended, destroyed", test_life},
    {"a number that is another's by now", test_not_ours},
    {"failures are said with what to do", test_failures},
    {"creating ends at a wish", test_wish_to_end},
    {"the reaper destroys what a killed process left", test_reaper},
    {"a dismissed reaper does nothing", test_reaper_dismissed},
    {"a reaper that is let do its work", test_reaper_let},
    {"attaching, and attaching again", test_attach},
    {"an I/O core that refuses", test_refused},
    {"no I/O-core process", test_nobody_there},
    {"the console's lines", test_console},
    {"no console", test_no_console},
    {NULL, NULL},
};
