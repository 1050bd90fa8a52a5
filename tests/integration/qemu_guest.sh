#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes what qemu.sh boots, in FOLDER: Debian's kernel (qemu.vmlinuz) and an initramfs (qemu.initrd). Not part
# of a suite, whose network reaches nobody.
#
#   qemu_guest.sh FOLDER
# shellcheck disable=SC2034 # what is sourced uses BUSYBOX
set -u
tests=$(cd "$(dirname "$0")/.." && pwd)
WORK=$(realpath -m "${1?}")
BUSYBOX=/bin/busybox
. "$tests/testbed/packages.sh"
. "$tests/testbed/initramfs.sh"

command -v qemu-system-x86_64 >/dev/null || exit 0 # the suite says so
mkdir -p "$WORK"
fetch_stock_kernel
make_initramfs "$WORK/qemu.initrd" "$tests/testbed/guest-init" virtio_pci virtio_net
cp -u "$KERNEL/boot/vmlinuz-$K" "$WORK/qemu.vmlinuz" && touch "$WORK/qemu.vmlinuz"
