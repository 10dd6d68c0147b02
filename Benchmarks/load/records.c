/* records.c - the records of TLS 1.3, sealed and opened with EVP; see load.h. */
#include "load.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

/* HKDF-Expand-Label(secret, label, "", n) of RFC 8446, 7.1. */
static void expand(const uint8_t secret[32], const char *label, uint8_t *out, size_t n)
{
    uint8_t info[32] = { 0, (uint8_t)n, (uint8_t)(6 + strlen(label)) };
    size_t length = 4 + 6 + strlen(label);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[] = { OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, length), OSSL_PARAM_construct_end() };
    if (EVP_KDF_derive(ctx, out, n, parameters) != 1)
        fail("no key can be derived");
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

void records_init(struct records *r, const uint8_t secret[32], int seals)
{
    uint8_t key[16];
    expand(secret, "key", key, sizeof key);
    expand(secret, "iv", r->iv, sizeof r->iv);
    r->sequence = 0;
    r->cipher = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex(r->cipher, EVP_aes_128_gcm(), NULL, key, NULL, seals);
}

/* The nonce of the next record, and its header as additional data. */
static void begin(struct records *r, const uint8_t header[5])
{
    uint8_t nonce[12];
    int n;
    memcpy(nonce, r->iv, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(r->sequence >> (8 * i));
    r->sequence++;
    EVP_CipherInit_ex(r->cipher, NULL, NULL, NULL, nonce, -1);
    EVP_CipherUpdate(r->cipher, NULL, &n, header, 5);
}

static size_t seal_one(struct records *r, const uint8_t *bytes, size_t n, uint8_t *wire)
{
    size_t length = n + 1 + 16;
    uint8_t header[5] = { 23, 3, 3, (uint8_t)(length >> 8), (uint8_t)length }, application_data = 23;
    int written;
    begin(r, header);
    memcpy(wire, header, 5);
    EVP_CipherUpdate(r->cipher, wire + 5, &written, bytes, (int)n);
    EVP_CipherUpdate(r->cipher, wire + 5 + n, &written, &application_data, 1);
    EVP_CipherFinal_ex(r->cipher, wire + 5 + n + 1, &written);
    EVP_CIPHER_CTX_ctrl(r->cipher, EVP_CTRL_AEAD_GET_TAG, 16, wire + 5 + n + 1);
    return 5 + length;
}

size_t seal(struct records *r, const uint8_t *bytes, size_t n, uint8_t *wire)
{
    size_t length = 0;
    for (size_t at = 0, part; at < n; at += part) {
        part = n - at < RECORD_PLAIN ? n - at : RECORD_PLAIN;
        length += seal_one(r, bytes + at, part, wire + length);
    }
    return length;
}

long open_record(struct records *r, uint8_t *wire, size_t n)
{
    int written;
    long length = (long)n - 5 - 16;
    begin(r, wire);
    EVP_CIPHER_CTX_ctrl(r->cipher, EVP_CTRL_AEAD_SET_TAG, 16, wire + n - 16);
    EVP_CipherUpdate(r->cipher, wire + 5, &written, wire + 5, (int)length);
    if (EVP_CipherFinal_ex(r->cipher, wire + n - 16, &written) != 1)
        fail("a record does not decrypt");
    while (length > 0 && wire[5 + length - 1] == 0)
        length--; /* padding */
    uint8_t type = wire[5 + --length];
    return type == 23 ? length : type == 22 ? 0 : -1;
}
