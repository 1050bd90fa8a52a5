/* SPDX-License-Identifier: BSD-3-Clause */
#define ENGINE CFG_ENGINE_USER
#include <errno.h>

#include "test_engine_common.h"

/* Ring 0's instructions, each with an effect that can be seen. */
GUEST(system,
      "STACK\n lgdt 1f(%rip)\n mov $16, %eax\n mov %eax, %ss\n mov %eax, %ds\n"
      "pushq $8\n lea 2f(%rip), %rax\n push %rax\n lretq\n 2:\n"
      "mov %cr0, %rax\n bt $31, %rax\n jnc 9f\n mov %rax, %cr0\n clts\n mov %cr3, %rbx\n"
      "mov %rbx, %cr3\n mov %cr4, %rax\n or $0x80, %rax\n mov %rax, %cr4\n mov %cr4, %rcx\n"
      "cmp %rax, %rcx\n jne 9f\n invlpg 0x100000\n wbinvd\n mov %dr7, %rax\n mov %rax, %dr7\n"
      "xor %eax, %eax\n ltr %ax\n mov $0x1b, %ecx\n rdmsr\n and $0xd00, %eax\n cmp $0xd00, %eax\n"
      "jne 9f\n mov $5, %eax\n mov %rax, %cr8\n xor %eax, %eax\n mov %cr8, %rax\n"
      "cmp $5, %eax\n jne 9f\n STATUS 0\n 9: STATUS 1\n"
      "1: .word 23\n .quad 0x12000");

GUEST(soft_interrupt, /* INT n: RIP behind it, ring-0 selectors in the frame */
      "STACK\n GATE 0x30, 7f\n LOAD_IDT\n int $0x30\n 5: cmp $1, %r8d\n jne 9f\n STATUS 0\n"
      "9: STATUS 1\n"
      "7: lea 5b(%rip), %rax\n cmp %rax, (%rsp)\n jne 9b\n cmpq $8, 8(%rsp)\n jne 9b\n"
      "cmpq $0x180000, 24(%rsp)\n jne 9b\n cmpq $16, 32(%rsp)\n jne 9b\n mov $1, %r8d\n iretq");

GUEST(protection, /* a refused MSR is #GP with an error code; so is a non-canonical address */
      "STACK\n GATE 13, 7f\n LOAD_IDT\n xor %r8d, %r8d\n mov $0x12345, %ecx\n wrmsr\n"
      "cmp $1, %r8d\n jne 9f\n mov $0x800000000000, %rax\n movb (%rax), %bl\n"
      "cmp $2, %r8d\n jne 9f\n STATUS 0\n 9: STATUS 1\n"
      "7: cmpq $0, (%rsp)\n jne 9b\n add $8, %rsp\n inc %r8d\n addq $2, (%rsp)\n iretq");

GUEST(page_fault, /* an address no memory and no device can have; CR2 tells it */
      "STACK\n GATE 14, 7f\n LOAD_IDT\n mov $0xffff900000000000, %rax\n xor %r8d, %r8d\n"
      "movb (%rax), %bl\n cmp $1, %r8d\n jne 9f\n STATUS 0\n 9: STATUS 1\n"
      "7: mov %cr2, %rcx\n cmp %rcx, %rax\n jne 9b\n add $8, %rsp\n inc %r8d\n addq $2, (%rsp)\n"
      "iretq");

GUEST(
    breakpoint, /* INT3: RIP behind it */
    "STACK\n GATE 3, 7f\n LOAD_IDT\n xor %r8d, %r8d\n int3\n 5: cmp $1, %r8d\n jne 9f\n STATUS 0\n"
    "9: STATUS 1\n 7: lea 5b(%rip), %rax\n cmp %rax, (%rsp)\n jne 9b\n inc %r8d\n iretq");

