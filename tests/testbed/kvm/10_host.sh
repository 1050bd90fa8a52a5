# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The testbed itself: a host whose KVM really works, and the freestanding guest on it.
. "$HERE/lib.sh"

check "KVM is there" test -c /dev/kvm
check "and works" sh -c "'$COOPVMM' check --json | grep -q '\"kvm\"'"
check "the probe guest runs" start_testbed "$(
    config probe <<END
  - name: probe
    engine: kvm
    memory: 64
    cores: [1]
    kernel: $BUILD/guest/probe.elf
    cmdline: "ip=10.77.0.2"
    devices:
      - {model: ne2000, mac: "52:54:00:77:00:02"}
END
)"
check "it answers pings" wait_for 20 answers 10.77.0.2
check "stop ends it" timeout 60 "$COOPVMM" stop probe
