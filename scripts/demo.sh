#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demonstration: a guest with an NE2000 on a polling I/O core, the host's own ping, UDP echo, a stock
# Linux guest (User-Mode Linux) on the same switch, and what an access costs inline, handed to a thread, and
# on the I/O core.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
guest=10.77.0.2 linux=10.77.0.3 host=10.77.0.1
megabytes=64
tmp=$(mktemp -d)
log=$tmp/run.log
pid='' uml_pid=''
. tests/testbed/uml.sh

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
# rate SECONDS: of the file
rate() {
    awk -v s="$1" -v m=$megabytes 'BEGIN { printf "%.0f", m / s }'
}
# seconds COMMAND...: how long it takes
seconds() {
    local begin=$EPOCHREALTIME
    "$@" >"$tmp/said" || return
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}
send_zeros() {
    { echo 'wc -c' && head -c ${megabytes}M /dev/zero; } | timeout 60 "${inside[@]}" "$BUSYBOX" nc $linux 7000
}
fetch_zeros() {
    asked "dd if=/dev/zero bs=1024k count=$megabytes 2>/dev/null" | wc -c
}
# transfer FROM TO COMMAND: it says how many bytes came
transfer() {
    local took
    took=$(seconds "$3") && [ "$(cat "$tmp/said")" = $((megabytes << 20)) ] || return
    printf '%-12s %-12s %8s MB/s\n' "$1" "$2" "$(rate "$took")"
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
printf '\n%-12s %-12s %11s\n' FROM TO "PING, TCP"
"${inside[@]}" ping -q -c 20 -i 0.1 $guest | row host probe
"${inside[@]}" ping -q -c 20 -i 0.1 $linux | row host Linux
asked "ping -q -c 20 -i 0.1 $guest" | row Linux probe
asked "ping -q -c 20 -i 0.1 $host" | row Linux host
{ transfer host Linux send_zeros && transfer Linux host fetch_zeros; } || { echo "A transfer failed." >&2; exit 1; }

title "What the I/O core did: coopvmm stat"
"$BUILD/coopvmm" stat --testbed demo

title "Stopping it: coopvmm stop demo"
"$BUILD/coopvmm" stop demo && wait $pid
pid=

title "A trapped access, inline, handed to a blocking thread, and on the I/O core: coopvmm bench trap"
"$BUILD/coopvmm" bench trap --engine user --quick || exit 1
echo
echo "More: README.md, docs/operators.md; \"coopvmm --help\"."
