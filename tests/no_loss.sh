# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # tmp is its user's
# Pings of which none may be lost, however slow they are. Sourced by the suites and the testbeds.

# no_loss ADDRESS COUNT [PING OPTION...]: it replies to the first so many pings, each one. (ping without
# -w gives the last ones two round trips' time, too little on a busy machine; with it, it sends more
# than COUNT until so many replies are here, and may see some of those, too.)
no_loss() {
    local address=$1 count=$2
    shift 2
    ping -n -i 0.1 "$@" -c "$count" -w 60 "$address" | tee "$tmp/pings.$address"
    sed -n 's/.*icmp_seq=\([0-9]*\) ttl.*/\1/p' "$tmp/pings.$address" |
        awk -v n="$count" 'NR <= n && $1 != NR { lost = 1 } END { exit lost || NR < n }'
}
