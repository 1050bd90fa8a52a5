# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Guests of the Xen testbed: domains made by xl. Sourced by lib.sh.

# Ids of all domains but dom0.
domains() {
    timeout 20 xl list | awk 'NR > 1 && $2 != 0 { print $2 }'
}

no_domains() {
    [ -z "$(domains)" ]
}

# is_gone NAME: there is no such domain any more
is_gone() {
    ! timeout 20 xl domid "$1"
}

# is_gone_whole NAME: ... and no process maps its memory any more, which keeps a nameless rest of it
is_gone_whole() {
    is_gone "$1" && ! timeout 20 xl list | grep -qF '(null)'
}

# What the guest printed on its Xen console.
guest_log() {
    cat "/var/log/xen/console/guest-$1.log"
}

# says NAME TEXT: did the guest print this?
says() {
    guest_log "$1" | grep -qF "$2"
}

# start_pvh NAME "kernel command line" [xl LINE...]: the stock guest without a device model
start_pvh() {
    local name=$1 cmdline=$2
    shift 2
    write_domain "$name" pvh 128 "kernel=\"$GUESTS/guest-amd64.vmlinuz\"" \
        "ramdisk=\"$GUESTS/guest-amd64.initrd\"" "extra=\"console=hvc0 $cmdline\"" "$@"
    timeout 60 xl create "$tmp/$name.cfg"
}

# start_hvm NAME amd64|i386 "kernel command line" [xl LINE...]: the stock guest beside QEMU
start_hvm() {
    local name=$1 arch=$2 cmdline=$3
    shift 3
    hvm_disk "$tmp/$name.disk" "$arch" "$cmdline"
    write_domain "$name" hvm 192 "disk=[\"$(xl_disk "$tmp/$name.disk")\"]" 'hdtype="ahci"' \
        'device_model_override="/usr/libexec/xen-qemu-system-i386"' \
        'vga="none"' 'serial="none"' 'usb=0' 'vnc=0' "$@"
    timeout 60 xl create "$tmp/$name.cfg"
}

# write_domain NAME TYPE MEGABYTES LINE...
write_domain() {
    local file=$tmp/$1.cfg
    printf '%s\n' "name=\"$1\"" "type=\"$2\"" "memory=$3" vcpus=1 'cpus="1"' 'tsc_mode="native"' \
        'on_reboot="destroy"' 'on_crash="destroy"' >"$file"
    shift 3
    printf '%s\n' "$@" >>"$file"
}

# hvm_disk FILE ARCHITECTURE "kernel command line": boots the stock guest with that. By AHCI: it uses
# DMA, where -kernel copies the kernel byte by byte through QEMU (40 s under emulation). noearly:
# looking at all PCI functions there are would take another 50 s. The i386 kernel knows nothing of Xen:
# it has the serial line only, where each character costs a way to QEMU.
hvm_disk() {
    local console=console=hvc0
    [ "$2" != i386 ] || console="console=ttyS0 quiet"
    cp "$GUESTS/guest-$2.disk" "$1"
    printf '%s\n' 'DEFAULT linux' 'PROMPT 0' 'LABEL linux' 'KERNEL vmlinuz' 'INITRD initrd.img' \
        "APPEND $console pci=noearly nokaslr $3" >"$1.cfg"
    mcopy -o -i "$1" "$1.cfg" ::syslinux.cfg
}

xl_disk() {
    echo "format=raw,vdev=hda,access=rw,backendtype=qdisk,target=$1"
}

# qemu_nic TAP: the xl line for an NE2000 of QEMU's own on that tap. Linux unplugs QEMU's NICs in Xen
# guests unless xen_emul_unplug=never tells it not to.
qemu_nic() {
    echo "device_model_args_hvm=[\"-netdev\", \"tap,id=n0,ifname=$1,script=no,downscript=no\"," \
        "\"-device\", \"ne2k_pci,netdev=n0,mac=52:54:00:77:00:02\"]"
}
