#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The KVM host's process 1 after the switch to the root filesystem.
. /run/testbed/orders
. "$HERE/../up.sh"

# A kernel that patches its own code may hang here (machine.sh), most of all in the scheduler, where both CPUs
# are all the time. KVM has it patched there by the first VM and when the last one goes, so there is one that stays
# (KVM_CREATE_VM). Guests have no performance counters, which would switch the host's on and off. And one ping's
# socket keeps time stamps on, which each other ping would switch.
patch_less() {
    python3 -c 'import fcntl, time
with open("/dev/kvm", "rb+", buffering=0) as kvm:
    vm = fcntl.ioctl(kvm, 0xAE01, 0)
    while True: time.sleep(3600)' &
    ping -q -i 3600 127.0.0.1 >/dev/null &
}

kvm() {
    local m
    modprobe kvm enable_pmu=0 || fail "cannot load kvm"
    for m in kvm_amd tun; do
        modprobe $m || fail "cannot load $m"
    done
    patch_less
    # as `coopvmm check` asks for
    echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
}

come_up kvmhost kvm
carry_out /dev/ttyS0
