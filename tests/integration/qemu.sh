# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # BUILD, ROOT and tmp are its user's, BUSYBOX and qemu_pid for it
# Stock Linux guests in QEMU without virtualization hardware (TCG), their virtio-net a vhost-user front end:
# Debian's kernel and busybox (qemu_guest.sh), guest-init. Sourced; needs the packages qemu-system-x86 and
# busybox-static.

BUSYBOX=/bin/busybox
GUEST=${TESTBED:-$BUILD/testbed}/qemu
QEMU_MIB=192

. "$ROOT/tests/testbed/ask.sh"

# start_qemu NAME SOCKET ADDRESS/LENGTH LAST-MAC-BYTE [OPTIONS [OPTION...]]: a guest on that vhost-user port, in
# the background. OPTIONS are more of its NIC, and netdev=... those of the NIC's other side. Its console goes to
# $tmp/NAME.console, what QEMU says to $tmp/NAME.qemu, its monitor (QMP) is $tmp/NAME.qmp. Sets qemu_pid. It does
# not outlive the suite.
# vectors=0: with MSI-X and without KVM, QEMU 7.2 goes through the routes it does not have once the driver
# starts its queues, and crashes.
start_qemu() {
    local name=$1 socket=$2 address=$3 mac=52:54:00:77:82:$4 nic=${5:-} netdev=${netdev:-}
    shift $(($# < 5 ? 4 : 5))
    setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -cpu max -m $QEMU_MIB -smp 2 \
        -nodefaults -no-user-config -display none -no-reboot \
        -object memory-backend-memfd,id=mem,size=${QEMU_MIB}M,share=on -machine q35,memory-backend=mem \
        -chardev socket,id=c0,path="$socket",reconnect=1 -netdev vhost-user,id=n0,chardev=c0"$netdev" \
        -device virtio-net-pci,netdev=n0,mac="$mac",romfile=,vectors=0"$nic" \
        -qmp unix:"$tmp/$name.qmp",server=on,wait=off -serial file:"$tmp/$name.console" \
        -kernel "$GUEST.vmlinuz" -initrd "$GUEST.initrd" \
        -append "console=ttyS0 quiet panic=-1 net=virtio_pci,virtio_net addr=$address" \
        "$@" </dev/null >"$tmp/$name.qemu" 2>&1 &
    qemu_pid=$!
}

# qmp NAME COMMAND [ARGUMENTS AS JSON]: prints what it returns
qmp() {
    local none={}
    python3 "$ROOT/tests/integration/qmp.py" "$tmp/$1.qmp" "$2" "${3:-$none}"
}
