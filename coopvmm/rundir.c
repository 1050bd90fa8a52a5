/* SPDX-License-Identifier: BSD-3-Clause */
#include "rundir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TELEMETRY_FORMAT "%s/.rt/dpdk/coopvmm-%s/dpdk_telemetry.v2"

bool rundir_name_ok(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n >= RUNDIR_NAME || !isalnum((unsigned char)name[0]))
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
            return false;
    return true;
}

__attribute__((format(printf, 2, 3))) static int path_format(char out[RUNDIR_PATH], const char *fmt,
                                                             ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(out, RUNDIR_PATH, fmt, ap);
    va_end(ap);
    return n < 0 || n >= RUNDIR_PATH ? -ENAMETOOLONG : 0;
}

/* Adds a base to the list, if it fits. */
static void base_add(char base[][RUNDIR_PATH], unsigned *n, const char *dir, const char *rest)
{
    if (path_format(base[*n], "%s%s", dir, rest) == 0)
        (*n)++;
}

/* Where testbeds may be. The first one is where new ones go; a client looks into all, since its
 * environment may differ from the supervisor's; COOPVMM_RUNDIR says it all alone. */
static unsigned bases(char base[RUNDIR_MAX_BASES][RUNDIR_PATH])
{
    const char *own = getenv("COOPVMM_RUNDIR"), *xdg = getenv("XDG_RUNTIME_DIR");
    unsigned n = 0;
    char uid[24];

    if (own && *own) {
        base_add(base, &n, own, "");
        return n;
    }
    if (geteuid() == 0)
        base_add(base, &n, "/run", "/coopvmm");
    else if (xdg && *xdg == '/')
        base_add(base, &n, xdg, "/coopvmm");
    snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
    base_add(base, &n, "/tmp/coopvmm-", uid);
    return n;
}

/* Ours alone to write in? /tmp is everybody's: somebody else may have made the directory first. */
static int check_owned(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
        return -EPERM;
    return 0;
}

static int make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return -errno;
    return check_owned(path);
}

static int ref_fill(struct rundir_ref *ref, const char *base, const char *name)
{
    char longest[RUNDIR_PATH];
    int err = path_format(ref->path, "%s/%s", base, name);

    snprintf(ref->name, sizeof(ref->name), "%s", name);
    if (!err)
        err = path_format(longest, "%s/iotp.sock", ref->path);
    if (!err)
        err = path_format(ref->telemetry, TELEMETRY_FORMAT, base, name);
    return err;
}

/* Removes everything below `path` but the lock, and the logs if they are to be kept. */
static void empty_dir(const char *path, bool keep_logs)
{
    char *const roots[] = {(char *)path, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    FTSENT *e;

    if (!fts)
        return;
    while ((e = fts_read(fts))) {
        bool top = e->fts_level == 1;

        if (e->fts_level == 0 || (top && strcmp(e->fts_name, "lock") == 0))
            continue;
        if (top && keep_logs && strcmp(e->fts_name, "logs") == 0)
            fts_set(fts, e, FTS_SKIP);
        else if (e->fts_info == FTS_DP)
            rmdir(e->fts_accpath);
        else if (e->fts_info != FTS_D)
            unlink(e->fts_accpath);
    }
    fts_close(fts);
}

/* What DPDK left in its runtime directory. */
static void remove_telemetry_dir(const struct rundir_ref *ref)
{
    char dir[RUNDIR_PATH];

    snprintf(dir, sizeof(dir), "%s", ref->telemetry);
    *strrchr(dir, '/') = '\0';
    empty_dir(dir, false);
    rmdir(dir);
}

static int lock_file(int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &l) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

/* Between our open and our lock its former owner may have removed the file: then another process
 * can lock a new file of that name, and ours protects nothing. */
static bool still_there(int fd, const char *path)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

/* Makes the directory and locks it. @return the lock's descriptor or a negative errno */
static int make_locked(const char *dir)
{
    char path[RUNDIR_PATH + 8];

    snprintf(path, sizeof(path), "%s/lock", dir);
    for (;;) {
        int err = make_dir(dir, 0700), fd;

        if (err)
            return err;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return -errno;
        err = lock_file(fd);
        if (!err && still_there(fd, path))
            return fd;
        close(fd);
        if (err)
            return err;
    }
}

static int write_pid(int fd)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return -EIO;
    return 0;
}

static void explain(int err, const char *name, const char *base, const struct rundir_ref *ref,
                    char why[RUNDIR_WHY])
{
    if (err == -EBUSY)
        snprintf(why, RUNDIR_WHY,
                 "testbed %s is running already (pid %d); `coopvmm stop %s` ends it", name,
                 (int)rundir_owner(ref->path), name);
    else if (err == -ENAMETOOLONG)
        snprintf(why, RUNDIR_WHY, "%s/%s is too long for a socket's path; use a shorter name", base,
                 name);
    else if (err == -EPERM)
        snprintf(why, RUNDIR_WHY,
                 "%s or a directory in it belongs to somebody else or is writable by others; "
                 "remove it or set COOPVMM_RUNDIR",
                 base);
    else
        snprintf(why, RUNDIR_WHY, "cannot make the run directory %s/%s: %s", base, name,
                 strerror(-err));
}

