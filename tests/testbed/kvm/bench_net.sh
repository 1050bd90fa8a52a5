# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Measures, in one boot: the same stock Linux guest and driver on QEMU's NICs and on ours. Not a scenario:
# it has no opinion. `run.sh --script bench_net.sh`; MODELS, SYSTEMS, MIB and PINGS say what is measured
# (in $SHARE/../net.env). QEMU's vCPU runs on CPU 1, all else of it on CPU 0, as ours does.
. "$HERE/lib.sh"
[ ! -f "$SHARE/net.env" ] || . "$SHARE/net.env"
[ ! -f "${NET_ENV:=/tmp/ng.env}" ] || . "$NET_ENV"
guest=10.77.0.2
MODELS=${MODELS:-rtl8029 rtl8139cp e1000 virtio-net}
SYSTEMS=${SYSTEMS:-qemu vhost iocore inline blocking}
PINGS=${PINGS:-300}
PEER_CPU=0
IO_CPU=${IO_CPU:-$(($(nproc) > 2))} # a CPU for the host itself, if there are three
VCPU=$((IO_CPU + 1))
mkdir -p /sys/kernel/debug && mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
modprobe vhost_net
qemu_pid=

driver_of() {
    case $1 in
    rtl8029) echo ne2k-pci ;;
    rtl8139cp) echo 8139cp ;;
    e1000) echo e1000 ;;
    virtio-net) echo virtio_pci,virtio_net ;;
    esac
}

qemu_model() {
    case $1 in
    rtl8029) echo ne2k_pci ;;
    rtl8139cp) echo rtl8139 ;;
    virtio-net) echo virtio-net-pci ;;
    *) echo "$1" ;;
    esac
}

mib_of() { # KiB, by model
    case $1 in
    rtl8029) echo "${KIB:-512}" ;;
    rtl8139cp) echo "${KIB:-2048}" ;;
    e1000) echo "${KIB:-4096}" ;;
    virtio-net) echo "${KIB:-16384}" ;;
    esac
}

start_qemu() { # MODEL NETDEV-OPTIONS
    taskset -c $IO_CPU qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 256 -name q,debug-threads=on \
        -kernel "$GUESTS/linux.vmlinuz" -initrd "$GUESTS/linux.initrd" \
        -append "console=ttyS0 panic=-1 quiet net=$(driver_of "$1") addr=$guest/24" \
        -nodefaults -no-user-config -nographic -serial stdio \
        -netdev "tap,id=n0,ifname=tapq,script=no,downscript=no$2" \
        -device "$(qemu_model "$1"),netdev=n0,mac=52:54:00:77:00:02" </dev/null >"$tmp/run.log" 2>&1 &
    qemu_pid=$!
    wait_for 30 ip link show tapq || return
    ip addr add 10.77.0.1/24 dev tapq && ip link set tapq up
    wait_for 10 sh -c "grep -q 'CPU 0/KVM' /proc/$qemu_pid/task/*/comm"
    for t in /proc/$qemu_pid/task/*; do
        ! grep -q "CPU 0/KVM" "$t/comm" || taskset -p -c $VCPU "${t##*/}" >/dev/null
    done
    wait_for 90 logged "guest: ready"
}

stop_qemu() {
    kill $qemu_pid
    wait $qemu_pid 2>/dev/null
}

start_ours() { # MODEL PLACEMENT
    local file=$tmp/ours.yaml
    {
        echo "name: ours"
        [ "$2" != iocore ] || echo "iocores: [{name: io0, core: $IO_CPU, idle: ${IDLE:-sleep, idle_us: 1000}}]
ports: [{name: uplink, type: tap, iface: tapo, address: 10.77.0.1/24}]"
        echo "vms:"
        linux_vm linux "quiet net=$(driver_of "$1") addr=$guest/24" | sed "s/cores:.*/cores: [$VCPU]/"
        echo "    devices:"
        if [ "$2" = iocore ]; then
            echo "      - {mac: '52:54:00:77:00:02', model: $1}"
        else
            echo "      - {mac: '52:54:00:77:00:02', model: $1, placement: $2, tap: tapo, tap_address: 10.77.0.1/24}"
        fi
    } >"$file"
    start_testbed "$file" && wait_for 90 logged "guest: ready"
}

exits() {
    cat /sys/kernel/debug/kvm/exits
}

frames() { # of the tap, both ways
    cat /sys/class/net/"$tap"/statistics/{rx,tx}_packets | paste -sd+ | bc
}

