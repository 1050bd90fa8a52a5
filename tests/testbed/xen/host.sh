# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The machine that QEMU emulates, and what its scenarios say. Sourced by run.sh.

machine=

all_scenarios() {
    (cd "$HERE" && ls [0-9]*.sh) | sed 's/\.sh$//'
}

# find_scenario NAME|NUMBER: its file
find_scenario() {
    local file
    for file in "$HERE/$1.sh" "$HERE/$1"_*.sh; do
        [ ! -f "$file" ] || { echo "$file" && return; }
    done
    die "there is no scenario $1; there are: $(all_scenarios | tr '\n' ' ')"
}

find_hypervisor() {
    local file
    [ -z "$xen" ] || { gunzip_if "$xen" && return; }
    file=$(ls /boot/xen-4.17-amd64.gz 2>/dev/null) ||
        die "no hypervisor in /boot: install xen-hypervisor-4.17-amd64 (\`make setup\` does)"
    gunzip_if "$file"
}

# QEMU's multiboot loader wants it plain.
gunzip_if() {
    if gzip -t "$1" 2>/dev/null; then
        gzip -dc "$1" >"$RUN/xen"
    else
        cp "$1" "$RUN/xen"
    fi
}

prepare() {
    fetch_kernel
    make_initramfs "$RUN/dom0.img" "$HERE/dom0-init" virtio_pci 9p 9pnet_virtio overlay
    find_hypervisor
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$RUN/vmlinuz"
}

# give_orders ORDER: an empty share, and what dom0 shall do
give_orders() {
    rm -rf "$RUN/share"
    mkdir -p "$RUN/share/logs"
    : >"$RUN/share/progress"
    : >"$RUN/share/logs/script.log"
    {
        printf '%s=%q\n' HERE "$HERE" ROOT "$ROOT" BUILD "$BUILD" KERNEL "$KERNEL" ORDER "$1" \
            GUESTS "$WORK" SCRIPT "$script" SCENARIOS "${remaining[*]-}"
    } >"$RUN/share/orders"
}

# start_machine [QEMU OPTION...]: in the background, unless it is to be a shell. Relative file names:
# QEMU splits multiboot modules at commas and spaces.
# SMAP and SMEP kill a PV dom0 at once under TCG, RDTSCP sends HVM guests into a loop.
qemu() {
    local hypervisor="console=com1 com1=115200,8n1 dom0_mem=2048M,max:2048M loglvl=all \
guest_loglvl=all dom0_max_vcpus=$dom0_cpus dom0_vcpus_pin $xen_args"
    cd "$RUN" || exit 1
    exec timeout -k 5 --foreground "$limit" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 \
        -cpu max,-smap,-smep,-rdtscp -smp "$cpus" -m 4096 -kernel xen -append "$hypervisor" \
        -initrd "vmlinuz console=hvc0 earlyprintk=xen panic=-1 quiet,dom0.img" \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
        -virtfs local,path=share,mount_tag=share,security_model=none,multidevs=remap \
        -display none -no-reboot -vga none -net none "$@"
}

start_machine() {
    qemu -serial file:xen.log -monitor none </dev/null >"$RUN/qemu.log" 2>&1 9>&- &
    machine=$!
}

stop_machine() {
    [ -n "$machine" ] || return 0
    kill "$machine" 2>/dev/null
    wait "$machine" 2>/dev/null
    machine=
}

run_shell() {
    give_orders shell
    (qemu -chardev stdio,id=tty,mux=on,signal=off,logfile=xen.log -serial chardev:tty -mon chardev=tty)
}

run_script() {
    local status
    give_orders script
    start_machine
    tail -n +1 -f --pid=$machine "$RUN/share/logs/script.log"
    wait $machine
    machine=
    status=$(cat "$RUN/share/status" 2>/dev/null)
    [ -n "$status" ] || show_xen
    exit "${status:-1}"
}

show_xen() {
    echo "--- the end of Xen's and dom0's console ($RUN/xen.log):"
    tail -n 40 "$RUN/xen.log" "$RUN/qemu.log"
}
