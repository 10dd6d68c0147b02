# Slower still: what touches memory in every odd way, under valgrind.
succeeds "the C programs under valgrind" Tests/bounded 20 Tests/Conformance/run valgrind
