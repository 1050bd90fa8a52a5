# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034 # runner.sh uses it
# What Xen's scenarios may leave behind. Sourced by runner.sh.
PROCESSES='coopvmm|qemu-system|xen-qemu'

other_guests() {
    timeout 20 xl list 2>&1 | awk 'NR > 1 && $1 != "Domain-0" { print $1 }'
}

end_other_guests() {
    local id
    for id in $(timeout 20 xl list 2>/dev/null | awk 'NR > 1 && $2 != 0 { print $2 }'); do
        timeout 20 xl destroy "$id"
    done
}
