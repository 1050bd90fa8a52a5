/* SPDX-License-Identifier: BSD-3-Clause */
/* What QEMU 7.2 beside a Xen 4.17 HVM domain (vga="none", serial="pty") answers. */
#ifndef COOPVMM_TESTS_QEMU_ANSWERS_H
#define COOPVMM_TESTS_QEMU_ANSWERS_H

#define QEMU_GREETING                                                                              \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "             \
    "\"package\": "                                                                                \
    "\"Debian 1:7.2+dfsg-7+deb12u18+b3\"}, \"capabilities\": [\"oob\"]}}\r\n"

#define QEMU_PCI                                                                                   \
    "[{\"bus\": 0, \"devices\": ["                                                                 \
    "{\"irq_pin\": 0, \"bus\": 0, \"qdev_id\": \"\", \"slot\": 0, \"class_info\": {\"class\": "    \
    "1536, \"desc\": \"Host bridge\"}, \"id\": {\"device\": 4663, \"vendor\": 32902}, "            \
    "\"function\": 0, \"regions\": []}, "                                                          \
    "{\"irq_pin\": 0, \"bus\": 0, \"qdev_id\": \"\", \"slot\": 1, \"class_info\": {\"class\": "    \
    "1537, \"desc\": \"ISA bridge\"}, \"id\": {\"device\": 28672, \"vendor\": 32902}, "            \
    "\"function\": 0, \"regions\": []}, "                                                          \
    "{\"irq_pin\": 0, \"bus\": 0, \"qdev_id\": \"\", \"slot\": 1, \"class_info\": {\"class\": "    \
    "257, \"desc\": \"IDE controller\"}, \"id\": {\"device\": 28688, \"vendor\": 32902}, "         \
    "\"function\": 1, \"regions\": [{\"bar\": 4, \"size\": 16, \"address\": -1, \"type\": "        \
    "\"io\"}]}, "                                                                                  \
    "{\"irq_pin\": 1, \"bus\": 0, \"qdev_id\": \"\", \"irq\": 0, \"slot\": 2, \"class_info\": "    \
    "{\"class\": 65408}, \"id\": {\"device\": 1, \"vendor\": 22611}, \"function\": 0, "            \
    "\"regions\": [{\"bar\": 0, \"size\": 256, \"address\": -1, \"type\": \"io\"}]}]}]"

#define QEMU_MTREE                                                                                 \
    "FlatView #0\r\n AS \"I/O\", root: io\r\n Root memory region: io\r\n"                          \
    "  0000000000000000-0000000000000007 (prio 0, i/o): dma-chan\r\n"                              \
    "  0000000000000010-000000000000001f (prio 0, i/o): xen-fixed\r\n"                             \
    "  0000000000000020-000000000000005f (prio 0, i/o): io @0000000000000020\r\n"                  \
    "  0000000000000060-0000000000000060 (prio 0, i/o): i8042-data\r\n"                            \
    "  0000000000000071-0000000000000071 (prio 0, i/o): rtc @0000000000000001\r\n"                 \
    "  00000000000001f0-00000000000001f7 (prio 0, i/o): ide\r\n"                                   \
    "  00000000000001f8-0000000000000375 (prio 0, i/o): io @00000000000001f8\r\n"                  \
    "  00000000000003f8-00000000000003ff (prio 0, i/o): serial\r\n"                                \
    "  0000000000000510-0000000000000511 (prio 0, i/o): fwcfg\r\n"                                 \
    "  0000000000000cf8-0000000000000cf8 (prio 0, i/o): pci-conf-idx\r\n"                          \
    "  0000000000000cf9-0000000000000cf9 (prio 1, i/o): piix3-reset-control\r\n"                   \
    "  000000000000ae00-000000000000ae17 (prio 0, i/o): acpi-pci-hotplug\r\n"                      \
    "  000000000000b140-000000000000ffff (prio 0, i/o): io @000000000000b140\r\n\r\n"              \
    "FlatView #1\r\n AS \"memory\", root: system\r\n Root memory region: system\r\n"               \
    "  0000000000000000-000000000009ffff (prio 0, ram): xen.ram\r\n"                               \
    "  00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\r\n\r\n"

#endif
