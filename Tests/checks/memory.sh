# Slow: all tests under the address sanitizer, the library as it is installed and with the sanitizer in itself.

inside_watched() {
    local resources
    resources=$(toolchain)
    "$swift" build --sanitize=address --product tlsmem --scratch-path .build-address &&
        nm -D .build-address/debug/libtlsmem.so | grep __asan_init > /dev/null &&
        Tests/bounded 20 Tests/Conformance/run asan-inside INSTRUMENTED="$PWD/.build-address/debug" \
            CC="$resources/../../bin/clang" RUNTIME="$resources/linux"
}

succeeds "the C programs under the address and undefined behaviour sanitizers" \
    Tests/bounded 10 Tests/Conformance/run asan
succeeds "the C programs over a library that is under the address sanitizer, too" inside_watched
succeeds "the Swift tests under the address sanitizer" sanitized address __asan_init
