/* SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STATE_MAGIC   0x54534d56u /* "VMST" */
#define STATE_VERSION 1
#define STATE_RAM     8192 /* where ram starts, bytes */

/* The first page: what this is; which image is current. */
struct state_hdr {
    uint32_t magic, version;
    char model[32];
    uint32_t model_version, regs_size, ram_size;
    uint32_t current; /* 0: none yet; 1, 2: image 0 or 1 */
};

struct state_image {
    struct state_record rec;
    uint8_t regs[NM_MAX_REGS];
} __attribute__((aligned(64)));

struct state_file {
    struct state_hdr hdr __attribute__((aligned(64)));
    struct state_image image[2];
};
_Static_assert(sizeof(struct state_file) <= STATE_RAM, "header and images run into ram");

struct state {
    struct state_file *file;
    uint64_t size;
    uint32_t regs_size; /* private copy */
    uint32_t current;   /* private copy: the VMM may scribble over the one in the file */
};

uint64_t state_size(const struct nm_model *m)
{
    return STATE_RAM + ((uint64_t)m->ram_size + 4095) / 4096 * 4096;
}

static struct state_hdr header_of(const struct nm_model *m)
{
    struct state_hdr h = {
        .magic = STATE_MAGIC,
        .version = STATE_VERSION,
        .model_version = m->version,
        .regs_size = m->regs_size,
        .ram_size = m->ram_size,
    };

    strncpy(h.model, m->name, sizeof(h.model) - 1);
    return h;
}

/* To the byte, but for which image is current. */
static bool header_fits(const struct state_hdr *h, const struct nm_model *m)
{
    struct state_hdr want = header_of(m);

    want.current = h->current;
    return h->current <= 2 && !memcmp(h, &want, sizeof(want));
}

int state_map(int fd, const struct nm_model *m, bool fresh, struct state **out, const char **why)
{
    struct state *s = calloc(1, sizeof(*s));
    struct state_hdr h;

    if (!s)
        return -ENOMEM;
    s->size = state_size(m);
    s->regs_size = m->regs_size;
    s->file = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (s->file == MAP_FAILED) {
        int err = -errno;

        free(s);
        return err;
    }
    if (fresh)
        s->file->hdr = header_of(m);
    h = s->file->hdr;
    if (!header_fits(&h, m)) {
        *why = "the saved state is of another device model or version; start the VM anew";
        state_unmap(s);
        return -EPROTO;
    }
    s->current = h.current;
    *out = s;
    return 0;
}

void state_unmap(struct state *s)
{
    munmap(s->file, s->size);
    free(s);
}

uint8_t *state_ram(struct state *s)
{
    return (uint8_t *)s->file + STATE_RAM;
}

bool state_load(const struct state *s, void *regs, struct state_record *rec)
{
    const struct state_image *im;

    if (!s->current)
        return false;
    im = &s->file->image[s->current - 1];
    *rec = im->rec;
    memcpy(regs, im->regs, s->regs_size);
    return true;
}

void state_commit(struct state *s, const void *regs, const struct state_record *rec)
{
    uint32_t next = s->current == 1 ? 2 : 1;
    struct state_image *im = &s->file->image[next - 1];

    im->rec = *rec;
    memcpy(im->regs, regs, s->regs_size);
    s->current = next;
    /* The process may be killed between any two stores, and the kernel shows its successor what was
     * stored; so the order of the stores is all that counts, and a release keeps it. */
    __atomic_store_n(&s->file->hdr.current, next, __ATOMIC_RELEASE);
}
