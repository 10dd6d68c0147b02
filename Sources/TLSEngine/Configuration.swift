package import OpenSSLHandles

/// What the connections of one context have in common. Changed only before the first of them.
open class Configuration {
    package final let context: OwnedContext
    package final var limits = Limits()
    /// What OpenSSL reports of a connection is collected, to be told.
    package final var collects = false

    package init(_ context: OwnedContext) {
        self.context = context
    }
}

/// Limits of one connection; bytes unless the name says otherwise.
package struct Limits {
    package var outgoingMax = 1_048_576
    package var outgoingLow = 262_144
    package var incomingMax = 262_144
    package var controlMax = 65_536
    package var wakeMax = 262_144
    package var certificateListMax = 102_400
    package var updatesPerSecond: UInt32 = 100
    package var updateBurst: UInt32 = 1024
    package var handshakeMilliseconds: UInt32 = 10_000
    package var idleMilliseconds: UInt32 = 0
    package var closeMilliseconds: UInt32 = 5_000
    package var readMilliseconds: UInt32 = 0
    package var writeMilliseconds: UInt32 = 0
    package var outgoingHigh = 524_288
    package var incomingLow = 131_072
    package var bufferMilliseconds: UInt32 = 0
    package var keyLife = KeyLife()

    package init() {}
}
