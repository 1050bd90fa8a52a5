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

# One kill under flood. Replies are timed by a ping of their own, a hundred a second; the longest
# time without one goes to $tmp/outage.
kill_and_wait() {
    local pid start gap
    pid=$(pid_of fault iocored)
    start=$(date +%s.%N)
    kill -KILL "$pid" || return 1
    wait_for 10 new_daemon "$pid" || return 1
    sleep 1.$((RANDOM % 9))
    gap=$(python3 "$ROOT/tests/integration/ask.py" gap "$tmp/replies" "$start")
    echo "$gap" >>"$tmp/outage"
    echo "no reply for $gap ms"
    [ "$gap" != inf ] && [ "$gap" -le 2000 ]
}
new_daemon() { local now; now=$(pid_of fault iocored) && [ "$now" != "$1" ] && [ "$now" != 0 ] && answers 10.77.0.2; }

ping -q -f -W 1 10.77.0.2 >"$tmp/flood" 2>&1 &
flood=$!
stdbuf -oL ping -D -i 0.01 10.77.0.2 >"$tmp/replies" 2>/dev/null &
timed=$!
sleep 1
for i in $(seq $kills); do
    check "kill $i: replies resume within 2 s" kill_and_wait
done
kill -INT $flood $timed
wait $flood $timed
tr '\n' ' ' <"$tmp/outage" | sed 's/^/# longest times without a reply, ms: /'
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
check "and goes on answering" no_loss 10.77.0.2 100 -i 0.01
finish
