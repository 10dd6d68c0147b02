import Testing

@testable import TLSEngine

@Suite struct `The state of an engine` {
    enum Event: CaseIterable {
        case began, beganWithEarlyData, earlyDataShown, earlyDataEnded
        case established, peerClosed, closeRequested, closeNotifySent, failed
    }

    private func name(_ state: EngineState) -> String {
        switch state {
        case .new(let writing): "new, writing \(writing)"
        case .handshaking(let writing, let early): name(writing, early)
        case .open(let reading, let writing): "open, reading \(reading), writing \(writing)"
        case .failed(let failure, let reading, let writing, let wasEstablished):
            "\(failure.kind)\(wasEstablished ? " after the handshake" : ""), reading \(reading), writing \(writing)"
        }
    }

    private func name(_ writing: EngineState.Writing, _ early: EngineState.Early) -> String {
        let words = (early.isUnderWay ? " with early data" : "") + (early.isShown ? " shown" : "")
        return "handshaking\(words), writing \(writing)"
    }

    private func after(_ state: EngineState, _ event: Event) -> String {
        var state = state
        switch event {
        case .began: state.began(withEarlyData: false)
        case .beganWithEarlyData: state.began(withEarlyData: true)
        case .earlyDataShown: state.earlyDataShown()
        case .earlyDataEnded: state.earlyDataEnded()
        case .established: state.established()
        case .peerClosed: state.peerClosed()
        case .closeRequested: state.closeRequested()
        case .closeNotifySent: state.closeNotifySent()
        case .failed: state.failed(EngineFailure(.truncated))
        }
        return name(state)
    }

    static let writings: [EngineState.Writing] = [.open, .closing, .closed]

    @Test func `changes as its diagram says, and by nothing else`() {
        var states: [EngineState] = Self.writings.flatMap {
            [.new($0), .open(.open, $0), .open(.ended, $0)]
        }
        for (isUnderWay, isShown) in [(false, false), (true, false), (true, true), (false, true)] {
            let early = EngineState.Early(isUnderWay: isUnderWay, isShown: isShown)
            states += Self.writings.map { .handshaking($0, early) }
        }
        states += Self.writings.map { .failed(EngineFailure(.noTrust), .ended, $0, wasEstablished: true) }
        for state in states {
            for event in Event.allCases {
                let expected: String =
                    switch (state, event) {
                    case (.failed, _): name(state)  // the first failure stays
                    case (.open(let reading, let writing), .failed):
                        "truncated after the handshake, reading \(reading), writing \(writing)"
                    case (_, .failed): "truncated, reading open, writing \(state.writing)"
                    case (.new(let writing), .began): "handshaking, writing \(writing)"
                    case (.new(let writing), .beganWithEarlyData): "handshaking with early data, writing \(writing)"
                    case (.handshaking(let writing, let early), .earlyDataShown):
                        name(writing, .init(isUnderWay: early.isUnderWay, isShown: true))
                    case (.handshaking(let writing, let early), .earlyDataEnded):
                        name(writing, .init(isUnderWay: false, isShown: early.isShown))
                    case (.handshaking(let writing, _), .established): "open, reading open, writing \(writing)"
                    case (.open(_, let writing), .peerClosed): "open, reading ended, writing \(writing)"
                    case (.new(.open), .closeRequested): "new, writing closing"
                    case (.handshaking(.open, let early), .closeRequested): name(.closing, early)
                    case (.open(let reading, .open), .closeRequested): "open, reading \(reading), writing closing"
                    case (.open(let reading, .closing), .closeNotifySent): "open, reading \(reading), writing closed"
                    default: name(state)
                    }
                #expect(after(state, event) == expected, "\(name(state)), \(event)")
            }
        }
    }
}
