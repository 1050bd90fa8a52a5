/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../coopvmm/boot.h"
#include "../../coopvmm/elf.h"
#include "cu_main.h"

#define MEMORY (4u << 20)
#define BASE   0x100000u

/* An ELF file of two segments and a note, to be spoilt. */
struct file {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[3];
    struct {
        Elf64_Nhdr n;
        char name[4];
        uint32_t entry;
    } note;
    uint8_t code[16], data[8];
};

static uint8_t *mem;

static struct file good(void)
{
    struct file f = {
        .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = BASE + 4,
               .e_phoff = offsetof(struct file, ph),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 3},
        .ph = {{.p_type = PT_LOAD,
                .p_offset = offsetof(struct file, code),
                .p_vaddr = BASE,
                .p_paddr = BASE,
                .p_filesz = 16,
                .p_memsz = 16},
               {.p_type = PT_LOAD,
                .p_offset = offsetof(struct file, data),
                .p_vaddr = BASE + 0x1000,
                .p_paddr = BASE + 0x1000,
                .p_filesz = 8,
                .p_memsz = 64},
               {.p_type = PT_NOTE,
                .p_offset = offsetof(struct file, note),
                .p_filesz = sizeof(f.note)}},
        .note = {{4, 4, 18}, "Xen", BASE + 8},
        .code = "0123456789abcdef",
        .data = "datadat",
    };
    return f;
}

static int load(const void *file, size_t size, struct elf_image *img)
{
    const struct elf_room room = {.mem = mem, .size = MEMORY, .floor = BOOT_END};
    const char *why = NULL;
    int err = elf_load(file, size, &room, img, &why);

    CU_ASSERT_PTR_NOT_NULL(why);
    CU_ASSERT(err == 0 || why[0] != 0);
    return err;
}

static int load_file(struct file f)
{
    struct elf_image img;

    return load(&f, sizeof(f), &img);
}

static void test_good(void)
{
    struct file f = good();
    struct elf_image img;

    memset(mem, 0xcc, MEMORY);
    CU_ASSERT_EQUAL(load(&f, sizeof(f), &img), 0);
    CU_ASSERT_EQUAL(img.entry, BASE + 4);
    CU_ASSERT_EQUAL(img.low, BASE);
    CU_ASSERT_EQUAL(img.high, BASE + 0x1040);
    CU_ASSERT_EQUAL(img.pvh_entry, BASE + 8);
    CU_ASSERT_EQUAL(memcmp(mem + BASE, "0123456789abcdef", 16), 0);
    CU_ASSERT_EQUAL(mem[BASE + 16], 0xcc);  /* not a byte more */
    CU_ASSERT_EQUAL(mem[BASE + 0x1008], 0); /* the part without bytes in the file */
    CU_ASSERT_EQUAL(mem[BASE + 0x103f], 0);
    CU_ASSERT_EQUAL(mem[BASE + 0x1040], 0xcc);
}

/* Each truncation of a good file is refused or harmless; ASan watches the reads. */
static void test_truncated(void)
{
    const struct file f = good();
    struct elf_image img;

    for (size_t size = 0; size < offsetof(struct file, data) + sizeof(f.data); size++) {
        uint8_t *exact = malloc(size ? size : 1);

        memcpy(exact, &f, size);
        CU_ASSERT_EQUAL(load(exact, size, &img), -ENOEXEC);
        free(exact);
    }
}

static void test_not_elf(void)
{
    struct file f = good();

    f.eh.e_ident[0] = 0;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_ident[EI_CLASS] = ELFCLASS32;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_machine = EM_AARCH64;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_type = ET_DYN;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_phnum = 0;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_phnum = 65;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.eh.e_phoff = UINT64_MAX - 8;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
}

static void test_bad_segments(void)
{
    struct file f = good();

    f.ph[1].p_filesz = UINT64_MAX;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.ph[1].p_offset = UINT64_MAX - 4;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.ph[1].p_memsz = UINT64_MAX;
    CU_ASSERT_EQUAL(load_file(f), -ERANGE);
    f = good();
    f.ph[1].p_paddr = UINT64_MAX - 16;
    CU_ASSERT_EQUAL(load_file(f), -ERANGE);
    f = good();
    f.ph[1].p_paddr = MEMORY - 63;
    CU_ASSERT_EQUAL(load_file(f), -ERANGE);
    f = good();
    f.ph[1].p_paddr = BOOT_CMDLINE;
    CU_ASSERT_EQUAL(load_file(f), -ERANGE);
    f = good();
    f.ph[1].p_paddr = BASE + 15;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
}

static void test_entry_and_note(void)
{
    struct file f = good();
    struct elf_image img;

    f.eh.e_entry = BASE + 16;
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.ph[0].p_vaddr = BASE + 4; /* linked elsewhere than loaded */
    CU_ASSERT_EQUAL(load_file(f), -ENOEXEC);
    f = good();
    f.note.n.n_descsz = UINT32_MAX;
    CU_ASSERT_EQUAL(load(&f, sizeof(f), &img), 0);
    CU_ASSERT_EQUAL(img.pvh_entry, 0);
    f = good();
    f.note.n.n_namesz = UINT32_MAX;
    CU_ASSERT_EQUAL(load(&f, sizeof(f), &img), 0);
    CU_ASSERT_EQUAL(img.pvh_entry, 0);
    f = good();
    f.ph[2].p_offset = UINT64_MAX;
    CU_ASSERT_EQUAL(load(&f, sizeof(f), &img), 0);
    CU_ASSERT_EQUAL(img.pvh_entry, 0);
}

