#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# As an ordinary user, in a user and network namespace that coopvmm makes.
. "$(dirname "$0")/lib.sh"
suite user

[ -n "${COOPVMM_AS_USER:-}" ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all"
home=$tmp/home
mkdir -p "$home"
chmod 755 "$tmp"
chown 65534:65534 "$home" 2>/dev/null
file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=echo"; } | config asuser)
chmod 644 "$file"

readable() { # everything the user needs can be read by others
    local d=$BUILD
    while [ "$d" != / ]; do
        [ "$(($(stat -c %a "$d") % 10 & 1))" = 1 ] || { echo "$d is closed to others"; return 1; }
        d=$(dirname "$d")
    done
}
if ! readable >"$tmp/why"; then
    skip "as an ordinary user" "$(cat "$tmp/why")"
    finish
fi
run_as() { env -i PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR="$home" $as "$@"; }

run_as "$COOPVMM" run --unshare "$file" >"$log" 2>&1 &
testbed_pid=$!
check "the guest answers inside the namespace" wait_for 20 \
    run_as "$COOPVMM" exec asuser -- ping -q -c 1 -W 1 10.77.0.2
check "ps lists it" sh -c "env -i PATH='$PATH' HOME='$home' XDG_RUNTIME_DIR='$home' $as '$COOPVMM' ps | grep -q probe"
check "stat works" run_as "$COOPVMM" stat --testbed asuser
check "it cannot be seen from outside" sh -c '! ip link show tap-asuser'
check "stop ends it" run_as timeout 20 "$COOPVMM" stop asuser
wait "$testbed_pid"
testbed_pid=
finish
