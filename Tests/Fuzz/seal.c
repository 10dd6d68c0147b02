#include "seal.h"

#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/** HMAC-SHA256 of one after the other. */
static void mac(uint8_t *out, const uint8_t *key, size_t key_n, const uint8_t *bytes, size_t n)
{
    unsigned length = 32;
    MUST(HMAC(EVP_sha256(), key, (int)key_n, bytes, n, out, &length) != NULL && length == 32);
}

/** HKDF-Expand-Label (RFC 8446, 7.1) without a context, of at most 32 bytes: one block. */
static void expand(uint8_t *out, size_t n, const uint8_t *secret, const char *label)
{
    uint8_t info[64], block[32];
    size_t length = strlen(label);
    info[0] = 0, info[1] = (uint8_t)n, info[2] = (uint8_t)(6 + length);
    memcpy(info + 3, "tls13 ", 6), memcpy(info + 9, label, length);
    info[9 + length] = 0, info[10 + length] = 1;
    mac(block, secret, 32, info, 11 + length);
    memcpy(out, block, n);
}

void seal_from_secret(sealer *s, const uint8_t *secret)
{
    s->version = TLS1_3_VERSION, s->sequence = 0;
    memmove(s->secret, secret, 32);
    expand(s->key, 16, secret, "key");
    expand(s->iv, 12, secret, "iv");
}

void seal_update(sealer *s)
{
    uint8_t next[32];
    expand(next, 32, s->secret, "traffic upd");
    seal_from_secret(s, next);
}

/* The key block (RFC 5246, 6.3): client key, server key, client salt, server salt. */
void seal_from_ssl(sealer *s, const SSL *ssl)
{
    uint8_t master[48], seed[32 + 13 + 64], block[64];
    int server = SSL_is_server(ssl);
    MUST(SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master) == sizeof master);
    memcpy(seed + 32, "key expansion", 13);
    MUST(SSL_get_server_random(ssl, seed + 45, 32) == 32 && SSL_get_client_random(ssl, seed + 77, 32) == 32);
    mac(seed, master, sizeof master, seed + 32, 77); /* A(1), in front of label and seed (RFC 5246, 5) */
    mac(block, master, sizeof master, seed, sizeof seed);
    mac(seed, master, sizeof master, seed, 32);
    mac(block + 32, master, sizeof master, seed, sizeof seed);
    s->version = TLS1_2_VERSION;
    memcpy(s->key, block + (server ? 16 : 0), 16);
    memcpy(s->iv, block + (server ? 36 : 32), 4);
}

/** The part that both versions have in common: what is sealed, and the tag behind it. */
static size_t encrypt(const sealer *s, const uint8_t *nonce, const uint8_t *data, size_t data_n, uint8_t *bytes, size_t n)
{
    int done = 0, rest = 0;
    EVP_CIPHER_CTX *aead = EVP_CIPHER_CTX_new();
    MUST(EVP_EncryptInit_ex(aead, EVP_aes_128_gcm(), NULL, s->key, nonce) == 1);
    MUST(EVP_EncryptUpdate(aead, NULL, &rest, data, (int)data_n) == 1);
    MUST(EVP_EncryptUpdate(aead, bytes, &done, bytes, (int)n) == 1);
    MUST(EVP_EncryptFinal_ex(aead, bytes + done, &rest) == 1);
    MUST(EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_GET_TAG, 16, bytes + n) == 1);
    EVP_CIPHER_CTX_free(aead);
    return n + 16;
}

static void put(uint8_t *at, uint64_t number, int bytes)
{
    while (bytes-- > 0)
        at[bytes] = (uint8_t)number, number >>= 8;
}

size_t seal(sealer *s, uint8_t *record, size_t room, int type, int version, const uint8_t *bytes, size_t n, size_t zeros)
{
    uint8_t nonce[12], data[13], sequence[8];
    int newer = s->version == TLS1_3_VERSION;
    size_t inner = n + (newer ? 1 + zeros : 0), front = newer ? 0 : 8, length = front + inner + 16;
    if (5 + length > room)
        return 0;
    uint8_t *body = record + 5 + front;
    record[0] = (uint8_t)(newer ? 23 : type);
    put(record + 1, (uint64_t)version, 2), put(record + 3, length, 2), put(sequence, s->sequence++, 8);
    memmove(body, bytes, n);
    memcpy(nonce, s->iv, 12);
    if (newer) {
        body[n] = (uint8_t)type;
        memset(body + n + 1, 0, zeros);
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= sequence[i];
        encrypt(s, nonce, record, 5, body, inner);
    } else {
        memcpy(nonce + 4, sequence, 8), memcpy(record + 5, sequence, 8);
        memcpy(data, sequence, 8), memcpy(data + 8, record, 3), put(data + 11, n, 2);
        encrypt(s, nonce, data, 13, body, n);
    }
    return 5 + length;
}
