/* SPDX-License-Identifier: BSD-3-Clause */
/* The children's command lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor_int.h"

#define MAX_ARGS 16

/* "1,2,5" of `n` CPU numbers, written to f. */
static void print_iocores(FILE *f, const struct cfg *c)
{
    for (unsigned i = 0; i < c->iocores_count; i++)
        fprintf(f, "%s%d", i ? "," : "", c->iocores[i].core);
}

static void print_vcpus(FILE *f, const struct cfg_vm *vm)
{
    for (unsigned i = 0; i < vm->cores_count; i++)
        fprintf(f, "%s%d", i ? "," : "", vm->cores[i]);
}

/* All arguments as one text, each ended by NUL. */
static void print_args(FILE *f, const struct proc *p, const char *program)
{
    const struct supervisor *s = p->sup;

    fprintf(f, "%s%c--config%c%s%c--rundir%c%s%c", program, 0, 0, s->cfg->path, 0, 0,
            s->dir.ref.path, 0);
    if (p->vm)
        fprintf(f, "--vm%c%s%c--node%c%d%c", 0, p->vm->name, 0, 0, p->vm->node, 0);
    fprintf(f, "--cores%c", 0);
    if (p->vm)
        print_vcpus(f, p->vm);
    else
        print_iocores(f, s->cfg);
    if (!p->vm && s->taps.n)
        fprintf(f, "%c--taps-held", 0);
    fprintf(f, "%c--ready-fd%c%d%c", 0, 0, CHILD_READY_FD, 0);
}

char **proc_argv(const struct proc *p, const char *program)
{
    char *text = NULL, *arg, **argv;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    unsigned n = 0;

    if (!f)
        return NULL;
    print_args(f, p, program);
    argv = fclose(f) == 0 ? malloc(MAX_ARGS * sizeof(*argv) + size) : NULL;
    if (argv) {
        arg = memcpy(argv + MAX_ARGS, text, size);
        for (char *end = arg + size; arg < end && n < MAX_ARGS - 1; arg += strlen(arg) + 1)
            argv[n++] = arg;
        argv[n] = NULL;
    }
    free(text);
    return argv;
}
