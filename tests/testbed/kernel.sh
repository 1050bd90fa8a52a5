# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Debian's stock kernel for testbeds: downloaded and unpacked, never installed. Sourced by those
# that build testbeds; WORK is the folder where everything is kept.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# kernel_version: which kernel is behind linux-image-amd64 today, such as 6.1.0-NN-amd64
kernel_version() {
    apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/^ *Depends: linux-image-\([0-9].*\)/\1/p' | head -n 1
}

# fetch_kernel: sets KERNEL (the folder that holds boot/ and lib/modules/) and K (its version).
# Asked for a version that is there already, it downloads nothing.
fetch_kernel() {
    K=$(kernel_version)
    [ -n "$K" ] || die "apt does not know linux-image-amd64: run \`apt-get update\`" \
        "(on another distribution than Debian the testbeds cannot be built)"
    KERNEL=$WORK/linux-$K
    [ ! -e "$KERNEL/complete" ] || return 0
    echo "downloading linux-image-$K (about 70 MB)"
    rm -rf "$KERNEL" "$WORK/download"
    mkdir -p "$WORK/download" "$KERNEL"
    (cd "$WORK/download" && apt-get -qq download "linux-image-$K" 2>&1) >"$WORK/download.log" ||
        die "downloading linux-image-$K failed: $(tail -n 1 "$WORK/download.log")"
    unpack_kernel "$WORK"/download/linux-image-*.deb
    rm -rf "$WORK/download"
    touch "$KERNEL/complete"
}

# Without the drivers no testbed wants: that is two thirds of it.
unpack_kernel() {
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$KERNEL" --exclude='*/drivers/gpu' \
        --exclude='*/drivers/media' --exclude='*/sound' --exclude='*/wireless' ./boot ./lib ||
        die "$1 could not be unpacked"
    depmod -b "$KERNEL" "$K" || die "depmod of $K failed"
    cp "$KERNEL/boot/config-$K" "$KERNEL/config"
}
