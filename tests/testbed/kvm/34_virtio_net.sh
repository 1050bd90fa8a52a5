# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's virtio_net drives our virtio-net on an I/O core.
# limit: 400 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

LARGE_SENDS=1 drive_nic virtio-net virtio_pci,virtio_net 2048
