/* SPDX-License-Identifier: BSD-3-Clause */
/* PVH: Xen starts the guest in 32-bit protected mode, no paging, at the address in this note. */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

        .section .note.Xen, "a", @note
        .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long start

        .text
        .global start
start:
        mov $stack_top, %esp
        call guest_main
1:      hlt
        jmp 1b

        .bss
        .balign 4096
        .global hypercall_page, spare_page
hypercall_page: .skip 4096
spare_page:     .skip 4096
        .skip 8192
stack_top:
        .section .note.GNU-stack, "", @progbits
