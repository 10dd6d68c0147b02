internal import COpenSSL
internal import Synchronization

/// Types of keys that may be held elsewhere.
enum RemoteKeyType {
    case rsa, ec, ed25519, ed448

    static var all: [RemoteKeyType] { [.rsa, .ec, .ed25519, .ed448] }

    /// OpenSSL's name, and the header's.
    var name: StaticString {
        switch self {
        case .rsa: "RSA"
        case .ec: "EC"
        case .ed25519: "ED25519"
        case .ed448: "ED448"
        }
    }

    /// OpenSSL's number for it.
    var number: CInt {
        switch self {
        case .rsa: NID_rsaEncryption
        case .ec: NID_X9_62_id_ecPublicKey
        case .ed25519: NID_ED25519
        case .ed448: NID_ED448
        }
    }

    init?(of key: OpaquePointer?) {
        for type in Self.all where unsafe EVP_PKEY_is_a(key, cString(type.name)) == 1 {
            self = type
            return
        }
        return nil
    }
}

/// What our provider knows of a key that is held elsewhere: the public part, as a key of OpenSSL's own, which is asked
/// whatever there is to be known.
@safe final class RemoteKey {
    let type: RemoteKeyType
    private(set) var publicKey: OpaquePointer?
    /// The SHA-256 of the certificate's SubjectPublicKeyInfo, which is how the program tells keys apart. The key itself does not
    /// say in which form it was there. None for a key that OpenSSL makes to compare another with.
    private(set) var name: [UInt8] = []
    /// A signature has been found good: the holder has the right key.
    let isProven = Atomic<Bool>(false)

    /// Beside what a key consists of.
    static var nameParameter: StaticString { "tlsmem-sha256" }

    init(_ type: RemoteKeyType) {
        self.type = type
    }

    deinit {
        unsafe EVP_PKEY_free(publicKey)
    }

    /// Takes the public part in, once.
    func take(_ parameters: UnsafePointer<OSSL_PARAM>?) -> Bool {
        guard unsafe publicKey == nil,
            let key = unsafe makeKey(type, in: nil, copenssl_public_key(), parameters)
        else { return false }
        unsafe publicKey = key
        if let given = unsafe OSSL_PARAM_locate_const(parameters, cString(Self.nameParameter)) {
            name = unsafe Array(UnsafeRawBufferPointer(start: given.pointee.data, count: given.pointee.data_size))
        }
        return true
    }

    /// Bytes of the longest signature.
    var signatureMax: Int { Int(max(0, unsafe EVP_PKEY_get_size(publicKey))) }
}

/// Makes a key of what it consists of; nil when that is none, or without memory.
func makeKey(
    _ type: RemoteKeyType, in library: OpaquePointer?, _ selection: CInt, _ parameters: UnsafePointer<OSSL_PARAM>?
) -> OpaquePointer? {
    guard let making = unsafe EVP_PKEY_CTX_new_from_name(library, cString(type.name), nil) else { return nil }
    defer { unsafe EVP_PKEY_CTX_free(making) }
    var key: OpaquePointer?
    guard unsafe EVP_PKEY_fromdata_init(making) == 1,
        unsafe EVP_PKEY_fromdata(making, &key, selection, UnsafeMutablePointer(mutating: parameters)) == 1
    else { return nil }
    if unsafe isComplete(key: key) { return unsafe key }
    unsafe EVP_PKEY_free(key)
    return nil
}
