internal import CLinux
internal import CTLSMem
internal import SocketTransport

/// What was tried before there was no connection.
final class Unconnected {
    struct Attempt {
        let address: SocketAddress
        /// Nil when it was still waiting for an answer.
        let errno: CInt?
    }

    let attempts: [Attempt]
    /// The name that was looked up.
    let host: [CChar]?
    /// What the resolver found nothing for.
    let refusal: Resolution?

    init(_ attempts: [Attempt], host: [CChar]?, refusal: Resolution?) {
        self.attempts = attempts
        self.host = host
        self.refusal = refusal
    }

    var status: tlsmem_status { attempts.isEmpty ? TLSMEM_ERESOLVE : TLSMEM_ECONNECT }
    var errno: CInt { attempts.last { $0.errno != nil }?.errno ?? refusal?.errno ?? 0 }

    /// Appends the addresses with their errors, or what there is to say about the name.
    func describe(_ sentence: inout Sentence) {
        for (index, attempt) in attempts.enumerated() {
            unsafe sentence.append(attempt.address.text)
            let isLast = index == attempts.count - 1
            if !isLast, attempts[index + 1].errno == attempt.errno {  // said once: more addresses fit
                unsafe sentence.append(", ")
                continue
            }
            unsafe sentence.append(": ")
            if let errno = attempt.errno {
                unsafe sentence.append(strerror(errno))
            } else {
                unsafe sentence.append("no answer")
            }
            if !isLast { unsafe sentence.append("; ") }
        }
        guard attempts.isEmpty, let host else { return }
        unsafe sentence.append(host)
        unsafe sentence.append(": ")
        if let refusal, refusal.code == EAI_SYSTEM {
            unsafe sentence.append(strerror(refusal.errno))
        } else if let refusal {
            unsafe sentence.append(gai_strerror(refusal.code))
        } else {
            unsafe sentence.append("the resolver has not answered")
        }
    }
}
