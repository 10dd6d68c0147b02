# The binary interface: what the built library shows, needs and calls.

exported() { nm -D --defined-only --with-symbol-versions "$library" | awk '{ print $3 }' | grep -v '^TLSMEM_0$' | sort; }
dynamic() { readelf -dW "$library"; }
imported() { nm -D --undefined-only "$library" | awk '{ print $2 }' | sed 's/@.*//'; }

debian_differs() { diff <(sed -n 's/^ //p' debian/libtlsmem0.symbols | sed 's/@TLSMEM_0//') Tests/ABI/symbols.txt; }
# A line of Tests/ABI/symbols.txt is a function and the version in which it came.
header_differs() { diff <(declared) <(cut -d ' ' -f 1 Tests/ABI/symbols.txt); }
# Under each version of the changelog, the functions of its list "Symbols, by group:".
came_in() {
    awk '/^## / { version = $2; sub(/,$/, "", version) }
        /^(#|Symbols, by group:$)/ { inside = /^Symbols/ }
        inside { while (match($0, /`tlsmem_[a-z0-9_]+`/)) {
            print substr($0, RSTART + 1, RLENGTH - 2), version; $0 = substr($0, RSTART + RLENGTH) } }' CHANGELOG.md | sort
}
# Whatever programs could not be built against before has the header's version: no version gets a function once it is out.
late() {
    local version
    version=$(awk '/define TLSMEM_VERSION_(MAJOR|MINOR|PATCH)/ { v = v dot $3; dot = "." } END { print v }' "$header")
    while read -r name since; do
        [ "$since" = "$version" ] || grep -q "<elf-symbol name='$name' " Tests/ABI/baseline.abi || echo "$name has come since $since"
    done < Tests/ABI/symbols.txt
}
changelog_differs() { diff <(came_in) Tests/ABI/symbols.txt; }
library_differs() { diff <(declared | sed 's/$/@@TLSMEM_0/' | sort) <(exported); }
archive_differs() { diff <(declared) <(nm -g --defined-only build/stage/lib/libtlsmem.a | awk 'NF == 3 { print $3 }' | sort); }

variables() { nm -D --defined-only "$library" | awk '$2 != "T" && $3 !~ /^TLSMEM_/'; }
# The linker is told the soname; the version of the symbols and the papers have the same number.
soname_differs() {
    local number
    number=$(sed -n 's/.*-soname=libtlsmem\.so\.\([0-9]*\)".*/\1/p' Package.swift)
    grep -qx "TLSMEM_$number {" Sources/tlsmem/tlsmem.map || echo "tlsmem.map has another version than $number"
    [ "$(grep -oE '^\| `libtlsmem\.so\.[0-9]+`' docs/abi.md | tail -n 1)" = "| \`libtlsmem.so.$number\`" ] ||
        echo "docs/abi.md ends with another soname"
}

# Members of structs and numbers of enums of which Tests/ABI/layout_*.c says nothing.
without_comments() { gcc -w -fpreprocessed -E -P include/tlsmem.h; }
baked_in() {
    without_comments | awk '
        /^typedef struct [a-z_]+ \{/ { struct = $3; next }
        /^}/ { struct = "" }
        struct != "" && match($0, /\(\*[a-z_0-9]+\)/) { print "PLACE(" struct ", " substr($0, RSTART + 2, RLENGTH - 3) ","; next }
        struct != "" && match($0, /[a-z_0-9]+(\[[0-9]+\])?;$/) {
            member = substr($0, RSTART, RLENGTH)
            sub(/[[;].*/, "", member)
            print "PLACE(" struct ", " member ","
        }'
    without_comments | grep -oE '\bTLSMEM_[A-Z0-9_]+ =' | sed 's/.*/HOLDS(&=/'
}
not_held() {
    [ "$(baked_in | wc -l)" -gt 300 ] || echo "only $(baked_in | wc -l) were found in the header"
    baked_in | while read -r claim; do grep -qF "$claim" Tests/ABI/layout_*.c || echo "$claim"; done
}

# Of each struct that a program makes, its size is among those that Tests/Conformance/sizes.c has the library take.
sizes_not_tried() {
    grep -oE '^#define TLSMEM_[A-Z_]+_INIT\b' include/tlsmem.h | sed 's/#define \(.*\)_INIT/\L\1/' | while read -r type; do
        size=$(cat Tests/ABI/layout_*.c | sed -n "s/^SIZE($type, \([0-9]*\));/\1/p")
        grep -qE "^ROW\($type, [A-Za-z_()]+, $size, " Tests/ABI/sizes.h || echo "$type of ${size:-unknown} bytes"
    done
}

needed_besides() { dynamic | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^lib(ssl|crypto|m|c)\.so\.[0-9]+$'; true; }

# Whatever is loaded with the library, and would not be loaded with libssl alone.
loads() { ldd "$1" | awk '{ print $1 }' | sed 's#.*/##' | sort; }
loaded_besides() {
    ldd "$library" | grep -F 'not found'
    comm -23 <(loads "$library") <(loads "$(ldd "$library" | awk '$1 ~ /^libssl/ { print $3 }')") |
        grep -vE '^lib(ssl|m)\.so\.[0-9]+$'
    true
}

remembered() { strings -a "$library" build/stage/lib/libtlsmem.a | grep -F "$PWD"; true; }
has_dynamic() { dynamic | grep -E "$1" > /dev/null || { echo "not found: $1"; dynamic; }; }
has_runpath() { dynamic | grep -E 'RUNPATH|RPATH'; true; }
has_relro() { readelf -lW "$library" | grep GNU_RELRO > /dev/null || echo "no GNU_RELRO"; }
stack_executable() { readelf -lW "$library" | awk '$1 == "GNU_STACK" && / RWE / { print "the stack is executable" }'; }

calls() { imported | grep -xE "$1"; true; }
speaks_openssl() { imported | grep -xE 'SSL_set_bio|SSL_set0_rbio' > /dev/null || echo "neither SSL_set_bio nor SSL_set0_rbio"; }

# Each mention of getenv in the sources, and who calls the function that has them. What the library asks for when it runs
# is watched by Tests/Conformance/listeners.c.
environment_differs() {
    diff <(grep -rhoE 'getenv\b(\("[A-Z_]+"\))?' --include='*.swift' --include='*.h' Sources | sort) \
        <(printf '%s\n' 'getenv("LISTEN_FDS")' 'getenv("LISTEN_PID")')
    diff <(grep -rhoE '\.inherited\(' --include='*.swift' Sources) <(echo '.inherited(')
    grep -A4 '^public func tlsmem_inherited_fd(' Sources/tlsmem/*.swift | grep '\.inherited(' > /dev/null ||
        echo "tlsmem_inherited_fd does not ask"
}

check "each member and number of the header is held by Tests/ABI/layout_*.c" not_held
check "the size of each struct is one that the library is tested to take (Tests/ABI/sizes.h)" sizes_not_tried
check "the header's functions are Tests/ABI/symbols.txt" header_differs
check "the Debian package's symbols are Tests/ABI/symbols.txt" debian_differs
check "the changelog says of each in which version it came, once" changelog_differs
check "the library exports them, version TLSMEM_0, and nothing else" library_differs
check "the archive defines them, and nothing else that can be seen" archive_differs
check "what has come since Tests/ABI/baseline.abi has the header's version" late
check "no variable is exported" variables
check "nothing that programs were built against has gone, changed or moved (Tests/ABI/baseline.abi)" Tests/ABI/compare
succeeds "each change that breaks programs is found, and none that does not" Tests/ABI/compare --planted
check "it needs libssl, libcrypto, libm and libc, at most" needed_besides
check "nothing else is loaded with it, nothing of Swift" loaded_besides
check "the soname has one number, and the symbols' version too" soname_differs
check "SONAME libtlsmem.so.0" has_dynamic 'SONAME.*\[libtlsmem\.so\.0\]'
check "bound at once" has_dynamic 'FLAGS_1.*\bNOW\b'
check "never unloaded" has_dynamic 'FLAGS_1.*\bNODELETE\b'
check "no RUNPATH" has_runpath
check "RELRO" has_relro
check "neither the library nor the archive knows where it was built" remembered
check "no executable stack" stack_executable
check "TLS goes through memory BIOs" speaks_openssl
check "OpenSSL gets no socket" calls \
    'SSL_set_[rw]?fd|BIO_s_(socket|connect|accept|fd|datagram.*)|BIO_new_(socket|connect|accept|fd|dgram.*)|BIO_(connect|listen|bind|accept_ex|lookup.*|socket)'
check "no signal or exit handler, no sleep, no output" calls \
    'signal|sigaction|atexit|on_exit|u?sleep|nanosleep|v?f?printf|f?puts|f?putc|putchar|fwrite|syslog'
check "no environment, except by getenv" calls \
    'secure_getenv|__secure_getenv|environ|_environ|__environ|setenv|putenv|unsetenv|clearenv|getauxval'
check "of the environment, LISTEN_PID and LISTEN_FDS are read, once each, by tlsmem_inherited_fd" environment_differs
