# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's e1000 drives our e1000 on an I/O core.
# limit: 400 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

LARGE_SENDS=1 drive_nic e1000 e1000 2048
