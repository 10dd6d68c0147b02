internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// What `tlsmem_connect_options` ask for, checked and copied.
@safe struct ConnectPlan {
    enum Target {
        case address(SocketAddress)
        case name([CChar], port: UInt16)
    }

    typealias OnAttempt =
        @convention(c) (
            OpaquePointer?, UnsafePointer<sockaddr>?, socklen_t, CInt, UnsafeMutableRawPointer?
        ) -> Void

    /// Longer than any name; what the resolver is given stays within its own limits.
    private static let hostLengthMax = 1024

    let target: Target
    let source: SocketAddress?
    /// What the server's certificate is for, if the program has not named it; nil for a Unix socket.
    let serverName: [CChar]?
    let connectMilliseconds: UInt32
    let onAttempt: OnAttempt?
    private let attemptDelay: UInt32
    private let resolutionDelay: UInt32

    /// Nil for options that contradict themselves or say nothing.
    init?(_ options: tlsmem_connect_options) {
        guard let (target, name) = unsafe Self.target(options) else { return nil }
        self.target = target
        serverName = name
        if let host = unsafe options.bind_host {
            guard let source = unsafe SocketAddress(numericHost: host, port: 0) else { return nil }
            if case .address(let address) = target, address.family != source.family { return nil }
            self.source = source
        } else {
            source = nil
        }
        unsafe connectMilliseconds = options.connect_ms
        unsafe attemptDelay = options.attempt_delay_ms
        unsafe resolutionDelay = options.resolution_delay_ms
        unsafe onAttempt = options.on_attempt
    }

    private static func target(_ options: tlsmem_connect_options) -> (Target, serverName: [CChar]?)? {
        if let path = unsafe options.path {
            guard unsafe options.host == nil, let address = unsafe SocketAddress(path: path) else { return nil }
            return (.address(address), nil)
        }
        guard let host = unsafe options.host, unsafe host.pointee != 0, unsafe strlen(host) <= hostLengthMax,
            let port = unsafe UInt16(exactly: options.port), port > 0
        else { return nil }
        // Digits beyond ASCII may make an address, too.
        return unsafe InternationalName.withASCII(host) {
            guard let host = unsafe $0 else { return nil }
            if let address = unsafe SocketAddress(numericHost: host, port: port) {
                return (.address(address), address.hostText)
            }
            let name = unsafe Array(UnsafeBufferPointer(start: host, count: strlen(host) &+ 1))
            return (.name(name, port: port), name)
        }
    }

    /// The families to be looked up: those that can be connected to from where we are to connect from.
    var families: [SocketAddress.Family] {
        guard case .name = target else { return [] }
        return source.map { [$0.family] } ?? [.six, .four]
    }

    var race: Race {
        if case .address(let address) = target { return Race(address) }
        return Race(
            awaitingSix: families.contains(.six), awaitingFour: families.contains(.four), attemptDelay: attemptDelay,
            resolutionDelay: resolutionDelay)
    }
}
