/* SPDX-License-Identifier: BSD-3-Clause */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "filemap.h"

#define XEN_NOTE_NAME            "Xen"
#define XEN_ELFNOTE_PHYS32_ENTRY 18 /* Xen public/elfnote.h */
#define MAX_PHDRS                64

/* A file being loaded; phdr is a private, aligned copy. */
struct loader {
    const uint8_t *file;
    size_t size;
    const struct elf_room *room;
    Elf64_Ehdr eh;
    Elf64_Phdr phdr[MAX_PHDRS];
    const char *why;
};

static int refuse(struct loader *l, int err, const char *why)
{
    l->why = why;
    return err;
}

/* Does [offset, offset + len) lie in a piece of `size` bytes? */
static bool inside(uint64_t offset, uint64_t len, uint64_t size)
{
    return offset <= size && len <= size - offset;
}

static int check_ident(struct loader *l)
{
    const Elf64_Ehdr *eh = &l->eh;

    if (l->size < sizeof(*eh) || memcmp(l->file, ELFMAG, SELFMAG) != 0)
        return refuse(l, -ENOEXEC, "not an ELF file");
    memcpy(&l->eh, l->file, sizeof(l->eh));
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
        eh->e_machine != EM_X86_64)
        return refuse(l, -ENOEXEC, "not a 64-bit x86 ELF file");
    if (eh->e_ident[EI_VERSION] != EV_CURRENT || eh->e_version != EV_CURRENT)
        return refuse(l, -ENOEXEC, "unknown ELF version");
    if (eh->e_type != ET_EXEC)
        return refuse(l, -ENOEXEC, "not an executable; link it statically and not as PIE");
    return 0;
}

static int read_phdrs(struct loader *l)
{
    const Elf64_Ehdr *eh = &l->eh;

    if (eh->e_phnum == 0 || eh->e_phnum > MAX_PHDRS)
        return refuse(l, -ENOEXEC, "no program headers, or more than 64");
    if (eh->e_phentsize != sizeof(Elf64_Phdr))
        return refuse(l, -ENOEXEC, "program headers of an unknown size");
    if (!inside(eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr), l->size))
        return refuse(l, -ENOEXEC, "program headers lie outside the file");
    memcpy(l->phdr, l->file + eh->e_phoff, eh->e_phnum * sizeof(Elf64_Phdr));
    return 0;
}

static int check_segment(struct loader *l, const Elf64_Phdr *p)
{
    if (p->p_filesz > p->p_memsz)
        return refuse(l, -ENOEXEC, "a segment has more bytes in the file than in memory");
    if (!inside(p->p_offset, p->p_filesz, l->size))
        return refuse(l, -ENOEXEC, "a segment lies outside the file");
    if (!inside(p->p_paddr, p->p_memsz, l->room->size))
        return refuse(l, -ERANGE, "a segment lies outside guest memory; give the VM more");
    if (p->p_paddr < l->room->floor)
        return refuse(l, -ERANGE, "a segment lies in low memory kept for start-up data");
    return 0;
}

static bool overlap(const Elf64_Phdr *a, const Elf64_Phdr *b)
{
    return a->p_paddr < b->p_paddr + b->p_memsz && b->p_paddr < a->p_paddr + a->p_memsz;
}

static int check_overlap(struct loader *l, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (l->phdr[i].p_type == PT_LOAD && l->phdr[i].p_memsz && overlap(&l->phdr[i], &l->phdr[n]))
            return refuse(l, -ENOEXEC, "two segments overlap");
    }
    return 0;
}

static void copy_segment(const struct loader *l, const Elf64_Phdr *p)
{
    uint8_t *to = l->room->mem + p->p_paddr;

    memcpy(to, l->file + p->p_offset, p->p_filesz);
    memset(to + p->p_filesz, 0, p->p_memsz - p->p_filesz);
}

