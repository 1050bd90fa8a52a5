# SPDX-License-Identifier: BSD-3-Clause
"""The smallest bzImage the loader takes, on standard output: where fuzz_bzimage starts from.
Fields are those of Linux's boot protocol (Documentation/x86/boot.rst)."""
import struct
import sys

image = bytearray(0x601)
image[0x1F1] = 1  # setup_sects


def put(offset, form, *values):
    struct.pack_into("<" + form, image, offset, *values)


put(0x1FE, "H", 0xAA55)  # boot_flag
put(0x200, "2B", 0xEB, 0x66)  # jump over the header
put(0x202, "4sH", b"HdrS", 0x020F)  # version 2.15
put(0x211, "B", 1)  # loadflags: LOADED_HIGH
put(0x22C, "I", 0x7FFFFFFF)  # initrd_addr_max
put(0x236, "H", 0x3F)  # xloadflags
put(0x238, "I", 0x7FF)  # cmdline_size
put(0x258, "Q", 0x100000)  # pref_address
put(0x260, "I", 0x10000)  # init_size
sys.stdout.buffer.write(image)
