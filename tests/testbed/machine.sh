# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # options and names are run.sh's
# What the testbeds have in common on this side of the emulated machine: its life, the orders it gets,
# and what its scenarios say. Sourced by a testbed's run.sh, which says before
#
#   HERE     the testbed's folder, its scenarios in it
#   RUN      where it works
#   WHAT     what is booted, INSIDE: where scenarios run; for people
#   ORDERS   more for those inside: NAME VALUE...
#
# and defines qemu, which becomes the machine: it goes to $RUN, where share/ is the share.

machine=

all_scenarios() {
    (cd "$HERE" && ls [0-9]*.sh) | sed 's/\.sh$//'
}

# find_scenario NAME|NUMBER: its file
find_scenario() {
    local file
    for file in "$HERE/$1.sh" "$HERE/$1"_*.sh; do
        [ ! -f "$file" ] || { echo "$file" && return; }
    done
    die "there is no scenario $1; there are: $(all_scenarios | tr '\n' ' ')"
}

# give_orders: an empty share, and what is to be done inside
give_orders() {
    rm -rf "$RUN/share"
    mkdir -p "$RUN/share/logs"
    : >"$RUN/share/progress"
    : >"$RUN/share/logs/script.log"
    {
        printf '%s=%q\n' HERE "$HERE" ROOT "$ROOT" BUILD "$BUILD" KERNEL "$KERNEL" ORDER "$order" \
            GUESTS "$WORK" SCRIPT "$script" SCENARIOS "${remaining[*]-}" "${ORDERS[@]}"
    } >"$RUN/share/orders"
}

# In the background, unless it is to be a shell. Its monitor is a pair of pipes.
start_machine() {
    rm -f "$RUN"/monitor.*
    mkfifo "$RUN/monitor.in" "$RUN/monitor.out"
    qemu -serial file:console.log -chardev pipe,id=monitor,path=monitor -mon monitor \
        </dev/null >"$RUN/qemu.log" 2>&1 9>&- &
    machine=$!
    sign='' signed=$SECONDS
}

stop_machine() {
    [ -n "$machine" ] || return 0
    kill "$machine" 2>/dev/null
    wait "$machine" 2>/dev/null
    machine=
}

run_shell() {
    give_orders
    (qemu -chardev stdio,id=tty,mux=on,signal=off,logfile=console.log -serial chardev:tty -mon chardev=tty)
}

run_script() {
    local status
    give_orders
    start_machine
    stop_if_silent 9>&- &
    tail -n +1 -f --pid=$machine "$RUN/share/logs/script.log"
    wait $machine
    machine=
    status=$(cat "$RUN/share/status" 2>/dev/null)
    [ -n "$status" ] || show_console
    exit "${status:-1}"
}

show_console() {
    echo "--- the end of the console of $WHAT ($RUN/console.log):"
    tail -n 40 "$RUN/console.log" "$RUN/qemu.log"
}

# run_orders: one testbed at a time in $RUN; as the options said
run_orders() {
    exec 9>"$RUN/lock"
    flock -n 9 || die "another testbed is running in $RUN (BUILD=... gives one of its own)"
    prepare
    trap 'stop_machine' EXIT
    trap 'exit 130' INT TERM
    case $order in
    shell) run_shell ;;
    script) run_script ;;
    *) run_scenarios ;;
    esac
    exit
}

# --- a machine that hangs ---

# What is emulated may hang as a whole. Seen with QEMU 7.2: when a kernel there patches its own code (static keys)
# an emulated CPU may keep the breakpoint that stood there meanwhile (INT3) in its translation, and runs into
# it for ever, with interrupts off in the scheduler; the others wait for it. So those inside give a sign
# of life every few seconds (runner.sh).
SILENCE=${SILENCE:-120} # seconds without one, after which none will come
sign='' signed=0

is_silent() {
    local now
    now=$(cat "$RUN/share/alive" 2>/dev/null)
    [ "$now" = "$sign" ] || { sign=$now signed=$SECONDS; }
    [ -n "$sign" ] && [ $((SECONDS - signed)) -ge "$SILENCE" ]
}

# Beside what waits for the machine to end.
stop_if_silent() {
    while sleep 10 && kill -0 "$machine" 2>/dev/null; do
        is_silent || continue
        show_hang
        stop_machine
    done
}

