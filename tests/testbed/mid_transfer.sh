# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # tmp is its user's
# The I/O-core process is killed while a file is on its way. Sourced; daemon_pid (prints the process's id),
# wait_for and ask.sh are its user's.

# arrived: KiB of the file that fetch_file fetches that are here
arrived() {
    echo $(($(stat -c %s "$tmp/fetched" 2>/dev/null || echo 0) / 1024))
}

has_arrived() {
    [ "$(arrived)" -ge "$1" ]
}

# kill_in_mid_transfer KILOBYTES: the I/O-core process, when an eighth is here, and before all is
kill_in_mid_transfer() {
    wait_for 60 has_arrived $(($1 / 8)) || return 1
    daemon=$(daemon_pid)
    kill -KILL "$daemon"
    echo "killed when $(arrived) of $1 KiB had arrived"
    ! has_arrived "$1"
}

# successor: is another I/O-core process there than the one that was killed?
successor() {
    local pid
    pid=$(daemon_pid) && [ "$pid" != "$daemon" ]
}
