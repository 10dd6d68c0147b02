# How checks are written and counted. To be sourced, with a folder $work to write in; at the end $passed and $failed have
# the counts.
passed=0 failed=0

# check SENTENCE COMMAND...: the sentence holds when the command succeeds and has nothing to say
check() {
    local sentence=$1 said
    shift
    if said=$("$@" 2>&1) && [ -z "$said" ]; then
        passed=$((passed + 1))
        echo "ok    $sentence"
    else
        failed=$((failed + 1))
        echo "FAIL  $sentence"
        head -n 40 <<< "$said" | sed 's/^/        /'
    fi
}

# succeeds SENTENCE COMMAND...: the same for a command that talks; what it said is shown when it fails
quietly() { "$@" > "$work/quietly" 2>&1 || { tail -n 40 "$work/quietly"; return 1; }; }
succeeds() { local sentence=$1; shift; check "$sentence" quietly "$@"; }
