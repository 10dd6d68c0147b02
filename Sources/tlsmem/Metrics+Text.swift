internal import CTLSMem
internal import OpenSSLHandles
internal import Synchronization
internal import TLSEngine

/// The numbers of some contexts in the text format of Prometheus, version 0.0.4: of each metric what it is, and then a
/// line for each context and label.
@safe struct MetricsText: ~Copyable {
    /// A context, and what the program calls it.
    @safe struct Subject {
        let context: Context
        let name: UnsafePointer<CChar>?

        func value(_ counter: Metrics.Counter) -> Int { Int(clamping: context.metrics[counter]) }
    }

    private let subjects: [Subject]
    /// They have names.
    private let areNamed: Bool
    private var text: Sentence

    /// Writes all of it, and returns its whole length.
    static func write(
        _ subjects: [Subject], areNamed: Bool, _ target: UnsafeMutableRawBufferPointer
    ) -> Int {
        var text = unsafe MetricsText(subjects, areNamed, Sentence(target))
        text.connections()
        text.handshakes()
        text.ends()
        text.bytes()
        return text.text.wholeLength
    }

    private init(_ subjects: [Subject], _ areNamed: Bool, _ text: Sentence) {
        (self.subjects, self.areNamed, self.text) = (subjects, areNamed, text)
    }

    // MARK: Metrics

    private mutating func connections() {
        metric("tlsmem_connections", "gauge", "Connections that were made and not freed.")
        for subject in subjects {
            line("tlsmem_connections", subject, subject.context.generations.connections.load(ordering: .relaxed))
        }
        metric("tlsmem_connections_made_total", "counter", "Connections that were made.")
        for subject in subjects { line("tlsmem_connections_made_total", subject, subject.value(.made)) }
        metric("tlsmem_context_generation", "gauge", "1, and 1 more for each tlsmem_ctx_reload.")
        for subject in subjects {
            line("tlsmem_context_generation", subject, subject.context.generations.newest.load(ordering: .relaxed))
        }
    }

    private mutating func handshakes() {
        metric("tlsmem_handshakes_total", "counter", "Handshakes that were done.")
        for subject in subjects {
            for (isTLS13, isResumed) in [(false, false), (false, true), (true, false), (true, true)] {
                begin("tlsmem_handshakes_total", subject)
                text.say(isTLS13 ? ",version=\"TLSv1.3\"" : ",version=\"TLSv1.2\"")
                text.say(isResumed ? ",resumed=\"true\"" : ",resumed=\"false\"")
                end(subject.value(.handshake(isTLS13: isTLS13, isResumed: isResumed)))
            }
        }
        metric(
            "tlsmem_handshake_duration_seconds", "histogram",
            "How long handshakes took that were done, unless closed meanwhile.")
        for subject in subjects { durations(subject) }
    }

    private mutating func durations(_ subject: Subject) {
        var total = 0
        for place in 0...Metrics.bounds.count {
            total &+= subject.value(.duration(place))
            begin("tlsmem_handshake_duration_seconds_bucket", subject)
            text.say(",le=\"")
            if place < Metrics.bounds.count { seconds(Metrics.bounds[place]) } else { text.say("+Inf") }
            text.say("\"")
            end(total)
        }
        begin("tlsmem_handshake_duration_seconds_sum", subject)
        text.say("} ")
        seconds(Int64(subject.value(.durations)))
        text.say("\n")
        begin("tlsmem_handshake_duration_seconds_count", subject)
        end(total)
    }

    private mutating func ends() {
        metric(
            "tlsmem_ends_total", "counter", "Connections that have ended, by their status; \"freed\": without an end.")
        for subject in subjects {
            for number in stride(from: TLSMEM_OK.rawValue, through: TLSMEM_ESIGN.rawValue, by: -1) {
                let status = tlsmem_status(rawValue: number)
                guard status.canEndAConnection else { continue }
                begin("tlsmem_ends_total", subject)
                text.say(",status=\"")
                text.append(status)
                text.say("\"")
                end(subject.value(.ended(status)))
            }
            begin("tlsmem_ends_total", subject)
            text.say(",status=\"freed\"")
            end(subject.value(.freed))
        }
    }

    private mutating func bytes() {
        metric("tlsmem_ciphertext_bytes_total", "counter", "Bytes that went over the network, by the mebibyte.")
        for subject in subjects {
            begin("tlsmem_ciphertext_bytes_total", subject)
            text.say(",direction=\"received\"")
            end(subject.value(.received))
            begin("tlsmem_ciphertext_bytes_total", subject)
            text.say(",direction=\"sent\"")
            end(subject.value(.sent))
        }
    }

    // MARK: Lines

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

    private mutating func line(_ name: StaticString, _ subject: Subject, _ value: Int) {
        begin(name, subject)
        end(value)
    }

    private mutating func begin(_ name: StaticString, _ subject: Subject) {
        text.say(name)
        text.say(subject.context.openSSL.role == .client ? "{role=\"client\"" : "{role=\"server\"")
        guard areNamed else { return }
        text.say(",context=\"")
        unsafe text.append(quoting: subject.name)
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
        while rest % 10 == 0 { (rest, digits) = (rest / 10, digits &- 1) }
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
