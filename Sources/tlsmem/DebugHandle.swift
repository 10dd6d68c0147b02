#if DEBUG
    internal import CLinux
    internal import Synchronization

    /// C pointer <-> object in debug builds: every wrong use of a handle that can be seen is told, and then nothing is done.
    ///
    /// A handle is the address of an entry, which is never handed out again: who was freed, and what never was a handle of
    /// this kind, is known for good. The interface is that of the other `Handle` (Handle.swift). Nothing here takes a lock
    /// or orders what threads do, so that the thread sanitizer still sees where they race.
    enum Handle {
        static func of(_ object: AnyObject) -> OpaquePointer {
            unsafe OpaquePointer(find(object) ?? make(object) ?? noEntry)
        }

        static func handOut(_ object: AnyObject) -> OpaquePointer {
            let handle = unsafe of(object)
            if let entry = unsafe entry(UnsafeRawPointer(handle)) {
                _ = unsafe entry.pointee.owners.wrappingAdd(1, ordering: .relaxed)
                _ = unsafe Unmanaged.passRetained(object)
            }
            return unsafe handle
        }

        static func takeBack<Object: AnyObject>(
            _ handle: OpaquePointer, _ type: Object.Type, _ caller: StaticString = #function
        ) {
            guard let entry = unsafe entry(UnsafeRawPointer(handle)),
                unsafe entry.pointee.type == ObjectIdentifier(type),
                let object = unsafe entry.pointee.object, unsafe entry.pointee.giveUp()
            else { return unsafe tell(caller, handle, type) }
            unsafe Unmanaged.passUnretained(object).release()
        }

        /// Nil, and told, for what is no such handle or is freed, and while another thread is inside.
        static func object<Object: AnyObject>(
            _ handle: OpaquePointer?, _ type: Object.Type, _ caller: StaticString = #function
        ) -> Object? {
            guard let object = unsafe shared(handle, type, caller) else { return nil }
            guard let busy = occupied(object) else { return object }
            tell(caller, "another thread is inside ", busy === object ? "this " : "the loop of this ", noun(type))
            return nil
        }

        static func shared<Object: AnyObject>(
            _ handle: OpaquePointer?, _ type: Object.Type, _ caller: StaticString = #function
        ) -> Object? {
            guard let handle = unsafe handle else { return nil }
            if let entry = unsafe entry(UnsafeRawPointer(handle)),
                unsafe !entry.pointee.isFreed.load(ordering: .relaxed),
                let object = unsafe entry.pointee.object as? Object
            {
                return object
            }
            unsafe tell(caller, handle, type)
            return nil
        }

        static func use<Object: AnyObject, Result>(
            _ handle: OpaquePointer?, _ type: Object.Type, _ caller: StaticString, _ body: (Object) -> Result
        ) -> Result? { unsafe object(handle, type, caller).map(body) }

        static func enter(_ object: AnyObject) { unsafe find(object)?.pointee.enter() }
        static func leave(_ object: AnyObject) { unsafe find(object)?.pointee.leave() }
        static func forget(_ object: AnyObject) { unsafe find(object)?.pointee.isFreed.store(true, ordering: .relaxed) }

        // MARK: What is told

        /// What another thread is inside of: the object, or the loop that serves it.
        private static func occupied(_ object: AnyObject) -> AnyObject? {
            if unsafe find(object)?.pointee.isAnothers == true { return object }
            let loop = (object as? Connection)?.loop ?? (object as? Loop.Owned)?.owner
            guard let loop, unsafe find(loop)?.pointee.isAnothers == true else { return nil }
            return loop
        }

        private static func tell(_ caller: StaticString, _ handle: OpaquePointer, _ wanted: any AnyObject.Type) {
            guard let entry = unsafe entry(UnsafeRawPointer(handle)) else {
                return tell(caller, "this is no ", noun(wanted), "")
            }
            let isWanted = unsafe entry.pointee.type == ObjectIdentifier(wanted)
            if isWanted { return tell(caller, "this ", noun(wanted), " was freed") }
            tell(caller, "this is a ", unsafe entry.pointee.noun, ", and no ", noun(wanted))
        }

        private static func tell(_ caller: StaticString, _ words: String...) {
            let name = "\(caller)".prefix { $0 != "(" }
            unsafe "libtlsmem: \(name): \(words.joined())\n".withCString { unsafe tlsmem_misused($0) }
        }

        static func noun(_ type: any AnyObject.Type) -> String { "\(type)".lowercased() }
    }

    /// Writes the sentence to stderr: the place for a breakpoint.
    @_cdecl("tlsmem_misused")
    public func tlsmem_misused(_ sentence: UnsafePointer<CChar>) {
        _ = unsafe write(2, sentence, strlen(sentence))
    }
#endif
