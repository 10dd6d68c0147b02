"""What other people's programs call the ciphers, groups and alerts that the table of settings speaks of."""

GNUTLS_CIPHERS = {
    "TLS_AES_128_GCM_SHA256": "+AES-128-GCM", "ECDHE-ECDSA-AES128-GCM-SHA256": "+AES-128-GCM",
    "ECDHE-RSA-AES128-GCM-SHA256": "+AES-128-GCM",
    "TLS_AES_256_GCM_SHA384": "+AES-256-GCM", "ECDHE-ECDSA-AES256-GCM-SHA384": "+AES-256-GCM",
    "TLS_CHACHA20_POLY1305_SHA256": "+CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305": "+CHACHA20-POLY1305",
}
NSS_CIPHERS = {
    "TLS_AES_128_GCM_SHA256": ":1301", "ECDHE-ECDSA-AES128-GCM-SHA256": ":C02B",
    "ECDHE-RSA-AES128-GCM-SHA256": ":C02F",
    "TLS_AES_256_GCM_SHA384": ":1302", "ECDHE-ECDSA-AES256-GCM-SHA384": ":C02C",
    "TLS_CHACHA20_POLY1305_SHA256": ":1303", "ECDHE-ECDSA-CHACHA20-POLY1305": ":CCA9",
}
GNUTLS_GROUPS = {"X25519": "+GROUP-X25519", "P-256": "+GROUP-SECP256R1", "P-384": "+GROUP-SECP384R1",
                 "P-521": "+GROUP-SECP521R1"}
GNUTLS_SIGNATURES = {"ecdsa_secp256r1_sha256": "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256",
                     "rsa_pss_rsae_sha256": "+SIGN-RSA-PSS-RSAE-SHA256"}
# By the kind of key and the hash.
OPENSSL_SIGNATURES = {("ECDSA", "SHA256"): "ecdsa_secp256r1_sha256", ("RSA-PSS", "SHA256"): "rsa_pss_rsae_sha256"}
NSS_GROUPS = {"X25519": "x25519", "P-256": "P256", "P-384": "P384", "P-521": "P521"}

# RFC 8446, 6.2, by the names that OpenSSL gives them.
ALERTS = {
    "HANDSHAKE_FAILURE": 40, "BAD_CERTIFICATE": 42, "UNSUPPORTED_CERTIFICATE": 43, "CERTIFICATE_REVOKED": 44,
    "CERTIFICATE_EXPIRED": 45, "CERTIFICATE_UNKNOWN": 46, "ILLEGAL_PARAMETER": 47, "UNKNOWN_CA": 48, "ACCESS_DENIED": 49,
    "DECODE_ERROR": 50, "DECRYPT_ERROR": 51, "PROTOCOL_VERSION": 70, "INSUFFICIENT_SECURITY": 71, "INTERNAL_ERROR": 80,
    "NO_RENEGOTIATION": 100, "MISSING_EXTENSION": 109, "UNRECOGNIZED_NAME": 112, "BAD_CERTIFICATE_STATUS_RESPONSE": 113,
    "UNKNOWN_PSK_IDENTITY": 115, "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}
NSS_ALERTS = {
    "SSL_ERROR_HANDSHAKE_FAILURE_ALERT": 40, "SSL_ERROR_NO_CYPHER_OVERLAP": 40,
    "SSL_ERROR_BAD_CERT_ALERT": 42, "SSL_ERROR_UNSUPPORTED_CERT_ALERT": 43,
    "SSL_ERROR_REVOKED_CERT_ALERT": 44, "SSL_ERROR_EXPIRED_CERT_ALERT": 45, "SSL_ERROR_CERTIFICATE_UNKNOWN_ALERT": 46,
    "SSL_ERROR_ILLEGAL_PARAMETER_ALERT": 47, "SSL_ERROR_UNKNOWN_CA_ALERT": 48, "SSL_ERROR_ACCESS_DENIED_ALERT": 49,
    "SSL_ERROR_DECODE_ERROR_ALERT": 50, "SSL_ERROR_DECRYPT_ERROR_ALERT": 51, "SSL_ERROR_PROTOCOL_VERSION_ALERT": 70,
    "SSL_ERROR_INSUFFICIENT_SECURITY_ALERT": 71, "SSL_ERROR_INTERNAL_ERROR_ALERT": 80,
    "SSL_ERROR_UNRECOGNIZED_NAME_ALERT": 112, "SSL_ERROR_RX_CERTIFICATE_REQUIRED_ALERT": 116,
    "SSL_ERROR_NEXT_PROTOCOL_NO_PROTOCOL": 120,
}

# With which status of ours an alert that was received ends a connection (include/tlsmem.h).
STATUS_OF_ALERT = {40: "ECIPHER", 71: "ECIPHER", 70: "EVERSION", 120: "EALPN"} | dict.fromkeys(
    (42, 43, 44, 45, 46, 48, 49, 113, 116), "EREJECTED") | {115: "EPSK"}


def group(name):
    """Returns a group's name as IANA writes it, in small letters."""
    return {"prime256v1": "secp256r1"}.get(name.lower(), name.lower()) if name else None


def split_ciphers(names):
    """Returns s_client's and s_server's options for a list of suites of TLS 1.3 and ciphers of TLS 1.2."""
    suites = [name for name in names.split(":") if name.startswith("TLS_")]
    older = [name for name in names.split(":") if not name.startswith("TLS_")]
    return [*(["-ciphersuites", ":".join(suites)] if suites else []), *(["-cipher", ":".join(older)] if older else [])]
