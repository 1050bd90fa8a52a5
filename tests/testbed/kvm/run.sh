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
#   --timeout S       all of it (default 2400 seconds)
#
# BUILD (default: build) is where the programs are and where what is downloaded is kept.
# shellcheck disable=SC2034 # machine.sh and host.sh use what is said here
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../options.sh"
. "$HERE/../packages.sh"
. "$HERE/../initramfs.sh"
WHAT="the KVM host" INSIDE="it" ORDERS=(UP "$HERE/host-up.sh")
. "$HERE/../machine.sh"
. "$HERE/host.sh"

memory=3072 limit=2400

own_option() {
    case $1 in
    --memory) memory=$2 ;;
    *) return 1 ;;
    esac
}

options "$@"
run_orders
