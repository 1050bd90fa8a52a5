/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guests of a few instructions for the engines' suites. A guest is written as assembly text in the
 * test; it is wrapped into an ELF file in memory and started through the VM's own interface, so
 * that loader, bus and engine are the real ones. It tells its verdict by exiting with a status.
 */
#ifndef COOPVMM_TESTS_ENGINE_H
#define COOPVMM_TESTS_ENGINE_H

#include <CUnit/CUnit.h>
#include <elf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../coopvmm/vm.h"
#include "cu_main.h"

#define GUEST_BASE   0x100000u
#define GUEST_MEMORY 2u            /* MiB */
#define GUEST_MMIO   0x70000000ull /* the card's window; below what ASan keeps for itself */
#define PATIENCE_MS  10000

/*
 * What guests use. STACK sets up a stack; EXIT ends with the status in AL; GATE vector, label
 * points an IDT entry at a label (the IDT is at 0x140000); LOAD_IDT; SEND vector: an IPI to
 * oneself.
 */
#define GUEST_MACROS                                                                               \
    ".macro STACK\n mov $0x180000, %esp\n .endm\n"                                                 \
    ".macro EXIT\n mov $0x501, %dx\n out %al, %dx\n hlt\n .endm\n"                                 \
    ".macro STATUS n\n mov $\\n, %al\n EXIT\n .endm\n"                                             \
    ".macro GATE vector, label\n lea \\label(%rip), %rax\n mov $0x140000 + 16 * \\vector, %edi\n"  \
    " mov %ax, (%rdi)\n movw $8, 2(%rdi)\n movw $0x8e00, 4(%rdi)\n shr $16, %rax\n"                \
    " mov %ax, 6(%rdi)\n shr $16, %rax\n mov %eax, 8(%rdi)\n .endm\n"                              \
    ".macro LOAD_IDT\n movw $0xfff, 0x150000\n movq $0x140000, 0x150002\n lidt 0x150000\n .endm\n" \
    ".macro SEND vector\n mov $0x83f, %ecx\n mov $\\vector, %eax\n xor %edx, %edx\n wrmsr\n"       \
    " .endm\n"                                                                                     \
    ".macro EOI\n mov $0x80b, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n .endm\n"

__asm__(GUEST_MACROS);

/* Defines guest `name`. Numeric labels only, or \-names with the guest's name in them. */
#define GUEST(name, text)                                                                          \
    __asm__(".pushsection .rodata\n .globl guest_" #name ", guest_" #name "_end\n"                 \
            "guest_" #name ":\n" text "\nguest_" #name "_end:\n .popsection\n");                   \
    extern const uint8_t guest_##name[], guest_##name##_end[]
#define GUEST_CODE(name) guest_##name, (size_t)(guest_##name##_end - guest_##name)

/* A VM of one's own. */
struct guest {
    struct cfg cfg;
    struct cfg_vm c;
    struct cfg_device nic;
    int cores[8];
    char kernel[32];
    int kernel_fd;
    struct vm *vm;
};

/* An executable of one segment that is entered at its beginning. */
static inline int guest_elf(const uint8_t *code, size_t len)
{
    const struct {
        Elf64_Ehdr eh;
        Elf64_Phdr ph;
    } head = {
        .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = GUEST_BASE,
               .e_phoff = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 1},
        .ph = {.p_type = PT_LOAD,
               .p_offset = sizeof(head),
               .p_vaddr = GUEST_BASE,
               .p_paddr = GUEST_BASE,
               .p_filesz = len,
               .p_memsz = len},
    };
    int fd = memfd_create("guest", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, &head, sizeof(head)), (ssize_t)sizeof(head));
    CU_ASSERT_EQUAL_FATAL(write(fd, code, len), (ssize_t)len);
    return fd;
}

static inline void guest_create(struct guest *g, enum cfg_engine engine, const uint8_t *code,
                                size_t len, unsigned vcpus)
{
    *g = (struct guest){.kernel_fd = guest_elf(code, len)};
    snprintf(g->kernel, sizeof(g->kernel), "/proc/self/fd/%d", g->kernel_fd);
    for (unsigned i = 0; i < 8; i++)
        g->cores[i] = CFG_ANY;
    g->nic = (struct cfg_device){.model = "ne2000",
                                 .name = "ne2000.0",
                                 .mac = "52:54:00:12:34:56",
                                 .placement = CFG_PLACE_INLINE,
                                 .mmio_base = GUEST_MMIO};
    g->c = (struct cfg_vm){.name = "guest",
                           .engine = engine,
                           .memory = GUEST_MEMORY,
                           .vcpus = vcpus,
                           .cores = g->cores,
                           .cores_count = vcpus,
                           .node = CFG_ANY,
                           .kernel = g->kernel,
                           .cmdline = "test=1",
                           .spin_us = 20,
                           .devices = &g->nic,
                           .devices_count = 1};
    g->cfg = (struct cfg){.name = "test", .path = "/test.yaml", .vms = &g->c, .vms_count = 1};
    CU_ASSERT_EQUAL_FATAL(vm_create(&g->cfg, &g->c, NULL, stderr, &g->vm), 0);
}

static inline void guest_destroy(struct guest *g)
{
    vm_destroy(g->vm);
    close(g->kernel_fd);
}

#define RAN_ON  (-1) /* it neither exited nor crashed in time */
#define CRASHED (-2)

/* @return the guest's exit status, or one of the above */
static inline int guest_wait(struct guest *g, int timeout_ms)
{
    struct pollfd p = {.fd = g->vm->end_fd, .events = POLLIN};

    if (poll(&p, 1, timeout_ms) != 1)
        return RAN_ON;
    return g->vm->end == VM_GUEST_EXIT ? g->vm->exit_status : CRASHED;
}

/* Runs a guest to its end. */
static inline int guest_run(enum cfg_engine engine, const uint8_t *code, size_t len, unsigned vcpus)
{
    struct guest g;
    int status;

    guest_create(&g, engine, code, len, vcpus);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    status = guest_wait(&g, PATIENCE_MS);
    guest_destroy(&g);
    return status;
}

static inline uint64_t guest_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

#endif
