# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034 # runner.sh uses it
# What the KVM host's scenarios may leave behind: processes. Sourced by runner.sh.
PROCESSES='coopvmm|qemu-system'

other_guests() {
    :
}

end_other_guests() {
    :
}
