#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the patched hypervisor: fetches Debian 12's source package of Xen 4.17, applies
# xen/patches/, and builds with the configuration that Debian's package is built with.
#
#   xen/build.sh DIRECTORY       leaves DIRECTORY/xen (for QEMU -kernel) and xen.gz (for /boot)
#
#   XEN_VERSION=V   this version of the source package (default: the newest 4.17 that can be had)
#
# Needs no root. The machine's own apt is left as it is: lists and downloads are private. What has
# been downloaded is used again.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tools="apt-get apt-cache dpkg-source patch make gcc flex bison xz lsb_release python3"

die() {
    echo "xen/build.sh: $1" >&2
    exit 1
}

say() {
    echo "xen/build.sh: $*"
}

check_tools() {
    local t missing=()
    for t in $tools; do
        command -v "$t" >/dev/null || missing+=("$t")
    done
    [ ${#missing[@]} = 0 ] || die "missing: ${missing[*]} (\`make setup\` installs what is needed)"
}

# Says every few seconds how far it is.
heartbeat() {
    while sleep 5; do
        say "... $(wc -l <"$log") lines, $(tail -n 1 "$log" | cut -c 1-60)"
    done
}

# logged WHAT COMMAND...: its output goes to a log, whose end is shown if it fails
logged() {
    local what=$1 beat status=0
    shift
    say "$what"
    : >"$log"
    heartbeat &
    beat=$!
    "$@" </dev/null >"$log" 2>&1 || status=$?
    kill "$beat" && wait "$beat" 2>/dev/null
    return "$status"
}

failed() {
    tail -n 25 "$log" >&2
    die "$1; all of it is in $log"
}

# Where this machine gets Debian 12 from; without lists of its own, Debian's usual place.
source_lines() {
    local key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]' lines
    # shellcheck disable=SC2016 # apt-get expands them
    lines=$(apt-get indextargets --format 'deb-src KEY $(REPO_URI) $(RELEASE) main' \
        'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
        grep ' bookworm' | sort -u)
    [ -n "$lines" ] || lines="deb-src KEY http://deb.debian.org/debian bookworm main
deb-src KEY http://deb.debian.org/debian-security bookworm-security main"
    echo "${lines//KEY/$key}"
}

private_apt() {
    mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
    : >"$apt/status"
    source_lines >"$apt/sources.list"
    cat >"$apt/apt.conf" <<X
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Retries "3";
X
    export APT_CONFIG=$apt/apt.conf
}

# Lists of today are good enough.
update_lists() {
    local fresh
    fresh=$(find "$apt/state/lists" -name '*_Sources*' -mmin -1440)
    [ -z "$fresh" ] || return 0
    logged "asking apt for the sources" apt-get -q update && return
    [ -n "$(find "$apt/state/lists" -name '*_Sources*')" ] || failed "apt-get update has failed"
    say "apt-get update has failed; older lists will do"
}

versions() {
    if [ -n "${XEN_VERSION-}" ]; then
        echo "$XEN_VERSION"
    else
        apt-cache showsrc --only-source xen 2>/dev/null | sed -n 's/^Version: //p' |
            grep '^4\.17\.' | sort -ruV
    fi
}

dsc_of() { # VERSION: its epoch, if any, is not part of the file's name
    echo "$downloads/xen_${1#*:}.dsc"
}

download() {
    [ ! -f "$(dsc_of "$version")" ] || return 0
    logged "downloading the source of xen $version" \
        apt-get -q source --download-only --only-source "xen=$version" && return
    rm -f "$(dsc_of "$version")"
    say "... it cannot be downloaded: $(grep '^E:' "$log" | head -n 1)"
    return 1
}

unpack() {
    rm -rf "$src"
    logged "unpacking it" dpkg-source --no-check --no-copy -x "$(dsc_of "$version")" "$src" ||
        failed "the source cannot be unpacked"
}

apply_patches() {
    local p
    for p in "$here"/patches/*.patch; do
        logged "applying $(basename "$p")" patch -d "$src" -p1 -N -F0 -i "$p" || return 1
    done
}

# Lists name versions that cannot be had any more, and patches do not fit for ever.
patched_source() {
    mkdir -p "$downloads"
    cd "$downloads" || exit 1
    for version in $(versions); do
        download || continue
        unpack
        apply_patches && return
        say "... it does not apply to xen $version: $(grep -m 1 FAILED "$log")"
    done
    failed "there is no source of Xen 4.17 that the patches apply to"
}

# Nothing of an outer make may get in: its variables would override the hypervisor's own.
xen_make() {
    local python=/usr/bin/python3
    [ -x $python ] || python=python3
    env -i PATH="$PATH" LANG=C DEB_VERSION="$version" \
        make -C xen XEN_TARGET_ARCH=x86_64 PYTHON=$python XEN_VENDORVERSION=+coopvmm "$@"
}

build() {
    cd "$src" || exit 1
    cp debian/xen-kconfig xen/.config || die "the source package has no configuration"
    logged "configuring" xen_make olddefconfig || failed "the configuration does not work"
    logged "building (one to three minutes)" xen_make -j"$(nproc)" || failed "the build has failed"
    cp xen/xen.gz "$out/xen.gz" && cp xen/xen "$out/xen.new" && mv "$out/xen.new" "$out/xen"
}

if [ $# != 1 ] || [ "${1#-}" != "$1" ]; then
    sed -n '3,/^set -u/{/^set/d;s/^# \{0,1\}//p}' "$0"
    exit 2
fi
check_tools
mkdir -p "$1"
out=$(cd "$1" && pwd)
apt=$out/apt downloads=$out/downloads src=$out/src log=$out/build.log version=
exec 9>"$out/lock"
flock -n 9 || die "another build is running in $out"
private_apt
update_lists
patched_source
build
say "$out/xen"
