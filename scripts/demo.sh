#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demonstration: a guest with an NE2000 on a polling I/O core, the host's own ping, UDP echo, a stock
# Linux guest (User-Mode Linux) on the same switch, and what an access costs inline, handed to a thread, and
# on the I/O core.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
guest=10.77.0.2 linux=10.77.0.3 host=10.77.0.1
transfer_s=3
tmp=$(mktemp -d)
log=$tmp/run.log
pid='' uml_pid=''
. tests/testbed/uml.sh
UML_PROGRAMS=("$(command -v iperf3 || echo /usr/bin/iperf3)") UML_INITRD=$BUILD/uml/demo.initrd

cleanup() {
    [ -z "$uml_pid" ] || end_uml "$uml_pid"
    [ -z "$pid" ] || { "$BUILD/coopvmm" stop demo >/dev/null 2>&1 || kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" = 0 ]; then
    unshare=() inside=()
else
    # an ordinary user: the tap lives in a user and network namespace of its own
    unshare=(--unshare) inside=("$BUILD/coopvmm" exec demo --)
fi
# The example, and a port for the Linux guest beside the host's.
file=$tmp/demo.yaml
sed -e "s|\.\./\.\./build|$BUILD|" \
    -e "s|^ports:|&\n  - {name: linux, type: vhost-user, socket: $tmp/linux.sock}|" config/examples/demo.yaml >"$file"

# asked "shell command line": what the Linux guest says to it
asked() {
    echo "$1" | timeout 30 "${inside[@]}" "$BUSYBOX" nc $linux 7000
}
# average: of the round trips that ping told, in ms
average() {
    awk -F/ '/min\/avg\/max/ { print $(NF - (/mdev/ ? 2 : 1)) }'
}
# row FROM TO: reads ping's output
row() {
    printf '%-12s %-12s %8s ms\n' "$1" "$2" "$(average)"
}
# measured OPTION...: TCP with the Linux guest's iperf3, bytes a second. With --json it tells errors there only.
measured() {
    "${inside[@]}" timeout 30 iperf3 --json -c $linux -t $transfer_s "$@" >"$tmp/iperf3.json" 2>&1
    jq -er '.end.sum_received.bits_per_second // 0 | select(. > 0) / 8' "$tmp/iperf3.json"
}
# transfer FROM TO [OPTION]: the guest's iperf3 may take a moment to be there
transfer() {
    local from=$1 to=$2 rate
    shift 2
    for _ in $(seq 20); do
        rate=$(measured "$@") && printf '%-12s %-12s %8.0f MB/s\n' "$from" "$to" "$(jq -n "$rate / 1e6")" && return
        sleep 0.2
    done
    cat "$tmp/iperf3.json" >&2
    return 1
}
title() { printf '\n\033[1m%s\033[0m\n' "$*"; }

title "Where everything goes: coopvmm plan $file"
"$BUILD/coopvmm" plan "$file" || exit 1

title "Starting it: coopvmm run ${unshare[*]} $file"
"$BUILD/coopvmm" run "${unshare[@]}" "$file" >"$log" 2>&1 &
pid=$!
for _ in $(seq 150); do
    "${inside[@]}" ping -q -c 1 -W 1 $guest >/dev/null 2>&1 && up=1 && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
done
cat "$log"
[ -n "${up:-}" ] || { echo "The guest did not answer." >&2; exit 1; }

title "The host's ping: ping -c 10 $guest"
"${inside[@]}" ping -c 10 -i 0.2 $guest || exit 1

title "UDP echo, 1000 frames a second for 10 s: coopvmm bench echo --to $guest"
"${inside[@]}" "$BUILD/coopvmm" bench echo --to $guest --rate 1000 --seconds 10 ||
    echo "(frames were lost: see docs/operators.md, \"Small machines\")"

title "A stock Linux guest on the same switch: User-Mode Linux, virtio_net, by vhost-user"
make_uml_initrd
start_uml linux "$tmp/linux.sock" $linux/24 "${inside[@]}"
for _ in $(seq 150); do
    linux_up=$(asked 'uname -sr' 2>/dev/null) && [ -n "$linux_up" ] && break
    sleep 0.2
done
[ -n "$linux_up" ] || { cat "$tmp/linux.console"; echo "The Linux guest did not answer." >&2; exit 1; }
echo "$linux_up is up"
printf '\n%-12s %-12s %11s\n' FROM TO "PING, TCP (iperf3)"
"${inside[@]}" ping -q -c 20 -i 0.1 $guest | row host probe
"${inside[@]}" ping -q -c 20 -i 0.1 $linux | row host Linux
asked "ping -q -c 20 -i 0.1 $guest" | row Linux probe
asked "ping -q -c 20 -i 0.1 $host" | row Linux host
asked 'iperf3 -s -D'
{ transfer host Linux && transfer Linux host --reverse; } || { echo "A transfer failed." >&2; exit 1; }

title "What the I/O core did: coopvmm stat"
"$BUILD/coopvmm" stat --testbed demo

title "Stopping it: coopvmm stop demo"
"$BUILD/coopvmm" stop demo && wait $pid
pid=

title "A trapped access, inline, handed to a blocking thread, and on the I/O core: coopvmm bench trap"
"$BUILD/coopvmm" bench trap --engine user --quick || exit 1
echo
echo "More: README.md, docs/operators.md; \"coopvmm --help\"."
