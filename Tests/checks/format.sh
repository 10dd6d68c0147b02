# One format for all Swift, by the committed .swift-format.
check "the Swift is formatted" "$swift" format lint --strict --recursive Sources Tests
