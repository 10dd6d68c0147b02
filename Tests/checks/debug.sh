# What a debug build tells of wrong uses, and that it tells nothing of right ones.

wrong_uses_told() {
    local resources
    resources=$("$swift" -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
    "$swift" build --product tlsmem &&
        Tests/bounded 5 Tests/Conformance/run debug INSTRUMENTED="$PWD/.build/debug" RUNTIME="$resources/linux"
}

succeeds "a debug build tells of wrong uses, and of nothing else" wrong_uses_told
