/// What epoll gives back with an event: which descriptor, and the how-manieth use of its number.
///
/// The kernel hands out the lowest free number, so a descriptor closed while a batch is processed comes back at once;
/// only the generation tells that the rest of the batch does not mean the newcomer.
struct Token: Equatable {
    let fd: CInt
    let generation: UInt32

    /// The registry's own wake-up; no descriptor has this number.
    static let wake = Token(fd: -1, generation: .max)

    init(fd: CInt, generation: UInt32) {
        self.fd = fd
        self.generation = generation
    }

    init(bits: UInt64) {
        fd = CInt(truncatingIfNeeded: bits)
        generation = UInt32(truncatingIfNeeded: bits >> 32)
    }

    var bits: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: fd)) }
}
