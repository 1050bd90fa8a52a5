/* SPDX-License-Identifier: BSD-3-Clause */
/* The checks of control messages, one function a type. SPEC.md, "Control messages", lists them. */
#include "iotp_check.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *b = (const uint8_t *)p;

    for (size_t i = 0; i < n; i++)
        if (b[i])
            return false;
    return true;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* [A-Za-z0-9][A-Za-z0-9_.-]*, as in the config file: safe in paths, logs and terminals. */
static bool is_name(const char name[IOTP_NAME_SIZE])
{
    size_t len = strnlen(name, IOTP_NAME_SIZE);

    if (len == 0 || len == IOTP_NAME_SIZE || !is_alnum(name[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_alnum(name[i]) && !strchr("_.-", name[i]))
            return false;
    return true;
}

static bool is_text(const char text[IOTP_TEXT_SIZE])
{
    size_t len = strnlen(text, IOTP_TEXT_SIZE);

    if (len == IOTP_TEXT_SIZE)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

static bool page_aligned(uint64_t n)
{
    return n % IOTP_PAGE == 0;
}

static bool access_size(unsigned n)
{
    return n == 1 || n == 2 || n == 4 || n == 8;
}

static const char *check_hello(const struct iotp_msg *m)
{
    const struct iotp_hello *h = &m->u.hello;

    if (m->nfds)
        return "HELLO carries no descriptors";
    if (!h->version_min || h->version_min > h->version_max)
        return "HELLO: version_min must be 1 to version_max";
    if (!is_name(h->vm))
        return "HELLO: vm is no valid name";
    return NULL;
}

static const char *check_hello_ok(const struct iotp_msg *m)
{
    const struct iotp_hello_ok *h = &m->u.hello_ok;

    if (m->nfds)
        return "HELLO_OK carries no descriptors";
    if (h->version != IOTP_VERSION)
        return "HELLO_OK: a version that was not offered";
    if (h->max_vcpus < 1 || h->max_vcpus > IOTP_MAX_VCPUS)
        return "HELLO_OK: max_vcpus out of range";
    if (h->max_devices < 1 || h->max_devices > IOTP_MAX_DEVICES)
        return "HELLO_OK: max_devices out of range";
    if (h->features & ~IOTP_F_ALL)
        return "HELLO_OK: unknown features";
    if (!is_name(h->daemon))
        return "HELLO_OK: daemon is no valid name";
    return NULL;
}

/* One region; sums are checked before they are formed. Offsets must fit off_t. */
static const char *check_region(const struct iotp_memory_region *r)
{
    if (!r->size)
        return "MEMORY: a region is empty";
    if (!page_aligned(r->gpa) || !page_aligned(r->size) || !page_aligned(r->offset))
        return "MEMORY: a region is not page-aligned";
    if (r->size - 1 > UINT64_MAX - r->gpa)
        return "MEMORY: a region wraps round the address space";
    if (r->offset > INT64_MAX || r->size > (uint64_t)INT64_MAX - r->offset)
        return "MEMORY: a region lies beyond any file's end";
    return NULL;
}

static bool overlap(const struct iotp_memory_region *a, const struct iotp_memory_region *b)
{
    return a->gpa <= b->gpa + (b->size - 1) && b->gpa <= a->gpa + (a->size - 1);
}

static const char *check_memory(const struct iotp_msg *m)
{
    const struct iotp_memory *t = &m->u.memory;
    const char *why;

    if (t->nregions < 1 || t->nregions > IOTP_MAX_MEMORY)
        return "MEMORY: nregions out of range";
    if (m->nfds != t->nregions)
        return "MEMORY: one descriptor a region";
    if (t->reserved ||
        !is_zero(&t->region[t->nregions], (IOTP_MAX_MEMORY - t->nregions) * sizeof(t->region[0])))
        return "MEMORY: reserved fields must be zero";
    for (uint32_t i = 0; i < t->nregions; i++) {
        why = check_region(&t->region[i]);
        if (why)
            return why;
        for (uint32_t j = 0; j < i; j++)
            if (overlap(&t->region[i], &t->region[j]))
                return "MEMORY: regions overlap";
    }
    return NULL;
}

static const char *check_area(const struct iotp_msg *m)
{
    const struct iotp_area *a = &m->u.area;
    struct iotp_layout least, most;

    if (m->nfds != 2)
        return "AREA carries two descriptors: memory, kick eventfd";
    if (a->area >= IOTP_MAX_AREAS)
        return "AREA: index out of range";
    if (a->reserved)
        return "AREA: reserved fields must be zero";
    iotp_layout_of(1, 1, IOTP_MIN_POSTED, &least);
    iotp_layout_of(IOTP_MAX_VCPUS, IOTP_MAX_DEVICES, IOTP_MAX_POSTED, &most);
    if (!page_aligned(a->size) || a->size < least.size || a->size > most.size)
        return "AREA: no area has this size";
    if (!is_name(a->core))
        return "AREA: core is no valid name";
    return NULL;
}

static const char *check_domain(const struct iotp_msg *m)
{
    const struct iotp_domain *d = &m->u.domain;

    if (m->nfds != 1)
        return "DOMAIN carries one descriptor: its state";
    if (d->area >= IOTP_MAX_AREAS)
        return "DOMAIN: index out of range";
    if (d->nvcpus < 1 || d->nvcpus > IOTP_DOMAIN_MAX_VCPUS)
        return "DOMAIN: nvcpus out of range";
    if (d->flags & ~IOTP_DOMAIN_ALL)
        return "DOMAIN: unknown flags";
    if (d->reserved)
        return "DOMAIN: reserved fields must be zero";
    if (!is_name(d->core))
        return "DOMAIN: core is no valid name";
    return NULL;
}

static const char *check_device(const struct iotp_msg *m)
{
    const struct iotp_device *d = &m->u.device;

    if (d->area >= IOTP_MAX_AREAS || d->device >= IOTP_MAX_DEVICES)
        return "DEVICE: area or device index out of range";
    if (d->nlines > IOTP_MAX_LINES || d->has_state > 1 || d->connected > 1)
        return "DEVICE: nlines, has_state or connected out of range";
    if (d->slot > 31)
        return "DEVICE: slot is 0 to 31";
    if (m->nfds != (unsigned)d->nlines + d->has_state)
        return "DEVICE: one descriptor a line, then the state if has_state";
    if (d->mac[0] & 1)
        return "DEVICE: mac is a group address";
    if (!is_zero(d->reserved, sizeof(d->reserved)))
        return "DEVICE: reserved fields must be zero";
    if (!is_name(d->model) || !is_name(d->name))
        return "DEVICE: model or name is no valid name";
    return NULL;
}

static const char *check_msi(const struct iotp_msg *m)
{
    const struct iotp_msi *r = &m->u.msi;

    if (r->area >= IOTP_MAX_AREAS || r->device >= IOTP_MAX_DEVICES)
        return "MSI: area or device index out of range";
    if (r->nroutes < 1 || r->nroutes > IOTP_MAX_ROUTES)
        return "MSI: nroutes out of range";
    if (m->nfds != r->nroutes + 2u)
        return "MSI: descriptors are the table, the doorbell, one a route";
    return NULL;
}

static const char *check_window(const struct iotp_window *w)
{
    if (w->region >= IOTP_REGIONS || w->space > 2)
        return "DEVICE_INFO: a window's region or space is out of range";
    if (!is_zero(w->reserved, sizeof(w->reserved)))
        return "DEVICE_INFO: reserved fields must be zero";
    if (!w->size || w->size - 1 > UINT64_MAX - w->base)
        return "DEVICE_INFO: a window is empty or wraps round";
    if (w->space == 1 && (w->size > 65536 || w->base > 65536 - w->size))
        return "DEVICE_INFO: a window lies beyond the last port";
    return NULL;
}

static const char *check_range(const struct iotp_range *r)
{
    if (r->region >= IOTP_REGIONS || (r->flags & ~(IOTP_RANGE_POSTED | IOTP_RANGE_KICK)))
        return "DEVICE_INFO: a range's region or flags are out of range";
    if (!r->length || r->length - 1u > UINT32_MAX - r->offset)
        return "DEVICE_INFO: a range is empty or wraps round";
    return NULL;
}

static const char *check_cell(const struct iotp_cell *c)
{
    if (c->region >= IOTP_REGIONS || !access_size(c->size))
        return "DEVICE_INFO: a cell's region or size is out of range";
    if (c->reserved)
        return "DEVICE_INFO: reserved fields must be zero";
    if (c->size - 1u > UINT32_MAX - c->offset)
        return "DEVICE_INFO: a cell wraps round";
    return NULL;
}

static const char *check_device_tables(const struct iotp_device_info *d)
{
    const char *why = NULL;

    for (unsigned i = 0; i < d->nwindows && !why; i++)
        why = check_window(&d->window[i]);
    for (unsigned i = 0; i < d->nranges && !why; i++)
        why = check_range(&d->range[i]);
    for (unsigned i = 0; i < d->ncells && !why; i++)
        why = check_cell(&d->cell[i]);
    return why;
}

static const char *check_device_info(const struct iotp_msg *m)
{
    const struct iotp_device_info *d = &m->u.device_info;

    if (m->nfds != 1)
        return "DEVICE_INFO carries one descriptor: the state";
    if (d->nwindows > IOTP_MAX_WINDOWS || d->nranges > IOTP_MAX_RANGES ||
        d->ncells > IOTP_SHADOW_CELLS || d->pci > 1)
        return "DEVICE_INFO: a count or pci is out of range";
    if (d->reserved ||
        !is_zero(&d->window[d->nwindows],
                 (IOTP_MAX_WINDOWS - d->nwindows) * sizeof(d->window[0])) ||
        !is_zero(&d->range[d->nranges], (IOTP_MAX_RANGES - d->nranges) * sizeof(d->range[0])) ||
        !is_zero(&d->cell[d->ncells], (IOTP_SHADOW_CELLS - d->ncells) * sizeof(d->cell[0])))
        return "DEVICE_INFO: reserved fields must be zero";
    return check_device_tables(d);
}

static const char *check_error(const struct iotp_msg *m)
{
    const struct iotp_error *e = &m->u.error;

    if (m->nfds)
        return "ERROR carries no descriptors";
    if (e->error >= 0 || e->error < -4095)
        return "ERROR: error is no negative errno";
    if (e->reserved)
        return "ERROR: reserved fields must be zero";
    if (!is_text(e->text))
        return "ERROR: text is not printable ASCII that ends";
    return NULL;
}

static const struct iotp_msg_type_info types[] = {
    [IOTP_MSG_HELLO] = {sizeof(struct iotp_hello), check_hello},
    [IOTP_MSG_HELLO_OK] = {sizeof(struct iotp_hello_ok), check_hello_ok},
    [IOTP_MSG_MEMORY] = {sizeof(struct iotp_memory), check_memory},
    [IOTP_MSG_AREA] = {sizeof(struct iotp_area), check_area},
    [IOTP_MSG_DEVICE] = {sizeof(struct iotp_device), check_device},
    [IOTP_MSG_DEVICE_INFO] = {sizeof(struct iotp_device_info), check_device_info},
    [IOTP_MSG_START] = {0, NULL},
    [IOTP_MSG_QUIESCE] = {0, NULL},
    [IOTP_MSG_OK] = {0, NULL},
    [IOTP_MSG_ERROR] = {sizeof(struct iotp_error), check_error},
    [IOTP_MSG_DOMAIN] = {sizeof(struct iotp_domain), check_domain},
    [IOTP_MSG_MSI] = {sizeof(struct iotp_msi), check_msi},
};

const struct iotp_msg_type_info *iotp_msg_type_info(uint16_t type)
{
    return type >= IOTP_MSG_HELLO && type < COUNT(types) ? &types[type] : NULL;
}

const char *iotp_msg_check(const struct iotp_msg *m)
{
    const struct iotp_msg_type_info *t = iotp_msg_type_info(m->type);

    if (!t)
        return "unknown message type";
    if (m->nfds > IOTP_MAX_FDS)
        return "too many descriptors";
    if (!m->serial && m->type != IOTP_MSG_ERROR)
        return "serial 0 is for an ERROR nobody asked for";
    if (t->check)
        return t->check(m);
    return m->nfds ? "this message carries no descriptors" : NULL;
}
