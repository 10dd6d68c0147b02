internal import EventLoop

extension Loop {
    /// Something that the program made in the loop, and that ends with the loop at the latest. `release` breaks the
    /// cycle of references.
    class Owned: Member {
        let owner: Loop
        fileprivate var place = -1

        init(_ owner: Loop) {
            self.owner = owner
            super.init()
        }

        /// Nothing new is to come into the loop by it, also if the loop goes on.
        func letNothingIn() {}
        /// Gives back what the loop does not know of.
        func ended() {}
        /// The grace that a loop gives those who are left when it drains has passed.
        func graceEnds() {}
        /// The loop is being freed: at the end of this it is released.
        func loopEnds() { owner.release(self) }
    }
}

/// What a loop owns. Each knows its place, and one who leaves makes a hole: no other is touched, which among 100,000 in
/// any order would have to be fetched first.
struct Belongings {
    /// So many places may be empty without being looked at.
    private static let emptyKept = 64

    private var places: [Loop.Owned?] = []
    private var present = 0

    var all: [Loop.Owned] { places.compactMap { $0 } }
    var last: Loop.Owned? { places.last ?? nil }

    func contains(_ member: Loop.Owned) -> Bool {
        member.place >= 0 && member.place < places.count && places[member.place] === member
    }

    mutating func add(_ member: Loop.Owned) {
        closeHoles()
        member.place = places.count
        places.append(member)
        present &+= 1
    }

    /// Takes out one that is here. The caller holds it.
    mutating func remove(_ member: Loop.Owned) {
        places[member.place] = nil
        member.place = -1
        present &-= 1
        while !places.isEmpty, last == nil { places.removeLast() }
        closeHoles()
    }

    /// Once most places are empty: those who are here move together, and the memory of the others is given back.
    private mutating func closeHoles() {
        guard places.count > 4 &* present &+ Self.emptyKept else { return }
        var kept: [Loop.Owned?] = []
        for case let member? in places {
            member.place = kept.count
            kept.append(member)
        }
        places = kept
    }
}
