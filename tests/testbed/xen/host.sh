# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # options and names are run.sh's
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
    fetch_kernel amd64 linux-image-amd64 --exclude='*/drivers/gpu' --exclude='*/drivers/media' \
        --exclude='*/sound' --exclude='*/wireless' ./boot ./lib
    fetch_busybox amd64
    make_guest amd64 ne2k-pci virtio_pci virtio_net
    make_initramfs "$RUN/dom0.img" "$HERE/dom0-init" virtio_pci 9p 9pnet_virtio overlay
    find_hypervisor
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$RUN/vmlinuz"
}

# make_guest ARCHITECTURE MODULE...: kernel, initramfs and boot disk of a stock guest
make_guest() {
    local guest=$WORK/guest-$1
    shift
    make_initramfs "$guest.initrd" "$HERE/guest-init" "$@"
    make_disk "$guest.disk" "$guest.initrd"
    ln -sf "$KERNEL/boot/vmlinuz-$K" "$guest.vmlinuz"
}

# give_orders ORDER: an empty share, and what dom0 shall do
give_orders() {
    rm -rf "$RUN/share"
    mkdir -p "$RUN/share/logs"
    : >"$RUN/share/progress"
    : >"$RUN/share/logs/script.log"
    {
        printf '%s=%q\n' SERIES "$SERIES" HERE "$HERE" ROOT "$ROOT" BUILD "$BUILD" KERNEL "$KERNEL" ORDER "$1" \
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
        -initrd "vmlinuz console=hvc0 earlyprintk=xen panic=-1 quiet pci=noearly,dom0.img" \
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

# --- scenarios ---

passed=0 failed=0 remaining=() begin=$SECONDS

# Scenarios that a crash of the machine cut short have failed; those after it run in a new one.
run_scenarios() {
    [ ${#scenarios[@]} != 0 ] || mapfile -t scenarios < <(ls "$HERE"/[0-9]*.sh)
    remaining=("${scenarios[@]}")
    while [ ${#remaining[@]} != 0 ]; do
        echo "booting Xen and dom0, ${#remaining[@]} to run"
        give_orders scenarios
        start_machine
        follow
        stop_machine
    done
    echo "$passed passed, $failed failed, $((SECONDS - begin)) s"
    [ $failed = 0 ] && [ $passed -gt 0 ]
}

# Reads the progress that dom0 writes until it ends.
follow() {
    local event name seconds why current='' up=''
    exec 8< <(tail -n +1 -f --pid=$machine "$RUN/share/progress")
    while next_event; do
        case $event in
        up) up=1 && echo "dom0 is up after $name s" ;;
        begin) current=$name ;;
        ok) settle "$name" && passed=$((passed + 1)) && current='' && echo "ok $name $seconds s" ;;
        FAILED) settle "$name" && current='' && report_failure "$name" "$seconds s: $why" ;;
        end) break ;;
        esac
    done
    exec 8<&-
    if [ -n "$current" ]; then
        settle "$current"
        report_failure "$current" "the machine stopped"
        show_xen
    elif [ -z "$up" ]; then
        show_xen
        give_up "Xen and dom0 did not come up"
    elif [ "$event" != end ] && [ ${#remaining[@]} != 0 ]; then
        show_xen
        give_up "the machine stopped"
    fi
}

# The next event of dom0, and meanwhile what the scenario said last.
next_event() {
    local status
    while :; do
        read -r -t 10 event name seconds why <&8
        status=$?
        [ $status -gt 128 ] || return $status
        [ $((SECONDS - begin)) -lt "$limit" ] || { event=timeout && return 1; }
        [ -z "${current:-}" ] || echo "... $current: $(tail -n 1 "$RUN/share/logs/$current.log" | cut -c 1-90)"
    done
}

# settle NAME: it need not run any more
settle() {
    local file rest=()
    for file in "${remaining[@]}"; do
        [ "$(basename "$file" .sh)" = "$1" ] || rest+=("$file")
    done
    remaining=("${rest[@]}")
}

report_failure() {
    failed=$((failed + 1))
    echo "FAILED $1 ($2)"
    echo "--- its log:"
    tail -n 100 "$RUN/share/logs/$1.log"
    echo "---"
    mkdir -p "$RUN/failed"
    cp "$RUN/share/logs/$1.log" "$RUN/xen.log" "$RUN/failed/"
}

give_up() {
    local file
    for file in "${remaining[@]}"; do
        failed=$((failed + 1))
        echo "FAILED $(basename "$file" .sh) (not run: $1)"
    done
    remaining=()
}
