# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # BUSYBOX and tmp are its user's
# What the stock Linux guest (guest-init) can be asked over its network, by a BUSYBOX. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/../no_loss.sh"

# pings_of ADDRESS SIZE...: it replies to a ping of each size (bytes behind the ICMP header)
pings_of() {
    local address=$1 size
    shift
    for size; do
        ping -q -c 1 -W 5 -s "$size" "$address" || return
    done
}

# order ADDRESS "shell command line" [<INPUT]: carried out in the guest (guest-init), its output printed. The
# guest reads one line: line breaks go there as blanks.
order() {
    { echo "${2//$'\n'/ }" && cat; } | timeout "${ORDER_TIMEOUT:-60}" "$BUSYBOX" nc "$1" 7000
}

# guest_says ADDRESS "shell command line" PATTERN: its output matches
guest_says() {
    order "$1" "$2" </dev/null | tee "$tmp/said"
    grep -q "$3" "$tmp/said"
}

# send_file ADDRESS FILE: the guest gets it whole, by checksum
send_file() {
    [ "$(order "$1" 'sha256sum | cut -c 1-64' <"$2")" = "$(sha256sum <"$2" | cut -c 1-64)" ]
}

# fetch_file ADDRESS KILOBYTES ["shell command line &"]: the guest makes a file of that size; it arrives whole,
# by checksum. The command begins in the guest when the file does.
fetch_file() {
    local sum
    local make="dd if=/dev/urandom of=/tmp/file bs=1k count=$2 2>/dev/null"
    sum=$(order "$1" "$make; sha256sum </tmp/file | cut -c 1-64" </dev/null)
    order "$1" "${3:-} cat /tmp/file" </dev/null >"$tmp/fetched"
    [ "$(stat -c %s "$tmp/fetched")" = $(($2 * 1024)) ] &&
        [ "$(sha256sum <"$tmp/fetched" | cut -c 1-64)" = "$sum" ]
}

# random_file FILE KILOBYTES
random_file() {
    dd if=/dev/urandom of="$1" bs=1k count="$2" 2>/dev/null
}
