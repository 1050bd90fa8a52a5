/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wish to end (SIGINT, SIGTERM, SIGHUP) as a readable descriptor; without signalfd. A thread
 * that polls a signalfd is woken at *every* signal its process gets, wanted or not (the kernel's
 * signalfd_notify), and under the user engine each trap is one: that made a trap twice as dear and
 * disturbed another CPU each time. A thread in sigwait() is woken by its own signals only.
 *
 * Threads: made and freed by one thread, before any other that must not take the signals.
 */
#ifndef COOPVMM_TERMSIG_H
#define COOPVMM_TERMSIG_H

struct termsig;

/** Blocks the signals for this thread and all made later, and waits for them.
 * @return 0 and *out; a negative errno */
int termsig_create(struct termsig **out);
/** Ends the waiting and restores this thread's signal mask. NULL is accepted. */
void termsig_free(struct termsig *t);

/** Readable (eventfd) once a signal came. */
int termsig_fd(const struct termsig *t);
/** Which came last; 0: none. Any thread. */
int termsig_which(const struct termsig *t);

#endif
