internal import COpenSSL

// Which alert refuses a certificate, is OpenSSL's to say, by the code that verification leaves behind; and for some codes it
// is another one than RFC 8446, 6.2 describes. So a refusal leaves a code that goes with the right alert, and as soon as that
// has been sent the true one is put back (restoreFinding): OpenSSL reads it once for the alert, and a refused handshake makes
// no session that could keep it.

/// Has OpenSSL send the right alert for what `check` has found. To be called last: it changes what `check` says.
func chooseAlert(_ check: OpaquePointer, _ ssl: OpaquePointer) {
    let found = unsafe X509_STORE_CTX_get_error(check)
    // Without memory OpenSSL's own alert is as good as any.
    guard let other = codeWithAlert(of: found), unsafe keepFinding(found, of: ssl) else { return }
    unsafe X509_STORE_CTX_set_error(check, other)
}

/// A code for which OpenSSL sends the alert that RFC 8446, 6.2 has for this one; nil where that is OpenSSL's own choice.
private func codeWithAlert(of found: CInt) -> CInt? {
    switch found {
    // certificate_expired, 45: "A certificate has expired or is not currently valid." OpenSSL: bad_certificate.
    case X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CRL_NOT_YET_VALID:
        X509_V_ERR_CERT_HAS_EXPIRED
    // bad_certificate, 42: "A certificate was corrupt, contained signatures that did not verify correctly, etc." OpenSSL:
    // decrypt_error, which is about the signatures of the handshake itself.
    case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_CRL_SIGNATURE_FAILURE:
        X509_V_ERR_CERT_REJECTED
    // The same. OpenSSL: unknown_ca, which says that the chain was valid and only its end unknown.
    case X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED:
        X509_V_ERR_CERT_REJECTED
    // certificate_unknown, 46: "Some other (unspecified) issue arose in processing the certificate, rendering it
    // unacceptable." OpenSSL: unknown_ca, and bad_certificate for a key that is not pinned.
    case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_DANE_NO_MATCH:
        X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION
    default:
        nil
    }
}
