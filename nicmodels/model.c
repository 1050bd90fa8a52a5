/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of models, and saved states. */
#include "model.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "models.h"

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "saved states hold registers as they are");

static const struct nm_model *const models[] = {
    &nm_ne2000, &nm_rtl8029, &nm_rtl8139, &nm_rtl8139cp, &nm_e1000, &nm_virtio_net,
};

#define NMODELS (sizeof(models) / sizeof(models[0]))

const struct nm_model *nm_model_at(unsigned i)
{
    return i < NMODELS ? models[i] : NULL;
}

int nm_check_mac(const uint8_t mac[6], const char **why)
{
    static const uint8_t zero[6];

    if (!(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)))
        return 0;
    *why = "mac: a device's own address must be neither a group address nor all zeroes";
    return -EINVAL;
}

const struct nm_model *nm_model_find(const char *name)
{
    for (unsigned i = 0; i < NMODELS; i++)
        if (!strcmp(models[i]->name, name))
            return models[i];
    return NULL;
}

#define IMAGE_MAGIC   "coopvmNM"
#define IMAGE_VERSION 1

/* How an image begins; regs and ram follow. */
struct image_hdr {
    char magic[8];
    uint32_t version;       /* of this layout */
    uint32_t model_version; /* nm_model.version */
    char model[32];         /* its name, padded with NULs */
    uint32_t regs_size;
    uint32_t ram_size;
};
_Static_assert(sizeof(struct image_hdr) == 56, "image layout");

static void header_of(const struct nm_model *m, struct image_hdr *h)
{
    *h = (struct image_hdr){
        .version = IMAGE_VERSION,
        .model_version = m->version,
        .regs_size = m->regs_size,
        .ram_size = m->ram_size,
    };
    memcpy(h->magic, IMAGE_MAGIC, sizeof(h->magic));
    strncpy(h->model, m->name, sizeof(h->model) - 1);
}

size_t nm_save_size(const struct nm_dev *d)
{
    return sizeof(struct image_hdr) + d->model->regs_size + d->model->ram_size;
}

long nm_save(const struct nm_dev *d, void *image, size_t size)
{
    const struct nm_model *m = d->model;
    struct image_hdr h;
    uint8_t *p = image;

    if (size < nm_save_size(d))
        return -ENOSPC;
    header_of(m, &h);
    memcpy(p, &h, sizeof(h));
    memcpy(p + sizeof(h), d->regs, m->regs_size);
    memcpy(p + sizeof(h) + m->regs_size, d->ram, m->ram_size);
    return (long)nm_save_size(d);
}

static const char *header_differs(const struct image_hdr *is, const struct image_hdr *want)
{
    if (memcmp(is->magic, want->magic, sizeof(is->magic)) || is->version != want->version)
        return "this is not a saved device, or one of another version of coopvmm";
    if (memcmp(is->model, want->model, sizeof(is->model)))
        return "the saved device is of another model";
    if (is->model_version != want->model_version || is->regs_size != want->regs_size ||
        is->ram_size != want->ram_size)
        return "the saved device is of another version of its model";
    return NULL;
}

int nm_load(struct nm_dev *d, const void *image, size_t size, const char **why)
{
    const struct nm_model *m = d->model;
    _Alignas(16) uint8_t regs[NM_MAX_REGS];
    struct nm_dev copy = *d;
    struct image_hdr is, want;
    const uint8_t *p = image;

    *why = "the saved device is cut short or has something behind it";
    if (size != nm_save_size(d))
        return -EPROTO;
    memcpy(&is, p, sizeof(is));
    header_of(m, &want);
    *why = header_differs(&is, &want);
    if (*why)
        return -EPROTO;
    memcpy(regs, p + sizeof(is), m->regs_size);
    copy.regs = regs;
    if (m->validate(&copy, why))
        return -EPROTO;
    memcpy(d->regs, regs, m->regs_size);
    memcpy(d->ram, p + sizeof(is) + m->regs_size, m->ram_size);
    d->changed = true;
    return 0;
}