GUEST(sti_shadow, /* exactly one instruction runs between STI and a pending interrupt */
      "STACK\n GATE 0xf0, 7f\n LOAD_IDT\n xor %r8d, %r8d\n xor %r9d, %r9d\n SEND 0xf0\n"
      "sti\n inc %r8d\n inc %r8d\n inc %r8d\n cli\n cmp $1, %r9d\n jne 1f\n"
      "pushfq\n pop %rax\n bt $8, %rax\n jc 2f\n"             /* TF left over */
      "SEND 0xf0\n sti\n cli\n nop\n cmp $1, %r9d\n jne 3f\n" /* no window at all */
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n"
      "7: mov %r8d, %r9d\n btl $8, 16(%rsp)\n jc 2b\n EOI\n iretq");

GUEST(
    low_memory, /* the first 64 KiB: plain, locked, strings, SSE */
    "STACK\n mov $0x1122334455667788, %rax\n mov %rax, 0x1000\n cmp 0x1000, %rax\n jne 9f\n"
    "lock incl 0x1000\n cmpl $0x55667789, 0x1000\n jne 9f\n mov $1, %ecx\n lock xadd %ecx, 0x1000\n"
    "cmp $0x55667789, %ecx\n jne 9f\n cld\n mov $0x2000, %edi\n mov $0x5a, %al\n mov $100, %ecx\n"
    "rep stosb\n cmpb $0x5a, 0x2063\n jne 9f\n cmpb $0, 0x2064\n jne 9f\n"
    "movq %rax, %xmm3\n movdqu 0x2000, %xmm3\n movdqu %xmm3, 0x3001\n movdqu 0x3001, %xmm4\n"
    "pcmpeqb %xmm3, %xmm4\n pmovmskb %xmm4, %eax\n cmp $0xffff, %eax\n jne 9f\n"
    "mov $0xfffc, %ebx\n movq $-1, (%rbx)\n movq $0x77, 0xfffe\n cmpq $0x77, 0xfffe\n jne 9f\n"
    "STATUS 0\n 9: STATUS 1");

GUEST(avx, /* upper halves go through the signal frame, too */
      "mov $7, %eax\n xor %ecx, %ecx\n cpuid\n bt $5, %ebx\n jnc 8f\n" /* AVX2 */
      "mov $0xa5, %eax\n vmovd %eax, %xmm1\n vpbroadcastb %xmm1, %ymm1\n vmovdqu %ymm1, 0x1000\n"
      "vpxor %ymm2, %ymm2, %ymm2\n vmovdqu 0x1000, %ymm2\n vpcmpeqb %ymm1, %ymm2, %ymm3\n"
      "vpmovmskb %ymm3, %eax\n cmp $-1, %eax\n jne 9f\n"
      "vzeroall\n vmovdqu 0x1000, %ymm5\n vmovdqu %ymm5, 0x160000\n" /* from the initial state */
      "cmpb $0xa5, 0x16001f\n jne 9f\n"
      "8: STATUS 0\n 9: STATUS 1");

GUEST(null_fs, /* takes the handler's thread-local storage away, if it used any */
      "xor %eax, %eax\n mov %eax, %fs\n mov %eax, %gs\n mov $0x80, %edx\n in %dx, %al\n"
      "mov %eax, %fs\n STATUS 0");

GUEST(end_of_memory, /* the last bytes of RAM and what lies behind, in one access */
      "mov $0x200000 - 4, %ebx\n movl $0x11223344, (%rbx)\n mov (%rbx), %rax\n"
      "mov $0xffffffff11223344, %rcx\n cmp %rcx, %rax\n jne 9f\n movq $0, (%rbx)\n"
      "cmpl $0, (%rbx)\n jne 9f\n STATUS 0\n 9: STATUS 1");

GUEST(wild_jump, "mov $0x60000000, %eax\n jmp *%rax");
GUEST(low_jump, "mov $0x1000, %eax\n movw $0x9090, (%rax)\n jmp *%rax");
GUEST(bad_stack, /* an exception that cannot push its frame */
      "mov $0x60000000, %esp\n GATE 6, 1f\n LOAD_IDT\n 1: ud2");
