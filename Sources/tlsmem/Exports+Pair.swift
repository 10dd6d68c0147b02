internal import CTLSMem

@implementation @_cdecl("tlsmem_pair_new")
public func tlsmem_pair_new(_ one: OpaquePointer!, _ other: OpaquePointer!) -> OpaquePointer! {
    guard let one = unsafe Handle.object(one, Context.self), let other = unsafe Handle.object(other, Context.self),
        let pair = Pair(one, other)
    else { return nil }
    return unsafe Handle.handOut(pair)
}

@implementation @_cdecl("tlsmem_pair_free")
public func tlsmem_pair_free(_ pair: OpaquePointer!) {
    guard let handle = unsafe pair, let pair = unsafe Handle.object(handle, Pair.self) else { return }
    pair.free()
    unsafe Handle.takeBack(handle, Pair.self)
}

@implementation @_cdecl("tlsmem_pair_end")
public func tlsmem_pair_end(_ pair: OpaquePointer!, _ side: CInt) -> OpaquePointer! {
    unsafe Handle.object(pair, Pair.self)?.side(side)?.handle
}

@implementation @_cdecl("tlsmem_pair_wire")
public func tlsmem_pair_wire(_ pair: OpaquePointer!, _ side: CInt) -> OpaquePointer! {
    unsafe Handle.object(pair, Pair.self)?.side(side)?.handleOfWire
}

@implementation @_cdecl("tlsmem_pair_time")
public func tlsmem_pair_time(_ pair: OpaquePointer!) -> Int64 {
    unsafe Handle.object(pair, Pair.self)?.clock.now ?? -1
}

@implementation @_cdecl("tlsmem_pair_step")
public func tlsmem_pair_step(_ pair: OpaquePointer!) -> CInt {
    guard let pair = unsafe Handle.object(pair, Pair.self) else { return TLSMEM_EINVAL.code }
    return pair.step().map { CInt(clamping: $0.rawValue) } ?? TLSMEM_ESTATE.code
}

@implementation @_cdecl("tlsmem_pair_run")
public func tlsmem_pair_run(_ pair: OpaquePointer!, _ until_ms: Int64) -> CInt {
    guard let pair = unsafe Handle.object(pair, Pair.self), until_ms >= 0 else { return TLSMEM_EINVAL.code }
    return pair.run(until: until_ms).map { CInt(clamping: $0.rawValue) } ?? TLSMEM_ESTATE.code
}

@implementation @_cdecl("tlsmem_pair_tell")
public func tlsmem_pair_tell(_ pair: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> CInt {
    guard let pair = unsafe Handle.object(pair, Pair.self), let text = unsafe text, n > 0 else {
        return TLSMEM_EINVAL.code
    }
    unsafe pair.tell(UnsafeMutableRawBufferPointer(start: text, count: n))
    return TLSMEM_OK.code
}
