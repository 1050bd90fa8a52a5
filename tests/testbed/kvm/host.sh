# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # options and names are run.sh's
# The machine that QEMU emulates: a KVM host. Sourced by run.sh.

# Drivers of the stock guest: those of the NICs there are models of; VLANs; a packet generator.
GUEST_MODULES="ne2k-pci 8139too 8139cp e1000 virtio_pci virtio_net 8021q pktgen"

prepare() {
    command -v qemu-system-x86_64 >/dev/null ||
        die "packages are missing: scripts/setup.sh --testbed installs them"
    fetch_stock_kernel
    fetch_busybox amd64
    # shellcheck disable=SC2086 # one word a module
    make_initramfs "$WORK/linux.initrd" "$HERE/../guest-init" "$BUILD/testbed-tools/tso" $GUEST_MODULES
    make_initramfs "$RUN/host.img" "$HERE/../machine-init" virtio_pci 9p 9pnet_virtio overlay
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$WORK/linux.vmlinuz"
    unpack_kernel "$WORK/linux.vmlinuz" "$WORK/linux.elf"
}

# unpack_kernel VMLINUZ ELF: the ELF file in a bzImage, which has a PVH entry. Where it is the setup
# header says (Linux Documentation/x86/boot.rst, payload_offset); Debian compresses with xz.
unpack_kernel() {
    local sectors offset length
    ! up_to_date "$2" "$K" || return 0
    sectors=$(od -An -tu1 -j $((0x1f1)) -N1 "$1")
    offset=$(od -An -tu4 -j $((0x248)) -N4 "$1")
    length=$(od -An -tu4 -j $((0x24c)) -N4 "$1")
    tail -c +$(((sectors + 1) * 512 + offset + 1)) "$1" | head -c "$length" | xz -dc --single-stream >"$2" 2>/dev/null
    [ "$(head -c 4 "$2" | tail -c 3)" = ELF ] || die "no ELF file comes out of $1"
    made "$2" "$K"
}

# A physical NIC as far as this machine can tell, and at the other end of its wire (QEMU's hub 0) the NIC of
# a peer: what goes out by the one comes in by the other. An IOMMU of 48 bits: DPDK wants its own addresses
# to be the device's, too.
WIRE=(-device "intel-iommu,intremap=on,aw-bits=48"
    -netdev "hubport,id=near,hubid=0" -device "e1000,netdev=near,addr=10.0,mac=52:54:00:77:01:01"
    -netdev "hubport,id=far,hubid=0" -device "virtio-net-pci,netdev=far,addr=11.0,mac=52:54:00:77:01:02")

# qemu [OPTION...]: becomes the machine. Without RDTSCP and XSAVE: the emulated SVM intercepts neither it
# nor XSETBV, so that KVM does not notice what a guest does, and a guest what KVM thinks of it. Of
# family 25, guests too: in one of QEMU's own, 15, Linux would look for a GART on all buses there can be.
qemu() {
    cd "$RUN" || exit 1
    exec timeout -k 5 --foreground "$limit" qemu-system-x86_64 -accel tcg,thread=multi \
        -machine q35,kernel-irqchip=split "${WIRE[@]}" \
        -cpu max,-rdtscp,-xsave,family=25,model=1 -smp "$cpus" -m "$memory" -kernel "$WORK/linux.vmlinuz" -initrd host.img \
        -append "console=ttyS0 panic=-1 quiet nokaslr mitigations=off intel_iommu=on iommu=pt" \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
        -virtfs local,path=share,mount_tag=share,security_model=none,multidevs=remap \
        -display none -no-reboot -vga none -nic none "$@"
}
