internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Questions that are answered with bytes: an OCSP response, a key.
extension Connection {
    func askForStaple(_ token: UInt64) -> CInt {
        guard let asked = unsafe context.onOCSP else { return TLSMEM_OK.code }
        let certificate = engine.ask { $0.certificateToStaple } ?? []
        var request = unsafe tlsmem_ocsp_request()
        unsafe request.size = unsafe MemoryLayout<tlsmem_ocsp_request>.size
        unsafe request.server_name = engine.ask { unsafe $0.serverName }
        unsafe request.token = token
        return unsafe certificate.withUnsafeBytes { der in
            unsafe request.certificate = der.baseAddress
            unsafe request.certificate_bytes = der.count
            return unsafe asked.callback(handle, &request, asked.user)
        }
    }

    func askForKey(_ token: UInt64) -> CInt {
        guard let asked = unsafe context.onPSK else { return TLSMEM_OK.code }
        let wanted = engine.ask { $0.keyRequest }
        var request = unsafe tlsmem_psk_request()
        unsafe request.size = unsafe MemoryLayout<tlsmem_psk_request>.size
        unsafe request.token = token
        return unsafe (wanted.identity ?? []).withUnsafeBufferPointer { identity in
            unsafe (wanted.hint ?? []).withUnsafeBufferPointer { hint in
                unsafe request.identity = identity.count > 0 ? identity.baseAddress : nil
                unsafe request.hint = hint.count > 0 ? hint.baseAddress : nil
                return unsafe asked.callback(handle, &request, asked.user)
            }
        }
    }

    func askForTicketKey(_ token: UInt64) -> CInt {
        guard let asked = unsafe context.onTicketKey else { return TLSMEM_OK.code }
        let name = engine.ask { $0.ticketKeyName }
        var request = unsafe tlsmem_ticket_key_request()
        unsafe request.size = unsafe MemoryLayout<tlsmem_ticket_key_request>.size
        unsafe request.token = token
        return unsafe name.withUnsafeBufferPointer { name in
            unsafe request.name = name.baseAddress
            return unsafe asked.callback(handle, &request, asked.user)
        }
    }

    func bytes(_ reply: Reply) -> Answer {
        var answer = Answer(reply.status)
        if reply.status == TLSMEM_OK.code { (answer.bytes, answer.name) = (reply.bytes, reply.identity) }
        return answer
    }
}
