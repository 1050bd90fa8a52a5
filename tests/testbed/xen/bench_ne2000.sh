# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Measures, in one boot: the same stock Linux guest and driver on QEMU's NE2000 and on ours. Not a
# scenario: it has no opinion. `run.sh --script bench_ne2000.sh`; the result is $SHARE/ne2000.json.
# Seconds of CPU are those of dom0 as Xen counts them, of the device model's process, and of QEMU.
. "$HERE/lib.sh"
guest=10.77.0.2
kilobytes=${KILOBYTES:-512}
pings=${PINGS:-200}

# cpu_of PROGRAM: seconds its processes have used
cpu_of() {
    local pid
    for pid in $(pgrep "$1"); do
        cut -d' ' -f14,15 "/proc/$pid/stat"
    done | awk '{ ticks += $1 + $2 } END { printf "%.2f\n", ticks / 100 }'
}

dom0_cpu() {
    xl list 0 | awk 'NR == 2 { print $NF }'
}

cpu_times() {
    echo "$(dom0_cpu) $(cpu_of coopvmm-iocored) $(cpu_of xen-qemu-system)"
}

# phase NAME COMMAND...: wall and CPU seconds of it as a JSON member
phase() {
    local name=$1 before after
    shift
    before=$(cpu_times)
    before="$(date +%s.%N) $before" # asking costs seconds here: the clock is read next to the work
    "$@" || return 1
    after="$(date +%s.%N) $(cpu_times)"
    echo "$before $after" | awk -v name="$name" '{ printf "\"%s\": {\"wall_s\": %.3f, " \
        "\"dom0_cpu_s\": %.1f, \"iocored_cpu_s\": %.2f, \"qemu_cpu_s\": %.2f}\n", \
        name, $5 - $1, $6 - $2, $7 - $3, $8 - $4 }' >>"$tmp/phases"
}

do_pings() {
    ping -n -A -w 120 -c "$pings" $guest >"$tmp/pings" # the next once the last is answered
}

send() {
    [ "$(order $guest 'wc -c' <"$tmp/file")" = $((kilobytes * 1024)) ]
}

fetch() {
    [ "$(order $guest 'cat /tmp/file' </dev/null | wc -c)" = $((kilobytes * 1024)) ]
}

idle() {
    sleep 5
}

# round_trips: the pings' times in microseconds
round_trips() {
    sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$tmp/pings" | sort -n | awk '{ t[NR] = $1 * 1000 } END {
        printf "{\"count\": %d, \"min_us\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
            NR, t[1], t[int((NR + 1) / 2)], t[int(NR * 0.99)] }'
}

# measure NAME: the guest that is up now
measure() {
    : >"$tmp/phases"
    wait_for 10 answers $guest || return 1
    order $guest "dd if=/dev/urandom of=/tmp/file bs=1k count=$kilobytes 2>/dev/null" </dev/null
    phase idle idle && phase ping do_pings && phase to_guest send && phase from_guest fetch || return 1
    echo "\"$1\": {\"round_trip\": $(round_trips), $(paste -sd, "$tmp/phases")}" >>"$tmp/members"
    note "$(tail -n 1 "$tmp/members")"
}

on_qemu() {
    start_hvm stock amd64 "net=ne2k-pci addr=$guest/24 xen_emul_unplug=never" "$(qemu_nic tapq)"
    ip addr add 10.77.0.1/24 dev tapq && ip link set tapq up
    wait_for 90 says stock "guest: ready" && measure qemu || return 1
    xl destroy stock
    wait_for 20 no_domains
}

# on_iocore NAME IDLE
on_iocore() {
    start_testbed "$(stock_vm stock amd64 02 "net=ne2k-pci addr=$guest/24" \
        "model: rtl8029, slot: 6" | config tapio "$2")"
    wait_for 90 logged "guest: ready" && measure "$1" || return 1
    stop_testbed
}

random_file "$tmp/file" "$kilobytes"
: >"$tmp/members"
check "QEMU's NE2000 is measured" on_qemu
cat "$tmp/members"
check "ours is, on a polling I/O core" on_iocore iocore spin
tail -n 1 "$tmp/members"
check "ours is, on one that sleeps" on_iocore iocore_sleeping "sleep, idle_us: 1000"
tail -n 1 "$tmp/members"
echo "{\"kilobytes\": $kilobytes, $(paste -sd, "$tmp/members")}" | jq . >"$SHARE/ne2000.json"
