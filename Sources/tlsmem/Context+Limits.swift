internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

extension Context {
    func setLimits(_ limits: tlsmem_limits) -> CInt {
        unsafe set(nil) { (openSSL) throws(SettingRefused) in
            try limits.expectSense()
            let keyLife = self.limits.keyLife
            self.limits = Limits(limits)
            self.limits.keyLife = keyLife
            openSSL.setCertificateListMax(self.limits.certificateListMax)
            openSSL.setKeepsBuffers(limits.buffers_ms > 0)
        }
    }
}

extension tlsmem_limits {
    /// A size_t comes as an Int here: one that is too large is below 0.
    fileprivate func expectSense() throws(SettingRefused) {
        guard size == MemoryLayout<tlsmem_limits>.size else {
            throw SettingRefused(argument: "size", "it is not that of the struct: begin with TLSMEM_LIMITS_INIT")
        }
        guard outgoing_max >= 32768, outgoing_max <= most else {
            throw SettingRefused(argument: "outgoing_max", "it is not 32768 to 2147483647")
        }
        guard outgoing_low >= 0, outgoing_low < outgoing_max else {
            throw SettingRefused(argument: "outgoing_low", "it is not below outgoing_max")
        }
        try expectSome(incoming_max, "incoming_max")
        try expectSome(control_max, "control_max")
        try expectSome(wake_max, "wake_max")
        guard cert_list_max >= 0, cert_list_max <= most else {
            throw SettingRefused(argument: "cert_list_max", "it is not 0 to 2147483647")
        }
    }

    private func expectSome(_ bytes: Int, _ name: StaticString) throws(SettingRefused) {
        guard bytes > 0, bytes <= most else { throw SettingRefused(argument: name, "it is not 1 to 2147483647") }
    }

    private var most: Int { Int(Int32.max) }
}

extension Limits {
    init(_ limits: tlsmem_limits) {
        self.init()
        outgoingMax = limits.outgoing_max
        outgoingLow = limits.outgoing_low
        incomingMax = limits.incoming_max
        controlMax = limits.control_max
        wakeMax = limits.wake_max
        certificateListMax = limits.cert_list_max
        updatesPerSecond = limits.update_rate
        updateBurst = limits.update_burst
        handshakeMilliseconds = limits.handshake_ms
        idleMilliseconds = limits.idle_ms
        closeMilliseconds = limits.close_ms
        readMilliseconds = limits.read_ms
        writeMilliseconds = limits.write_ms
        outgoingHigh = Int(clamping: UInt(bitPattern: limits.outgoing_high))
        incomingLow = Int(clamping: UInt(bitPattern: limits.incoming_low))
        bufferMilliseconds = limits.buffers_ms
    }
}
