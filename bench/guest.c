/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool trap_parse(const char *line, struct trap_kind *out)
{
    const char *at = strstr(line, "lat name=");

    return at &&
           sscanf(at, "lat name=%23s n=%u min=%u p50=%u p99=%u p999=%u max=%u unit=cycles",
                  out->name, &out->n, &out->min, &out->p50, &out->p99, &out->p999, &out->max) == 7;
}

static int beside_program(char path[PATH_MAX])
{
    static const char file[] = "/guest/probe.elf";
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(file));

    if (n < 0)
        return -errno;
    path[n] = '\0';
    strcpy(strrchr(path, '/'), file);
    return access(path, R_OK) ? -errno : 0;
}

int guest_find(const char *named, char path[PATH_MAX], FILE *err)
{
    int ret;

    path[0] = '\0';
    if (named)
        ret = realpath(named, path) && !access(path, R_OK) ? 0 : -errno;
    else
        ret = beside_program(path);
    if (ret)
        fprintf(err, "the probe guest %s: %s; --guest names it\n", named ? named : path,
                strerror(-ret));
    return ret;
}

/* Only the quote itself is special, and is doubled. */
void guest_put_quoted(FILE *f, const char *text)
{
    fputc('\'', f);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', f);
        fputc(*text, f);
    }
    fputc('\'', f);
}
