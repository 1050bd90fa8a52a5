# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The testbed itself: the real hypervisor, its tools, and dom0's own vCPU.
. "$HERE/lib.sh"

check "xl talks to Xen" timeout 20 xl info
check "it is a Xen that can run HVM and PVH guests" \
    sh -c "timeout 20 xl info | grep -E '^virt_caps.*\<hvm\>.*\<hap\>'"
check "this is dom0" grep -q control_d /proc/xen/capabilities
check "xenstored answers" timeout 20 xenstore-read /local/domain/0/name
check "dom0's vCPU 0 is pinned to CPU 0" \
    sh -c "timeout 20 xl vcpu-list 0 | awk 'NR == 2 && \$4 == 0 && \$7 == 0 { ok = 1 } END { exit !ok }'"
check "dom0 sees the build" test -x "$BUILD/coopvmm"
