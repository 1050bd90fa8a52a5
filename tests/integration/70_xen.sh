#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Engine xen as it meets a user: on a machine without Xen it is refused with what to do; in dom0
# domains are placed on physical CPUs. Domains that run are tests/testbed's.
. "$(dirname "$0")/lib.sh"
suite xen

says() { # says STATUS TEXT COMMAND...: it ends with that status, and its output holds TEXT
    local want=$1 text=$2 got=0
    shift 2
    "$@" >"$tmp/said" 2>&1 || got=$?
    cat "$tmp/said"
    [ "$got" = "$want" ] && grep -qF -- "$text" "$tmp/said"
}
file=$ROOT/config/examples/xen-hvm.yaml
printf 'vms: [{name: a, engine: xen, kernel: /k, xen: {type: hvm, disc: [x]}}]\n' >"$tmp/typo.yaml"

if grep -qs control_d /proc/xen/capabilities; then
    check "plan places domains on physical CPUs" says 0 physical "$COOPVMM" plan "$file"
    check "check tells Xen's version" says 0 "control domain of Xen" "$COOPVMM" check
else
    check "plan leaves domains open, and says why" says 0 "its physical CPUs are left open" \
        "$COOPVMM" plan "$file"
    check "run refuses, with what to do" says 3 "boot Xen and run coopvmm in dom0" "$COOPVMM" run "$file"
    check "check fails for a testbed with domains" says 1 "no Xen here" "$COOPVMM" check "$file"
    check "and is content without" says 0 "no Xen here" "$COOPVMM" check
fi
check "a key that is not there is named" says 3 'did you mean "disk"' "$COOPVMM" plan "$tmp/typo.yaml"
finish
