# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # tmp is its user's
# What is done while a file is on its way; the I/O-core process is killed then. Sourced; daemon_pid (prints the process's id),
# wait_for and ask.sh are its user's.

# arrived: KiB of the file that fetch_file fetches that are here
arrived() {
    echo $(($(stat -c %s "$tmp/fetched" 2>/dev/null || echo 0) / 1024))
}

has_arrived() {
    [ "$(arrived)" -ge "$1" ]
}

# in_mid_transfer KILOBYTES COMMAND...: carried out when an eighth of the file is here, and before all is
in_mid_transfer() {
    local kilobytes=$1
    shift
    wait_for 60 has_arrived $((kilobytes / 8)) && "$@" || return
    echo "$(arrived) of $kilobytes KiB had arrived"
    ! has_arrived "$kilobytes"
}

# kill_in_mid_transfer KILOBYTES: the I/O-core process
kill_in_mid_transfer() {
    daemon=$(daemon_pid)
    in_mid_transfer "$1" kill -KILL "$daemon"
}

# successor: is another I/O-core process there than the one that was killed?
successor() {
    local pid
    pid=$(daemon_pid) && [ "$pid" != "$daemon" ]
}
