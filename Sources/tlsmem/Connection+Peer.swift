internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Who the peer is.
extension Connection {
    /// The peer's own certificate; nil when it sent none.
    var peer: PeerCertificate? { peer(at: 0) }

    /// One of those that it sent.
    func peer(at index: Int) -> PeerCertificate? {
        engine.isAuthenticating ? nil : engine.ask { $0.peerCertificate(at: index, offered: session) }
    }

    /// All of them. Nil without memory.
    var peerPEM: [UInt8]? {
        var text: [UInt8] = []
        for index in 0..<engine.ask({ $0.peerCertificateCount(offered: session) }) {
            guard let pem = peer(at: index)?.pem else { return nil }
            text += pem
        }
        return text
    }

    func fill(_ info: inout tlsmem_peer_details, _ peer: PeerCertificate) -> tlsmem_status {
        guard let fingerprint = peer.fingerprint, let keyFingerprint = peer.keyFingerprint else { return TLSMEM_ENOMEM }
        info.not_before = peer.notBefore ?? .min
        info.not_after = peer.notAfter ?? .min
        unsafe withUnsafeMutableBytes(of: &info.sha256) { unsafe $0.copyBytes(from: fingerprint) }
        unsafe withUnsafeMutableBytes(of: &info.key_sha256) { unsafe $0.copyBytes(from: keyFingerprint) }
        let key = unsafe peer.key
        unsafe withUnsafeMutableBytes(of: &info.key_type) { target in
            var type = unsafe Sentence(target)
            unsafe type.append(key?.type)
        }
        info.key_bits = unsafe key?.bits ?? 0
        info.san_count = peer.nameCount
        info.chain_count = engine.ask { $0.peerCertificateCount(offered: session) }
        return TLSMEM_OK
    }

    func fill(_ details: inout tlsmem_verify_details) {
        let (result, depth) = engine.ask { $0.findings }
        (details.result, details.depth) = (result, depth)
        unsafe withUnsafeMutableBytes(of: &details.sentence) { target in
            var sentence = unsafe Sentence(target)
            unsafe sentence.append(Words.verifyResult(result))
        }
    }
}
