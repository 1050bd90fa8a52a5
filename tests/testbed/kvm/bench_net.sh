# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# `coopvmm bench net --part guests` for each NIC model, the document of each to $SHARE. Not a scenario: it has
# no opinion. MODELS and ROUNDS, if set in the file $BUILD/bench_net.env, say which and how many.
#   tests/testbed/kvm/run.sh --script tests/testbed/kvm/bench_net.sh
. "$HERE/lib.sh"
[ ! -f "$BUILD/bench_net.env" ] || . "$BUILD/bench_net.env"
mount -t debugfs debugfs /sys/kernel/debug # where KVM counts exits
modprobe vhost_net
for model in ${MODELS:-rtl8029 rtl8139cp e1000 virtio-net}; do
    "$COOPVMM" bench net --part guests --kernel "$GUESTS/linux.vmlinuz" --initrd "$GUESTS/linux.initrd" \
        --models "$model" ${ROUNDS:+--rounds "$ROUNDS"} ${QUICK:+--quick} --json >"$SHARE/bench-net-$model.json"
    cat "$SHARE/bench-net-$model.json"
done
