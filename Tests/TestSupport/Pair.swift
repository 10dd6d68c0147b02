import OpenSSLHandles
import TLSEngine

package enum Version: CInt, CaseIterable, Sendable {
    case tls12 = 0x0303
    case tls13 = 0x0304
}

/// A client and a server in memory, with a wire between them. No sockets, no threads, no clock.
package final class Pair {
    package let client: End
    package let server: End

    /// Makes both ends. `configure` may change what is below: one version, our certificates, the client's server name.
    package init(
        _ version: Version? = .tls13, server: Credentials? = .server, trust: [UInt8]? = Authority.ours.pem,
        name: String? = "localhost",
        _ configure: (_ client: Configuration, _ server: Configuration) throws -> Void = { _, _ in }
    ) throws {
        let clients = Configuration(try OwnedContext(.client))
        let servers = Configuration(try OwnedContext(.server))
        for context in [clients.context, servers.context] {
            guard let version else { continue }
            try context.setMinimumVersion(version.rawValue)
            try context.setMaximumVersion(version.rawValue)
        }
        if let server { try servers.context.use(server) }
        if let trust { try clients.context.trust(trust) }
        try configure(clients, servers)
        let lent = try Lent()  // one for both, as connections of one thread have it
        client = try End(clients, lent)
        self.server = try End(servers, lent)
        if let name { precondition(client.engine.setServerName { $0.setServerName(name) }, "no name: \(name)") }
    }

    /// Another connection between the same two.
    package init(after first: Pair, name: String? = "localhost") throws {
        let lent = try Lent()
        client = try End(first.client.configuration, lent)
        server = try End(first.server.configuration, lent)
        if let name { precondition(client.engine.setServerName { $0.setServerName(name) }, "no name: \(name)") }
    }

    /// Carries ciphertext both ways until both are quiet. The wire cuts what is taken and what is fed.
    package func run(_ wire: Wire = .whole) {
        var cuts = wire.cuts()
        client.drive()
        server.drive()
        while carry(client, server, &cuts) + carry(server, client, &cuts) > 0 {}
    }

    private func carry(_ from: End, _ to: End, _ cuts: inout Cuts) -> Int {
        var carried = 0
        while from.engine.outgoing.count > 0 {
            let bytes = from.take(cuts.next(from.engine.outgoing.count))
            if bytes.isEmpty { break }  // it says that bytes wait, and shows none
            carried += bytes.count
            var fed = 0
            while fed < bytes.count {
                let size = cuts.next(bytes.count - fed)
                to.drive(Array(bytes[fed..<fed + size]))
                fed += size
            }
            from.drive()
        }
        return carried
    }

    /// The same record by record, each through `change`; nil drops it. Returns how many there were.
    @discardableResult
    package func run(changing change: (_ index: Int, _ record: [UInt8]) -> [UInt8]?) -> Int {
        var index = 0
        client.drive()
        server.drive()
        var hasMoved = true
        while hasMoved {
            hasMoved = false
            for (from, to) in [(client, server), (server, client)] {
                for record in records(in: from.takeAll()) {
                    hasMoved = true
                    if let changed = change(index, record) { to.drive(changed) }
                    index += 1
                }
                from.drive()
            }
        }
        return index
    }

    /// Writes in both directions while the wire carries, until both sides have everything; what arrived otherwise.
    package func differences(_ up: [UInt8], _ down: [UInt8], _ wire: Wire = .whole) -> [String] {
        let (upBefore, downBefore) = (server.received.count, client.received.count)
        var (upSent, downSent) = (0, 0)
        while upSent < up.count || downSent < down.count {
            let before = upSent + downSent
            upSent += client.write(Array(up[upSent...]))
            downSent += server.write(Array(down[downSent...]))
            run(wire)
            if upSent + downSent == before { break }
        }
        run(wire)
        let found = [
            difference(Array(server.received[upBefore...]), up),
            difference(Array(client.received[downBefore...]), down),
        ]
        return found.compactMap { $0 }
    }
}

extension OwnedContext {
    package func use(_ credentials: Credentials) throws {
        try credentials.certificate.withUnsafeBytes { try setCertificate(try PEMSource($0)) }
        try credentials.key.withUnsafeBytes { try setKey(try PEMSource($0)) }
    }

    package func trust(_ pem: [UInt8]) throws {
        try pem.withUnsafeBytes { try addTrust(try PEMSource($0)) }
    }
}
