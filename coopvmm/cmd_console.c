/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm console: a terminal on a PC's serial port. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "cmd.h"
#include "pc_console.h"
#include "rundir.h"

#define ESCAPE 0x1d /* Ctrl-] */

static const char help[] =
    "Usage: coopvmm console [options] VM\n"
    "Connects to the serial port of a VM of platform pc; Ctrl-] ends it. What the guest sent\n"
    "last is shown first. Standard input may also be a file: its end does not end the command.\n\n"
    "  -t, --testbed NAME   which testbed; may be left out if only one is running\n"
    "  -h, --help           this text\n";

static const struct option options[] = {{"testbed", required_argument, NULL, 't'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static struct termios before;
static volatile sig_atomic_t ended;

static void on_end(int sig)
{
    (void)sig;
    ended = 1;
}

/* Each key to the guest, Ctrl-C too. @return whether standard input is a terminal */
static bool make_raw(void)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return false;
    raw = before;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    return true;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);

        if (k < 0 && errno != EINTR)
            return false;
        p += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return true;
}

/* @return false: the user wants to leave, or the guest is gone */
static bool keys(int fd, bool raw, bool *more)
{
    char buf[256];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
    char *escape = raw && n > 0 ? memchr(buf, ESCAPE, (size_t)n) : NULL;

    if (n <= 0) {
        *more = n < 0 && errno == EINTR;
        return !raw || *more;
    }
    return write_all(fd, buf, escape ? (size_t)(escape - buf) : (size_t)n) && !escape;
}

static bool screen(int fd)
{
    char buf[4096];
    ssize_t n = read(fd, buf, sizeof(buf));

    return n < 0 ? errno == EINTR : n > 0 && write_all(STDOUT_FILENO, buf, (size_t)n);
}

static void relay(int fd, bool raw)
{
    bool more = true, on = true;

    while (on && !ended) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = more ? STDIN_FILENO : -1, .events = POLLIN}};

        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents)
            on = screen(fd);
        if (on && p[1].revents)
            on = keys(fd, raw, &more);
    }
}

static int reach(const struct rundir_ref *ref, const char *vm)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int err = pc_console_path(ref->path, vm, a.sun_path, sizeof(a.sun_path));
    int fd = err ? err : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err ? err : -errno;
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static int console(const char *testbed, const char *vm)
{
    const struct sigaction end = {.sa_handler = on_end};
    char why[RUNDIR_WHY];
    struct rundir_ref ref;
    bool raw;
    int fd;

    if (!rundir_name_ok(vm))
        return cmd_usage("console", "\"%s\" is no VM's name", vm);
    if (rundir_find(testbed, &ref, why))
        return cmd_fail("console", "%s", why);
    fd = reach(&ref, vm);
    if (fd < 0)
        return cmd_fail("console",
                        "VM %s of testbed %s has no console: %s; is it one of platform pc, "
                        "and running?",
                        vm, ref.name, strerror(-fd));
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    raw = make_raw();
    relay(fd, raw);
    if (raw) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fputs("\n", stderr);
    }
    close(fd);
    return CMD_OK;
}

int cmd_console(int argc, char **argv)
{
    const char *testbed = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "t:h", options, NULL)) != -1) {
        switch (c) {
        case 't': testbed = optarg; break;
        case 'h': fputs(help, stdout); return CMD_OK;
        default: return cmd_usage("console", NULL);
        }
    }
    if (argc - optind != 1)
        return cmd_usage("console", "the name of a VM is wanted");
    return console(testbed, argv[optind]);
}
