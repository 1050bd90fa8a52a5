#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A testbed's life as a user sees it: plan, run, ps, stat, top, stop; and its errors.
. "$(dirname "$0")/lib.sh"
suite life

file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=echo"; } | config life)

valid_json() { "$@" | python3 -m json.tool; }
says() { # says TEXT COMMAND...: its output holds TEXT
    local text=$1
    shift
    "$@" 2>&1 | tee "$tmp/said" | grep -qF -- "$text" || { cat "$tmp/said"; return 1; }
}
exits() { # exits STATUS COMMAND...
    local want=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$want" ] || { echo "exit status $got, not $want"; return 1; }
}

check "plan shows where everything goes" says io0 "$COOPVMM" plan "$file"
check "plan --json is JSON" valid_json "$COOPVMM" plan --json "$file"
check "topo --json is JSON" valid_json "$COOPVMM" topo --json
check "run starts the testbed" start_testbed "$file"
check "the guest answers pings" wait_for 5 answers 10.77.0.2
check "ps lists it" says probe "$COOPVMM" ps
check "stat shows the VM's requests" says probe "$COOPVMM" stat --testbed life
check "stat VM shows its vCPU" says vcpu "$COOPVMM" stat probe --testbed life
check "stat core shows the I/O core" says io0 "$COOPVMM" stat io0 --testbed life
check "stat --json is JSON" valid_json "$COOPVMM" stat --json --testbed life
check "top in batch mode prints and ends" says io0 timeout 10 "$COOPVMM" top --batch 2 --testbed life
# ... and fails at once, before it polls: its port's file is not there
printf 'name: life2\niocores:\n  - {name: io0, core: %s}\nports:\n  - {name: p, type: pcap, rx_pcap: /nowhere}\n' \
    "$io_cpu" >"$tmp/life2.yaml"
check "another testbed's I/O core on the same CPU is warned of" says "an I/O core of testbed life" \
    timeout -k 5 20 "$COOPVMM" run "$tmp/life2.yaml"
check "the same testbed cannot run twice" says "running" "$COOPVMM" run "$file"
check "stop ends it" timeout 20 "$COOPVMM" stop life
check "and with it every process" wait_for 5 sh -c "! kill -0 $testbed_pid"
check "stopped by the user is success" wait "$testbed_pid"
testbed_pid=
check "the tap is gone" sh -c '! ip link show tap-life'
check "and no longer listed" sh -c "! '$COOPVMM' ps | grep -q probe"
check "it can be started again at once" start_testbed "$file"
check "and answers" wait_for 5 answers 10.77.0.2
stop_testbed

# one VM of two, while the other goes on
two_file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=echo"; vm other 10.77.0.3 03 user ne2000 "mode=echo"; } |
    config two)
check "two VMs run" start_testbed "$two_file"
check "both answer" wait_for 20 answers 10.77.0.2
check "both answer" wait_for 20 answers 10.77.0.3
check "a VM that runs is not started" says "not over" "$COOPVMM" start two other
check "one is stopped" timeout 20 "$COOPVMM" stop two other
check "the other goes on" wait_for 20 answers 10.77.0.2
check "and what was stopped does not" sh -c '! ping -q -c 1 -W 1 10.77.0.3'
check "it is started again" timeout 20 "$COOPVMM" start other
check "and answers" wait_for 20 answers 10.77.0.3
check "a VM there is not is not started" exits 1 "$COOPVMM" start two third
stop_testbed

# a guest that ends by itself ends its testbed, with its status
exit_file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=lat n=200 exit=1"; } | config ends)
check "a testbed ends with its guests" exits 0 timeout 60 "$COOPVMM" run "$exit_file"

# configurations that are wrong
bad() { # bad NAME TEXT KEY...: a message must name file, line and key
    printf '%b' "$2" >"$tmp/$1.yaml"
    exits 3 "$COOPVMM" run "$tmp/$1.yaml" >"$tmp/said" 2>&1 || { cat "$tmp/said"; return 1; }
    grep -q "$1.yaml:[0-9]*: .*$3" "$tmp/said" || { cat "$tmp/said"; return 1; }
}
check "no YAML: file and line are named" bad noyaml 'name: [\n' ''
check "an unknown key is named" bad unknown 'name: x\niocores:\n  - name: io0\n    coer: 1\n' coer
check "a wrong type is named" bad type 'name: x\niocores:\n  - name: io0\n    core: blue\n' core
check "an I/O core that is not there is named" bad noio \
    "name: x\niocores:\n  - name: io0\nvms:\n  - name: a\n    engine: user\n    memory: 32\n    kernel: $PROBE\n    devices:\n      - model: ne2000\n        iocore: io9\n" io9
check "no such file" exits 3 "$COOPVMM" run "$tmp/none.yaml"
check "a CPU that is not there" sh -c "printf 'name: x\niocores:\n  - name: io0\n    core: 4000\n' >$tmp/cpu.yaml; '$COOPVMM' plan $tmp/cpu.yaml 2>&1 | grep -q 4000"
check "wrong usage" exits 2 "$COOPVMM" run
finish
