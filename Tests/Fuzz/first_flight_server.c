/* What a client sends first, to servers of every kind. */
#include "flight.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static EVP_PKEY *signing_key;

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    MUST(hello->cipher_suites_bytes % 2 == 0);
    for (size_t i = 0, n = hello->alpn_bytes; i < n; i += 1 + (size_t)hello->alpn[i])
        MUST(i + 1 + hello->alpn[i] <= n);
    if (hello->server_name != NULL && strcmp(hello->server_name, "refused.example") == 0)
        return 112;
    if (hello->alpn_bytes > 0)
        IGNORE(tlsmem_select_alpn(c, "h2"));
    return flight_asked(c, TLSMEM_QUESTION_CLIENT_HELLO, hello->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static int on_psk(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    (void)user;
    MUST(request->identity != NULL);
    return flight_asked(c, TLSMEM_QUESTION_PSK, request->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static int on_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *request, void *user)
{
    (void)user;
    return flight_asked(c, TLSMEM_QUESTION_TICKET_KEY, request->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return flight_asked(c, TLSMEM_QUESTION_VERIFY, verdict->token) ? TLSMEM_LATER : TLSMEM_OK;
}

/** Signs at once, while the bytes are there. */
static int on_sign(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    uint8_t signature[200];
    size_t n = sizeof signature;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    (void)user;
    MUST(EVP_DigestSignInit(md, NULL, EVP_get_digestbyname(request->hash), NULL, signing_key) == 1);
    MUST(EVP_DigestSign(md, signature, &n, request->message, request->message_bytes) == 1);
    EVP_MD_CTX_free(md);
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.bytes = signature, reply.length = n;
    MUST(tlsmem_answer(c, request->token, TLSMEM_OK, &reply) == TLSMEM_OK);
    return TLSMEM_LATER;
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    MUST(entry->id_length >= 1 && entry->id_length <= 32 && entry->length > 0);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    MUST(entry->id_length >= 1 && entry->id_length <= 32);
    return flight_asked(c, TLSMEM_QUESTION_SESSION, entry->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static void ticket_key(tlsmem_ctx *ctx)
{
    tlsmem_ticket_key key = TLSMEM_TICKET_KEY_INIT;
    memset(key.name, 'n', sizeof key.name), memset(key.secret, 's', sizeof key.secret);
    key.encrypt_until = key.decrypt_until = WORLD_DAY + 365 * 86400;
    MUST(tlsmem_ctx_add_ticket_key(ctx, &key) == TLSMEM_OK);
}

static void traced(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    (void)c, (void)user;
    MUST(info->name != NULL && (info->length == 0 || info->bytes != NULL));
}

static tlsmem_ctx *context_of(unsigned which)
{
    static const tlsmem_session_callbacks store = { sizeof store, on_new, on_find, NULL };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, which == 7 ? -1 : 0);
    const identity *own = identity_of(0), *other = identity_of(1);
    int ok = TLSMEM_OK;
    switch (which) {
    case 0: ok |= tlsmem_ctx_set_alpn(ctx, "h2,http/1.1"); break;
    case 1: ok |= tlsmem_ctx_set_psk(ctx, "fuzz", "0123456789abcdef", 16); break;
    case 2:
        ok |= tlsmem_ctx_set_client_hello_cb(ctx, on_hello, NULL);
        ok |= tlsmem_ctx_add_keypair_mem(ctx, "*.other.example", other->cert, strlen(other->cert), other->key,
                                         strlen(other->key));
        ok |= tlsmem_ctx_set_sni_strict(ctx, 1);
        break;
    case 3: ok |= tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED); break;
    case 4: ok |= tlsmem_ctx_set_early_data(ctx, 16384); ticket_key(ctx); break;
    case 5: ok |= tlsmem_ctx_set_session_callbacks(ctx, &store, NULL); break;
    case 6: ok |= tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2); ok |= tlsmem_ctx_set_renegotiation(ctx, 1); break;
    case 7: {
        BIO *pem = BIO_new_mem_buf(own->key, -1);
        signing_key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
        BIO_free(pem);
        ok |= tlsmem_ctx_set_cert_mem(ctx, own->cert, strlen(own->cert));
        ok |= tlsmem_ctx_set_sign_cb(ctx, on_sign, NULL);
        break;
    }
    case 8: ok |= tlsmem_ctx_set_psk_cb(ctx, on_psk, NULL); ok |= tlsmem_ctx_set_alpn(ctx, "a,bb"); break;
    case 9: ok |= tlsmem_ctx_set_ticket_key_cb(ctx, on_ticket_key, NULL); ticket_key(ctx); break;
    case 10:
        ok |= tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL);
        ok |= tlsmem_ctx_set_verify_cb(ctx, on_verdict, NULL);
        break;
    default:
        ok |= tlsmem_ctx_set_preset(ctx, TLSMEM_PRESET_MODERN);
        ok |= tlsmem_ctx_set_groups(ctx, "P-384:X25519");
        ok |= tlsmem_ctx_set_trace_cb(ctx, traced, NULL);
    }
    MUST(ok == TLSMEM_OK);
    return ctx;
}

static void set_up(tlsmem *c, unsigned which)
{
    (void)c, (void)which;
}

static void answer(tlsmem *c, tlsmem_question question, uint64_t token)
{
    uint8_t secret[64];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    memset(secret, 's', sizeof secret);
    reply.bytes = secret;
    reply.length = question == TLSMEM_QUESTION_TICKET_KEY ? 64 : question == TLSMEM_QUESTION_PSK ? 16 : 0;
    int refused = question == TLSMEM_QUESTION_SESSION;
    MUST(tlsmem_answer(c, token, refused ? 1 : TLSMEM_OK, &reply) != TLSMEM_EINVAL);
}

/** Early data of one ticket is taken once in a process. */
static int is_same_again(unsigned which)
{
    return which != 4;
}

const flight fuzzed = { TLSMEM_SERVER, context_of, set_up, answer, is_same_again };
