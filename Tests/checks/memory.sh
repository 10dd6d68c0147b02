# Slow: all tests under sanitizers.

# sanitized KIND SYMBOL: the tests pass, and the symbol shows that the sanitizer was there
sanitized() {
    local scratch=.build-$1
    ASAN_OPTIONS=detect_leaks=0 Tests/bounded 10 "$swift" test --disable-xctest --scratch-path "$scratch" --sanitize="$1" &&
        nm "$scratch"/debug/*.xctest | grep "$2" > /dev/null
}

succeeds "the C programs under the address and undefined behaviour sanitizers" \
    Tests/bounded 10 Tests/Conformance/run asan
succeeds "the Swift tests under the address sanitizer" sanitized address __asan_init
succeeds "the Swift tests under the thread sanitizer" sanitized thread __tsan_init
