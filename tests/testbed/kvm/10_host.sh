# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The testbed itself: a host whose KVM really works, and the freestanding guest on it.
. "$HERE/lib.sh"

check "KVM is there" test -c /dev/kvm
check "and works" sh -c "'$COOPVMM' check --json | grep -q '\"kvm\"'"
check "the probe guest runs" start_testbed "$(probe_vm 10.77.0.2 02 | config probe)"
check "it answers pings" wait_for 20 answers 10.77.0.2
check "stop ends it" timeout 60 "$COOPVMM" stop probe
