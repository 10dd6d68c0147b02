internal import CLinux
internal import CTLSMem
internal import TLSEngine

/// Why a connection ended before its time: the engine's reason, or one of the layers around it.
final class Failure {
    enum Reason {
        case engine(EngineFailure)
        case handshakeDeadline, idleDeadline, readDeadline, writeDeadline, closeDeadline
        case aborted
        /// recv or send says that the connection was reset; or it took no more of what was left to send.
        case reset(errno: CInt)
        case system(errno: CInt)
        case outOfMemory
        case unconnected(Unconnected), connectDeadline(Unconnected)
    }

    let reason: Reason

    init(_ reason: Reason) {
        self.reason = reason
    }

    /// What recv or send failed with.
    convenience init(errno: CInt) {
        self.init(errno == ECONNRESET || errno == EPIPE ? .reset(errno: errno) : .system(errno: errno))
    }

    var status: tlsmem_status {
        switch reason {
        case .engine(let failure): failure.kind.status
        case .handshakeDeadline, .idleDeadline, .readDeadline, .writeDeadline, .closeDeadline: TLSMEM_ETIMEOUT
        case .aborted: TLSMEM_EABORTED
        case .reset: TLSMEM_ERESET
        case .system: TLSMEM_ESYSTEM
        case .outOfMemory: TLSMEM_ENOMEM
        case .unconnected(let outcome): outcome.status
        case .connectDeadline: TLSMEM_ETIMEOUT
        }
    }

    var engine: EngineFailure? { if case .engine(let failure) = reason { failure } else { nil } }

    var errno: CInt {
        switch reason {
        case .reset(let errno), .system(let errno): errno
        case .unconnected(let outcome), .connectDeadline(let outcome): outcome.errno
        case .handshakeDeadline, .idleDeadline, .readDeadline, .writeDeadline, .closeDeadline: 0
        case .engine, .aborted, .outOfMemory: 0
        }
    }
}

extension EngineFailure.Kind {
    var status: tlsmem_status {
        switch self {
        case .noServerName: TLSMEM_ENAME
        case .noTrust: TLSMEM_ENOTRUST
        case .noIdentity: TLSMEM_ENOIDENTITY
        case .notTLS: TLSMEM_ENOTTLS
        case .protocolViolation: TLSMEM_EPROTOCOL
        case .alertReceived: TLSMEM_EALERT
        case .noCommonVersion: TLSMEM_EVERSION
        case .noCommonCipher: TLSMEM_ECIPHER
        case .noCommonProtocol: TLSMEM_EALPN
        case .untrusted: TLSMEM_EVERIFY
        case .wrongHost: TLSMEM_EHOST
        case .expired: TLSMEM_EEXPIRED
        case .unpinned: TLSMEM_EPIN
        case .badStaple: TLSMEM_EOCSP
        case .noCommonKey: TLSMEM_EPSK
        case .noCertificate: TLSMEM_ENOCERT
        case .rejected: TLSMEM_EREJECTED
        case .endOfFileInHandshake: TLSMEM_EHANDSHAKEEOF
        case .truncated: TLSMEM_ETRUNCATED
        case .controlLimit, .updateLimit, .messageLimit: TLSMEM_ELIMIT
        case .noSession: TLSMEM_ESESSION
        case .refused: TLSMEM_EREFUSED
        case .unsigned: TLSMEM_ESIGN
        case .outOfMemory: TLSMEM_ENOMEM
        case .unexpected: TLSMEM_EINTERNAL
        }
    }
}

extension tlsmem_status {
    /// As a C function returns it.
    var code: CInt { CInt(rawValue) }
    var count: Int { Int(rawValue) }

