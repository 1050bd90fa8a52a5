/* SPDX-License-Identifier: BSD-3-Clause */
#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privs_priv.h"

#define TRIES 200 /* looks at the threads, 5 ms apart */

/* In each thread, from the signal: raw calls, since libraries may not be entered here. What cannot
 * be dropped shows when the threads are looked at. */
static void drop_here(int signo)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    int saved = errno;

    (void)signo;
    for (int cap = 0; cap <= 63; cap++) /* past the last one: EINVAL; without SETPCAP: EPERM */
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &hdr, none);
    errno = saved;
}

/* Has a thread no capability left, neither effective nor permitted? It may have ended meanwhile. */
static bool is_bare(pid_t tid)
{
    capng_setpid(tid);
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_get_caps_process())
        return true;
    return capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE &&
           capng_have_permitted_capabilities() == CAPNG_NONE;
}

/* Calls fn for each thread. @return how often it said no; negative errno */
static int each_thread(bool (*fn)(pid_t))
{
    DIR *d = opendir("/proc/self/task");
    struct dirent *e;
    int no = 0;

    if (!d)
        return -errno;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.')
            no += !fn((pid_t)atoi(e->d_name));
    closedir(d);
    return no;
}

static bool tell(pid_t tid)
{
    return is_bare(tid) || syscall(SYS_tgkill, getpid(), tid, SIGURG) == 0 || errno == ESRCH;
}

/* SIGURG: ignored by default, used by nobody here. SA_RESTART: a thread in accept(2), such as
 * telemetry's, goes on. */
int privs_drop_caps(FILE *err)
{
    struct sigaction sa = {.sa_handler = drop_here, .sa_flags = SA_RESTART}, old;
    int left = 1;

    sigaction(SIGURG, &sa, &old);
    for (int i = 0; i < TRIES && left > 0; i++) {
        left = each_thread(tell);
        if (left < 0)
            break;
        left = each_thread(is_bare);
        if (left > 0)
            poll(NULL, 0, 5);
    }
    sigaction(SIGURG, &old, NULL);
    if (left == 0)
        return 0;
    fprintf(err, "capabilities cannot be dropped: %s\n",
            left < 0 ? strerror(-left) : "a thread does not let them go");
    return left < 0 ? left : -ETIMEDOUT;
}
