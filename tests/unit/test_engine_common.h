/* SPDX-License-Identifier: BSD-3-Clause */
/* What a freestanding guest may rely on with every engine; the suite says which: ENGINE. */
#ifndef COOPVMM_TESTS_ENGINE_COMMON_H
#define COOPVMM_TESTS_ENGINE_COMMON_H

#include "test_engine.h"

GUEST(exit, "STATUS 42");

GUEST(entry, /* RBX, RSI, command line, long mode, interrupts off */
      "STACK\n cmp $0, %rsi\n jne 1f\n cmpl $0x336ec578, (%rbx)\n jne 2f\n"
      "mov 24(%rbx), %rax\n mov (%rax), %rax\n mov $0x313d74736574, %rcx\n" /* "test=1" */
      "cmp %rcx, %rax\n jne 3f\n mov $0xc0000080, %ecx\n rdmsr\n test $0x400, %eax\n jz 4f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4");

GUEST(unclaimed, /* an access nobody answers reads all ones, whatever its size; writes vanish */
      "mov $0x7777, %dx\n xor %eax, %eax\n in %dx, %al\n cmp $0xff, %eax\n jne 1f\n"
      "in %dx, %ax\n cmp $0xffff, %eax\n jne 1f\n in %dx, %eax\n cmp $-1, %eax\n jne 1f\n"
      "out %al, %dx\n out %eax, %dx\n mov 0x60000000, %rax\n cmp $-1, %rax\n jne 2f\n"
      "movq $0, 0x60000000\n movzbl 0x60000000, %eax\n cmp $0xff, %eax\n jne 2f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2");

