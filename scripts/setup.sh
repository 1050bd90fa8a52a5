#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian packages of scripts/packages.txt that are missing. With none missing it does
# nothing, quickly. It uses sudo only if it is not run by root, and says so.
#
#   setup.sh            install what is missing
#   setup.sh --check    only tell what is missing; exit status 1 if anything is
#   setup.sh --quiet    install what is missing; say nothing if nothing is
#   setup.sh --list     print the list
#   setup.sh --testbed  install what is missing of scripts/packages-testbed.txt
set -eu

here=$(cd "$(dirname "$0")" && pwd)
list_file=$here/packages.txt

packages() {
    sed -e 's/#.*//' "$list_file" | awk 'NF { print $1 }'
}

# The packages that dpkg does not know as installed.
missing() {
    packages >"$tmp/wanted"
    # shellcheck disable=SC2046 # one word a package
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(cat "$tmp/wanted") 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort -u >"$tmp/installed"
    sort "$tmp/wanted" | comm -23 - "$tmp/installed"
}

refuse() {
    {
        echo "setup: this is not Debian or a relative of it: $1."
        echo "Please install what corresponds to these packages of Debian 12:"
        sed -e '/^#/d' -e '/^$/d' -e 's/^/  /' "$list_file"
        echo "Then \`make\` builds; \`make setup\` is not needed."
    } >&2
    exit 1
}

# Root's command, by sudo if need be.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

need_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    if ! command -v sudo >/dev/null; then
        echo "setup: not root, and there is no sudo. As root, run:" >&2
        echo "  apt-get install --no-install-recommends" "$@" >&2
        exit 1
    fi
    echo "setup: not root, so apt-get is run with sudo"
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# Says every few seconds what the log says last.
heartbeat() {
    while sleep 5; do
        echo "setup: ... $(tail -n 1 "$tmp/log" | cut -c 1-70)"
    done
}

logged() {
    heartbeat &
    beat=$!
    rc=0
    "$@" </dev/null >"$tmp/log" 2>&1 || rc=$?
    kill "$beat" 2>/dev/null
    wait "$beat" 2>/dev/null || true
    return "$rc"
}

update() {
    echo "setup: apt-get update"
    logged apt_get update || tail -n 5 "$tmp/log" >&2
}

# Without lists, or with old ones, apt-get does not find packages or their versions.
install_packages() {
    if ! apt-get -qq --simulate install --no-install-recommends "$@" >/dev/null 2>&1; then
        update
    elif logged apt_get install -y --no-install-recommends "$@"; then
        return 0
    else
        echo "setup: that did not work; once more with fresh lists"
        update
    fi
    if logged apt_get install -y --no-install-recommends "$@"; then
        return 0
    fi
    tail -n 20 "$tmp/log" >&2
    return 1
}

main() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        # shellcheck source=/dev/null
        refuse "$( (. /etc/os-release && echo "$PRETTY_NAME") 2>/dev/null || uname -s)"
    fi
    list=$(missing)
    if [ -z "$list" ]; then
        [ "${1-}" = --quiet ] || echo "setup: all packages are there"
        exit 0
    fi
    # shellcheck disable=SC2086 # one word a package
    set -- "${1-}" $list
    if [ "$1" = --check ]; then
        shift
        echo "setup: missing:" "$@"
        exit 1
    fi
    shift
    need_root "$@"
    echo "setup: installing" "$@"
    if ! install_packages "$@"; then
        echo "setup: apt-get could not install: $*" >&2
        exit 1
    fi
    list=$(missing)
    if [ -n "$list" ]; then
        echo "setup: still missing:" "$list" >&2
        exit 1
    fi
    echo "setup: done"
}

tmp=$(mktemp -d)
beat=
trap 'rm -rf "$tmp"; [ -z "$beat" ] || kill "$beat" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

case ${1-} in
'' | --check | --quiet) main "${1-}" ;;
--list) cat "$list_file" ;;
--testbed)
    list_file=$here/packages-testbed.txt
    main
    ;;
*)
    sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
