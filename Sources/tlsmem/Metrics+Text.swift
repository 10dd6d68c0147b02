internal import CTLSMem
internal import OpenSSLHandles
internal import Synchronization
internal import TLSEngine

/// The numbers of some contexts in the text format of Prometheus, version 0.0.4: of each metric what it is, and then a
/// line for each context and label.
@safe struct MetricsText: ~Copyable {
    private let contexts: [Context]
    private let names: UnsafePointer<UnsafePointer<CChar>?>?
    private var text: Sentence

    /// Writes all of it, and returns its whole length.
    static func write(
        _ contexts: [Context], _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ target: UnsafeMutableRawBufferPointer
    ) -> Int {
        var text = unsafe MetricsText(contexts: contexts, names: names, text: Sentence(target))
        text.connections()
        text.handshakes()
        text.ends()
        text.bytes()
        return text.text.wholeLength
    }

    private init(contexts: [Context], names: UnsafePointer<UnsafePointer<CChar>?>?, text: consuming Sentence) {
        self.contexts = contexts
        unsafe self.names = unsafe names
        self.text = text
    }

    // MARK: Metrics

    private mutating func connections() {
        metric("tlsmem_connections", "gauge", "Connections that were made and not freed.")
        for index in contexts.indices {
            line("tlsmem_connections", index, contexts[index].generations.connections.load(ordering: .relaxed))
        }
        metric("tlsmem_connections_made_total", "counter", "Connections that were made.")
        for index in contexts.indices { line("tlsmem_connections_made_total", index, .made) }
        metric("tlsmem_context_generation", "gauge", "1, and 1 more for each tlsmem_ctx_reload.")
        for index in contexts.indices {
            line("tlsmem_context_generation", index, contexts[index].generations.newest.load(ordering: .relaxed))
        }
    }

    private mutating func handshakes() {
        metric("tlsmem_handshakes_total", "counter", "Handshakes that were done.")
        for index in contexts.indices {
            for (isTLS13, isResumed) in [(false, false), (false, true), (true, false), (true, true)] {
                begin("tlsmem_handshakes_total", index)
                text.say(isTLS13 ? ",version=\"TLSv1.3\"" : ",version=\"TLSv1.2\"")
                text.say(isResumed ? ",resumed=\"true\"" : ",resumed=\"false\"")
                end(value(index, .handshake(isTLS13: isTLS13, isResumed: isResumed)))
            }
        }
        metric("tlsmem_handshake_duration_seconds", "histogram", "How long handshakes took that were done.")
        for index in contexts.indices { durations(index) }
    }

    private mutating func durations(_ index: Int) {
        var total = 0
        for place in 0...Metrics.bounds.count {
            total &+= value(index, .duration(place))
            begin("tlsmem_handshake_duration_seconds_bucket", index)
            text.say(",le=\"")
            if place < Metrics.bounds.count { seconds(Metrics.bounds[place]) } else { text.say("+Inf") }
            text.say("\"")
            end(total)
        }
        begin("tlsmem_handshake_duration_seconds_sum", index)
        text.say("} ")
        seconds(Int64(value(index, .durations)))
        text.say("\n")
        begin("tlsmem_handshake_duration_seconds_count", index)
        end(total)
    }

    private mutating func ends() {
        metric(
            "tlsmem_ends_total", "counter", "Connections that have ended, by their status; \"freed\": without an end.")
        for index in contexts.indices {
            for number in stride(from: TLSMEM_OK.rawValue, through: TLSMEM_ESIGN.rawValue, by: -1) {
                let status = tlsmem_status(rawValue: number)
                guard status.canEndAConnection else { continue }
                begin("tlsmem_ends_total", index)
                text.say(",status=\"")
                text.append(status)
                text.say("\"")
                end(value(index, .ended(status)))
            }
            begin("tlsmem_ends_total", index)
            text.say(",status=\"freed\"")
            end(value(index, .freed))
        }
    }

    private mutating func bytes() {
        metric("tlsmem_ciphertext_bytes_total", "counter", "Bytes that went over the network, by the mebibyte.")
        for index in contexts.indices {
            begin("tlsmem_ciphertext_bytes_total", index)
            text.say(",direction=\"received\"")
            end(value(index, .received))
            begin("tlsmem_ciphertext_bytes_total", index)
            text.say(",direction=\"sent\"")
            end(value(index, .sent))
        }
    }

    // MARK: Lines

    private func value(_ index: Int, _ counter: Metrics.Counter) -> Int {
        Int(clamping: contexts[index].metrics[counter])
    }

    private mutating func metric(_ name: StaticString, _ type: StaticString, _ help: StaticString) {
        text.say("# HELP ")
        text.say(name)
        text.say(" ")
        text.say(help)
        text.say("\n# TYPE ")
        text.say(name)
        text.say(" ")
        text.say(type)
        text.say("\n")
    }

    private mutating func line(_ name: StaticString, _ index: Int, _ counter: Metrics.Counter) {
        line(name, index, value(index, counter))
    }

    private mutating func line(_ name: StaticString, _ index: Int, _ value: Int) {
        begin(name, index)
        end(value)
    }

    private mutating func begin(_ name: StaticString, _ index: Int) {
        text.say(name)
        text.say(contexts[index].openSSL.role == .client ? "{role=\"client\"" : "{role=\"server\"")
        guard let names = unsafe names else { return }
        text.say(",context=\"")
        if let name = unsafe names[index] { unsafe text.append(quoting: name) }
        text.say("\"")
    }

    private mutating func end(_ value: Int) {
        text.append(value, behind: "} ")
        text.say("\n")
    }

    /// Milliseconds, as the seconds that Prometheus counts in.
    private mutating func seconds(_ milliseconds: Int64) {
        text.append(Int(milliseconds / 1000))
        var (rest, digits) = (Int(milliseconds % 1000), 3)
        guard rest > 0 else { return }
        while rest % 10 == 0 { (rest, digits) = (rest / 10, digits - 1) }
        text.say(".")
        for place in stride(from: digits, to: 1, by: -1) where rest < (place == 3 ? 100 : 10) { text.say("0") }
        text.append(rest)
    }
}

extension tlsmem_status {
    /// Not what only calls return.
    fileprivate var canEndAConnection: Bool {
        switch self {
        case TLSMEM_AGAIN, TLSMEM_CLOSED, TLSMEM_EINVAL, TLSMEM_ESTATE, TLSMEM_ECONFIG, TLSMEM_ESESSION, TLSMEM_LATER:
            false
        default: true
        }
    }
}
