#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The KVM testbed: boots a host whose CPUs can do hardware virtualization in QEMU (TCG: this machine need
# not), where that host sees this machine's root filesystem, and runs scenarios there.
#
#   run.sh [options] [SCENARIO...]     run all scenarios, or those named (20_linux or 20)
#   run.sh [options] --script FILE     run one script of yours there; its output and exit status
#   run.sh [options] --shell           a shell there
#   run.sh --list                      the scenarios there are
#
#   --cpus N          emulated CPUs (default 2)
#   --memory MIB      of the host (default 3072)
#   --timeout S       all of it (default 1140 seconds)
#
# BUILD (default: build) is where the programs are and where what is downloaded is kept.
# shellcheck disable=SC2034 # machine.sh and host.sh use what is said here
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
BUILD=$(cd "$ROOT" && mkdir -p "${BUILD:-build}" && cd "${BUILD:-build}" && pwd)
WORK=$BUILD/testbed
RUN=$WORK/kvm
mkdir -p "$RUN"
. "$HERE/../packages.sh"
. "$HERE/../initramfs.sh"
WHAT="the KVM host" INSIDE="it" ORDERS=(UP "$HERE/host-up.sh")
. "$HERE/../machine.sh"
. "$HERE/host.sh"

usage() {
    sed -n '3,/^# shellcheck/{/^# shell/d;s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

order=scenarios script='' scenarios=()
cpus=2 memory=3072 limit=1140

options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --script) order=script script=$(realpath "${2?}") && shift ;;
        --shell) order=shell ;;
        --list) all_scenarios && exit ;;
        --cpus) cpus=${2?} && shift ;;
        --memory) memory=${2?} && shift ;;
        --timeout) limit=${2?} && shift ;;
        -h | --help) usage 0 ;;
        -*) usage 2 ;;
        *) scenarios+=("$(find_scenario "$1")") || exit 2 ;;
        esac
        shift
    done
    [ "$order" != script ] || [ -f "$script" ] || die "no such script"
}

options "$@"
run_orders
