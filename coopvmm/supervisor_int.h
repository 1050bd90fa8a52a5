/* SPDX-License-Identifier: BSD-3-Clause */
/* What the supervisor's files share; see supervisor.h. */
#ifndef COOPVMM_SUPERVISOR_INT_H
#define COOPVMM_SUPERVISOR_INT_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "child.h"
#include "childlog.h"
#include "evloop.h"
#include "restart.h"
#include "rundir.h"
#include "supervisor.h"
#include "taphold.h"

#define SUP_MAX_CLIENTS 16 /* connections to the control socket at a time */

enum proc_state {
    PROC_WAITING,  /* for the I/O cores; or, an I/O-core process, for its next start */
    PROC_STARTING, /* started, not ready yet */
    PROC_RUNNING,
    PROC_STOPPING, /* was told to end */
    PROC_ENDED,
};

/* A process the supervisor looks after. */
struct proc {
    struct supervisor *sup;
    const char *name;        /* "iocored", or the VM's */
    const struct cfg_vm *vm; /* NULL: the I/O-core process */
    struct child child;      /* pid 0: there is none at the moment */
    struct childlog log;
    struct ev exit_ev, out_ev, ready_ev;
    enum proc_state state;
    bool stopped; /* was told to end */
    bool killed;  /* ... and did not */
    bool late;    /* was killed because it did not become ready */
    bool failed;
    uint64_t started_ms; /* when the present child was started */
    uint64_t ready_ms;   /* when it became ready; 0: not yet */
    uint64_t ended_ms;
    uint64_t deadline_ms; /* STARTING, STOPPING: kill it; WAITING: start it; 0: none */
    uint64_t notice_ms;   /* when to say next that it takes long; 0: never */
    unsigned restarts;
    struct restart policy;
    char how[96]; /* ENDED: how it ended, for people */
};

struct sup_client {
    struct supervisor *sup;
    struct ev ev;
};

struct supervisor {
    const struct cfg *cfg;
    struct supervisor_opts opts;
    struct rundir dir;
    int loop;
    struct ev signal_ev, listen_ev;
    struct sup_client client[SUP_MAX_CLIENTS];
    struct proc iocored;
    struct proc *vm; /* [cfg->vms_count] */
    struct taphold taps;
    struct echo out, messages, nowhere;
    struct childlog log;     /* of the supervisor's own messages */
    cpu_set_t cpus;          /* what we were allowed at first; the children's */
    struct stat config_stat; /* of the file, when it was loaded */
    uint64_t started_ms;
    uint64_t signalled_ms; /* when the latest signal came; 0: none yet */
    bool vms_started, announced, stopping, failed;
};

/* supervisor.c */
uint64_t sup_now(void); /* monotonic milliseconds */
/** Progress; not with --quiet. */
void sup_note(struct supervisor *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** What the operator must know. */
void sup_warn(struct supervisor *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Begins to stop everything. */
void sup_stop(struct supervisor *s);
/** Something happened to a process: does what follows from it. */
void sup_advance(struct supervisor *s);

/* supervisor_proc.c */
void proc_init(struct supervisor *s, struct proc *p, const char *name, const struct cfg_vm *vm);
/** Starts it. Whatever goes wrong ends in PROC_ENDED with `failed`. */
void proc_start(struct proc *p);
/** Starts a VM that is over once more, as if it had not been. */
void proc_start_again(struct proc *p);
/** Tells it to end (TERM, then KILL), or forgets it if it is not there. */
void proc_stop(struct proc *p);
/** Acts on its deadlines. @return milliseconds until the next one, -1: none */
int proc_tick(struct proc *p, uint64_t now);
void proc_fini(struct proc *p);
const char *proc_state_name(const struct proc *p);

/* supervisor_ctl.c */
/** Nothing is open. */
void sup_ctl_init(struct supervisor *s);
int sup_ctl_open(struct supervisor *s);
void sup_ctl_close(struct supervisor *s);

/* supervisor_args.c */
/** The child's command line, NULL-terminated; NULL: out of memory. Release with free(). */
char **proc_argv(const struct proc *p, const char *program);

#endif
