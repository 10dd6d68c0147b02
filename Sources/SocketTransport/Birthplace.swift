internal import CLinux

/// The process in which something was made. A child of fork has a copy of it: what both share in the kernel (an epoll set,
/// the file of a Unix socket) is the parent's to change.
package struct Birthplace: Sendable {
    private let forks: Int

    /// Here.
    package init() {
        _ = unsafe pthread_once(&countingOnce) { _ = pthread_atfork(nil, nil, { unsafe forksOfThis &+= 1 }) }
        forks = unsafe forksOfThis
    }

    package var isHere: Bool { unsafe forks == forksOfThis }
}

/// How often fork has led to this process, as far as it was counted. It only changes in a child that has one thread.
private nonisolated(unsafe) var forksOfThis = 0
private nonisolated(unsafe) var countingOnce: pthread_once_t = 0

/// A mutex for which a child of fork does not wait: it may be held by a thread that only the parent has.
@safe package final class Lock {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let birthplace = Birthplace()

    package init() {
        unsafe mutex = clinux_allocate(MemoryLayout<pthread_mutex_t>.size).assumingMemoryBound(to: pthread_mutex_t.self)
        _ = unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        _ = unsafe pthread_mutex_destroy(mutex)
        unsafe free(mutex)
    }

    /// False, and not locked, only in a child.
    package func lock() -> Bool {
        unsafe birthplace.isHere ? pthread_mutex_lock(mutex) == 0 : pthread_mutex_trylock(mutex) == 0
    }

    package func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }
}
