# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Initramfs images and boot disks of a kernel (KERNEL, K) and a busybox (BUSYBOX): packages.sh's, or
# uml.sh's. Sourced; die is theirs, too.

# up_to_date FILE WORDS: was FILE made of what the words say? If not, made() says it is from now on.
up_to_date() {
    [ -f "$1" ] && [ "$(cat "$1.stamp" 2>/dev/null)" = "$2" ]
}

made() {
    echo "$2" >"$1.stamp"
}

# module_files MODULE: its file and those it needs, in the order of loading
module_files() {
    modprobe -d "$KERNEL" -S "$K" --show-depends "$1" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

# add_module MODULE: to $root, with what it needs
add_module() {
    local file
    for file in $(module_files "$1"); do
        cp "$file" "$root/modules/"
        basename "$file" >>"$root/modules/$1.order"
    done
    [ -s "$root/modules/$1.order" ] || die "kernel $K has no module $1"
}

# add_program PATH: to $root's /bin, and the shared libraries it needs to where they are here
add_program() {
    local library
    install -m 755 "$1" "$root/bin/" || die "$1 is missing: \`make tests\` or scripts/setup.sh gets it"
    for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
        install -D "$library" "$root$library"
    done
}

# make_initramfs IMAGE INIT MODULE|PATH...: /modules holds the modules, /modules/NAME.order what to load
# in which order for one of them. What has a slash is a program, which goes to /bin.
make_initramfs() {
    local image=$1 init=$2 root=$1.root m stamp programs=()
    shift 2
    for m in "$@"; do
        case $m in
        */*) programs+=("$m") ;;
        esac
    done
    stamp="$K $* $(cat "$init" "$BUSYBOX" "${programs[@]}" "${BASH_SOURCE[0]}" | sha256sum)"
    ! up_to_date "$image" "$stamp" || return 0
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,modules,mnt,run,etc,tmp}
    install -m 755 "$BUSYBOX" "$root/bin/busybox"
    ln -s busybox "$root/bin/sh"
    install -m 755 "$init" "$root/init"
    for m in "$@"; do
        case $m in
        */*) add_program "$m" ;;
        *) add_module "$m" ;;
        esac
    done
    (cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc) | gzip -1 >"$image" ||
        die "$image cannot be written"
    rm -rf "$root"
    made "$image" "$stamp"
}

# make_disk DISK INITRAMFS: a disk that boots the kernel with it. The command line is the file
# syslinux.cfg on it, which a copy gets for each guest (hvm_disk in xen/lib.sh).
make_disk() {
    local disk=$1 image=$2 vmlinuz=$KERNEL/boot/vmlinuz-$K stamp
    stamp="$K $(cat "$image.stamp" "${BASH_SOURCE[0]}" | sha256sum)"
    ! up_to_date "$disk" "$stamp" || return 0
    rm -f "$disk"
    { mformat -C -i "$disk" -T 24576 -h 64 -s 32 :: && mcopy -i "$disk" "$vmlinuz" ::vmlinuz &&
        mcopy -i "$disk" "$image" ::initrd.img && syslinux -i "$disk"; } >"$disk.log" 2>&1 ||
        die "$disk cannot be made: $(tail -n 1 "$disk.log")"
    made "$disk" "$stamp"
}
