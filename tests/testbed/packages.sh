# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Debian packages that testbeds unpack and never install: kernels, hypervisors, and programs of other
# architectures. They come through an apt root of the testbeds' own, so that the machine's apt stays
# as it is and no root is needed. Sourced; WORK is the folder where everything is kept.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# apt_for ARCHITECTURE: apt-get and apt-cache speak of that one from now on. Sources are the machine's
# own; the lists are ours, a root for each architecture, because one list that cannot be had makes apt
# forget the whole source.
apt_for() {
    command -v apt-get >/dev/null || die "no apt-get here: the testbeds need Debian or a relative of it"
    apt_root=$WORK/apt-$1
    export APT_CONFIG=$apt_root/apt.conf
    mkdir -p "$apt_root/state/lists/partial" "$apt_root/cache/archives/partial"
    : >"$apt_root/status"
    # anew each time: names are absolute, and the project may have been moved
    cat >"$APT_CONFIG" <<END
APT::Architecture "$1";
APT::Architectures { "$1"; };
APT::Sandbox::User "root";
Dir::State "$apt_root/state";
Dir::State::status "$apt_root/status";
Dir::Cache "$apt_root/cache";
END
    # lists not older than a day, if they can be had
    [ -n "$(find "$apt_root/updated" -mtime -1 2>/dev/null)" ] || apt_update
}

# Sources that lack an architecture, or a mirror that is being written to, are no reason to stop.
apt_update() {
    echo "reading Debian's package lists (${apt_root##*-})"
    apt-get -qq update >"$apt_root/update.log" 2>&1
    touch "$apt_root/updated"
}

# download PACKAGE: its file, in the folder $WORK/download, which holds nothing else
download() {
    local try
    for try in first second; do
        rm -rf "$WORK/download"
        mkdir -p "$WORK/download"
        (cd "$WORK/download" && apt-get -qq download "$1" >"$apt_root/download.log" 2>&1) && return
        [ $try = second ] || apt_update # lists of yesterday name files that are gone
    done
    die "cannot download $1: $(grep '^E:' "$apt_root/download.log" | head -n 1)"
}

# kernel_behind PACKAGE: the package of the current kernel, such as linux-image-6.1.0-NN-amd64
kernel_behind() {
    apt-cache depends "$1" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9][^:]*\).*/\1/p' | head -n 1
}

# fetch_kernel ARCHITECTURE PACKAGE [TAR OPTION...]: the current kernel behind it, unpacked. Sets KERNEL (the folder
# that holds boot/ and lib/modules/) and K (its version). Downloads nothing that is there already.
fetch_kernel() {
    local image
    apt_for "$1"
    image=$(kernel_behind "$2")
    [ -n "$image" ] || die "apt knows no $2 ($1): see $apt_root/update.log"
    shift 2
    K=${image#linux-image-}
    KERNEL=$WORK/linux-$K
    [ ! -e "$KERNEL/complete" ] || return 0
    echo "downloading $image"
    download "$image"
    echo "unpacking it"
    rm -rf "$KERNEL"
    mkdir -p "$KERNEL"
    dpkg-deb --fsys-tarfile "$WORK"/download/*.deb | tar -x -C "$KERNEL" "$@" ||
        die "$image cannot be unpacked"
    depmod -b "$KERNEL" "$K" || die "depmod of $K failed"
    rm -rf "$WORK/download"
    touch "$KERNEL/complete"
}

# fetch_stock_kernel: Debian's for this machine, without the drivers that no guest and no host here has a use for
fetch_stock_kernel() {
    fetch_kernel amd64 linux-image-amd64 --exclude='*/drivers/gpu' --exclude='*/drivers/media' \
        --exclude='*/sound' --exclude='*/wireless' ./boot ./lib
}

# fetch_busybox ARCHITECTURE: sets BUSYBOX to a static one
fetch_busybox() {
    BUSYBOX=$WORK/busybox-$1
    [ ! -x "$BUSYBOX" ] || return 0
    apt_for "$1"
    download busybox-static
    dpkg-deb --fsys-tarfile "$WORK"/download/*.deb | tar -xO ./bin/busybox >"$BUSYBOX" ||
        die "busybox-static ($1) cannot be unpacked"
    chmod 755 "$BUSYBOX"
    rm -rf "$WORK/download"
}

# fetch_hypervisor PACKAGE: sets HYPERVISOR to the one in there, uncompressed
fetch_hypervisor() {
    apt_for amd64
    HYPERVISOR=$WORK/$1-$(apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
    [ ! -s "$HYPERVISOR" ] || return 0
    echo "downloading $1"
    download "$1"
    dpkg-deb --fsys-tarfile "$WORK"/download/*.deb | tar -xO --wildcards './boot/xen-*.gz' |
        gzip -dc >"$HYPERVISOR" || die "$1 cannot be unpacked"
    rm -rf "$WORK/download"
}
