# Slow: all tests under the address sanitizer.

succeeds "the C programs under the address and undefined behaviour sanitizers" \
    Tests/bounded 10 Tests/Conformance/run asan
succeeds "the Swift tests under the address sanitizer" sanitized address __asan_init
