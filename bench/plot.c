/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CURVE_POINTS 400

extern char **environ;

struct plot {
    pid_t pid;
    FILE *out;
};

/* gnuplot's own quoting: within '...' only the quote itself is special, and is doubled. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++)
        fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, out);
    fputc('\'', out);
}

static int spawn(struct plot *p, int from)
{
    char *argv[] = {"gnuplot", NULL};
    posix_spawn_file_actions_t fa;
    int err;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, from, STDIN_FILENO);
    err = posix_spawnp(&p->pid, "gnuplot", &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    return -err;
}

static int start(struct plot *p)
{
    int fd[2], err;

    if (pipe2(fd, O_CLOEXEC) < 0)
        return -errno;
    err = spawn(p, fd[0]);
    close(fd[0]);
    p->out = err ? NULL : fdopen(fd[1], "w");
    if (!p->out) {
        close(fd[1]);
        if (!err)
            waitpid(p->pid, NULL, 0);
        return err ? err : -ENOMEM;
    }
    return 0;
}

struct plot *plot_open(const char *file, const char *title)
{
    struct plot *p = calloc(1, sizeof(*p));
    int err = p ? start(p) : -ENOMEM;

    if (err) {
        fprintf(stderr, "coopvmm bench: --plot: cannot run gnuplot: %s%s\n", strerror(-err),
                err == -ENOENT ? "; install the package gnuplot-nox or gnuplot" : "");
        free(p);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* gnuplot may give up half-way; plot_close tells */
    fputs("set terminal svg size 800,480 dynamic background rgb 'white'\nset output ", p->out);
    put_quoted(p->out, file);
    fputs("\nset title ", p->out);
    put_quoted(p->out, title);
    fputs(" noenhanced\nset grid\nset key right center\n", p->out);
    return p;
}

FILE *plot_out(struct plot *p)
{
    return p->out;
}

int plot_close(struct plot *p)
{
    int status = 0;
    bool good = fclose(p->out) == 0;

    good &= waitpid(p->pid, &status, 0) == p->pid && status == 0;
    free(p);
    if (!good)
        fprintf(stderr, "coopvmm bench: --plot: gnuplot failed\n");
    return good ? 0 : -EIO;
}

static void put_curve(FILE *out, const struct series *s, const struct tsc *t)
{
    for (unsigned i = 1; i < CURVE_POINTS && s->n; i++) {
        double q = (double)i / CURVE_POINTS;

        fprintf(out, "%.2f %.3f\n", tsc_ns(t, stats_quantile(s->ticks, s->n, q)), q * 100);
    }
    fputs("e\n", out);
}

int plot_distributions(const char *file, const char *title, const struct plot_curve *curves,
                       const struct tsc *t)
{
    struct plot *p = plot_open(file, title);
    FILE *out;

    if (!p)
        return -ENOENT;
    out = plot_out(p);
    fputs("set logscale x\nset xlabel 'time (ns)'\nset ylabel 'samples at or below (%)'\n"
          "set yrange [0:100]\nplot ",
          out);
    for (unsigned i = 0; curves[i].title; i++) {
        fputs(i ? ", '-' with lines lw 2 title " : "'-' with lines lw 2 title ", out);
        put_quoted(out, curves[i].title);
    }
    fputc('\n', out);
    for (unsigned i = 0; curves[i].title; i++)
        put_curve(out, curves[i].series, t);
    return plot_close(p);
}
