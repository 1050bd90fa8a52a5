/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small event loop over epoll(7): descriptors with a function each. Events are taken one at a
 * time, so a handler may remove and release any source, its own too.
 *
 * Threads: a loop and its sources belong to one thread.
 */
#ifndef COOPVMM_EVLOOP_H
#define COOPVMM_EVLOOP_H

/* A descriptor that is waited for. Set fd to -1 before the first use. The loop does not own fd. */
struct ev {
    int fd;
    void (*ready)(struct ev *e); /* fd is readable, or its peer closed */
    void *owner;
};

/** @return the loop (an epoll descriptor) or a negative errno */
int evloop_new(void);
/** Waits for fd from now on. @return 0 or a negative errno (e->fd is -1 then) */
int evloop_add(int loop, struct ev *e, int fd, void (*ready)(struct ev *e), void *owner);
/** Stops waiting and closes the descriptor. Harmless if there is none. */
void evloop_close(int loop, struct ev *e);
/** Waits at most timeout_ms (-1: for ever) and serves one event. @return 0 or a negative errno */
int evloop_once(int loop, int timeout_ms);

#endif
