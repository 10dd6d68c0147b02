/* seal.c - records by EVP alone; see seal.h. RFC 8446, 5.2 and 5.3, with a key that is no secret. */
#include "seal.h"
#include "measure.h"
#include <string.h>

enum { HEADER = 5, TAG = 16, NONCE = 12, APPLICATION_DATA = 23 };

static const unsigned char key[16] = "sixteen bytes ok";

void seal_make(struct seal *s)
{
    memset(s, 0, sizeof *s);
    s->sealing = EVP_CIPHER_CTX_new();
    s->opening = EVP_CIPHER_CTX_new();
    require(EVP_EncryptInit_ex(s->sealing, EVP_aes_128_gcm(), NULL, key, NULL) == 1, "EVP_EncryptInit_ex");
    require(EVP_DecryptInit_ex(s->opening, EVP_aes_128_gcm(), NULL, key, NULL) == 1, "EVP_DecryptInit_ex");
}

static void nonce_of(uint64_t number, unsigned char *nonce)
{
    memset(nonce, 0, NONCE);
    memcpy(nonce, &number, sizeof number);
}

size_t seal_record(struct seal *s, const void *plaintext, size_t n, unsigned char *record)
{
    static const unsigned char type = APPLICATION_DATA;
    unsigned char nonce[NONCE], *at = record + HEADER;
    size_t length = n + 1 + TAG;
    int made, last;
    memcpy(record, (unsigned char[]) { APPLICATION_DATA, 3, 3, (unsigned char)(length >> 8), (unsigned char)length }, HEADER);
    nonce_of(s->sealed++, nonce);
    int fine = EVP_EncryptInit_ex(s->sealing, NULL, NULL, NULL, nonce)
        && EVP_EncryptUpdate(s->sealing, NULL, &made, record, HEADER)
        && EVP_EncryptUpdate(s->sealing, at, &made, plaintext, (int)n)
        && EVP_EncryptUpdate(s->sealing, at + n, &last, &type, 1)
        && EVP_EncryptFinal_ex(s->sealing, at + n + 1, &last)
        && EVP_CIPHER_CTX_ctrl(s->sealing, EVP_CTRL_AEAD_GET_TAG, TAG, at + n + 1);
    require(fine && made == (int)n, "sealing a record");
    return n + RECORD_OVERHEAD;
}

void seal_open(struct seal *s, const unsigned char *record, size_t n, unsigned char *plaintext)
{
    unsigned char nonce[NONCE], type;
    const unsigned char *at = record + HEADER;
    int made, last;
    nonce_of(s->opened++, nonce);
    int fine = EVP_DecryptInit_ex(s->opening, NULL, NULL, NULL, nonce)
        && EVP_DecryptUpdate(s->opening, NULL, &made, record, HEADER)
        && EVP_DecryptUpdate(s->opening, plaintext, &made, at, (int)n)
        && EVP_DecryptUpdate(s->opening, &type, &last, at + n, 1)
        && EVP_CIPHER_CTX_ctrl(s->opening, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)(at + n + 1))
        && EVP_DecryptFinal_ex(s->opening, &type, &last);
    require(fine && made == (int)n && type == APPLICATION_DATA, "opening a record");
}
