/* SPDX-License-Identifier: BSD-3-Clause */
#include "hostcheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostcheck_priv.h"

#define PATH_SIZE 512

void hc_add(struct hostcheck *h, enum hc_level level, const char *topic, const char *todo,
            const char *fmt, ...)
{
    struct hc_finding *f = &h->findings[h->count];
    va_list ap;
    int len;

    if (h->count == h->room) {
        unsigned room = h->room ? 2 * h->room : 32;

        f = realloc(h->findings, room * sizeof(*f));
        if (!f)
            return;
        h->findings = f;
        h->room = room;
        f += h->count;
    }
    va_start(ap, fmt);
    len = vasprintf(&f->found, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    f->level = level;
    f->topic = topic;
    f->todo = todo;
    h->count++;
}

static bool path_below(const struct hostcheck *h, char *path, const char *fmt, va_list ap)
{
    int n = snprintf(path, PATH_SIZE, "%s", h->root);

    return n >= 0 && n < PATH_SIZE &&
           vsnprintf(path + n, PATH_SIZE - (size_t)n, fmt, ap) < PATH_SIZE - n;
}

bool hc_read(const struct hostcheck *h, char out[HC_TEXT], const char *fmt, ...)
{
    char path[PATH_SIZE];
    va_list ap;
    size_t n;
    FILE *f;
    bool fits;

    out[0] = '\0';
    va_start(ap, fmt);
    fits = path_below(h, path, fmt, ap);
    va_end(ap);
    f = fits ? fopen(path, "re") : NULL;
    if (!f)
        return false;
    n = fread(out, 1, HC_TEXT - 1, f);
    fclose(f);
    out[n] = '\0';
    if (n && out[n - 1] == '\n')
        out[n - 1] = '\0';
    return true;
}

DIR *hc_opendir(const struct hostcheck *h, const char *fmt, ...)
{
    char path[PATH_SIZE];
    va_list ap;
    bool fits;

    va_start(ap, fmt);
    fits = path_below(h, path, fmt, ap);
    va_end(ap);
    return fits ? opendir(path) : NULL;
}

const char *hc_next_number(DIR *d)
{
    const struct dirent *e;

    while ((e = readdir(d)))
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
            return e->d_name;
    return NULL;
}

bool hc_field(const char *text, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) != 0 || line[len + strspn(line + len, " \t")] != ':')
            continue;
        line += len + strspn(line + len, " \t") + 1;
        line += strspn(line, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
        return true;
    }
    return false;
}

hwloc_bitmap_t hc_cpulist(const char *text)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();

    /* Some files say "(null)" or nothing for "none". */
    if (set && (text[0] < '0' || text[0] > '9' || hwloc_bitmap_list_sscanf(set, text) < 0))
        hwloc_bitmap_zero(set);
    return set;
}

const char *hc_list_text(hwloc_const_bitmap_t set, char *out, size_t size)
{
    if (hwloc_bitmap_list_snprintf(out, size, set) <= 0)
        snprintf(out, size, "none");
    return out;
}

const char *hc_who(const struct hostcheck *h, int cpu, char *out, size_t size)
{
    snprintf(out, size, "nobody");
    for (unsigned i = 0; h->c && i < h->c->iocores_count; i++)
        if (h->c->iocores[i].core == cpu) {
            snprintf(out, size, "I/O core %s", h->c->iocores[i].name);
            return out;
        }
    for (unsigned v = 0; h->c && v < h->c->vms_count; v++)
        for (unsigned i = 0; cfg_runs_here(&h->c->vms[v]) && i < h->c->vms[v].vcpus; i++)
            if (h->c->vms[v].cores[i] == cpu) {
                snprintf(out, size, "vCPU %u of VM %s", i, h->c->vms[v].name);
                return out;
            }
    return out;
}

static void collect_cpus(struct hostcheck *h)
{
    for (unsigned i = 0; i < h->c->iocores_count; i++)
        if (h->c->iocores[i].core >= 0)
            hwloc_bitmap_set(h->iocpus, (unsigned)h->c->iocores[i].core);
    hwloc_bitmap_copy(h->cpus, h->iocpus);
    for (unsigned v = 0; v < h->c->vms_count; v++)
        for (unsigned i = 0; cfg_runs_here(&h->c->vms[v]) && i < h->c->vms[v].vcpus; i++)
            if (h->c->vms[v].cores[i] >= 0)
                hwloc_bitmap_set(h->cpus, (unsigned)h->c->vms[v].cores[i]);
}

struct hostcheck *hostcheck_run(const char *root, const struct cfg *planned)
{
    struct hostcheck *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->root = root;
    h->c = planned;
    h->iocpus = hwloc_bitmap_alloc();
    h->cpus = hwloc_bitmap_alloc();
    if (!h->iocpus || !h->cpus) {
        hostcheck_free(h);
        return NULL;
    }
    if (planned)
        collect_cpus(h);
    hc_check_isolation(h);
    hc_check_cpus(h);
    hc_check_noise(h);
    hc_check_memory(h);
    hc_check_devices(h);
    return h;
}

void hostcheck_free(struct hostcheck *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->count; i++)
        free(h->findings[i].found);
    free(h->findings);
    hwloc_bitmap_free(h->iocpus);
    hwloc_bitmap_free(h->cpus);
    free(h);
}

const struct hc_finding *hostcheck_at(const struct hostcheck *h, unsigned i)
{
    return i < h->count ? &h->findings[i] : NULL;
}

enum hc_level hostcheck_worst(const struct hostcheck *h)
{
    enum hc_level worst = HC_OK;

    for (unsigned i = 0; i < h->count; i++)
        if (h->findings[i].level > worst)
            worst = h->findings[i].level;
    return worst;
}

const char *hc_level_name(enum hc_level level)
{
    static const char *const names[] = {"ok", "note", "warn", "fail"};

    return names[level];
}
