internal import CLinux
internal import CTLSMem

/// The callbacks of all connections that were given the same: one connection keeps a reference only.
@safe final class CallbackTable {
    let callbacks: tlsmem_callbacks

    fileprivate init(_ callbacks: tlsmem_callbacks) {
        self.callbacks = callbacks
    }

    /// The thread's table of the same callbacks, or a new one.
    static func of(_ callbacks: tlsmem_callbacks) -> CallbackTable {
        Benches.withCurrent { $0.tables.table(callbacks) }
    }

    fileprivate func has(_ others: tlsmem_callbacks) -> Bool {
        unsafe withUnsafeBytes(of: callbacks) { ours in
            unsafe withUnsafeBytes(of: others) { unsafe memcmp(ours.baseAddress!, $0.baseAddress!, ours.count) == 0 }
        }
    }
}

/// The tables that one thread has used last: most programs have one or two.
struct CallbackTables {
    private static let most = 4

    private var tables: [CallbackTable] = []
    private var oldest = 0

    mutating func table(_ callbacks: tlsmem_callbacks) -> CallbackTable {
        for table in tables where table.has(callbacks) { return table }
        let fresh = CallbackTable(callbacks)
        if tables.count < Self.most {
            tables.append(fresh)
        } else {
            tables[oldest] = fresh
            oldest = (oldest + 1) % Self.most
        }
        return fresh
    }
}
