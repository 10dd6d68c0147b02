# Threads, under the thread sanitizer: the loops in C, over an instrumented library, and all Swift tests.

# The programs and the library must have the sanitizer of one and the same compiler: Swift's own clang.
loops_watched() {
    local resources
    resources=$(toolchain)
    "$swift" build --sanitize=thread --product tlsmem --scratch-path .build-thread &&
        nm -D .build-thread/debug/libtlsmem.so | grep __tsan_init > /dev/null &&
        Tests/bounded 10 Tests/Conformance/run tsan INSTRUMENTED="$PWD/.build-thread/debug" \
            CC="$resources/../../bin/clang" RUNTIME="$resources/linux"
}

succeeds "loops in threads under the thread sanitizer" loops_watched
succeeds "the Swift tests under the thread sanitizer" sanitized thread __tsan_init