# Where its CPUs are, twice, and QEMU's threads if it does not answer.
show_hang() {
    echo "--- $WHAT hangs: no sign of life for $((SECONDS - signed)) s"
    local _
    for _ in 1 2; do
        timeout 5 tee "$RUN/monitor.in" <<<"info registers -a" >/dev/null
        timeout 5 cat "$RUN/monitor.out" | tr -d '\r' | grep -E '^(CPU#|R[AIS][XIP]=)'
    done
    echo "--- QEMU's threads:"
    qemu_threads
}

qemu_threads() {
    local pid task
    pid=$(pgrep -P "$machine" qemu || echo "$machine") # timeout's child
    for task in "/proc/$pid/task"/*; do
        echo "$(cat "$task/comm"): $(cut -d ' ' -f 3 "$task/stat"), $(cat "$task/wchan"), $(cut -d ' ' -f 1-3 "$task/syscall")"
    done 2>/dev/null
}

# --- scenarios ---

passed=0 failed=0 remaining=() begin=$SECONDS again=''

# Programs in user space cannot stop a machine; what QEMU makes of nested virtualization does at times (besides
# hangs, a kernel there was seen to overrun its stack with page faults). So a scenario in which the machine stopped
# is run once more, in a new one; the second time it has failed.
run_scenarios() {
    [ ${#scenarios[@]} != 0 ] || mapfile -t scenarios < <(ls "$HERE"/[0-9]*.sh)
    remaining=("${scenarios[@]}")
    while [ ${#remaining[@]} != 0 ]; do
        echo "booting $WHAT, ${#remaining[@]} to run"
        give_orders
        start_machine
        follow
        stop_machine
    done
    echo "$passed passed, $failed failed, $((SECONDS - begin)) s"
    [ $failed = 0 ] && [ $passed -gt 0 ]
}

# Reads the progress that is written inside until it ends.
follow() {
    local event name seconds why current='' up=''
    exec 8< <(tail -n +1 -f --pid=$machine "$RUN/share/progress")
    while next_event; do
        case $event in
        up) up=1 && echo "$INSIDE is up after $name s" ;;
        begin) current=$name ;;
        ok) settle "$name" && passed=$((passed + 1)) && current='' && echo "ok $name $seconds s" ;;
        FAILED) settle "$name" && current='' && report_failure "$name" "$seconds s: $why" ;;
        end) break ;;
        esac
    done
    exec 8<&-
    [ "$event" != hang ] || show_hang
    if [ "$event" = timeout ]; then
        [ -z "$current" ] || { settle "$current" && report_failure "$current" "time was up"; }
        show_console
        give_up "$limit s are up, --timeout gives more"
    elif [ -n "$current" ] && [ "$current" != "$again" ]; then
        again=$current
        echo "... $current: the machine stopped; it is run once more in a new one"
        show_console
    elif [ -n "$current" ]; then
        settle "$current"
        report_failure "$current" "the machine stopped"
        show_console
    elif [ -z "$up" ]; then
        show_console
        give_up "$WHAT did not come up"
    elif [ "$event" != end ] && [ ${#remaining[@]} != 0 ]; then
        show_console
        give_up "the machine stopped"
    fi
}

# The next event inside, and meanwhile what the scenario said last.
next_event() {
    local status
    while :; do
        read -r -t 10 event name seconds why <&8
        status=$?
        [ $status -gt 128 ] || return $status
        [ $((SECONDS - begin)) -lt "$limit" ] || { event=timeout && return 1; }
        ! is_silent || { event=hang && return 1; }
        [ -z "${current:-}" ] || echo "... $current: $(tail -n 1 "$RUN/share/logs/$current.log" | cut -c 1-90)"
    done
}

# settle NAME: it need not run any more
settle() {
    local file rest=()
    for file in "${remaining[@]}"; do
        [ "$(basename "$file" .sh)" = "$1" ] || rest+=("$file")
    done
    remaining=("${rest[@]}")
}

report_failure() {
    failed=$((failed + 1))
    echo "FAILED $1 ($2)"
    echo "--- its log:"
    tail -n 100 "$RUN/share/logs/$1.log"
    echo "---"
    mkdir -p "$RUN/failed"
    cp "$RUN/share/logs/$1.log" "$RUN/console.log" "$RUN/failed/"
}

give_up() {
    local file
    for file in "${remaining[@]}"; do
        failed=$((failed + 1))
        echo "FAILED $(basename "$file" .sh) (not run: $1)"
    done
    remaining=()
}