GUEST(registers, /* an access changes no register but its own */
      "STACK\n mov $0x11, %rbx\n mov $0x22, %rbp\n mov $0x33, %r8\n mov $0x44, %r15\n"
      "mov $0x80, %edx\n mov $0x1122334455667788, %rax\n in %dx, %al\n"
      "mov $0x11223344556677ff, %rcx\n cmp %rcx, %rax\n jne 1f\n cmp $0x11, %rbx\n jne 1f\n"
      "cmp $0x22, %rbp\n jne 1f\n cmp $0x33, %r8\n jne 1f\n cmp $0x44, %r15\n jne 1f\n"
      "in %dx, %eax\n shr $32, %rax\n jnz 2f\n" /* 32-bit results clear the upper half */
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2");

GUEST(strings, /* 5000 bytes in from nowhere: all ones, registers where the CPU leaves them */
      "STACK\n mov $0x160000, %edi\n mov $5000, %ecx\n mov $0x80, %edx\n cld\n rep insb\n"
      "test %rcx, %rcx\n jnz 1f\n cmp $0x160000 + 5000, %rdi\n jne 1f\n"
      "cmpb $0xff, -1(%rdi)\n jne 2f\n cmpb $0, (%rdi)\n jne 2f\n"
      "mov $0x160000, %esi\n mov $5000, %ecx\n rep outsb\n test %rcx, %rcx\n jnz 3f\n"
      "cmp $0x160000 + 5000, %rsi\n jne 3f\n std\n mov $100, %ecx\n mov $0x160000 + 398, %edi\n"
      "rep insl\n test %rcx, %rcx\n jnz 4f\n cmp $0x160000 - 2, %rdi\n jne 4f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4");

/* Remote DMA of the NE2000 both ways: 1000 words through the data port, by strings. */
GUEST(
    nic_strings,
    "STACK\n cld\n mov $0x160000, %edi\n mov $1000, %ecx\n 1: mov %ecx, %eax\n imul $40503, %eax\n"
    "stosw\n loop 1b\n"
    ".macro REMOTE command\n mov $0x308, %edx\n xor %eax, %eax\n out %al, %dx\n inc %edx\n"
    " mov $0x40, %al\n out %al, %dx\n inc %edx\n mov $0xd0, %al\n out %al, %dx\n inc %edx\n"
    " mov $7, %al\n out %al, %dx\n mov $0x300, %edx\n mov $\\command, %al\n out %al, %dx\n .endm\n"
    "mov $0x30e, %edx\n mov $0x49, %al\n out %al, %dx\n REMOTE 0x12\n"
    "mov $0x310, %edx\n mov $0x160000, %esi\n mov $1000, %ecx\n rep outsw\n"
    "REMOTE 0x0a\n mov $0x310, %edx\n mov $0x170000, %edi\n mov $1000, %ecx\n rep insw\n"
    "mov $0x160000, %esi\n mov $0x170000, %edi\n mov $1000, %ecx\n repe cmpsw\n jne 2f\n"
    "STATUS 0\n 2: STATUS 1");

/* The card's registers in memory: read, write, read-modify-write. BNRY is offset 3. */
GUEST(mmio,
      "mov $0x70000000, %ebx\n movb $0x21, (%rbx)\n movb $0x4c, 3(%rbx)\n movzbl 3(%rbx), %eax\n"
      "cmp $0x4c, %eax\n jne 1f\n orb $1, 3(%rbx)\n cmpb $0x4d, 3(%rbx)\n jne 2f\n"
      "incb 3(%rbx)\n mov $0x303, %dx\n in %dx, %al\n cmp $0x4e, %al\n jne 3f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3");

GUEST(self_ipi, /* pending while IF is clear, taken after STI, IF clear in the handler */
      "STACK\n GATE 0xf0, 7f\n LOAD_IDT\n xor %r8d, %r8d\n SEND 0xf0\n nop\n nop\n"
      "test %r8d, %r8d\n jnz 1f\n 3: sti\n hlt\n cli\n cmp $1, %r8d\n jne 2f\n"
      "SEND 0xf0\n sti\n 4: pause\n cmp $2, %r8d\n jne 4b\n STATUS 0\n"
      "1: STATUS 1\n 2: STATUS 2\n"
      "7: inc %r8d\n EOI\n iretq");

GUEST(priority, /* the higher class first, the lower only after EOI and IRET */
      "STACK\n GATE 0x40, 7f\n GATE 0x80, 8f\n LOAD_IDT\n xor %r8d, %r8d\n"
      "SEND 0x40\n SEND 0x80\n sti\n 3: pause\n cmp $0x21, %r8d\n jb 3b\n"
      "cmp $0x21, %r8d\n jne 1f\n STATUS 0\n 1: STATUS 1\n"
      "7: shl $4, %r8d\n or $1, %r8d\n EOI\n iretq\n" /* 0x40 second: 2 -> 0x21 */
      "8: shl $4, %r8d\n or $2, %r8d\n EOI\n iretq");

GUEST(ipi_smp, /* vCPU 0 wakes vCPU 1 from HLT and waits for its handler */
      "cmp $1, %rsi\n je 5f\n STACK\n 1: cmpl $1, 0x160000\n jne 1b\n"
      "mov $0x830, %ecx\n mov $0xf0, %eax\n mov $1, %edx\n wrmsr\n"
      "2: pause\n cmpl $2, 0x160000\n jne 2b\n STATUS 0\n"
      "5: mov $0x190000, %esp\n GATE 0xf0, 7f\n LOAD_IDT\n movl $1, 0x160000\n"
      "6: sti\n hlt\n jmp 6b\n"
      "7: movl $2, 0x160000\n EOI\n iretq");

GUEST(line, /* ten edges of line 5, one after the other */
      "STACK\n GATE 0x25, 7f\n LOAD_IDT\n xor %r8d, %r8d\n movl $1, 0x160000\n"
      "1: sti\n hlt\n cli\n cmp $10, %r8d\n jb 1b\n STATUS 0\n"
      "7: inc %r8d\n mov %r8d, 0x160004\n push %rcx\n push %rax\n push %rdx\n EOI\n"
      "pop %rdx\n pop %rax\n pop %rcx\n iretq");

GUEST(exceptions, /* #UD and #DE go to the guest's handlers */
      "STACK\n GATE 6, 7f\n GATE 0, 8f\n LOAD_IDT\n xor %r8d, %r8d\n ud2\n"
      "cmp $1, %r8d\n jne 1f\n xor %edx, %edx\n xor %eax, %eax\n xor %ecx, %ecx\n div %ecx\n"
      "cmp $2, %r8d\n jne 2f\n STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n"
      "7: inc %r8d\n addq $2, (%rsp)\n iretq\n 8: inc %r8d\n addq $2, (%rsp)\n iretq");

GUEST(ud_without_idt, "ud2");
GUEST(spin, "1: jmp 1b");
GUEST(sleep_for_ever, "cli\n 1: hlt\n jmp 1b");

/* A machine without KVM runs none of its tests, and each says so. */
static bool engine_is_there(void)
{
    if (ENGINE != CFG_ENGINE_KVM || access("/dev/kvm", R_OK | W_OK) == 0)
        return true;
    printf("\nskip - kvm engine: there is no usable /dev/kvm\n");
    return false;
}

#define EXPECT(name, vcpus, status)                                                                \
    static void test_##name(void)                                                                  \
    {                                                                                              \
        if (engine_is_there())                                                                     \
            CU_ASSERT_EQUAL(guest_run(ENGINE, GUEST_CODE(name), vcpus), status);                   \
    }

EXPECT(exit, 1, 42)
EXPECT(entry, 1, 0)
EXPECT(unclaimed, 1, 0)
EXPECT(registers, 1, 0)
EXPECT(strings, 1, 0)
EXPECT(nic_strings, 1, 0)
EXPECT(mmio, 1, 0)
EXPECT(self_ipi, 1, 0)
EXPECT(priority, 1, 0)
EXPECT(ipi_smp, 2, 0)
EXPECT(exceptions, 1, 0)
EXPECT(ud_without_idt, 1, CRASHED)

static uint32_t guest_word(const struct guest *g, uint64_t at)
{
    return __atomic_load_n((uint32_t *)(g->vm->mem.host + at), __ATOMIC_ACQUIRE);
}

/* Waits until the guest has stored `want`. @return false: not in time */
static bool guest_reached(const struct guest *g, uint64_t at, uint32_t want)
{
    uint64_t start = guest_now_ms();

    while (guest_word(g, at) < want) {
        if (guest_now_ms() - start > PATIENCE_MS)
            return false;
        usleep(100);
    }
    return true;
}

/* An I/O core writes eight bytes to the line's descriptor; nothing else wakes the guest. */
static void test_line(void)
{
    const uint64_t one = 1;
    struct guest g;
    int fd;

    if (!engine_is_there())
        return;
    guest_create(&g, ENGINE, GUEST_CODE(line), 1);
    fd = g.vm->engine->irq_fd(g.vm, 5);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(g.vm->engine->irq_fd(g.vm, 5), fd);
    CU_ASSERT(g.vm->engine->irq_fd(g.vm, 1000) < 0);
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT(guest_reached(&g, 0x160000, 1));
    for (uint32_t i = 1; i <= 10; i++) {
        CU_ASSERT_EQUAL(write(fd, &one, sizeof(one)), 8);
        CU_ASSERT(guest_reached(&g, 0x160004, i));
        if (i % 2)
            usleep(2000); /* longer than it spins: it sleeps */
    }
    CU_ASSERT_EQUAL(guest_wait(&g, PATIENCE_MS), 0);
    guest_destroy(&g);
}

/* An edge from before the vCPU ran is not lost. */
static void test_early_edge(void)
{
    const uint64_t one = 1;
    struct guest g;
    int fd;

    if (!engine_is_there())
        return;
    guest_create(&g, ENGINE, GUEST_CODE(line), 1);
    fd = g.vm->engine->irq_fd(g.vm, 5);
    CU_ASSERT_EQUAL(write(fd, &one, sizeof(one)), 8);
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT(guest_reached(&g, 0x160004, 1));
    guest_destroy(&g);
}

/* A vCPU that does not trap, and one that sleeps with interrupts off, still stop at once. */
static void stops(const uint8_t *code, size_t len)
{
    struct guest g;
    uint64_t start;

    guest_create(&g, ENGINE, code, len, 2);
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT_EQUAL(guest_wait(&g, 50), RAN_ON);
    start = guest_now_ms();
    guest_destroy(&g);
    CU_ASSERT(guest_now_ms() - start < 2000);
}

static void test_stop(void)
{
    if (!engine_is_there())
        return;
    stops(GUEST_CODE(spin));
    stops(GUEST_CODE(sleep_for_ever));
}

/* Created and never started; a kernel that is not there; a core that is not there. */
static void test_no_start(void)
{
    struct guest g;

    if (!engine_is_there())
        return;
    guest_create(&g, ENGINE, GUEST_CODE(exit), 2);
    guest_destroy(&g);
    guest_create(&g, ENGINE, GUEST_CODE(exit), 1);
    g.c.kernel = (char *)"/nowhere/kernel";
    CU_ASSERT(vm_start(g.vm, stderr) < 0);
    guest_destroy(&g);
    guest_create(&g, ENGINE, GUEST_CODE(exit), 2);
    g.cores[1] = 4095;
    CU_ASSERT(vm_start(g.vm, stderr) < 0);
    guest_destroy(&g);
}

static void test_probe(void)
{
    char found[256] = "";

    if (!engine_is_there())
        return;
    CU_ASSERT_EQUAL(vm_engine_find(ENGINE)->probe(found), 0);
    CU_ASSERT(strlen(found) > 4);
    printf("(%s) ", found);
}

#define COMMON_TESTS                                                                               \
    {"probe", test_probe}, {"exit status", test_exit}, {"the state at entry", test_entry},         \
        {"what nobody answers", test_unclaimed}, {"registers survive", test_registers},            \
        {"string I/O", test_strings}, {"string I/O with a device", test_nic_strings},              \
        {"MMIO", test_mmio}, {"IPI to oneself, STI, HLT", test_self_ipi},                          \
        {"priorities", test_priority}, {"IPI to another vCPU", test_ipi_smp},                      \
        {"interrupt line", test_line}, {"an early edge", test_early_edge},                         \
        {"exceptions reach the guest", test_exceptions},                                           \
        {"a crash ends the VM", test_ud_without_idt}, {"stopping", test_stop},                     \
    {                                                                                              \
        "failing to start", test_no_start                                                          \
    }

#endif
