# The headers compile everywhere, each alone and twice, with every warning on; and what each function has to have.

for name in tlsmem tlsmem_dynamic; do
    printf '#include "%s.h"\n#include "%s.h"\nint unused_unit_is_not_empty;\n' $name $name > "$work/$name.c"
done

strict=(-Wall -Wextra -Wpedantic -Werror -Iinclude -Ibuild/stage/include)
compiles() { # compiler language standard
    local name
    for name in tlsmem tlsmem_dynamic; do
        check "$name.h is $3 for $1" "$1" -x "$2" -std="$3" "${strict[@]}" -fsyntax-only "$work/$name.c"
    done
}

# tlsmem_dynamic.h has each function once, with its type, and nothing else; and who uses it may ignore no more than elsewhere.
staged_differs() { include/dynamic.py libtlsmem.so.0 | diff - build/stage/include/tlsmem_dynamic.h; }
members() {
    local names
    names=$(cut -d ' ' -f 1 Tests/ABI/symbols.txt)
    echo '#include "tlsmem_dynamic.h"'
    echo '#define SAME(a, b) _Static_assert(__builtin_types_compatible_p(__typeof__(((tlsmem_api *)0)->a), __typeof__(&b)), #b)'
    for name in $names; do
        member=${name#tlsmem_}
        [ "$member" != new ] || member=new_
        echo "SAME($member, $name);"
    done
    echo "_Static_assert(sizeof(tlsmem_api) == 256 + $(($(wc -w <<< "$names") + 1)) * sizeof(void *), \"it has other members\");"
}
pointers_wrong() { members > "$work/members.c" && "$1" -std=c11 -fsyntax-only -Ibuild/stage/include "$work/members.c"; }
unchecked() {
    diff <(without_comments | tr -d '\n' | tr ';' '\n' | grep -c 'TLSMEM_CHECK *$') \
        <(grep -c '^    .* TLSMEM_CHECK;$' build/stage/include/tlsmem_dynamic.h)
}
without_comments() { gcc -w -fpreprocessed -E -P "$header"; }
# Names that C libraries have for functions, and may have for macros.
calls() {
    printf '#include <%s.h>\n' stdlib stdio string unistd error sys/socket
    cat <<'END'
#include "tlsmem_dynamic.h"
#define free(p) debugged(p, __LINE__)
ptrdiff_t calls(const tlsmem_api *tls, tlsmem_ctx *ctx, char *bytes, size_t n)
{
    tlsmem *c = tls->new_(ctx, NULL, NULL);
    ptrdiff_t moved = tls->write(c, bytes, n) + tls->read(c, bytes, n) + tls->close(c) + tls->abort(c) + tls->pause(c);
    bytes[0] = *tls->strerror((int)moved);
    (tls->free)(c);
    return moved;
}
END
}
calls_caught() { calls > "$work/calls.c" && "$@" "${strict[@]}" -c "$work/calls.c" -o "$work/calls.o"; }

for standard in c99 c11 c17; do
    compiles gcc c $standard
    compiles clang c $standard
done
compiles g++ c++ c++17
compiles clang++ c++ c++17

check "the staged tlsmem_dynamic.h is what include/dynamic.py makes" staged_differs
for compiler in gcc clang; do
    check "each function has its pointer in it, of its type, and nothing else has: $compiler" pointers_wrong $compiler
    for level in 2 3; do
        check "no macro is in the way of its members: $compiler, _FORTIFY_SOURCE=$level" \
            calls_caught $compiler -O2 -std=c99 -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level
    done
    check "nor where GNU's names are not seen: $compiler" calls_caught $compiler -O2 -std=c99 -D_POSIX_C_SOURCE=200809L
done
check "what must not be ignored there must not be ignored here" unchecked

check "each function of the header says what it does and what it returns" python3 Tests/checks/exports.py comments
check "each is exported once, from Sources/tlsmem/Exports+*.swift" python3 Tests/checks/exports.py swift
check "each is used by a test, besides being misused" python3 Tests/checks/exports.py tests
check "each status has its name and a sentence" python3 Tests/checks/exports.py statuses
