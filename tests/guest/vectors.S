/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt entries: each pushes its vector (and an error code if the CPU did not), then all call
 * irq_entry(struct irq_frame *). vector_entry[] holds their addresses, 0: the vector is unused. */
    .macro entry vector, has_error
    .text
entry_\vector:
    .if !\has_error
    pushq $0
    .endif
    pushq $\vector
    jmp common
    .section .rodata
    .quad entry_\vector
    .endm

    .macro no_error vector
    entry \vector, 0
    .endm
    .macro with_error vector
    entry \vector, 1
    .endm

    .section .rodata
    .balign 8
    .globl vector_entry
vector_entry:
    .irp v, 0, 1, 2, 3, 4, 5, 6, 7
    no_error \v
    .endr
    with_error 8
    no_error 9
    .irp v, 10, 11, 12, 13, 14
    with_error \v
    .endr
    .irp v, 15, 16
    no_error \v
    .endr
    with_error 17
    .irp v, 18, 19, 20
    no_error \v
    .endr
    with_error 21
    .irp v, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    no_error \v
    .endr
    .irp v, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47
    no_error \v
    .endr
    .globl ipi_entry
    .section .rodata
ipi_entry:
    no_error 240
    .globl spurious_entry
    .section .rodata
spurious_entry:
    no_error 255

    .text
common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    cld
    call irq_entry
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