static int load_segments(struct loader *l, struct elf_image *out)
{
    for (unsigned i = 0; i < l->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &l->phdr[i];
        int err;

        if (p->p_type != PT_LOAD || p->p_memsz == 0)
            continue;
        err = check_segment(l, p);
        if (!err)
            err = check_overlap(l, i);
        if (err)
            return err;
        copy_segment(l, p);
        if (p->p_paddr < out->low)
            out->low = p->p_paddr;
        if (p->p_paddr + p->p_memsz > out->high)
            out->high = p->p_paddr + p->p_memsz;
    }
    return out->high ? 0 : refuse(l, -ENOEXEC, "nothing to load: no PT_LOAD segment");
}

/* The entry is a virtual address; guests are identity-mapped, so the segment's addresses agree. */
static int check_entry(struct loader *l)
{
    uint64_t entry = l->eh.e_entry;

    for (unsigned i = 0; i < l->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &l->phdr[i];

        if (p->p_type != PT_LOAD || entry < p->p_vaddr || entry - p->p_vaddr >= p->p_memsz)
            continue;
        if (p->p_vaddr != p->p_paddr)
            return refuse(l, -ENOEXEC, "not linked at its physical address");
        return 0;
    }
    return refuse(l, -ENOEXEC, "the entry point lies outside its segments");
}

/* Notes are padded to four bytes, name and descriptor each. */
static uint64_t pad4(uint32_t n)
{
    return ((uint64_t)n + 3) & ~3ull;
}

static uint32_t find_pvh_note(const uint8_t *notes, uint64_t left)
{
    Elf64_Nhdr n;

    while (left >= sizeof(n)) {
        uint64_t desc, next;
        uint32_t entry;

        memcpy(&n, notes, sizeof(n));
        desc = sizeof(n) + pad4(n.n_namesz);
        next = desc + pad4(n.n_descsz);
        if (next > left)
            return 0;
        if (n.n_type == XEN_ELFNOTE_PHYS32_ENTRY && n.n_namesz == sizeof(XEN_NOTE_NAME) &&
            n.n_descsz >= sizeof(entry) &&
            memcmp(notes + sizeof(n), XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)) == 0) {
            memcpy(&entry, notes + desc, sizeof(entry));
            return entry;
        }
        notes += next;
        left -= next;
    }
    return 0;
}

static void read_notes(const struct loader *l, struct elf_image *out)
{
    for (unsigned i = 0; i < l->eh.e_phnum && !out->pvh_entry; i++) {
        const Elf64_Phdr *p = &l->phdr[i];

        if (p->p_type == PT_NOTE && inside(p->p_offset, p->p_filesz, l->size))
            out->pvh_entry = find_pvh_note(l->file + p->p_offset, p->p_filesz);
    }
}

/* A 32-bit physical address. */
static int check_pvh_entry(struct loader *l, uint32_t entry)
{
    for (unsigned i = 0; i < l->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &l->phdr[i];

        if (p->p_type == PT_LOAD && entry >= p->p_paddr && entry - p->p_paddr < p->p_memsz)
            return 0;
    }
    return refuse(l, -ENOEXEC,
                  entry ? "the PVH entry point lies outside its segments"
                        : "as an ELF file it needs a PVH entry point, and has none");
}

int elf_load(const uint8_t *file, size_t size, const struct elf_room *room, struct elf_image *out,
             const char **why)
{
    struct loader l = {.file = file, .size = size, .room = room, .why = ""};
    struct elf_image img = {.low = UINT64_MAX};
    int err;

    err = check_ident(&l);
    if (!err)
        err = read_phdrs(&l);
    if (!err)
        err = load_segments(&l, &img);
    if (!err)
        read_notes(&l, &img);
    if (!err)
        err = room->pvh ? check_pvh_entry(&l, img.pvh_entry) : check_entry(&l);
    *why = l.why;
    if (err)
        return err;
    img.entry = l.eh.e_entry;
    *out = img;
    return 0;
}

int elf_load_path(const char *path, const struct elf_room *room, struct elf_image *out,
                  const char **why)
{
    struct filemap f;
    int err = filemap_open(path, ELF_MAX_FILE, &f, why);

    if (err)
        return err;
    err = elf_load(f.data, f.size, room, out, why);
    filemap_close(&f);
    return err;
}
