public import CTLSMem

@implementation @_cdecl("tlsmem_wire_new")
public func tlsmem_wire_new(_ faults: UnsafePointer<tlsmem_wire_faults>!) -> OpaquePointer! {
    guard let faults = unsafe copy(faults) else { return nil }
    return unsafe Handle.handOut(Wire(faults))
}

@implementation @_cdecl("tlsmem_wire_free")
public func tlsmem_wire_free(_ wire: OpaquePointer!) {
    guard let wire = unsafe wire else { return }
    unsafe Handle.takeBack(wire, Wire.self)
}

@implementation @_cdecl("tlsmem_wire_set_faults")
public func tlsmem_wire_set_faults(_ wire: OpaquePointer!, _ faults: UnsafePointer<tlsmem_wire_faults>!) -> CInt {
    guard let wire = unsafe Handle.object(wire, Wire.self), let faults = unsafe copy(faults) else {
        return TLSMEM_EINVAL.code
    }
    wire.setFaults(faults)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_wire_put")
public func tlsmem_wire_put(_ wire: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int, _ now_ms: Int64) -> Int {
    guard let wire = unsafe Handle.object(wire, Wire.self), let bytes = unsafe input(bytes, n), now_ms >= 0 else {
        return TLSMEM_EINVAL.count
    }
    return unsafe wire.put(bytes, now: now_ms)
}

@implementation @_cdecl("tlsmem_wire_take")
public func tlsmem_wire_take(
    _ wire: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int, _ now_ms: Int64
) -> Int {
    guard let wire = unsafe Handle.object(wire, Wire.self), unsafe input(bytes, n) != nil, now_ms >= 0 else {
        return TLSMEM_EINVAL.count
    }
    return unsafe wire.take(UnsafeMutableRawBufferPointer(start: bytes, count: n), now: now_ms)
}

@implementation @_cdecl("tlsmem_wire_end")
public func tlsmem_wire_end(_ wire: OpaquePointer!) -> CInt {
    unsafe Handle.object(wire, Wire.self)?.end() ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_wire_reset")
public func tlsmem_wire_reset(_ wire: OpaquePointer!) -> CInt {
    guard let wire = unsafe Handle.object(wire, Wire.self) else { return TLSMEM_EINVAL.code }
    wire.reset()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_wire_in_flight")
public func tlsmem_wire_in_flight(_ wire: OpaquePointer!) -> Int {
    unsafe Handle.object(wire, Wire.self)?.inFlight ?? 0
}

@implementation @_cdecl("tlsmem_wire_ready_at")
public func tlsmem_wire_ready_at(_ wire: OpaquePointer!) -> Int64 {
    unsafe Handle.object(wire, Wire.self)?.readyAt ?? -1
}

@implementation @_cdecl("tlsmem_wire_ready")
public func tlsmem_wire_ready(_ wire: OpaquePointer!, _ now_ms: Int64) -> CInt {
    unsafe Handle.object(wire, Wire.self)?.readiness(now_ms) ?? 0
}

@implementation @_cdecl("tlsmem_wire_stats")
public func tlsmem_wire_stats(_ wire: OpaquePointer!, _ stats: UnsafeMutablePointer<tlsmem_wire_stats_info>!) -> CInt {
    guard let wire = unsafe Handle.object(wire, Wire.self), let stats = unsafe output(stats, { Int($0.size) }) else {
        return TLSMEM_EINVAL.code
    }
    unsafe stats.pointee = wire.stats
    return TLSMEM_OK.code
}

/// Faults as C gave them: none for NULL; nil for some that make no sense.
func copy(_ faults: UnsafePointer<tlsmem_wire_faults>?) -> tlsmem_wire_faults? {
    guard let faults = unsafe faults else { return tlsmem_wire_faults.none }
    return unsafe faults.pointee.isGood ? faults.pointee : nil
}
