/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user engine's interrupt lines. A line is a non-blocking pipe whose reading end signals
 * (O_ASYNC, fcntl(2)) the thread of vCPU 0. Edges that arrive together count as one, as on an
 * edge-triggered line; a full pipe loses nothing either, since an edge is then already waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine_user.h"

static int own(const struct user_line *l, int tid)
{
    const struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = tid};
    int flags = fcntl(l->rd, F_GETFL);

    if (flags < 0 || fcntl(l->rd, F_SETOWN_EX, &owner) < 0 ||
        fcntl(l->rd, F_SETFL, flags | O_ASYNC) < 0)
        return -errno;
    return 0;
}

int user_lines_own(struct user_engine *e, int tid)
{
    int err = 0;

    pthread_mutex_lock(&e->lines_lock);
    for (unsigned i = 0; i < e->nlines && !err; i++)
        err = own(&e->line[e->active[i]], tid);
    pthread_mutex_unlock(&e->lines_lock);
    return err;
}

static int make_line(struct user_engine *e, unsigned line)
{
    int tid = __atomic_load_n(&e->vcpu[0].tid, __ATOMIC_ACQUIRE);
    struct user_line *l = &e->line[line];
    int fds[2], err = 0;

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    *l = (struct user_line){.rd = fds[0], .wr = fds[1]};
    if (tid)
        err = own(l, tid);
    if (err) {
        close(l->rd);
        close(l->wr);
        *l = (struct user_line){-1, -1};
        return err;
    }
    e->active[e->nlines] = line;
    __atomic_store_n(&e->nlines, e->nlines + 1, __ATOMIC_RELEASE);
    return 0;
}

int user_irq_fd(struct vm *vm, unsigned line)
{
    struct user_engine *e = vm->engine_state;
    int err = 0;

    if (line >= USER_MAX_LINES)
        return -EINVAL;
    pthread_mutex_lock(&e->lines_lock);
    if (e->line[line].wr < 0)
        err = make_line(e, line);
    pthread_mutex_unlock(&e->lines_lock);
    return err ? err : e->line[line].wr;
}

static bool drain(int fd)
{
    char buf[512];
    bool any = false;
    ssize_t n;

    do {
        n = read(fd, buf, sizeof(buf));
        any |= n > 0;
    } while (n == sizeof(buf));
    return any;
}

void user_lines_drain(struct user_vcpu *v)
{
    struct user_engine *e = v->eng;
    unsigned n = __atomic_load_n(&e->nlines, __ATOMIC_ACQUIRE);

    if (v->index != 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        if (drain(e->line[e->active[i]].rd))
            x2apic_raise(&v->apic, USER_FIRST_VECTOR + e->active[i]);
    }
}

void user_lines_close(struct user_engine *e)
{
    for (unsigned i = 0; i < e->nlines; i++) {
        close(e->line[e->active[i]].rd);
        close(e->line[e->active[i]].wr);
    }
    e->nlines = 0;
}
