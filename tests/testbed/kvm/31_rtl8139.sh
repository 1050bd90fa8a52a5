# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's 8139too drives our RTL8139C on an I/O core.
# limit: 400 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

drive_nic rtl8139 8139too 512
