# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034 # machine.sh and host.sh use what is said here
# What a testbed's run.sh is told, and where it works. Sourced first, with HERE, the testbed's folder, set;
# from then on there are
#
#   ROOT     the project          BUILD    where its programs are
#   WORK     what is downloaded   RUN      this testbed's own files
#
# options ARGUMENT... then says order, script, scenarios and cpus. The comment at the head of run.sh is the
# usage. Options of the testbed's own, each with a value, are its own_option's.
ROOT=$(cd "$HERE/../../.." && pwd)
BUILD=$(cd "$ROOT" && mkdir -p "${BUILD:-build}" && cd "${BUILD:-build}" && pwd)
WORK=$BUILD/testbed
RUN=$WORK/$(basename "$HERE")
mkdir -p "$RUN"

order=scenarios script='' scenarios=()
cpus=2

usage() {
    sed -n '3,/^# shellcheck/{/^# shell/d;s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --script) order=script script=$(realpath "${2?}") && shift ;;
        --shell) order=shell ;;
        --list) all_scenarios && exit ;;
        --cpus) cpus=${2?} && shift ;;
        --timeout) limit=${2?} && shift ;;
        -h | --help) usage 0 ;;
        -*)
            own_option "$1" "${2-}" || usage 2
            shift
            ;;
        *) scenarios+=("$(find_scenario "$1")") || exit 2 ;;
        esac
        shift
    done
    [ "$order" != script ] || [ -f "$script" ] || die "no such script"
}
