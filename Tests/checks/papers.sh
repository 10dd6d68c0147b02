# What is said about the code, held against the code.

# Every tlsmem_name and TLSMEM_NAME in the papers and in comments, with its place.
names_spoken_of() {
    {
        grep -noE '\b(tlsmem|TLSMEM)_[A-Za-z0-9_]+' *.md docs/*.md docs/man/*.7 docs/site/*
        grep -rnE '(//|^ *\*|/\*)' Sources Tests examples-c --include='*.swift' --include='*.c' --include='*.h' |
            sed -E 's#^([^:]+:[0-9]+:).*(//|/\*|^ *\*)#\1 #' |
            awk -F: '{ s = $0; while (match(s, /(tlsmem|TLSMEM)_[A-Za-z0-9_]+/)) {
                print $1 ":" $2 ":" substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH) } }'
    } | grep -vE ':(TLSMEM_[0-9]+|TLSMEM_TEST_[A-Z]+|tlsmem_static|tlsmem_gdb)$' # the symbols' version; the tests' environment; CMake's target; a file
}

# A name that ends in _ stands for all that begin with it. What tlsmem_metrics writes has names, too.
names_unknown() {
    grep -hoE '\b(tlsmem|TLSMEM)_[A-Za-z0-9_]+' "$header" include/tlsmem_dynamic.h.in Sources/tlsmem/Metrics+Text.swift |
        sort -u > "$work/known"
    names_spoken_of | awk -v known="$work/known" '
        BEGIN { FS = ":"; while ((getline name < known) > 0) {
            names[name] = 1; for (i = 8; i <= length(name); i++) if (substr(name, i, 1) == "_") names[substr(name, 1, i)] = 1 } }
        !($3 in names) { print $1 ":" $2 ": " $3 " is not in the header" }'
}

# The first C block of the README, to the letter.
readme_program() { awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md; }
readme_differs() { diff <(readme_program) examples-c/hello.c; }

header_version() { sed -n 's/^.define TLSMEM_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$header" | paste -sd .; }
version_differs() { diff <(sed -n '1s/^tlsmem (\(.*\)-[0-9]*) .*/\1/p' debian/changelog) <(header_version); }

folders_not_in_map() {
    for folder in */ Sources/*/ Tests/*/ .ci/; do
        case $folder in build/ | Sources/ | Tests/) continue ;; esac
        grep -qF "\`$folder\`" README.md || echo "$folder"
    done
}

# The README's table of limits is the header's struct with its initialiser, in order.
limits() {
    paste -d ' ' \
        <(sed -n '/^typedef struct tlsmem_limits {/,/^}/s/^    [a-z0-9_]* \([a-z_]*\);.*/\1/p' "$header" | sed 1d) \
        <(sed -n '/define TLSMEM_LIMITS_INIT/,/}/p' "$header" | tr -d ' \\\n' |
            sed 's/.*sizeof(tlsmem_limits),\(.*\)}.*/\1,/' | tr , '\n' | sed '/^$/d')
}
limits_differ() { diff <(limits) <(sed -n 's/^| `\([a-z_]*\)` | [^|]* | \([0-9]*\) |$/\1 \2/p' README.md); }
limits_of_security_differ() { diff <(limits) <(sed -n 's/^| `\([a-z_]*\)` | \([0-9]*\) | .*/\1 \2/p' SECURITY.md); }

# Each setter, and each word of the examples' table, has its place in the page about them, and no other has one there.
page=docs/settings.md
setters_differ() {
    diff <(declared | grep -E '^tlsmem_ctx_(set|add|insecure|request|require)_') \
        <(grep '^| `' $page | cut -d '|' -f 2 | grep -oE '\btlsmem_ctx_[a-z0-9_]+' | sort)
}
options_differ() {
    local shown=$work/shown
    grep '^| `' $page | awk -F ' [|] ?' '{ print $(NF-1) }' | grep -oE -e '--[a-z0-9-]+' | sort -u > "$shown"
    sed -n 's/^    { "\([a-z0-9-]*\)", .*/--\1/p' examples-c/settings.c | sort | comm -23 - "$shown"
    while read -r option; do grep -q "{ \"${option#--}\"," examples-c/*.[ch] || echo "$page: $option is no option"; done < "$shown"
}

# The commands below the README's program, as they stand, but for the folder and the port.
readme_commands() {
    local dir=$work/readme line port server compile run said
    compile=$(grep '^cc -o /tmp/tlsmem/hello ' README.md) run=$(grep '^LD_LIBRARY_PATH=' README.md)
    Tests/certificates "$dir" || return 1
    exec 7< <(exec build/examples/echo_server --cert "$dir/server.pem" --key "$dir/server.key" --port 0 --max 1)
    server=$!
    read -r line <&7 && port=${line##*:}
    eval "${compile//\/tmp\/tlsmem/$dir}" && run=${run//\/tmp\/tlsmem/$dir} && said=$(eval "${run/4433/$port}")
    [ "$said" = hello ] || { echo "hello said: $said"; kill "$server"; }
    exec 7<&-
}

check "every tlsmem name in papers and comments is in one of the headers" names_unknown
check "the README's program is examples-c/hello.c" readme_differs
check "the README's map names every folder" folders_not_in_map
check "the README's limits are the header's" limits_differ
check "SECURITY.md's limits are the header's" limits_of_security_differ
check "SECURITY.md's other figures are the source's" python3 Tests/checks/claims.py figures SECURITY.md
check "the tests that SECURITY.md names are there" python3 Tests/checks/claims.py tests SECURITY.md
check "each place that the pages for contributors name is there" \
    python3 Tests/checks/places.py paths CONTRIBUTING.md docs/architecture.md docs/abi.md
check "the layers of docs/architecture.md are Package.swift's" python3 Tests/checks/places.py arrows docs/architecture.md
check "each requirement names tests that are there" python3 Tests/checks/claims.py tests docs/requirements.md ALL
check "the page of settings has each setter once" setters_differ
check "the page of settings has each option that shows one" options_differ
check "the README's commands make its program say hello" readme_commands
check "debian/changelog begins with the header's version" version_differs
