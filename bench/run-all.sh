#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs every benchmark and leaves in OUTDIR, for each, a JSON document and a drawing, and in
# OUTDIR/figures.md the tables of docs/benchmarks.md.
#
#   bench/run-all.sh OUTDIR [BUILD [option of coopvmm bench]...]
set -eu

out=${1:?usage: bench/run-all.sh OUTDIR [BUILD [option]...]}
build=${2:-$(dirname "$0")/../build}
shift
[ $# -eq 0 ] || shift
coopvmm=$build/coopvmm
for tool in jq gnuplot; do
    command -v "$tool" >/dev/null || { echo "run-all.sh: $tool is missing" >&2; exit 1; }
done
mkdir -p "$out"

run() { # name, arguments
    name=$1
    shift
    echo "$name: coopvmm bench $*" >&2
    "$coopvmm" bench "$@" --json --plot "$out/$name.svg" >"$out/$name.json"
}

run ring ring "$@"
run posted posted "$@"
run registers registers "$@"
run scale scale "$@"
run trap-user trap --engine user "$@"
# Where KVM does not work there is no such figure; the message said why.
run trap-kvm trap --engine kvm "$@" || rm -f "$out/trap-kvm.json" "$out/trap-kvm.svg"

goals='.goals[] | "| \(.text) | \(.value) | \(.sense) \(.bound) | \(if .met then "met" else "not met" end) |"'
{
    jq -r '"\(.host.line); stolen \(.host.stolen * 1000 | round / 10) %; coopvmm \(.version), \(.time)",
        "CPU \(.placement.cpu) measures, CPU \(.placement.iocpu) is the I/O core, idle: \(.placement.idle).",
        "Floor: \(.floor_variant).", "",
        "| ns | median | p99 | p99.9 | lowest and highest round |", "|---|---:|---:|---:|---|",
        (. as $d | ["floor", "ring", "inline", "blocking"][] |
         "| \(.) | \($d[. + "_ns"]) | \($d[. + "_p99_ns"]) | \($d[. + "_p999_ns"]) | \($d[. + "_rounds_ns"] | "\(min) to \(max)") |"),
        "", "Round by round: ring / floor \(.paired_ratio * 100 | round / 100), ring - inline - floor \(.paired_excess_ns) ns.",
        ""' "$out/ring.json"
    jq -r '"| writes | million/s | ns each |", "|---|---:|---:|",
        (. as $d | ["posted", "bus", "sync", "inline", "blocking"][] |
         "| \(.) | \($d[. + "_mops"] * 1000 | round / 1000) | \($d[. + "_ns"]) |"),
        "", "Ring full: \(.full_part * 100000 | round / 1000) % of the posts; floor \(.floor_ns) ns.", ""' "$out/posted.json"
    jq -r '"| idle VMs | ring ns | p99 ns | ratio to 1 | round by round | first after 100 ms, ns |",
        "|---:|---:|---:|---:|---:|---:|",
        (.levels[] | "| \(.idle) | \(.ring_ns) | \(.ring_p99_ns) | \(.ratio * 1000 | round / 1000) | \(.paired_ratio * 1000 | round / 1000) | \(.cold_ns) |"),
        "", "Floor \(.floor_ns) ns, inline \(.inline_ns) ns, blocking \(.blocking_ns) ns.", ""' "$out/scale.json"
    jq -r '"| model | register | access | as declared, ns | waited for, ns | gain |", "|---|---|---|---:|---:|---:|",
        (.registers[] | "| \(.model) | \(.register) | \(.access) | \(.declared_ns) | \(.waited_ns) | \(.gain * 10 | round / 10) |"),
        "", "Floor \(.floor_ns) ns.", ""' "$out/registers.json"
    for f in "$out"/trap-*.json; do
        [ -e "$f" ] || continue
        jq -r '"Engine \(.engine): trap \(.trap_ns) ns, floor \(.floor_ns) ns.", "",
            "| ns | inline | I/O core | blocking |", "|---|---:|---:|---:|",
            (.kinds[] | "| \(.name) | \(.inline_ns) | \(.iocore_ns) | \(.blocking_ns) |"), ""' "$f"
    done
    echo "| goal | measured | bound | |"
    echo "|---|---:|---|---|"
    for f in "$out"/ring.json "$out"/posted.json "$out"/scale.json "$out"/trap-*.json; do
        [ -e "$f" ] && jq -r "$goals" "$f"
    done
} >"$out/figures.md"
echo "$out/figures.md" >&2
