#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demonstration: a guest with an NE2000 on a polling I/O core, the host's own ping, UDP echo,
# and what an access costs inline, handed to a thread, and on the I/O core.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
file=config/examples/demo.yaml
guest=10.77.0.2
log=$(mktemp)
pid=

cleanup() {
    [ -z "$pid" ] || { "$BUILD/coopvmm" stop demo >/dev/null 2>&1 || kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
    rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" = 0 ]; then
    unshare=() inside=()
else
    # an ordinary user: the tap lives in a user and network namespace of its own
    unshare=(--unshare) inside=("$BUILD/coopvmm" exec demo --)
fi
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

title "What the I/O core did: coopvmm stat"
"$BUILD/coopvmm" stat --testbed demo

title "Stopping it: coopvmm stop demo"
"$BUILD/coopvmm" stop demo && wait $pid
pid=

title "A trapped access, inline, handed to a blocking thread, and on the I/O core: coopvmm bench trap"
"$BUILD/coopvmm" bench trap --engine user --quick || exit 1
echo
echo "More: README.md, docs/operators.md; \"coopvmm --help\"."