GUEST(ist_gate, "STACK\n GATE 6, 1f\n movb $1, 0x140064\n LOAD_IDT\n ud2\n 1: STATUS 0");
GUEST(idt_in_the_wild, "STACK\n movw $0xfff, 0x150000\n movq $-16, 0x150002\n lidt 0x150000\n ud2");
GUEST(new_page_tables, "mov $0x160000, %eax\n mov %rax, %cr3\n STATUS 0");
GUEST(swapgs, "swapgs\n STATUS 0");
GUEST(fs_base, "mov $0xc0000100, %ecx\n mov $1, %eax\n xor %edx, %edx\n wrmsr\n STATUS 0");
GUEST(init_ipi, "mov $0x830, %ecx\n mov $0x500, %eax\n xor %edx, %edx\n wrmsr\n STATUS 0");

EXPECT(system, 1, 0)
EXPECT(soft_interrupt, 1, 0)
EXPECT(protection, 1, 0)
EXPECT(page_fault, 1, 0)
EXPECT(breakpoint, 1, 0)
EXPECT(sti_shadow, 1, 0)
EXPECT(low_memory, 1, 0)
EXPECT(avx, 1, 0)
EXPECT(null_fs, 1, 0)
EXPECT(end_of_memory, 1, 0)

/* Each ends its VM with a report, and nothing else. */
static void test_crashes(void)
{
    static const struct {
        const uint8_t *code, *end;
    } guest[] = {
        {guest_wild_jump, guest_wild_jump_end},
        {guest_low_jump, guest_low_jump_end},
        {guest_bad_stack, guest_bad_stack_end},
        {guest_ist_gate, guest_ist_gate_end},
        {guest_idt_in_the_wild, guest_idt_in_the_wild_end},
        {guest_new_page_tables, guest_new_page_tables_end},
        {guest_swapgs, guest_swapgs_end},
        {guest_fs_base, guest_fs_base_end},
        {guest_init_ipi, guest_init_ipi_end},
    };

    for (unsigned i = 0; i < sizeof(guest) / sizeof(guest[0]); i++)
        CU_ASSERT_EQUAL(guest_run(ENGINE, guest[i].code, guest[i].end - guest[i].code, 1), CRASHED);
}

/* Edges in a storm while the guest takes interrupts all the time: it lives, the pipe never blocks
 * the writer, and the last edge is seen. */
GUEST(storm,
      "STACK\n GATE 0x25, 7f\n LOAD_IDT\n xor %r8d, %r8d\n movl $1, 0x160000\n"
      "1: sti\n hlt\n cli\n cmpl $1, 0x160008\n jne 1b\n STATUS 0\n"
      "7: inc %r8d\n push %rcx\n push %rax\n push %rdx\n EOI\n pop %rdx\n pop %rax\n pop %rcx\n"
      "iretq");

static void test_storm(void)
{
    const uint64_t one = 1;
    struct guest g;
    int fd;

    guest_create(&g, ENGINE, GUEST_CODE(storm), 1);
    fd = g.vm->engine->irq_fd(g.vm, 5);
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT(guest_reached(&g, 0x160000, 1));
    for (unsigned i = 0; i < 20000; i++) {
        if (write(fd, &one, sizeof(one)) < 0)
            CU_ASSERT_EQUAL(errno, EAGAIN);
    }
    CU_ASSERT_EQUAL(guest_wait(&g, 20), RAN_ON);
    __atomic_store_n((uint32_t *)(g.vm->mem.host + 0x160008), 1, __ATOMIC_SEQ_CST);
    while (write(fd, &one, sizeof(one)) < 0 && errno == EAGAIN)
        usleep(1000); /* the guest has not taken all of the storm yet */
    CU_ASSERT_EQUAL(guest_wait(&g, PATIENCE_MS), 0);
    guest_destroy(&g);
}

const char *const suite_name = "engine_user";
const struct cu_test suite_tests[] = {
    COMMON_TESTS,
    {"ring 0's instructions", test_system},
    {"INT n", test_soft_interrupt},
    {"#GP", test_protection},
    {"#PF", test_page_fault},
    {"#BP", test_breakpoint},
    {"STI's shadow", test_sti_shadow},
    {"the bottom of memory", test_low_memory},
    {"AVX", test_avx},
    {"a guest that clears FS", test_null_fs},
    {"across the end of memory", test_end_of_memory},
    {"guests that go wrong", test_crashes},
    {"a storm of interrupts", test_storm},
    {NULL, NULL},
};