/* What belongs into a fresh run directory. */
static int populate(struct rundir *r, const char *base)
{
    char logs[RUNDIR_PATH + 8];
    int err = path_format(r->runtime, "%s/.rt", base);

    empty_dir(r->ref.path, false);
    remove_telemetry_dir(&r->ref);
    snprintf(logs, sizeof(logs), "%s/logs", r->ref.path);
    if (!err)
        err = make_dir(logs, 0700);
    if (!err)
        err = make_dir(r->runtime, 0700);
    if (!err)
        err = write_pid(r->lock_fd);
    return err;
}

int rundir_create(const char *name, struct rundir *out, char why[RUNDIR_WHY])
{
    char base[RUNDIR_MAX_BASES][RUNDIR_PATH];
    int err;

    memset(out, 0, sizeof(*out));
    out->lock_fd = -1;
    if (!rundir_name_ok(name)) {
        snprintf(why, RUNDIR_WHY, "\"%.40s\" is not a testbed's name: 1 to 31 of A-Z a-z 0-9 _ . -",
                 name);
        return -EINVAL;
    }
    if (bases(base) == 0) {
        snprintf(why, RUNDIR_WHY, "COOPVMM_RUNDIR is too long");
        return -ENAMETOOLONG;
    }
    err = ref_fill(&out->ref, base[0], name);
    if (!err)
        err = make_dir(base[0], geteuid() == 0 ? 0755 : 0700);
    if (!err) {
        out->lock_fd = make_locked(out->ref.path);
        err = out->lock_fd < 0 ? out->lock_fd : populate(out, base[0]);
    }
    if (err) {
        explain(err, name, base[0], &out->ref, why);
        if (out->lock_fd >= 0)
            rundir_remove(out, false);
    }
    return err;
}

void rundir_remove(struct rundir *r, bool keep_logs)
{
    char path[RUNDIR_PATH + 8];

    empty_dir(r->ref.path, keep_logs);
    remove_telemetry_dir(&r->ref);
    snprintf(path, sizeof(path), "%s/lock", r->ref.path);
    unlink(path);
    rmdir(r->ref.path); /* stays if logs are kept */
    close(r->lock_fd);
    r->lock_fd = -1;
}

pid_t rundir_owner(const char *path)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char file[RUNDIR_PATH + 8], text[24] = "";
    long pid = 0;
    int fd;

    snprintf(file, sizeof(file), "%s/lock", path);
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    if (fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK &&
        pread(fd, text, sizeof(text) - 1, 0) > 0)
        pid = strtol(text, NULL, 10);
    close(fd);
    return pid > 0 ? (pid_t)pid : 0;
}

/* Calls fn for the live testbeds in one base. */
static int each_in(const char *base, int (*fn)(const struct rundir_ref *, void *), void *arg)
{
    DIR *d = check_owned(base) == 0 ? opendir(base) : NULL;
    struct dirent *e;
    int rc = 0;

    while (d && rc == 0 && (e = readdir(d))) {
        struct rundir_ref ref;

        if (!rundir_name_ok(e->d_name) || ref_fill(&ref, base, e->d_name) < 0)
            continue;
        if (rundir_owner(ref.path))
            rc = fn(&ref, arg);
    }
    if (d)
        closedir(d);
    return rc;
}

int rundir_each(int (*fn)(const struct rundir_ref *ref, void *arg), void *arg)
{
    char base[RUNDIR_MAX_BASES][RUNDIR_PATH];
    unsigned n = bases(base);
    int rc = 0;

    for (unsigned i = 0; i < n && rc == 0; i++) {
        bool seen = false;

        for (unsigned j = 0; j < i; j++)
            seen = seen || strcmp(base[i], base[j]) == 0;
        if (!seen)
            rc = each_in(base[i], fn, arg);
    }
    return rc;
}

struct search {
    const char *name;
    struct rundir_ref *out;
    unsigned found;
    char names[96]; /* of those found, for the message */
};

static int search_one(const struct rundir_ref *ref, void *arg)
{
    struct search *s = arg;
    size_t len = strlen(s->names);

    if (s->name && strcmp(s->name, ref->name) != 0)
        return 0;
    *s->out = *ref;
    snprintf(s->names + len, sizeof(s->names) - len, "%s%s", s->found ? ", " : "", ref->name);
    s->found++;
    return s->name ? 1 : 0;
}

int rundir_find(const char *name, struct rundir_ref *out, char why[RUNDIR_WHY])
{
    struct search s = {.name = name, .out = out};

    rundir_each(search_one, &s);
    if (s.found == 1)
        return 0;
    if (s.found > 1) {
        snprintf(why, RUNDIR_WHY, "several testbeds are running: %s; name one", s.names);
        return -ENOTUNIQ;
    }
    if (name)
        snprintf(why, RUNDIR_WHY, "no testbed %.40s is running; `coopvmm ps` lists what is", name);
    else
        snprintf(why, RUNDIR_WHY, "no testbed is running; `coopvmm run FILE` starts one");
    return -ENOENT;
}
