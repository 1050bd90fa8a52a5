#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs test suites and sums them up: a line a suite, "N passed, N failed" at the end.
#
#   scripts/check.sh [-s EXPECTED-SKIPS-FILE] SUITE...
#
# A suite is a program (CUnit suite, script) whose last line is "NAME: N passed, N failed[, N
# skipped]". One that ends without it, or not in time, has failed. Skips are listed with their
# reasons; with -s each must match a line (a grep pattern) of that file.
set -u
timeout=${SUITE_TIMEOUT:-300}
expected=
[ "${1:-}" = -s ] && { expected=$2; shift 2; }
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
summary=()

for suite in "$@"; do
    name=$(basename "$suite")
    begin=$SECONDS
    timeout --kill-after=10 "$timeout" "$suite" </dev/null >"$out" 2>&1
    status=$?
    line=$(grep -aE '^[A-Za-z0-9_ /.+-]+: [0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
    p=$(sed -nE 's/.*: ([0-9]+) passed.*/\1/p' <<<"$line")
    f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
    s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
    p=${p:-0} f=${f:-0} s=${s:-0}
    why=
    if [ -z "$line" ]; then
        f=1 why=" (no summary line, exit status $status)"
    elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
        f=1 why=" (exit status $status)"
    elif [ "$p" = 0 ] && [ "$f" = 0 ] && [ "$s" = 0 ]; then
        f=1 why=" (ran nothing)"
    fi
    [ "$f" = 0 ] || cat "$out"
    while IFS= read -r reason; do
        if [ -n "$expected" ] && ! grep -qEf "$expected" <<<"$reason"; then
            f=$((f + 1)) why="$why (skipped, which is not expected)"
        fi
        echo "$name: $reason"
    done < <(grep -a '^skip - ' "$out")
    summary+=("$(printf '%-28s %4d passed, %d failed, %d skipped, %d s%s' "$name" "$p" "$f" "$s" \
        $((SECONDS - begin)) "$why")")
    echo "${summary[-1]}"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

if [ "$failed" != 0 ]; then
    echo "--- suites with failures:"
    printf '%s\n' "${summary[@]}" | grep -v ' 0 failed' || true
fi
[ "$skipped" = 0 ] || echo "$skipped skipped, for the reasons above"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
