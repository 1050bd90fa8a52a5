#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The Xen testbed: boots the real hypervisor and dom0 in QEMU (TCG: no virtualization hardware
# needed), where dom0 sees this machine's root filesystem, and runs scenarios there.
#
#   run.sh [options] [SCENARIO...]     run all scenarios, or those named (20_pvh or 20)
#   run.sh [options] --script FILE     run one script of yours in dom0; its output and exit status
#   run.sh [options] --shell           a shell in dom0
#   run.sh --list                      the scenarios there are
#
#   --xen FILE        another hypervisor (default: Debian's)
#   --xen-args ARGS   more of the hypervisor's command line
#   --cpus N          emulated CPUs (default 2)
#   --dom0-cpus N     dom0's vCPUs, pinned to the first CPUs (default 1)
#   --timeout S       all of it (default 2400 seconds)
#
# BUILD (default: build) is where the programs are and where what is downloaded is kept.
# shellcheck disable=SC2034 # machine.sh and host.sh use what is said here
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../options.sh"
SERIES=4.17 # of Xen
. "$HERE/../packages.sh"
. "$HERE/../initramfs.sh"
WHAT="Xen and dom0" INSIDE=dom0 ORDERS=(SERIES "$SERIES" UP "$HERE/dom0-up.sh")
. "$HERE/../machine.sh"
. "$HERE/host.sh"

xen='' xen_args='' dom0_cpus=1 limit=2400

own_option() {
    case $1 in
    --xen) xen=$(realpath "$2") ;;
    --xen-args) xen_args=$2 ;;
    --dom0-cpus) dom0_cpus=$2 ;;
    *) return 1 ;;
    esac
}

options "$@"
[ -z "$xen" ] || [ -f "$xen" ] || die "no such hypervisor: $xen"
run_orders
