# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's 8139cp drives our RTL8139C+ on an I/O core.
# limit: 400 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

LARGE_SENDS=1 drive_nic rtl8139cp 8139cp 1024
