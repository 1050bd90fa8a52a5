# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# VMs that are stopped and started while the I/O core is busy, with their own frames and with others'.
# limit: 300 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

PROBE=10.77.0.3

vms() {
    linux_vm linux "quiet net=virtio_pci,virtio_net addr=$GUEST/24"
    nic 02 "model: virtio-net"
    probe_vm $PROBE 03
}

# keep_fetching: files from the Linux guest, until $tmp/enough is there; fails with the first that is not
# whole
keep_fetching() {
    while [ ! -e "$tmp/enough" ]; do
        fetch_file $GUEST 1024 || return
        echo >>"$tmp/files"
    done
}

# ready TIMES: the Linux guest's init has run so often
ready() {
    [ "$(grep -c '\[linux\] guest: ready' "$tmp/run.log")" = "$1" ]
}

check "they run" start_testbed "$(vms | config churn)"
check "the Linux guest's init runs" wait_for 120 ready 1
check "the probe guest answers" wait_for 20 answers $PROBE
daemon=$(daemon_pid)

keep_fetching &
load=$!
for _ in 1 2 3 4; do
    check "while files come in, the other VM is stopped" timeout 60 "$COOPVMM" stop churn probe
    check "and started" timeout 60 "$COOPVMM" start churn probe
    check "and answers" wait_for 20 answers $PROBE
done
touch "$tmp/enough"
check "all files came in whole" wait $load
note "$(wc -l <"$tmp/files") files of 1 MiB meanwhile"

no_loss $PROBE 300 >"$tmp/no_loss.log" &
pings=$!
start_fetch 16384
check "the Linux guest is stopped while it sends" in_mid_transfer 16384 timeout 60 "$COOPVMM" stop churn linux
kill "$transfer"
check "and started" timeout 60 "$COOPVMM" start churn linux
check "its init runs again" wait_for 120 ready 2
check "a file comes in whole" fetch_file $GUEST 1024
check "the other VM missed no ping meanwhile" wait $pings
check "the I/O-core process is the same" same_daemon "$daemon"
check "it knows two VMs, and not what was before" sh -c "'$COOPVMM' stat --json | jq -e '.vms | length == 2'"
