/// What OpenSSL wants to know in the middle of a handshake.
package enum Question {
    /// A ClientHello came: which context it gets, which protocol, or no connection.
    case clientHello
    /// The peer's certificate was verified: whether that is to be the last word.
    case verdict
    /// A client wants to know what the authority says of the certificate that it gets.
    case staple
    /// Which key the peers have in common (KeyRequest).
    case key
    /// A client came with the id of a session: the bytes of it.
    case session
    /// A client came with a ticket that no key here has sealed: the secret of the one that has.
    case ticketKey
    /// A message is to be signed with a key that is held elsewhere.
    case sign
    /// A server wants a certificate of this client: which it gets.
    case clientCertificate
}

/// Which key is asked for; each text has a zero behind it. Not part of the question: what a step reports has to be plain, or
/// references would be counted for each record.
package struct KeyRequest {
    /// On a server, how the client calls it; a client has to name one.
    package var identity: [CChar]?
    /// On a client, what the server hints at (RFC 4279, 2).
    package var hint: [CChar]?
}

/// What it is told.
package struct Answer {
    /// 0 to go on; else what the question says of it: an alert, or a code of X509_V_ERR_....
    package var status: CInt
    /// Whose certificates are shown.
    package var identity: OwnedContext?
    /// Whoever that belongs to, who is asked for signatures then.
    package var identityHolder: AnyObject?
    /// Somebody has said so; else nobody was there to answer.
    package var isGiven = true
    /// For the questions that are answered with bytes, of which there is at least one, and with a name.
    package var bytes: SecretBytes?
    package var name: [UInt8] = []

    package init(_ status: CInt) { self.status = status }

    static var none: Answer {
        var answer = Answer(-1)
        answer.isGiven = false
        return answer
    }
}