    var name: StaticString {
        switch self {
        case TLSMEM_OK: "TLSMEM_OK"
        case TLSMEM_AGAIN: "TLSMEM_AGAIN"
        case TLSMEM_CLOSED: "TLSMEM_CLOSED"
        case TLSMEM_EINVAL: "TLSMEM_EINVAL"
        case TLSMEM_ESTATE: "TLSMEM_ESTATE"
        case TLSMEM_ENOMEM: "TLSMEM_ENOMEM"
        case TLSMEM_ESYSTEM: "TLSMEM_ESYSTEM"
        case TLSMEM_ECONFIG: "TLSMEM_ECONFIG"
        case TLSMEM_ENAME: "TLSMEM_ENAME"
        case TLSMEM_ENOTRUST: "TLSMEM_ENOTRUST"
        case TLSMEM_ENOIDENTITY: "TLSMEM_ENOIDENTITY"
        case TLSMEM_ELIMIT: "TLSMEM_ELIMIT"
        case TLSMEM_ETIMEOUT: "TLSMEM_ETIMEOUT"
        case TLSMEM_EABORTED: "TLSMEM_EABORTED"
        case TLSMEM_ERESET: "TLSMEM_ERESET"
        case TLSMEM_ETRUNCATED: "TLSMEM_ETRUNCATED"
        case TLSMEM_EHANDSHAKEEOF: "TLSMEM_EHANDSHAKEEOF"
        case TLSMEM_ENOTTLS: "TLSMEM_ENOTTLS"
        case TLSMEM_EPROTOCOL: "TLSMEM_EPROTOCOL"
        case TLSMEM_EALERT: "TLSMEM_EALERT"
        case TLSMEM_EVERSION: "TLSMEM_EVERSION"
        case TLSMEM_ECIPHER: "TLSMEM_ECIPHER"
        case TLSMEM_EALPN: "TLSMEM_EALPN"
        case TLSMEM_EVERIFY: "TLSMEM_EVERIFY"
        case TLSMEM_EHOST: "TLSMEM_EHOST"
        case TLSMEM_EEXPIRED: "TLSMEM_EEXPIRED"
        case TLSMEM_ENOCERT: "TLSMEM_ENOCERT"
        case TLSMEM_EREJECTED: "TLSMEM_EREJECTED"
        case TLSMEM_EINTERNAL: "TLSMEM_EINTERNAL"
        case TLSMEM_ERESOLVE: "TLSMEM_ERESOLVE"
        case TLSMEM_ECONNECT: "TLSMEM_ECONNECT"
        case TLSMEM_ESESSION: "TLSMEM_ESESSION"
        case TLSMEM_EPIN: "TLSMEM_EPIN"
        case TLSMEM_EREFUSED: "TLSMEM_EREFUSED"
        case TLSMEM_LATER: "TLSMEM_LATER"
        case TLSMEM_EOCSP: "TLSMEM_EOCSP"
        case TLSMEM_EPSK: "TLSMEM_EPSK"
        case TLSMEM_ESIGN: "TLSMEM_ESIGN"
        default: "TLSMEM_?"
        }
    }

    var sentence: StaticString {
        switch self {
        case TLSMEM_OK: "done"
        case TLSMEM_AGAIN: "nothing could be done now"
        case TLSMEM_CLOSED: "the connection has ended cleanly"
        case TLSMEM_EINVAL: "an argument is missing, out of range, or of a wrong size"
        case TLSMEM_ESTATE: "the call does not fit the state of the object"
        case TLSMEM_ENOMEM: "out of memory"
        case TLSMEM_ESYSTEM: "a system call failed"
        case TLSMEM_ECONFIG: "a setting was refused"
        case TLSMEM_ENAME: "a client that verifies needs a server name (tlsmem_set_server_name)"
        case TLSMEM_ENOTRUST: "verification is on and no certificate authority was set (tlsmem_ctx_set_ca_...)"
        case TLSMEM_ENOIDENTITY: "the server has no certificate and key, or none for the name that the client asks for"
        case TLSMEM_ELIMIT: "the peer went past a limit"
        case TLSMEM_ETIMEOUT: "a deadline passed"
        case TLSMEM_EABORTED: "the connection was aborted"
        case TLSMEM_ERESET: "the connection was reset"
        case TLSMEM_ETRUNCATED: "the peer ended the connection without close_notify: its data may be cut"
        case TLSMEM_EHANDSHAKEEOF: "the peer ended the connection during the handshake"
        case TLSMEM_ENOTTLS: "the peer does not speak TLS"
        case TLSMEM_EPROTOCOL: "the peer broke the protocol"
        case TLSMEM_EALERT: "the peer ended the connection with an alert"
        case TLSMEM_EVERSION: "there is no common protocol version"
        case TLSMEM_ECIPHER: "there is no common cipher, group or signature algorithm"
        case TLSMEM_EALPN: "there is no common application protocol"
        case TLSMEM_EVERIFY: "the peer's certificate is not trusted"
        case TLSMEM_EHOST: "the peer's certificate is for another host"
        case TLSMEM_EEXPIRED: "the peer's certificate is not valid at this time"
        case TLSMEM_ENOCERT: "the peer sent no certificate"
        case TLSMEM_EREJECTED: "the peer does not accept our certificate"
        case TLSMEM_EINTERNAL: "OpenSSL failed"
        case TLSMEM_ERESOLVE: "the host name has no address"
        case TLSMEM_ECONNECT: "no address could be connected to"
        case TLSMEM_ESESSION: "there is no session in the bytes, or it has expired"
        case TLSMEM_EPIN: "the peer has no key that is pinned"
        case TLSMEM_EREFUSED: "the program refused the peer"
        case TLSMEM_LATER: "the answer comes later"
        case TLSMEM_EOCSP: "there is no good OCSP response for the server's certificate"
        case TLSMEM_EPSK: "the peers have no key in common"
        case TLSMEM_ESIGN: "there is no signature"
        default: "no such status"
        }
    }
}
