# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Initramfs images of busybox, a script as init, and modules of the kernel that fetch_kernel
# (kernel.sh) found. Sourced.

BUSYBOX=/bin/busybox

# module_files MODULE...: their files and those they need, in the order of loading
module_files() {
    local m
    for m in "$@"; do
        modprobe -d "$KERNEL" -S "$K" --show-depends "$m" || die "kernel $K has no module $m"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
}

# make_initramfs IMAGE INIT MODULE...: the modules lie in /modules, /modules/order says in which
# order to load them. Made anew only if INIT, busybox or the kernel changed.
make_initramfs() {
    local image=$1 init=$2 root=$1.root file
    shift 2
    local stamp="$K $(sha256sum <"$init") $(stat -c %Y-%s $BUSYBOX) $*"
    [ "$(cat "$image.stamp" 2>/dev/null)" != "$stamp" ] || return 0
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,modules,mnt,run,etc,tmp}
    install -m 755 "$BUSYBOX" "$root/bin/busybox"
    ln -s busybox "$root/bin/sh"
    install -m 755 "$init" "$root/init"
    module_files "$@" >"$image.modules" || exit 1
    : >"$root/modules/order"
    while read -r file; do
        cp "$file" "$root/modules/"
        basename "$file" >>"$root/modules/order"
    done <"$image.modules"
    (cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc) | gzip -1 >"$image" ||
        die "$image could not be written"
    rm -rf "$root"
    echo "$stamp" >"$image.stamp"
}
