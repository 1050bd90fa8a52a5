#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The I/O-core process is killed again and again while the host floods one guest with pings and the
# other checks every value it reads: the guests go on, replies resume within 2 s, no access returns
# a wrong value.
. "$(dirname "$0")/lib.sh"
suite fault

kills=5
file=$({
    vm echo 10.77.0.2 02 user ne2000 "mode=echo"
    vm checker 10.77.0.3 03 user ne2000 "mode=check"
} | config fault)
check "the testbed starts" start_testbed "$file"
check "the guest answers" wait_for 5 answers 10.77.0.2
check "the checking guest reports" wait_for 10 grep -q "check rounds=" "$log"

vm_pids() { echo "$(pid_of fault echo) $(pid_of fault checker)"; }
before=$(vm_pids)

# one kill under flood; milliseconds until a ping is answered again go to $tmp/outage
kill_and_wait() {
    local pid start now i
    pid=$(pid_of fault iocored)
    kill -KILL "$pid" || return 1
    start=$(date +%s%N)
    # a reply can be on its way already: first see the new process
    for i in $(seq 400); do
        [ "$(pid_of fault iocored 2>/dev/null)" != "$pid" ] && ping -q -c 1 -W 0.02 10.77.0.2 >/dev/null &&
            break
        sleep 0.005
    done
    now=$(date +%s%N)
    echo $(((now - start) / 1000000)) >>"$tmp/outage"
    [ $(((now - start) / 1000000)) -le 2000 ]
}

ping -q -f -W 1 10.77.0.2 >"$tmp/flood" 2>&1 &
flood=$!
for i in $(seq $kills); do
    check "kill $i: replies resume within 2 s" kill_and_wait
    sleep 0.$((RANDOM % 7 + 3))
done
sleep 2
kill -INT $flood
wait $flood
tr '\n' ' ' <"$tmp/outage" | sed 's/^/# outages, ms: /'
echo
grep -E 'packets|loss' "$tmp/flood" | sed 's/^/# flood: /'

same_vms() { [ "$(vm_pids)" = "$before" ]; }
rounds() { grep -o 'check rounds=[0-9]*' "$log" | tail -n 1 | grep -o '[0-9]*'; }
goes_on() { local r; r=$(rounds); sleep 3; [ "$(rounds)" -gt "$r" ]; }
no_wrong_value() { grep -q 'check rounds=' "$log" && ! grep -E 'errors=[1-9]' "$log"; }

check "the guests' processes are the same ones" same_vms
check "the checking guest goes on" goes_on
check "no access returned a wrong value" no_wrong_value
check "the I/O-core process was restarted each time" sh -c \
    "'$COOPVMM' ps --json | python3 '$ROOT/tests/integration/ask.py' restarts fault $kills"

# a guest whose VMM dies in mid-request disturbs nobody
kill -KILL "$(pid_of fault checker)"
check "the other VM answers after a VMM was killed" answers 10.77.0.2
check "and goes on answering" ping -q -i 0.01 -c 100 -W 1 10.77.0.2
finish
