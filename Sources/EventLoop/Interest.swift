/// What a watcher waits for.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Interest(rawValue: 1)
    package static let write = Interest(rawValue: 2)
}

/// How the descriptor of a watcher is watched.
package enum Manner: Sendable {
    /// It is reported for as long as it is ready.
    case level
    /// It is reported when it becomes ready; the watcher says when it has used that up (`Watcher.exhausted`).
    case edge
    /// As level, but behind all others, and only so many of them in a turn: for newcomers.
    case patient
}

/// What a descriptor is ready for.
///
/// A hang-up or an error counts as ready for whatever is waited for: the owner learns the particulars from its next
/// recv or send, and so from one place only.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let read = Readiness(rawValue: 1)
    public static let write = Readiness(rawValue: 2)

    /// The part of it that is waited for.
    func limited(to interest: Interest) -> Readiness {
        Readiness(rawValue: rawValue & interest.rawValue)
    }
}
