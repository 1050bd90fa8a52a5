# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux as PVH guest: no device model at all.
. "$HERE/lib.sh"

check "it is created" start_pvh stock "do=off"
check "its init runs" wait_for 60 says stock "guest: ready"
check "it powers off, and its domain is gone" wait_for 30 is_gone stock
