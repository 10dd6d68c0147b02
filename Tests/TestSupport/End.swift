import OpenSSLHandles
import TLSEngine

/// What is lent for a drive: an incoming BIO, and a pool that the outgoing ones come from.
package final class Lent {
    package let incoming: MemoryBIO
    package let pool = BufferPool()

    package init() throws { incoming = try MemoryBIO() }
}

/// One end of a pair: an engine, driven as the library drives it, that remembers what came.
package final class End {
    package enum Event: Hashable, Sendable {
        case established, peerClosed
        case failed(EngineFailure.Kind)
    }

    package let configuration: Configuration
    package var engine: Engine
    package var lent: Lent
    /// The time that steps are told, in milliseconds.
    package var now: Int64 = 0
    package var received: [UInt8] = []
    /// What of it came before the handshake was done; `answer` is written as soon as some has.
    package var receivedEarly: [UInt8] = []
    package var answer: [UInt8] = []
    package private(set) var events: [Event] = []
    /// What came behind the peer's close_notify.
    package private(set) var beyond: [UInt8] = []
    /// Ciphertext that lay unread in the lent BIO at the end of a drive: a bug, since the next drive is another's.
    package private(set) var leftBehind = 0
    private var plaintext = [UInt8](repeating: 0, count: 16384)

    package init(_ configuration: Configuration, _ lent: Lent) throws {
        self.configuration = configuration
        self.lent = lent
        engine = try Engine(configuration)
    }

    // What a test may look at; an engine itself cannot be copied into an expectation.
    package var phase: Engine.Phase { engine.phase }
    package var failure: EngineFailure.Kind? { cause?.kind }
    package var cause: EngineFailure? { engine.failure }
    package var outgoingCount: Int { engine.outgoing.count }
    package var ownsOutgoing: Bool { !engine.outgoing.isIdle }
    package var dropped: UInt64 { engine.outgoing.dropped }
    package var outgoingBytes: Int { engine.outgoingBytes }
    package var deferredBytes: Int { engine.deferredBytes }
    package var acceptsPlaintext: Bool { engine.acceptsPlaintext }
    package var acceptsWrites: Bool { engine.acceptsWrites }
    package var peerHasClosed: Bool { engine.peerHasClosed }
    package var hasClosed: Bool { engine.hasClosed }
    package var isOver: Bool { engine.isOver }
    package var wasEstablished: Bool { engine.wasEstablished }
    package var counts: Tally { engine.counts }
    package var encryptedBytes: UInt64 { engine.encryptedBytes }
    package var seen: Observations { engine.observations }
    package var updatesAsked: UInt64 { engine.updatesAsked }

    /// Asks about what was negotiated.
    package func ask<Answer>(_ question: (borrowing OwnedSSL) -> Answer) -> Answer { engine.ask(question) }
    package func renegotiate() -> Bool { engine.renegotiate() }
    package func endOfFile() -> EngineFailure.Kind? { engine.endOfFile()?.kind }

    /// What OpenSSL has of the session that was offered.
    package private(set) var offered: Session?

    /// Offers a session; returns why that is refused.
    package func offer(_ session: Session) -> EngineFailure.Kind? {
        do {
            offered = try engine.offer(session)
            return nil
        } catch {
            return error.kind
        }
    }

    package var newestSession: Session? { engine.newestSession(offered: offered) }

    /// Lends the pair for the length of `work`.
    package func withLent<Result>(_ work: () -> Result) -> Result {
        precondition(engine.begin(incoming: lent.incoming, lent.pool), "no memory")
        if engine.watchesKey { engine.changeKeyIfDue(incoming: lent.incoming, lent.pool, now: { now }) }
        defer {
            engine.end(lent.pool)
            lent.incoming.empty(keeping: 1 << 17)
        }
        return work()
    }

    /// Feeds ciphertext, and steps until more is needed.
    package func drive(_ ciphertext: [UInt8] = []) {
        withLent {
            precondition(lent.incoming.append(ciphertext.span.bytes), "no memory")
            if !ciphertext.isEmpty { engine.fed() }
            while takesStep() {}
            leftBehind += failure == nil ? lent.incoming.count : 0
        }
    }

    /// Makes one step, and settles when it needs ciphertext; false when there is nothing more to do.
    private func takesStep() -> Bool {
        var span = plaintext.mutableSpan
        var target = span.mutableBytes
        switch engine.step(into: &target, incoming: lent.incoming, lent.pool, now: { now }) {
        case .established:
            events.append(.established)
            while engine.settle(incoming: lent.incoming, lent.pool) {}
        case .plaintext(let count):
            received += plaintext[..<count]
        case .earlyPlaintext(let count):
            receivedEarly += plaintext[..<count]
            guard !answer.isEmpty else { break }
            engine.mayAnswerEarly()
            precondition(write(answer) == answer.count, "no room")
            answer = []
        case .peerClosed:
            events.append(.peerClosed)
        case .authenticated: break  // in a pair nobody asks later
        case .asks:
            return false
        case .beyondTLS:
            beyond += lent.incoming.copy()
            lent.incoming.consume(lent.incoming.count)
        case .failed(let failure):
            if !events.contains(.failed(failure.kind)) { events.append(.failed(failure.kind)) }
            return false
        case .needsCiphertext:
            // A handshake may have ended in this step: what waited for it goes out now.
            return engine.settle(incoming: lent.incoming, lent.pool)
        }
        return true
    }

    /// Writes as much as is taken in one call.
    package func write(_ bytes: [UInt8]) -> Int {
        withLent { engine.write(bytes.span.bytes, gathering: false, incoming: lent.incoming, lent.pool) }
    }

    /// Writes as long as something is taken, and returns how much that was.
    package func writeAll(_ bytes: [UInt8]) -> Int {
        var taken = 0
        while taken < bytes.count {
            let count = write(Array(bytes[taken...]))
            if count == 0 { break }
            taken += count
        }
        return taken
    }

    /// Drops what waits, and in the same drive changes the key, if that is wanted; false when it could not.
    @discardableResult
    package func discard(thenUpdateKey: Bool = false) -> Bool {
        withLent {
            engine.discardOutgoing(incoming: lent.incoming, lent.pool)
            return !thenUpdateKey || engine.updateKey(askPeer: false, incoming: lent.incoming, lent.pool)
        }
    }

    /// Closes our direction.
    package func close() {
        closeLater()
        drive()
    }

    /// Asks for the same without a drive.
    package func closeLater() { engine.closeWriting() }

    package func updateKey(askPeer: Bool) -> Bool {
        withLent { engine.updateKey(askPeer: askPeer, incoming: lent.incoming, lent.pool) }
    }

    /// Takes ciphertext, at most so many bytes and at most what the first slice holds.
    package func take(_ most: Int) -> [UInt8] {
        withLent {
            let bytes = engine.outgoing.withFirst { slice in
                slice.extracting(first: min(most, slice.byteCount)).withUnsafeBytes { [UInt8]($0) }
            }
            guard let bytes else { return [] }
            engine.consumeOutgoing(bytes.count, lent.pool)
            return bytes
        }
    }

    /// Takes all ciphertext that waits.
    package func takeAll() -> [UInt8] {
        var all: [UInt8] = []
        while engine.outgoing.count > 0 {
            let bytes = take(.max)
            if bytes.isEmpty { break }  // it says that bytes wait, and shows none
            all += bytes
        }
        return all
    }
}

extension MemoryBIO {
    /// Appends an array: spans cannot be looked at by an expectation.
    package func put(_ bytes: [UInt8]) -> Bool { append(bytes.span.bytes) }

    /// A copy of the first bytes that wait.
    package func copy(_ most: Int = .max) -> [UInt8] {
        bytes.extracting(first: min(most, count)).withUnsafeBytes { [UInt8]($0) }
    }
}

extension PlaintextQueue {
    /// Likewise.
    package func put(_ bytes: [UInt8]) -> Bool { append(bytes.span.bytes) }
}
