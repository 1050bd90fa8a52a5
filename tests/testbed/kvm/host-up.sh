#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The KVM host's process 1 after the switch to the root filesystem.
. /run/testbed/orders
. "$HERE/../up.sh"

# A kernel that patches its own code may hang here (machine.sh), most of all in the scheduler, where both CPUs
# are all the time. So guests have no performance counters: each guest's start would switch the host's on and
# off. And one ping's socket keeps time stamps on, which each other ping would switch.
patch_less() {
    modprobe kvm enable_pmu=0 || fail "cannot load kvm"
    ping -q -i 3600 127.0.0.1 >/dev/null &
}

kvm() {
    local m
    patch_less
    for m in kvm_amd tun; do
        modprobe $m || fail "cannot load $m"
    done
    # as `coopvmm check` asks for
    echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
}

come_up kvmhost kvm
carry_out /dev/ttyS0