static void test_paths(void)
{
    const struct elf_room room = {.mem = mem, .size = MEMORY, .floor = BOOT_END};
    struct elf_image img;
    const char *why = NULL;

    CU_ASSERT_EQUAL(elf_load_path("/nowhere/kernel", &room, &img, &why), -ENOENT);
    CU_ASSERT_EQUAL(elf_load_path("/", &room, &img, &why), -ENOEXEC);
    CU_ASSERT_EQUAL(elf_load_path("/dev/zero", &room, &img, &why), -ENOEXEC);
}

static void test_boot(void)
{
    const struct file f = good();
    struct hvm_start_info info;
    struct elf_image img;
    char path[32], longest[BOOT_CMDLINE_MAX + 2];
    const char *why = "";
    int fd = memfd_create("kernel", MFD_CLOEXEC);

    CU_ASSERT_EQUAL_FATAL(write(fd, &f, sizeof(f)), sizeof(f));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    memset(longest, 'x', sizeof(longest));
    longest[BOOT_CMDLINE_MAX + 1] = 0;
    CU_ASSERT_EQUAL(boot_load(mem, MEMORY, path, longest, &img, &why), -EINVAL);
    longest[BOOT_CMDLINE_MAX] = 0;
    CU_ASSERT_EQUAL(boot_load(mem, MEMORY, path, longest, &img, &why), 0);
    CU_ASSERT_EQUAL(boot_load(mem, BOOT_MIN_MEMORY - 1, path, "", &img, &why), -EINVAL);
    CU_ASSERT_EQUAL(boot_load(mem, MEMORY, path, "mode=echo", &img, &why), 0);
    memcpy(&info, mem + BOOT_START_INFO, sizeof(info));
    CU_ASSERT_EQUAL(info.magic, HVM_START_MAGIC_VALUE);
    CU_ASSERT_STRING_EQUAL((char *)mem + info.cmdline_paddr, "mode=echo");
    CU_ASSERT_EQUAL(info.memmap_entries, 1);
    CU_ASSERT_EQUAL(((struct hvm_memmap_table_entry *)(mem + info.memmap_paddr))->size, MEMORY);
    close(fd);
}

/* Walks the tables as the CPU does. @return the physical address, UINT64_MAX: not mapped */
static uint64_t walk(uint64_t linear)
{
    uint64_t table = BOOT_PML4, entry;

    for (int shift = 39; shift >= 21; shift -= 9) {
        memcpy(&entry, mem + table + (linear >> shift & 511) * 8, 8);
        if (!(entry & 1))
            return UINT64_MAX;
        if (entry & 0x80)
            return (entry & ~0xfffull) + (linear & ((1ull << shift) - 1));
        table = entry & ~0xfffull;
    }
    return UINT64_MAX;
}

static void test_page_tables(void)
{
    static const uint64_t low[] = {0, 0x1fffff, 0x200000, 0x12345678, 0xfee00000, 0xffffffff};
    static const uint64_t high[] = {0x100000000, 0x7fffffffff};

    memset(mem, 0, BOOT_END);
    boot_page_tables(mem, 0);
    for (unsigned i = 0; i < sizeof(low) / sizeof(low[0]); i++)
        CU_ASSERT_EQUAL(walk(low[i]), low[i]);
    CU_ASSERT_EQUAL(walk(high[0]), UINT64_MAX);
    boot_page_tables(mem, 1);
    for (unsigned i = 0; i < sizeof(high) / sizeof(high[0]); i++)
        CU_ASSERT_EQUAL(walk(high[i]), high[i]);
    CU_ASSERT_EQUAL(walk(0x8000000000), UINT64_MAX);
}

static void with_memory(void (*test)(void))
{
    mem = malloc(MEMORY);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
    test();
    free(mem);
}

#define TEST(name)                                                                                 \
    static void run_##name(void)                                                                   \
    {                                                                                              \
        with_memory(test_##name);                                                                  \
    }
TEST(good)
TEST(truncated)
TEST(not_elf)
TEST(bad_segments)
TEST(entry_and_note)
TEST(paths)
TEST(boot)
TEST(page_tables)

const char *const suite_name = "elf";
const struct cu_test suite_tests[] = {
    {"a good file is loaded, no byte more", run_good},
    {"truncated files are refused", run_truncated},
    {"other files are refused", run_not_elf},
    {"segments that do not fit are refused", run_bad_segments},
    {"entry point and PVH note", run_entry_and_note},
    {"paths that are no kernels", run_paths},
    {"start info and command line", run_boot},
    {"identity page tables", run_page_tables},
    {NULL, NULL},
};
