# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's ne2k-pci drives our RTL8029 on an I/O core.
# limit: 400 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

# Linux refuses what is longer than 1518 bytes with its check sum.
MTU=1496 drive_nic rtl8029 ne2k-pci 512
