# Slower still: what touches memory in every odd way, under valgrind.
succeeds "the C programs under valgrind" Tests/bounded 20 Tests/Conformance/run valgrind
succeeds "plugins that are loaded, used and unloaded a thousand times under valgrind" \
    Tests/bounded 20 env PLUGIN_ROUNDS=1000 Tests/Hosts/run test_plugins.Watched
