#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports of type vhost-user, with DPDK's virtio_user as front end: frames from one guest to the other
# through the switch, split and packed rings; front ends that are killed, that come again, that talk
# nonsense.
. "$(dirname "$0")/lib.sh"
suite vhost

command -v dpdk-testpmd >/dev/null || {
    skip "vhost-user" "there is no dpdk-testpmd"
    finish
}

cat >"$tmp/vhost.yaml" <<END
name: vhost
iocores:
  - {name: io0, core: $io_cpu, idle: sleep, idle_us: 1000}
ports:
  - {name: a, type: vhost-user, socket: $tmp/a.sock, queues: 2}
  - {name: b, type: vhost-user, socket: $tmp/b.sock}
END

# front NAME MAC FORWARD-MODE [VDEV OPTIONS]: testpmd on that port, in the background
front() {
    dpdk-testpmd --no-huge -m 96 --no-pci --lcores='0@0,1@0' --file-prefix="$suite$1$$" \
        --vdev="net_virtio_user0,path=$tmp/$1.sock,mac=$2${4:+,$4}" -- --forward-mode="$3" \
        --stats-period=1 --total-num-mbufs=2048 --eth-peer=0,52:54:00:bb:00:01 </dev/null >"$tmp/$1.log" 2>&1 &
}
receives() { # receives NAME: it has got frames
    grep -q 'RX-packets: [1-9]' "$tmp/$1.log"
}
nonsense() { # a front end that says what is none
    python3 - "$tmp/$1.sock" <<'END'
import socket, sys
for junk in (b"\xff" * 300, b"\1\0\0\0\1\0\0\0\xff\xff\xff\xff", b"\5\0\0\0\1\0\0\0\10\0\0\0" + b"\0" * 8):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(5)
    s.connect(sys.argv[1])
    s.send(junk)
    try:
        if s.recv(1) != b"":
            sys.exit("it was answered")
    except ConnectionResetError:
        pass
END
}

check "run starts the testbed" start_testbed "$tmp/vhost.yaml"
check "the sockets are there" wait_for 10 test -S "$tmp/b.sock"
iocored=$(pid_of vhost iocored)
check "nonsense is hung up on" nonsense a
check "... three times, which is counted" vhost_says 0 malformed 3
front b 52:54:00:bb:00:01 rxonly packed_vq=1
sink=$!
front a 52:54:00:aa:00:01 txonly
check "frames get from one guest to the other, into a packed ring" wait_for 20 receives b
check "coopvmm stat tells of them" vhost_says 1 packed 1
check "... and top" sh -c "'$COOPVMM' top --once vhost | grep -q '^FRONT END'"
kill -KILL $! $sink
wait $! $sink 2>"$tmp/killed"
front b 52:54:00:bb:00:01 rxonly
front a 52:54:00:aa:00:01 txonly packed_vq=1,queues=2
check "front ends that were killed come again, the other way round" wait_for 20 receives b
check "the I/O cores are the same ones" test "$(pid_of vhost iocored)" = "$iocored"
finish