cpu() { # ticks of VMM, I/O core and vhost, no idle ones
    local pid
    for pid in $(pgrep 'coopvmm|qemu-system|vhost-'); do
        awk '{ print $14 + $15 }' /proc/"$pid"/stat
    done | paste -sd+ | bc
}

busy() {
    awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat
}

now() {
    date +%s.%N
}

# phase NAME BYTES COMMAND...
phase() {
    local name=$1 kib=$2 t e f c b
    shift 2
    e=$(exits) f=$(frames) c=$(cpu) b=$(busy) t=$(now)
    "$@" || { note "$name failed"; return; }
    echo "$t $(now) $e $(exits) $f $(frames) $c $(cpu) $b $(busy)" | awk -v n="$system $model $name" -v k="$kib" '{
        s = $2 - $1; fr = $6 - $5; if (fr < 1) fr = 1
        printf "# %-28s %7.2f s %9.1f KiB/s %8.0f frames/s %7.2f exits/frame  cpu %.2f s (all %.2f)\n", n, s, k / s, fr / s, ($4 - $3) / fr,
        ($8 - $7) / 100, ($10 - $9) / 100 }'
}

pings() {
    ping -n -A -w 60 -c "$PINGS" $guest >"$tmp/pings"
    sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$tmp/pings" | sort -n | awk -v n="$system $model" '{ t[NR] = $1 * 1000 } END {
        printf "# %-28s ping n %d min %.0f p50 %.0f p99 %.0f us\n", n, NR, t[1], t[int((NR + 1) / 2)], t[int(NR * 0.99)] }'
}

send() {
    local got
    exec 3<>/dev/tcp/$guest/7000
    { echo 'head -c '$((kib * 1024))' | wc -c' && cat "$tmp/file"; } >&3
    read -r got <&3
    exec 3>&-
    [ "$got" = $((kib * 1024)) ]
}

fetch() {
    local got
    exec 3<>/dev/tcp/$guest/7000
    echo "dd if=/dev/zero bs=64k count=$((kib / 64)) 2>/dev/null" >&3
    got=$(head -c $((kib * 1024)) <&3 | wc -c)
    exec 3>&-
    [ "$got" = $((kib * 1024)) ]
}

# pktgen: the stock kernel's packet generator in the guest; frames to an address nobody has
pktgen() {
    local x set=''
    for x in "pkt_size 60" "count ${PKTS:-20000}" "clone_skb ${CLONE:-0}" "delay 0" "dst 10.77.0.1" \
        "dst_mac 02:00:00:00:00:99"; do
        set="$set; echo '$x' >eth0"
    done
    order $guest "insmod /modules/pktgen.ko; cd /proc/net/pktgen && echo rem_device_all >kpktgend_0; echo add_device eth0 >kpktgend_0$set; echo start >pgctrl; tail -n 3 eth0" </dev/null | sed 's/^/#   /'
}

measure() {
    taskset -p -c $PEER_CPU $$ >/dev/null
    random_file "$tmp/file" "$kib"
    wait_for 10 answers $guest || { note "$system $model does not answer"; return; }
    phase ping 0 pings
    phase to_guest "$kib" send
    phase from_guest "$kib" fetch
    [ -n "${NOPKTGEN:-}" ] || phase pktgen 0 pktgen
    taskset -p -c "0-$VCPU" $$ >/dev/null
}

one() {
    local begin=$SECONDS
    case $system in
    qemu) start_qemu "$model" ",vhost=off" || { tail "$tmp/run.log"; return; } ;;
    vhost) start_qemu "$model" ",vhost=on" || { tail "$tmp/run.log"; return; } ;;
    *) start_ours "$model" "$system" || { tail "$tmp/run.log"; return; } ;;
    esac
    note "$system $model: up after $((SECONDS - begin)) s"
    case $system in
    qemu | vhost) tap=tapq && measure && stop_qemu ;;
    *) tap=tapo && measure && { [ -z "${SHOW:-}" ] || eval "$SHOW"; } ; stop_testbed ;;
    esac
    note "$system $model: $((SECONDS - begin)) s"
}

if [ -z "${plan:-}" ]; then
    for model in $MODELS; do
        for system in $SYSTEMS; do
            [ "$system $model" = "vhost virtio-net" ] || [ "$system" != vhost ] || continue
            plan="${plan:-} $system:$model"
        done
    done
fi
for step in $plan; do
    system=${step%%:*} model=${step#*:}
    kib=$(mib_of "$model")
    one
done
