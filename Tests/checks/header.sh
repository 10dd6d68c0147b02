# The header compiles everywhere, alone and twice, with every warning on; and what each of its functions has to have.

printf '#include "tlsmem.h"\n#include "tlsmem.h"\nint unused_unit_is_not_empty;\n' > "$work/alone.c"

compiles() { # compiler language standard
    check "the header is $3 for $1" "$1" -x "$2" -std="$3" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude \
        "$work/alone.c"
}

for standard in c99 c11 c17; do
    compiles gcc c $standard
    compiles clang c $standard
done
compiles g++ c++ c++17
compiles clang++ c++ c++17

check "each function of the header says what it does and what it returns" python3 Tests/checks/exports.py comments
check "each is exported once, from Sources/tlsmem/Exports+*.swift" python3 Tests/checks/exports.py swift
check "each is used by a test, besides being misused" python3 Tests/checks/exports.py tests
check "each status has its name and a sentence" python3 Tests/checks/exports.py statuses
