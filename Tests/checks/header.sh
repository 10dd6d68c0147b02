# The header compiles everywhere, alone and twice, with every warning on.

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
