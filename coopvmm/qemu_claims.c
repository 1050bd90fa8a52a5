/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu_claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../nicmodels/model.h"

#define LINE_SIZE 256

/* What is QEMU's is printed: only letters that harm no terminal. */
static void copy_who(char out[QEMU_WHO_SIZE], const char *text)
{
    unsigned n = 0;

    for (; *text && n < QEMU_WHO_SIZE - 1; text++)
        out[n++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
    out[n] = '\0';
}

static void read_device(const json_t *dev, struct qemu_claims *q)
{
    json_int_t bus = json_integer_value(json_object_get(dev, "bus"));
    const json_t *slot = json_object_get(dev, "slot"), *class = json_object_get(dev, "class_info");
    const char *desc = json_string_value(json_object_get(class, "desc"));
    json_int_t n = json_integer_value(slot);

    if (!json_is_integer(slot) || bus != 0 || n < 0 || n >= QEMU_SLOTS || q->slot[n][0])
        return;
    copy_who(q->slot[n], desc && *desc ? desc : "a device");
}

int qemu_read_pci(const json_t *answer, struct qemu_claims *q)
{
    size_t i, k;
    const json_t *bus, *dev;

    if (!json_is_array(answer))
        return -EPROTO;
    json_array_foreach(answer, i, bus)
    {
        json_array_foreach(json_object_get(bus, "devices"), k, dev) read_device(dev, q);
    }
    return 0;
}

/* A port number of 16 hexadecimal digits. */
static bool hex16(const char *s, uint16_t *value)
{
    uint64_t v;
    char *end;

    if (strspn(s, "0123456789abcdef") != 16)
        return false;
    v = strtoull(s, &end, 16);
    *value = (uint16_t)v;
    return v <= 0xffff;
}

/* "  0000000000000060-0000000000000060 (prio 0, i/o): i8042-data". What nobody has is shown as the
 * root "io", or "io @...". */
static void read_range(const char *line, struct qemu_claims *q)
{
    struct qemu_ports p;
    const char *at = line + strspn(line, " "), *who = strstr(line, "): ");

    if (!who || !hex16(at, &p.first) || at[16] != '-' || !hex16(at + 17, &p.last) ||
        p.first > p.last || q->nports == QEMU_PORTS)
        return;
    who += 3;
    if (!strcmp(who, "io") || !strncmp(who, "io @", 4))
        return;
    copy_who(p.who, who);
    q->ports[q->nports++] = p;
}

/* The text from the address space's head to the next view, or NULL. */
static const char *io_view(const char *text, size_t *len)
{
    const char *at = strstr(text, " AS \"I/O\""), *end;

    if (!at)
        return NULL;
    end = strstr(at, "FlatView #");
    *len = end ? (size_t)(end - at) : strlen(at);
    return at;
}

int qemu_read_ports(const char *text, struct qemu_claims *q)
{
    size_t len = 0;
    const char *at = io_view(text, &len), *end;

    if (!at)
        return -EPROTO;
    for (end = at + len; at < end;) {
        size_t n = strcspn(at, "\r\n");
        char line[LINE_SIZE];

        snprintf(line, sizeof(line), "%.*s", n < sizeof(line) ? (int)n : LINE_SIZE - 1, at);
        read_range(line, q);
        at += n + strspn(at + n, "\r\n");
    }
    return 0;
}

static unsigned slot_clash(const struct qemu_claims *q, const struct qemu_rival *r, FILE *err)
{
    if (!r->slot || r->slot >= QEMU_SLOTS || !q->slot[r->slot][0])
        return 0;
    fprintf(err,
            "%s: PCI slot %u of %s is QEMU's already (%s); give the device another `slot`, 6 or "
            "above\n",
            r->vm, r->slot, r->name, q->slot[r->slot]);
    return 1;
}

static unsigned port_clash(const struct qemu_claims *q, const struct qemu_rival *r,
                           const struct iotp_window *w, FILE *err)
{
    for (unsigned i = 0; i < q->nports; i++) {
        const struct qemu_ports *p = &q->ports[i];

        if (w->base > p->last || w->base + w->size <= p->first)
            continue;
        fprintf(err,
                "%s: ports %#" PRIx64 " to %#" PRIx64
                " of %s meet %#x to %#x of QEMU's %s; set io_base to a free range\n",
                r->vm, w->base, w->base + w->size - 1, r->name, p->first, p->last, p->who);
        return 1;
    }
    return 0;
}

unsigned qemu_clashes(const struct qemu_claims *q, const struct qemu_rival *r, FILE *err)
{
    unsigned n = slot_clash(q, r, err);

    for (unsigned i = 0; i < r->info->nwindows && i < IOTP_MAX_WINDOWS; i++)
        if (r->info->window[i].space == NM_SPACE_PIO && r->info->window[i].size)
            n += port_clash(q, r, &r->info->window[i], err);
    return n;
}
