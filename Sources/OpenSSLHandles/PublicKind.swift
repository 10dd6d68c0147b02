internal import COpenSSL

/// What a source may have several of, none of it secret.
enum PublicKind {
    case certificate, revocationList, ocspResponse

    /// What a block of it is called: "X509" by old programs, "TRUSTED" where OpenSSL has put something behind it.
    fileprivate var names: [StaticString] {
        switch self {
        case .certificate: ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]
        case .revocationList: ["X509 CRL"]
        case .ocspResponse: ["OCSP RESPONSE"]
        }
    }
    fileprivate var missing: StaticString {
        switch self {
        case .certificate: "there is no certificate in it"
        case .revocationList: "there is no revocation list in it"
        case .ocspResponse: "there is no OCSP response in it"
        }
    }
    fileprivate var damaged: StaticString {
        switch self {
        case .certificate: "a certificate in it cannot be parsed"
        case .revocationList: "a revocation list in it cannot be parsed"
        case .ocspResponse: "an OCSP response in it cannot be parsed"
        }
    }
}

extension PEMSource {
    /// Reads everything of a kind, one or more in PEM or in DER, or refuses the whole. `take` decodes one, and moves the
    /// position behind it. Nobody is asked for a password: what is encrypted cannot be parsed.
    func readAll(
        _ kind: PublicKind, _ take: (inout UnsafePointer<UInt8>?, Int) throws(SettingRefused) -> Bool
    ) throws(SettingRefused) {
        ERR_clear_error()
        var count = 0
        if isPEM {
            while let block = unsafe PEMBlock.next(bio) {
                guard kind.names.contains(where: { block.isCalled($0) }) else { continue }
                let before = count
                guard !block.isEncrypted, try unsafe readAll(block.bytes, &count, take), count == before &+ 1 else {
                    throw refused(kind.damaged, .drain())
                }
            }
            // "No start line" is how the end of the text looks.
            let end = OpenSSLError(code: ERR_peek_last_error())
            guard end.library == ERR_LIB_PEM, end.reason == PEM_R_NO_START_LINE else {
                throw refused(kind.damaged, .drain())
            }
            ERR_clear_error()
        } else if try unsafe !readAll(bytes, &count, take), count > 0 {
            throw refused(kind.damaged, .drain())
        }
        guard count > 0 else { throw refused(kind.missing, .drain()) }
    }

    /// Counts what there is, one behind the other. False when there is something else.
    private func readAll(
        _ der: UnsafeRawBufferPointer, _ count: inout Int,
        _ take: (inout UnsafePointer<UInt8>?, Int) throws(SettingRefused) -> Bool
    ) throws(SettingRefused) -> Bool {
        var position = unsafe der.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let end = unsafe position.map({ unsafe $0 + der.count }) else { return false }
        while let start = unsafe position, unsafe start < end {
            guard try unsafe take(&position, end - start) else { return false }
            count &+= 1
        }
        return true
    }
}
