#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# No system call on the fast path: while a guest's accesses go through the ring, neither its vCPU
# thread nor the I/O core makes any. (Allocations are counted in tests/unit/test_fastpath.c.)
. "$(dirname "$0")/lib.sh"
suite fastpath

if [ "$(cpus)" -lt 2 ]; then
    skip "system calls on the fast path" "one CPU: vCPU and I/O core take turns, which needs them"
    finish
fi
file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=check" "        connected: false"; } | sed 's/^    cores:/    spin_us: 1000000\n&/' | config fastpath spin)
sed -i '/^ports:/,/^vms:/{/^vms:/!d}' "$file" # no ports: taps receive by system calls
check "a guest that accesses its NIC all the time" start_testbed "$file"
check "reports" wait_for 10 grep -q "check rounds=" "$log"

# the threads: the one pinned to the I/O core's CPU, and the vCPU's
thread_on() { # thread_on PID CPU: the id of the thread that may run on that CPU alone
    local t
    for t in /proc/"$1"/task/*; do
        [ "$(sed -n 's/^Cpus_allowed_list:\t//p' "$t/status")" = "$2" ] && basename "$t" && return
    done
    return 1
}
requests() {
    "$COOPVMM" stat --json --testbed fastpath | python3 "$ROOT/tests/integration/ask.py" requests
}
calls() { # calls TID FILE: system calls of one thread during two seconds, but for signals' returns
    timeout --signal=INT 2 strace -qq -e signal=none -p "$1" -o "$2" 2>/dev/null
    grep -vE 'rt_sigreturn|resumed|unfinished|strace:|\+\+\+|---' "$2" >"$2.calls"
    cat "$2.calls"
    [ ! -s "$2.calls" ]
}
io_tid=$(thread_on "$(pid_of fastpath iocored)" $io_cpu)
vm_tid=$(thread_on "$(pid_of fastpath probe)" $vcpu_cpu)
check "both threads are found" test -n "$io_tid" -a -n "$vm_tid"
before=$(requests)
check "no system call on the I/O core" calls "$io_tid" "$tmp/io.strace"
after=$(requests)
check "while it served thousands of requests" test "$((after - before))" -gt 10000
# the guest writes a line a second on its console, by write(2): that is all there may be
only_console() {
    timeout --signal=INT 2 strace -qq -e signal=none -p "$vm_tid" -o "$tmp/vm.strace" 2>/dev/null
    grep -vE 'rt_sigreturn|write\(1,|resumed|unfinished|\+\+\+|---' "$tmp/vm.strace" >"$tmp/vm.calls"
    cat "$tmp/vm.calls"
    [ ! -s "$tmp/vm.calls" ]
}
check "no system call on the vCPU but the return from the fault" only_console
finish
