# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # BUILD and tmp are its user's, BUSYBOX and uml_pid for it
# Stock Linux guests where there is nothing to virtualize with: Debian's User-Mode Linux, a kernel that is
# an ordinary process and whose virtio-net is a vhost-user front end. Its programs are busybox, its init is
# guest-init. Sourced; needs the packages user-mode-linux and busybox-static.
# UML_PROGRAMS: more programs, by their paths.

BUSYBOX=/bin/busybox
UML_PROGRAMS=()
UML_INITRD=$BUILD/uml/guest.initrd

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

. "$(dirname "${BASH_SOURCE[0]}")/initramfs.sh"
. "$(dirname "${BASH_SOURCE[0]}")/ask.sh"

# make_uml_initrd: the guests' initramfs, unless it is there
make_uml_initrd() {
    K=$(linux.uml --version) || die "there is no linux.uml: scripts/setup.sh installs it"
    KERNEL=$BUILD/uml
    # modprobe wants them below lib/modules; the package has them elsewhere
    [ -d "$KERNEL/lib/modules/$K" ] || { mkdir -p "$KERNEL/lib/modules" &&
        ln -sfn "/usr/lib/uml/modules/$K" "$KERNEL/lib/modules/$K"; }
    make_initramfs "$UML_INITRD" "$(dirname "${BASH_SOURCE[0]}")/guest-init" virtio_net "${UML_PROGRAMS[@]}"
}

# start_uml NAME SOCKET ADDRESS/LENGTH [COMMAND...]: a guest on that vhost-user port, in the background; what
# it prints goes to $tmp/NAME.console; COMMAND runs it (in a namespace). Sets uml_pid. The guest is a tree of
# processes that ignores SIGTERM, each in a group of its own, hence a PID namespace, which ends as a whole.
start_uml() {
    local name=$1 socket=$2 address=$3
    shift 3
    "$@" unshare --pid --fork --kill-child --mount-proc timeout -s KILL 280 \
        linux.uml mem=128M initrd="$UML_INITRD" uml_dir="$tmp/" umid="$name" con=null con0=null,fd:1 \
        virtio_uml.device="$socket":1 net=virtio_net addr="$address" </dev/null >"$tmp/$name.console" 2>&1 &
    uml_pid=$!
}

# end_uml PID...: of guests that start_uml started
end_uml() {
    kill -KILL "$@"
    wait "$@"
} 2>/dev/null
