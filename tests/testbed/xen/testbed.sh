# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Testbeds of coopvmm inside dom0. Sourced by lib.sh.

COOPVMM=$BUILD/coopvmm
testbed_pid=

# config NAME [IDLE] <<VMS: writes $tmp/NAME.yaml, with one I/O core on dom0's CPU, a tap NAME with
# 10.77.0.1 and the VMs that come on standard input, and prints the file's name. The I/O core sleeps
# after a millisecond without work, unless IDLE says otherwise: dom0 has this CPU only, and all else
# that runs there (xl, QEMU while a guest boots) would get half of it.
config() {
    cat >"$tmp/$1.yaml" <<END
name: $1
iocores:
  - {name: io0, core: 0, idle: ${2:-sleep, idle_us: 1000}}
ports:
  - {name: uplink, type: tap, iface: $1, address: 10.77.0.1/24}
vms:
END
    cat >>"$tmp/$1.yaml"
    echo "$tmp/$1.yaml"
}

# probe_vm NAME LAST-MAC-BYTE "cmdline" [DEVICE]: the probe guest as a PVH domain, for config
probe_vm() {
    cat <<END
  - name: $1
    engine: xen
    memory: 64
    cores: [1]
    kernel: $BUILD/guest/probe.elf
    cmdline: "$3"
    devices:
      - {mac: "52:54:00:77:00:$2", ${4:-model: rtl8029}}
END
}

# stock_vm NAME ARCHITECTURE LAST-MAC-BYTE "cmdline" DEVICE: the stock Linux guest beside QEMU, for config
stock_vm() {
    hvm_disk "$tmp/$1.disk" "$2" "$4"
    cat <<END
  - name: $1
    engine: xen
    memory: 192
    cores: [1]
    xen:
      type: hvm
      disk: ["$(xl_disk "$tmp/$1.disk")"]
      options: ['hdtype="ahci"', 'usb=0']
    devices:
      - {mac: "52:54:00:77:00:$3", $5}
END
}

# start_testbed FILE: in the background; returns once it runs
start_testbed() {
    timeout -k 10 800 "$COOPVMM" run "$1" >"$tmp/run.log" 2>&1 &
    testbed_pid=$!
    wait_for 90 testbed_runs_or_ended && kill -0 $testbed_pid && return
    cat "$tmp/run.log"
    return 1
}

testbed_runs_or_ended() {
    ! kill -0 $testbed_pid 2>/dev/null || grep -q 'testbed .* runs (' "$tmp/run.log"
}

stop_testbed() {
    [ -n "$testbed_pid" ] || return 0
    kill -TERM $testbed_pid 2>/dev/null
    wait_for 30 testbed_ended || pkill -KILL -P $testbed_pid
    wait $testbed_pid 2>/dev/null
    testbed_pid=
}

testbed_ended() {
    ! kill -0 $testbed_pid
}

# logged TEXT: did the testbed say so? Its guests' consoles are in there, too.
logged() {
    grep -qF -- "$1" "$tmp/run.log"
}

# daemon_pid: of the I/O-core process
daemon_pid() {
    pgrep -x coopvmm-iocored
}

# same_daemon PID
same_daemon() {
    [ "$(daemon_pid)" = "$1" ]
}

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
