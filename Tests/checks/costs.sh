# What the library costs, in figures that do not depend on how busy the machine is: Tests/Costs/run says which.

measured=$work/costs
measure() {
    Tests/bounded 5 Tests/Costs/run --print > "$measured" 2>&1
    tail -n 1 "$measured" | grep '^costs: ' > /dev/null || cat "$measured"
}

# over MEASURE...: what has such a figure and is over its threshold; it is no check if nothing has one
over() {
    local name
    for name in "$@"; do
        grep -E "\| $name +\|.* (ok|far below)$" "$measured" > /dev/null || echo "no figure holds: $name"
        grep -E "\| $name +\|.* (OVER|GONE|DIFFERS)$" "$measured"
    done
    true
}

# A figure that has fallen is good news; the table should follow it.
fallen() { grep 'far below$' "$measured" || return 0; echo 'these have fallen: Tests/Costs/run --set'; }

check "the costs can be measured" measure
check "instructions of our own" over instructions
check "allocations of our own" over allocations
check "reference counting" over "retains and releases"
check "no exclusivity check, no generic metadata" over "exclusivity checks" "generic metadata"
check "copies and clears" over copies clears
check "system calls" over recv send epoll_wait epoll_ctl "other calls" "(recv|send) by tlsmem_stats"
check "the size of the library" over bytes
fallen
