# Where the release library could still end the process, each place with its reason: Tests/Traps/reviewed.
succeeds "each place at which the library would trap is reviewed" Tests/Traps/run
