// swift-tools-version: 6.2
import PackageDescription

// Debug builds, and so `swift test`, are ordinary Swift; release builds are Embedded Swift, which leaves a plain
// shared library with no runtime to install. The same sources serve both.
let house: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("Embedded", .when(configuration: .release)),
    // A section for each function: every module has its copy of what it uses of the standard library, and the linker
    // can only drop whole sections.
    // Exclusive access is checked in debug builds; Embedded Swift's checks are calls of empty functions.
    .unsafeFlags(
        ["-wmo", "-Xfrontend", "-function-sections", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// Release only: in the test program a hidden symbol could not be intercepted by a sanitizer.
// The base of the probes: nothing but notes refers to it, for which the linker keeps nothing, and gdb needs it.
// NODELETE: a thread that ends after dlclose would otherwise run a destructor in unmapped code.
let link: [LinkerSetting] = [
    .unsafeFlags([
        "-use-ld=lld",
        "-Xlinker", "-soname=libtlsmem.so.0",
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/tlsmem/tlsmem.map",
        "-Xlinker", "--undefined=_.stapsdt.base",
        "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now",
        "-Xlinker", "-z", "-Xlinker", "nodelete",
    ], .when(configuration: .release))
]

let package = Package(
    name: "tlsmem",
    products: [.library(name: "tlsmem", type: .dynamic, targets: ["tlsmem"])],
    targets: [
        .systemLibrary(name: "CTLSMem", path: "include"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "Fibers", dependencies: ["CLinux"], swiftSettings: house),
        .target(name: "OpenSSLHandles", dependencies: ["COpenSSL", "Fibers"], swiftSettings: house),
        .target(name: "TLSEngine", dependencies: ["OpenSSLHandles"], swiftSettings: house),
        .target(name: "SocketTransport", dependencies: ["CLinux"], swiftSettings: house),
        .target(name: "EventLoop", dependencies: ["SocketTransport", "CLinux"], swiftSettings: house),
        .target(
            name: "tlsmem",
            dependencies: ["OpenSSLHandles", "TLSEngine", "SocketTransport", "EventLoop", "CLinux", "CTLSMem"],
            exclude: ["tlsmem.map"], swiftSettings: house, linkerSettings: link),
        .target(
            name: "TestSupport", dependencies: ["COpenSSL", "OpenSSLHandles", "TLSEngine"], path: "Tests/TestSupport"),
        .testTarget(name: "OpenSSLHandlesTests", dependencies: ["OpenSSLHandles", "COpenSSL", "TestSupport"]),
        .testTarget(name: "TLSEngineTests", dependencies: ["TLSEngine", "OpenSSLHandles", "COpenSSL", "TestSupport"]),
        .testTarget(name: "SocketTransportTests", dependencies: ["SocketTransport", "CLinux"]),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "SocketTransport", "CLinux"]),
        .testTarget(name: "tlsmemTests", dependencies: ["tlsmem", "CTLSMem", "TestSupport"]),
    ]
)
