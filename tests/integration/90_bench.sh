#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmarks run, and their documents say what docs/benchmarks.md says they do. What they measure is
# not looked at: that is no test.
. "$(dirname "$0")/lib.sh"
suite bench

# document NAME "jq condition" ARGS...: the benchmark's, which must hold
document() {
    local name=$1 holds=$2
    shift 2
    timeout 60 "$COOPVMM" bench "$name" --quick --json "$@" >"$tmp/$name.json" || return 1
    jq -e "$holds" "$tmp/$name.json"
}

# drawing NAME: an SVG file of it
drawing() {
    timeout 60 "$COOPVMM" bench "$1" --quick --plot "$tmp/$1.svg" && grep -q '^</svg>' "$tmp/$1.svg"
}

if [ "$(cpus)" -lt 2 ]; then
    skip "benchmarks" "one CPU: there is nowhere to hand an access over to"
    finish
fi
measured='. as $d | all($names[]; . as $n | ["_ns", "_p99_ns"] | all(.[]; $d[$n + .] > 0))'
check "ring, its three baselines" \
    document ring '["floor", "ring", "inline", "blocking"] as $names | '"$measured"
check "posted" document posted '.mops > 0 and .sync_mops > 0 and .inline_mops > 0 and .blocking_mops > 0'
check "registers of every model" document registers \
    '([.registers[].model] | unique | length) >= 5 and all(.registers[]; .declared_ns > 0 and .waited_ns > 0 and .gain > 0)'
check "scale" document scale '.levels | length > 1 and all(.[]; .ring_ns > 0)'
check "trap, the user engine" document trap '.kinds | length > 3 and all(.[]; .iocore_ns > 0)' --engine user
if [ -w /dev/kvm ]; then
    check "exits" document exits '.ns | .pio_posted > 0 and .pio_ioeventfd > 0 and .mmio_coalesced > 0'
else
    skip "kvm engine: bench exits" "there is no /dev/kvm that may be opened here"
fi
check "a drawing" drawing registers
finish
