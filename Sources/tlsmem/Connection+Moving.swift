internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport

/// A live connection on its way from one loop, and thread, to another.
extension Connection {
    func startMoving(to destination: Loop) -> CInt {
        guard let loop, !isOver, !isFreed, socket >= 0 else { return TLSMEM_ESTATE.code }
        self.destination = destination === loop ? nil : destination
        // Whoever is inside one of its callbacks, or asks the program about it, is not through with it.
        guard !isDriving, !isBeingAccepted, destination !== loop else { return TLSMEM_OK.code }
        return leave(loop, for: destination) ? TLSMEM_OK.code : TLSMEM_ESTATE.code
    }

    /// At the end of the drive in which it was asked for, or of the first one after on_accept. When it has ended instead,
    /// what the drive is to answer.
    func move(to destination: Loop) -> CInt? {
        Held(self).use { connection in
            guard let loop = connection.loop, !connection.leave(loop, for: destination) else { return nil }
            // The program was told that it goes.
            return connection.drive { connection, _ in connection.end(Failure(.aborted)) }
        }
    }

    /// Once it is posted it is another thread's, so it is not touched any more. False when nobody takes it there.
    private func leave(_ loop: Loop, for destination: Loop) -> Bool {
        self.destination = nil
        loop.leave(self)
        if destination.registry.posts.post(Arrival(self, destination)) {
            loop.stopIfDrained()
            return true
        }
        do {
            try loop.enter(self)
        } catch {
            _ = drive { connection, _ in connection.end(Failure(.system(errno: error.code))) }
        }
        return false
    }
}

/// The connection comes in, in the thread of its new loop.
private final class Arrival: Job {
    private let connection: Connection
    private let loop: Loop

    init(_ connection: Connection, _ loop: Loop) {
        self.connection = connection
        self.loop = loop
    }

    override func run() {
        guard !connection.isFreed, !connection.isOver, !connection.hasLoop else { return }
        do {
            try loop.enter(connection)
            if loop.graceIsOver { _ = connection.close() }  // it has set out too late
        } catch {
            let failure = Failure(.system(errno: error.code))
            _ = connection.drive { connection, _ in connection.end(failure) }
        }
    }

    override func dropped() {
        guard !connection.isFreed else { return }
        _ = connection.abort()
    }
}
