/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry points. 64-bit: long mode, identity-mapped, RBX = start info, RSI = vCPU number. 32-bit:
 * PVH (Xen docs/misc/pvh.pandoc): flat protected mode without paging, EBX = start info; builds page
 * tables and goes on at the 64-bit entry as vCPU 0.
 */
#define STACK_SIZE 8192
#define MAX_VCPUS  64

#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define CR0_PE   (1 << 0)
#define CR0_PG   (1 << 31)
#define CR4_PAE  (1 << 5)
#define CR4_FXSR (1 << 9) /* SSE instructions may be used */

    .section .note.xen, "a", @note
    .balign 4
    .long 4                 /* namesz */
    .long 4                 /* descsz */
    .long 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start32

    .text
    .code32
    .globl start32
start32:
    cld
    movl $page_tables + 0x1003, page_tables     /* PML4[0] -> PDPT, present and writable */
    movl $page_tables + 0x1000, %edi
    movl $page_tables + 0x2003, %eax            /* PDPT[0..3] -> page directories */
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 1b
    movl $page_tables + 0x2000, %edi            /* 2048 pages of 2 MiB: 4 GiB */
    movl $0x83, %eax
    movl $2048, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b
    movl %cr4, %eax
    orl $(CR4_PAE | CR4_FXSR), %eax
    movl %eax, %cr4
    movl $page_tables, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl %cr0, %eax
    orl $(CR0_PG | CR0_PE), %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $from32

    .code64
from32:
    movb $1, entered_pvh
    movl %ebx, %ebx
    xorl %esi, %esi

    .globl start64
start64:
    cli
    cld
    cmpl $MAX_VCPUS, %esi
    jae 3f
    movl %esi, %eax
    incl %eax
    imull $STACK_SIZE, %eax
    leaq stacks(%rax), %rsp
    lgdt gdt_pointer
    movl $16, %eax
    movl %eax, %ss
    movl %eax, %ds
    movl %eax, %es
    pushq $8
    pushq $4f
    lretq
4:  xorl %ebp, %ebp
    movq %rbx, %rdi
    call guest_main
3:  cli
    hlt
    jmp 3b

    .section .rodata
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .quad gdt

    .bss
    .globl entered_pvh
entered_pvh:
    .skip 1
    .balign 4096
    .globl stacks, page_tables, hypercall_page
page_tables:
    .skip 6 * 4096
hypercall_page:                                 /* Xen fills it */
    .skip 4096
stacks:
    .skip MAX_VCPUS * STACK_SIZE

    .section .note.GNU-stack, "", @progbits
