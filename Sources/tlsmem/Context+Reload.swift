internal import CTLSMem
internal import OpenSSLHandles
internal import Synchronization
internal import TLSEngine

/// What the contexts that have taken one another's place have in common.
@safe final class Generations {
    /// Of the one that new connections are made of.
    let newest = Atomic<Int>(1)
    let connections = Atomic<Int>(0)
    let metrics = Metrics()

    deinit { metrics.end() }
}

/// A context that others have taken the place of: who has its handle gets connections of the newest.
extension Context {
    /// What a new connection is made of.
    var current: Context {
        guard isReplaced.load(ordering: .acquiring) else { return self }
        var current = self
        _ = openSSL.exclusively {
            if let successor { current = successor }
            return true
        }
        return current
    }

    /// Has new connections made of another context from now on, which was not used yet. Nothing changes when it is refused.
    func reload(_ fresh: Context) -> CInt {
        guard fresh !== self, fresh.openSSL.role == openSSL.role else { return TLSMEM_EINVAL.code }
        // Only the first of them is asked for its newest.
        guard generation == 1, !fresh.isInUse, !fresh.isReplaced.load(ordering: .acquiring) else {
            return TLSMEM_ESTATE.code
        }
        if let refusal = fresh.refusal { return refusal.code }
        let old = current
        guard freeze(), fresh.openSSL.inheritTicketKeys(old.openSSL), fresh.freeze() else { return TLSMEM_ENOMEM.code }
        fresh.generations = generations
        let isDone = openSSL.exclusively {
            fresh.generation = generations.newest.wrappingAdd(1, ordering: .relaxed).newValue
            successor = fresh
            return true
        }
        guard isDone else { return TLSMEM_ENOMEM.code }
        isReplaced.store(true, ordering: .releasing)
        return TLSMEM_OK.code
    }

    /// Why every connection would be refused; nil when they would not.
    private var refusal: tlsmem_status? {
        let needsTrust = openSSL.role == .server || !openSSL.usesKeys
        if openSSL.verifies, !openSSL.trustsSomebody, needsTrust { return TLSMEM_ENOTRUST }
        if openSSL.role == .server, !openSSL.mayServe { return TLSMEM_ENOIDENTITY }
        return nil
    }

    /// A connection is made of it, or goes on with it.
    func enter() {
        _ = live.wrappingAdd(1, ordering: .relaxed)
        _ = generations.connections.wrappingAdd(1, ordering: .relaxed)
    }

    func leave() {
        _ = live.wrappingSubtract(1, ordering: .relaxed)
        _ = generations.connections.wrappingSubtract(1, ordering: .relaxed)
    }

    func fill(_ stats: inout tlsmem_ctx_stats_info) {
        let current = self.current
        let live = current.live.load(ordering: .relaxed)
        stats.generation = UInt64(clamping: current.generation)
        stats.connections = UInt64(clamping: live)
        stats.connections_old = UInt64(clamping: generations.connections.load(ordering: .relaxed) &- live)
    }
}
