#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The KVM host's process 1 after the switch to the root filesystem.
. /run/testbed/orders
. "$HERE/../up.sh"

kvm() {
    local m
    for m in kvm_amd tun; do
        modprobe $m || fail "cannot load $m"
    done
    # as `coopvmm check` asks for
    echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
}

come_up kvmhost kvm
carry_out /dev/ttyS0
