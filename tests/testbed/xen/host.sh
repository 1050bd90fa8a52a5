# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # options and names are run.sh's
# The machine that QEMU emulates: Xen and dom0. Sourced by run.sh.

# $RUN/xen: the stock hypervisor, or the one that was named. QEMU's multiboot loader wants it plain.
find_hypervisor() {
    [ -n "$xen" ] || { fetch_hypervisor "xen-hypervisor-$SERIES-amd64" && xen=$HYPERVISOR; }
    gzip -dc "$xen" >"$RUN/xen" 2>/dev/null || cp "$xen" "$RUN/xen"
}

# The tools dom0 runs are this machine's.
find_tools() {
    command -v qemu-system-x86_64 >/dev/null && [ -d "/usr/lib/xen-$SERIES/bin" ] &&
        command -v syslinux >/dev/null ||
        die "packages are missing: scripts/setup.sh --testbed installs them"
}

prepare() {
    find_tools
    # Without PAE: Xen's walk of a PAE guest's page tables fails under TCG, on a CPUID of its.
    fetch_kernel i386 linux-image-686 --wildcards './boot/*' '*/modules.*' '*/ethernet/8390/*'
    fetch_busybox i386
    make_guest i386 ne ne2k-pci
    fetch_stock_kernel
    fetch_busybox amd64
    make_guest amd64 ne2k-pci 8139too 8139cp e1000 virtio_pci virtio_net
    make_initramfs "$RUN/dom0.img" "$HERE/../machine-init" virtio_pci 9p 9pnet_virtio overlay
    find_hypervisor
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$RUN/vmlinuz"
}

# make_guest ARCHITECTURE MODULE...: kernel, initramfs and boot disk of a stock guest
make_guest() {
    local guest=$WORK/guest-$1
    shift
    make_initramfs "$guest.initrd" "$HERE/../guest-init" "$@"
    make_disk "$guest.disk" "$guest.initrd"
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$guest.vmlinuz"
}

# qemu [OPTION...]: becomes the machine. Relative file names: QEMU splits multiboot modules at commas and spaces.
# SMAP and SMEP kill a PV dom0 at once under TCG, RDTSCP sends HVM guests into a loop.
qemu() {
    local hypervisor="console=com1 com1=115200,8n1 dom0_mem=2048M,max:2048M loglvl=all \
guest_loglvl=all dom0_max_vcpus=$dom0_cpus dom0_vcpus_pin $xen_args"
    cd "$RUN" || exit 1
    exec timeout -k 5 --foreground "$limit" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 \
        -cpu max,-smap,-smep,-rdtscp -smp "$cpus" -m 4096 -kernel xen -append "$hypervisor" \
        -initrd "vmlinuz console=hvc0 earlyprintk=xen panic=-1 quiet pci=noearly,dom0.img" \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
        -virtfs local,path=share,mount_tag=share,security_model=none,multidevs=remap \
        -display none -no-reboot -vga none -net none "$@"
}
