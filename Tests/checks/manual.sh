# The manual, which docs/manual/make makes of the header and of docs/man; and the same as a web site.

man=$work/man site=$work/site
python=python3
python3 -c 'import markdown' 2> /dev/null || python=/usr/bin/python3

made() { docs/manual/make "$man" && "$python" docs/manual/make "$site" --site; }

# mandoc looks for the pages that are referred to where the system has its own; unresolved() looks for ours.
lint() {
    find "$man" -type f | sort > "$work/pages"
    [ "$(wc -l < "$work/pages")" -gt 190 ] || echo "only $(wc -l < "$work/pages") pages"
    xargs mandoc -T lint < "$work/pages" 2> "$work/said" | grep -v "referenced manual not found"
    true
}
unresolved() {
    grep -rhoE '^\.(.* )?Xr tlsmem[a-z0-9_-]* [37]' "$man" | grep -oE 'tlsmem[a-z0-9_-]* [37]' | sort -u | while read -r name section; do
        [ -e "$man/man$section/$name.$section" ] || echo "$name($section) is referred to, and is not there"
    done
}
without_page() {
    { declared; gcc -w -fpreprocessed -E -P "$header" | grep -oE '^} tlsmem_[a-z_]+|\(\*tlsmem_[a-z_]+\)' | tr -d '}(*) '; } |
        while read -r name; do [ -e "$man/man3/$name.3" ] || echo "$name"; done
}
# What comes before the first line of a page is said by a whatis.
without_brief() { grep -rLE '^\.Nd [a-zA-Z].{8,}' "$man"; grep -rhE '^\.Nd .{80,}' "$man"; true; }
beside_another() { grep -rlE -A1 '^\.Sh DESCRIPTION' "$man/man3" | xargs grep -A1 '^\.Sh DESCRIPTION' | grep -E '(The same|It is the same)'; true; }
wide() { # more than 80 columns in a terminal, but for whole programs
    while read -r page; do
        mandoc -T utf8 -O width=78 "$page" | col -bx | awk -v page="${page##*/}" 'length($0) > 82 { print page ": " $0 }'
    done < "$work/pages"
}
typed_by_hand() { # code in docs/man that comes from no program
    awk '/^\.\\" @figure / { figure = 1 } /^\.\\" @end/ { figure = 0 }
        /^\.Bd -literal/ && !figure && !said { print FILENAME ":" FNR ": code that is not taken from a program" }
        { said = /^\.\\" @said$/ }' docs/man/*.7
}
not_in_the_index() { # of tlsmem(7)
    comm -3 <(declared) <(sed -n '/^\.Sh FUNCTIONS/,/^\.Sh EXAMPLES/p' docs/man/tlsmem.7 | grep -oE 'Xr tlsmem_[a-z0-9_]+ 3' |
        cut -d ' ' -f 2 | sort)
}
statuses_missing() {
    without_comments | sed -n '/^typedef enum tlsmem_status/,/^}/p' | grep -oE 'TLSMEM_[A-Z]+' | while read -r status; do
        grep -q "^\.It Dv $status\b" docs/man/tlsmem-errors.7 || echo "$status"
    done
}
without_comments() { gcc -w -fpreprocessed -E -P "$header"; }
loops_missing() {
    for program in examples-c/own_loop_*.c examples-c/nested_*.c; do
        grep -q "@code $program\|${program##*/}" docs/man/tlsmem-loops.7 || echo "$program"
    done
}

# The page about the test kit: its program says what it says there, and each function of the kit is in it.
kit=docs/man/tlsmem-testing.7
program_says() { # CHANGE SAID: its program, with this change by sed, says this; when, is another OpenSSL's affair
    sed "$1" examples-c/hundred_seeds.c > "$work/manual.c"
    gcc -std=c99 -Wall -Wextra -Werror -Iinclude "$work/manual.c" "$library" -Wl,-rpath,"$PWD/build/stage/lib" -o "$work/manual" || return
    local said
    said=$(timeout 60 "$work/manual" "$work/recording")
    [[ -n $2 && $(sed 's/at [0-9]* ms/at some ms/' <<< "$said") == "$(sed 's/at [0-9]* ms/at some ms/' <<< "$2")"* ]] || echo "it says: $said"
    grep -qx 'tlsmem recording 1' "$work/recording" || echo "it records nothing"
}
program_finds() { # a wrong echo is found
    ! grep -q 'passed' <(program_says 's/tlsmem_write(c, bytes, n)/tlsmem_write(c, n > 5 ? bytes : "XXXXX", n)/' x | sed 's/it says: //')
}
program_stalls() { program_says 's/faults.seed = seed;/& faults.stall_after = 100;/' "$(sed -n 's/^\(seed 1: .*\) \.\.\.$/\1/p' $kit)"; }
of_the_kit() { sed -n '/- test kit \*/,$p' "$header" | grep -oE '^[a-z][a-z0-9_ ]* \*?tlsmem_[a-z_]+\(' | grep -oE 'tlsmem_[a-z_]+\($' | tr -d '('; }
not_in_kit() {
    [ "$(of_the_kit | wc -l)" -gt 20 ] || echo "only $(of_the_kit | wc -l) were found in the header"
    of_the_kit | while read -r name; do grep -q "^\.Fn $name\b" $kit || echo "$name"; done
}

succeeds "the manual is made of header and prose, and so is the site" made
check "mandoc has nothing to say about any page" lint
check "every page that is referred to is there" unresolved
check "each function, struct, enum and callback has a page" without_page
check "each page says what it is about on one line" without_brief
check "no page begins with what only its neighbour in the header says" beside_another
check "no page is wider than a terminal" wide
check "the code in the guides is taken from programs" typed_by_hand
check "tlsmem(7) lists every function" not_in_the_index
check "tlsmem-errors(7) has every status" statuses_missing
check "tlsmem-loops(7) has every loop" loops_missing
check "the program of tlsmem-testing(7) passes" program_says '' '100 seeds passed'
check "it finds a server that answers something else" program_finds
check "it stalls as it says there" program_stalls
check "tlsmem-testing(7) has each function of the kit" not_in_kit
check "no link of the site leads nowhere" python3 Tests/checks/site.py links "$site"
check "its colours can be read, in the light and in the dark" python3 Tests/checks/site.py colours "$site"
check "in a browser: no error, nothing wider than 400 px, and the search finds" python3 Tests/checks/site.py browser "$site"
