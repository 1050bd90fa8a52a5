#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the fuzz target this script is linked as, for FUZZ_SECONDS, on its corpus in $BUILD/fuzz.
set -u
name=$(basename "$0")
build=${BUILD:-build}
corpus=$build/fuzz/corpus/$name
mkdir -p "$corpus"
# real inputs to start from, where there are some
[ "$name" != fuzz_config ] || cp -f config/examples/*.yaml "$corpus"
[ ! -d "tests/fuzz/seeds/$name" ] || cp -f "tests/fuzz/seeds/$name"/* "$corpus"
[ "$name" != fuzz_bzimage ] || python3 tests/fuzz/seed_bzimage.py >"$corpus/smallest"
[ "$name" != fuzz_elf ] || cp -f "$build/guest/probe.elf" "$corpus" 2>/dev/null
# inputs that are sequences of commands say little while they are short
how=()
[ "$name" != fuzz_ioreq ] || how=(-len_control=0 -max_len=400)
if "$build/fuzz/$name" "${how[@]}" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=20 -rss_limit_mb=4096 \
    -artifact_prefix="$build/fuzz/$name-" -print_final_stats=1 "$corpus" >"$build/fuzz/$name.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz/$name.log")
    echo "$runs inputs"
    [ "${runs:-0}" -gt 100 ] && echo "$name: 1 passed, 0 failed" && exit 0
fi
tail -n 40 "$build/fuzz/$name.log"
echo "$name: 0 passed, 1 failed"
exit 1
