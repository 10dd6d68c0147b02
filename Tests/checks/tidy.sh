# What the compiler does not see: which system modules are imported where, and words that must not occur.

# swift_code DIR...: every line of Swift that is not a comment, with its place
swift_code() { grep -rn --include='*.swift' '' "$@" | grep -vE '^[^:]+:[0-9]+: *//'; }

# imported_only MODULE PATTERN: the module is imported in no file outside the targets of the pattern
imported_only() { swift_code Sources | grep -wE "import $1" | grep -vE "^Sources/($2)/"; true; }

forbidden() { swift_code "$2" | grep -E "$1"; true; }

# A search in the wrong place finds nothing, and would pass for ever.
sources_there() { [ "$(swift_code Sources | grep -cw import)" -gt 10 ] || echo "hardly any Swift under Sources"; }

too_long() {
    find Sources Tests examples-c Benchmarks tools \( -name '*.swift' -o -name '*.c' -o -name '*.h' -o -name '*.py' \) -print0 |
        xargs -0 wc -l | awk '$2 != "total" && $1 > 320 { print $2 ": " $1 " lines" }'
}

unfinished() { grep -rnE '\b(TODO|FIXME|XXX)\b' Sources Tests examples-c Benchmarks tools include ./*.md --exclude-dir=checks; true; }

# Planted bugs that cannot be planted any more find nothing out.
misfits() {
    for patch in Tests/Mutations/*.patch; do
        patch --quiet --force --dry-run --strip=1 < "$patch" > /dev/null || echo "$patch"
    done
}

check "the sources are where the checks look" sources_there
check "OpenSSL is imported by OpenSSLHandles only" imported_only COpenSSL OpenSSLHandles
check "Linux is imported by Fibers, SocketTransport, EventLoop and tlsmem only" \
    imported_only CLinux 'Fibers|SocketTransport|EventLoop|tlsmem'
check "the header is imported by tlsmem only" imported_only CTLSMem tlsmem
check "no Foundation, no Glibc" forbidden '\bimport +(Foundation|Glibc|Darwin|Dispatch)' Sources
check "the word unsafe is not in TLSEngine" forbidden '\bunsafe' Sources/TLSEngine
check "nothing that traps on purpose" \
    forbidden '\b(fatalError|precondition|preconditionFailure|assert|assertionFailure) *\(|\btry!|\bas!' Sources
check "nothing that prints" forbidden '\b(print|debugPrint|dump) *\(' Sources
check "no source file over 320 lines" too_long
check "nothing left unfinished" unfinished
check "the bugs of Tests/Mutations can be planted" misfits
