public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_explain")
public func tlsmem_explain(_ c: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    guard let room = unsafe output(text, n), let connection = unsafe connection(c) else { return TLSMEM_EINVAL.count }
    return unsafe Explanation.write(connection, room)
}

@implementation @_cdecl("tlsmem_loop_explain")
public func tlsmem_loop_explain(
    _ loop: OpaquePointer!, _ fn: (@convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> Int {
    guard let fn = unsafe fn, let loop = unsafe Handle.object(loop, Loop.self) else { return TLSMEM_EINVAL.count }
    return unsafe loop.explain { paragraph in
        unsafe fn(paragraph.baseAddress?.assumingMemoryBound(to: CChar.self), user)
    }
}

@implementation @_cdecl("tlsmem_trace")
public func tlsmem_trace(
    _ c: OpaquePointer!, _ info: UnsafePointer<tlsmem_trace_info>!, _ format: tlsmem_trace_format,
    _ text: UnsafeMutablePointer<CChar>!, _ n: Int
) -> Int {
    guard let room = unsafe output(text, n), let connection = unsafe connection(c), let info = unsafe info,
        unsafe info.pointee.size == MemoryLayout<tlsmem_trace_info>.size
    else { return TLSMEM_EINVAL.count }
    return unsafe TraceLine.write(info.pointee, of: connection, as: format, room) ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_metrics")
public func tlsmem_metrics(
    _ ctxs: UnsafePointer<OpaquePointer?>!, _ names: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int,
    _ text: UnsafeMutablePointer<CChar>!, _ n: Int
) -> Int {
    guard let room = unsafe output(text, n), let ctxs = unsafe ctxs, count > 0 else { return TLSMEM_EINVAL.count }
    var subjects: [MetricsText.Subject] = []
    for index in 0..<count {
        guard let context = unsafe Handle.shared(ctxs[index], Context.self) else { return TLSMEM_EINVAL.count }
        let isOnly = !subjects.contains { $0.context.openSSL.role == context.openSSL.role }
        guard unsafe names != nil || isOnly else { return TLSMEM_EINVAL.count }
        subjects.append(unsafe MetricsText.Subject(context: context, name: names?[index]))
    }
    return unsafe MetricsText.write(subjects, areNamed: names != nil, room)
}
