/* SPDX-License-Identifier: BSD-3-Clause */
#define ENGINE CFG_ENGINE_KVM
#include "test_engine_common.h"

GUEST(triple_fault, "lidt 1f(%rip)\n int3\n 1: .word 0\n .quad 0");
EXPECT(triple_fault, 1, CRASHED)

/* Strings that cross pages, end in the middle of one, and run down. Port 0xe9 would print them, so
 * the card's data port takes them: 700 words from an odd address, then compared. */
GUEST(outs_pages,
      "STACK\n cld\n mov $0x160ff1, %edi\n mov $1400, %ecx\n 1: mov %ecx, %eax\n imul $201, %eax\n"
      "stosb\n loop 1b\n"
      "mov $0x30e, %edx\n mov $0x49, %al\n out %al, %dx\n REMOTE 0x12\n"
      "mov $0x310, %edx\n mov $0x160ff1, %esi\n mov $700, %ecx\n rep outsw\n"
      "cmp $0x160ff1 + 1400, %rsi\n jne 3f\n test %rcx, %rcx\n jnz 3f\n"
      "REMOTE 0x0a\n mov $0x310, %edx\n mov $0x170ff1, %edi\n mov $700, %ecx\n rep insw\n"
      "mov $0x160ff1, %esi\n mov $0x170ff1, %edi\n mov $1400, %ecx\n repe cmpsb\n jne 4f\n"
      "REMOTE 0x12\n std\n mov $0x310, %edx\n mov $0x160ff1 + 1398, %esi\n mov $700, %ecx\n"
      "rep outsw\n cmp $0x160ff1 - 2, %rsi\n jne 5f\n cld\n"
      "REMOTE 0x0a\n mov $0x310, %edx\n in %dx, %ax\n cmp 0x160ff1 + 1398, %ax\n jne 6f\n"
      "STATUS 0\n 3: STATUS 3\n 4: STATUS 4\n 5: STATUS 5\n 6: STATUS 6");
EXPECT(outs_pages, 1, 0)

const char *const suite_name = "engine_kvm";
const struct cu_test suite_tests[] = {
    COMMON_TESTS,
    {"REP OUTS across pages", test_outs_pages},
    {"a triple fault ends the VM", test_triple_fault},
    {NULL, NULL},
};
