/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon that serves Xen's domains opens Xen's device files anew for each domain, since a handle
 * is restricted to one. The system-call filter cannot tell files apart; Landlock (landlock(7)) can:
 * these files stay, all others go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privs_priv.h"

#define TRIES 200 /* looks at the threads, 5 ms apart */

/* All that Landlock's first version knows: everything to do with the file system. */
#define ALL_RIGHTS  (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

static const char *const files[] = {"/dev/xen/privcmd", "/dev/xen/hypercall", "/dev/xen/evtchn"};

static int ruleset = -1;  /* for the signal handler */
static unsigned confined; /* threads that are */
static __thread bool is_confined;

static int allow(int set, const char *path)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = FILE_RIGHTS};
    int err = 0;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT ? 0 : -errno; /* older kernels have no hypercall file */
    if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        err = -errno;
    close(rule.parent_fd);
    return err;
}

static int make_ruleset(void)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
    int err = 0, set = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (set < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !err; i++)
        err = allow(set, files[i]);
    if (err) {
        close(set);
        return err;
    }
    return set;
}

/* Landlock, like no_new_privs, belongs to threads; each confines itself, once. */
static void confine_here(int signo)
{
    int saved = errno;

    (void)signo;
    if (!is_confined && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
        !syscall(SYS_landlock_restrict_self, ruleset, 0)) {
        is_confined = true;
        __atomic_add_fetch(&confined, 1, __ATOMIC_RELEASE);
    }
    errno = saved;
}

/* Tells each thread. @return how many there are; negative errno */
static int tell_threads(void)
{
    DIR *d = opendir("/proc/self/task");
    struct dirent *e;
    int n = 0;

    if (!d)
        return -errno;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.') {
            n++;
            syscall(SYS_tgkill, getpid(), atoi(e->d_name), SIGURG);
        }
    closedir(d);
    return n;
}

/* Those told may not have listened yet. Who confines himself last closes /proc for the one who
 * counts, so he is told last: the main thread calls its handler itself. */
static int confine_threads(void)
{
    struct sigaction sa = {.sa_handler = confine_here, .sa_flags = SA_RESTART}, old;
    sigset_t urg, before;
    int n = 0;

    sigemptyset(&urg);
    sigaddset(&urg, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urg, &before);
    sigaction(SIGURG, &sa, &old);
    for (int i = 0; i < TRIES; i++) {
        n = tell_threads();
        poll(NULL, 0, 5);
        if (n < 0 || __atomic_load_n(&confined, __ATOMIC_ACQUIRE) + 1 >= (unsigned)n)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL); /* what is pending is delivered: our own turn */
    confine_here(SIGURG);
    sigaction(SIGURG, &old, NULL);
    if (n < 0)
        return n;
    return confined >= (unsigned)n ? 0 : -ETIMEDOUT;
}

int privs_confine_files(FILE *err)
{
    int e;

    ruleset = make_ruleset();
    e = ruleset < 0 ? ruleset : confine_threads();
    if (ruleset >= 0)
        close(ruleset);
    if (e == -ENOSYS || e == -EOPNOTSUPP) {
        fprintf(err, "this kernel has no Landlock (boot it with lsm=landlock,...): the daemon can "
                     "still open its user's files\n");
        return 0;
    }
    if (e)
        fprintf(err, "files cannot be confined to Xen's: %s\n", strerror(-e));
    return e;
}
