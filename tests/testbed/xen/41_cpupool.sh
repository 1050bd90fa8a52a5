# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A domain in a cpupool of its own, whose CPUs dom0's scheduler does not have; and what is said of a
# pool that there is not.
# limit: 150 s
. "$HERE/lib.sh"

# in_pool NAME: the probe guest there, for config
in_pool() {
    probe_vm pooled 02 "nic=pci ip=10.77.0.2" "model: rtl8029, slot: 1"
    echo "    xen: {cpupool: $1}"
}
make_pool() {
    xl cpupool-cpu-remove Pool-0 1 && xl cpupool-create 'name="guests"' 'cpus="1"' 'sched="credit"'
}
end_pool() {
    xl cpupool-destroy guests && xl cpupool-cpu-add Pool-0 1
}
# refused: the testbed ends by itself, with a failure
refused() {
    in_pool nowhere | config none >/dev/null
    ! timeout -k 5 60 "$COOPVMM" run "$tmp/none.yaml" >"$tmp/none.log" 2>&1
}

check "a pool that there is not is refused" refused
check "it is named" grep nowhere "$tmp/none.log"
check "nothing is left" wait_for 20 no_domains
check "a cpupool with the guests' CPU is made" make_pool
check "a domain starts there" start_testbed "$(in_pool guests | config pool)"
xl list -c
check "it is there" sh -c "xl list -c | grep -q 'pool.pooled .*guests'"
check "it answers all of 10 pings" no_loss 10.77.0.2 10
stop_testbed
check "the pool can go" wait_for 20 end_pool
