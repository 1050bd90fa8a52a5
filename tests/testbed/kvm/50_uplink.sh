# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The way out is a NIC of this machine, which DPDK's own driver has by vfio-pci behind the IOMMU: a stock
# guest and a peer at the other end of the wire.
# limit: 300 s
. "$HERE/lib.sh"
. "$HERE/nic.sh"

NEAR=0000:00:10.0 # host.sh's
FAR=0000:00:11.0

# The only port is that NIC; the peer has the address the host has elsewhere.
port="{name: uplink, type: pci, pci: '$NEAR'}"

# give_to_dpdk ADDRESS
give_to_dpdk() {
    modprobe vfio-pci && echo vfio-pci >"/sys/bus/pci/devices/$1/driver_override" &&
        echo "$1" >/sys/bus/pci/drivers_probe && driver_of "$1" vfio-pci
}

driver_of() {
    [ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = "$2" ]
}

# peer_up ADDRESS: the host's own driver has the NIC there
peer_up() {
    modprobe virtio_net && wait_for 10 test -d "/sys/bus/pci/devices/$1"/virtio*/net || return
    peer=$(basename "/sys/bus/pci/devices/$1"/virtio*/net/*)
    ip addr add 10.77.0.1/24 dev "$peer" && ip link set "$peer" up
}

port_counter() {
    "$COOPVMM" stat --json | jq ".ports[] | select(.name == \"uplink\").$1"
}

# The address is another's in other scenarios.
leave() {
    [ -z "${peer:-}" ] || ip addr flush dev "$peer"
    cleanup
}
trap leave EXIT

check "there is an IOMMU" test -d "/sys/bus/pci/devices/$NEAR/iommu_group"
check "a peer has the far end of the wire" peer_up $FAR
{ linux_vm linux "quiet net=virtio_pci,virtio_net addr=$GUEST/24" && nic 02 "model: virtio-net"; } |
    config outside "" "$port" >"$tmp/file_name"
timeout 60 "$COOPVMM" run "$tmp/outside.yaml" >"$tmp/refused.log" 2>&1
check "while the NIC is not DPDK's it is said how that comes about" \
    grep -q "dpdk-devbind.py -b vfio-pci $NEAR" "$tmp/refused.log"
check "it is given to DPDK" give_to_dpdk $NEAR
check "it runs" start_testbed "$tmp/outside.yaml"
check "its init runs" wait_for 120 logged "guest: ready"
check "the guest and the peer answer pings of all sizes" pings_of $GUEST 0 1 17 46 64 500 1000 1472
random_file "$tmp/file" 2048
check "a file gets there whole" send_file $GUEST "$tmp/file"
check "a file comes back whole" fetch_file $GUEST 2048
note "port: $(port_counter rx_frames) frames in, $(port_counter tx_frames) out"
check "by that NIC" test "$(port_counter tx_frames)" -ge $((2048 * 1024 / 1460))
check "the I/O-core process is killed while a file comes in" kill_under_transfer 2048
check "a successor is there" wait_for 60 successor
check "the file comes in whole" wait "$transfer"
check "no segment of TCP was damaged on its way" test "$(damaged_segments)" = 0
check "stop ends it" timeout 60 "$COOPVMM" stop outside
check "and the NIC can be given back" sh -c "echo $NEAR >/sys/bus/pci/drivers/vfio-pci/unbind"
