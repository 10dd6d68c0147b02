/* An honest OpenSSL at the other end, until the input takes its place. */
#include "after_handshake.h"

#include <openssl/pem.h>

static void on_established(tlsmem *c, void *user)
{
    meeting *m = user;
    MUST(m->established++ == 0 && tlsmem_is_established(c));
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    meeting *m = user;
    MUST(n > 0 && bytes != NULL && m->established == 1 && m->closes == 0 && m->ends == 0);
    m->got += n;
    if (n % 3 == 0) {
        ptrdiff_t taken = tlsmem_write(c, bytes, n); /* sometimes there is an answer */
        m->accepted += taken > 0 ? (uint64_t)taken : 0;
    }
}

static void on_drain(tlsmem *c, void *user)
{
    meeting *m = user;
    MUST(c == m->c && m->closes == 0);
    m->drains++;
}

static void on_eof(tlsmem *c, void *user)
{
    meeting *m = user;
    MUST(c == m->c && m->ends++ == 0 && m->closes == 0);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    meeting *m = user;
    MUST(c == m->c && m->closes++ == 0 && report->bytes_encrypted <= report->bytes_accepted);
}

static tlsmem_ctx *tlsmem_side(unsigned kind)
{
    static tlsmem_ctx *contexts[64];
    tlsmem_ctx **ctx = &contexts[kind & 63 & ~KIND_PULL];
    if (*ctx != NULL)
        return *ctx;
    int server = kind & KIND_SERVER, ok = TLSMEM_OK;
    *ctx = context(server ? TLSMEM_SERVER : TLSMEM_CLIENT, server || kind & KIND_ASKS ? 0 : -1);
    ok |= tlsmem_ctx_set_max_version(*ctx, kind & KIND_OLD ? TLSMEM_TLS1_2 : TLSMEM_TLS1_3);
    ok |= tlsmem_ctx_set_ciphers(*ctx, "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256");
    if (kind & KIND_ASKS)
        ok |= server ? tlsmem_ctx_set_verify(*ctx, kind & KIND_OLD ? TLSMEM_VERIFY_OPTIONAL : TLSMEM_VERIFY_LATER)
                     : tlsmem_ctx_set_post_handshake_auth(*ctx, 1);
    if (kind & KIND_AGAIN)
        ok |= tlsmem_ctx_set_renegotiation(*ctx, 1);
    if (kind & KIND_SMALL)
        limits_of(*ctx, 32768, 4000);
    MUST(ok == TLSMEM_OK);
    tlsmem_free(tlsmem_new(*ctx, NULL, NULL)); /* which freezes it: that takes random numbers, too */
    return *ctx;
}

/** The secret that the other end sends with; both of its ends are told here. */
static void on_secret(const SSL *ssl, const char *line)
{
    meeting *m = SSL_get_app_data(ssl);
    const char *label = SSL_is_server(ssl) ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
    if (strncmp(line, label, strlen(label)) != 0)
        return;
    const char *hex = strrchr(line, ' ') + 1;
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        MUST(sscanf(hex + 2 * i, "%2x", &byte) == 1);
        m->secret[i] = (uint8_t)byte;
    }
}

static SSL_CTX *other_side(void)
{
    static SSL_CTX *ctx;
    if (ctx != NULL)
        return ctx;
    BIO *cert = BIO_new_mem_buf(identity_of(0)->cert, -1), *key = BIO_new_mem_buf(identity_of(0)->key, -1);
    X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    ctx = SSL_CTX_new(TLS_method());
    MUST(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, k) == 1);
    MUST(SSL_CTX_set_num_tickets(ctx, 0) == 1); /* so that its first record with the new keys is ours */
    SSL_CTX_set_post_handshake_auth(ctx, 1);
    SSL_CTX_set_keylog_callback(ctx, on_secret);
    BIO_free(cert), BIO_free(key), X509_free(x), EVP_PKEY_free(k);
    return ctx;
}

/** Counts the records of what the other sends: TLS 1.2 begins anew behind its change_cipher_spec. */
static void count(meeting *m, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 5 <= n; i += 5 + ((size_t)bytes[i + 3] << 8 | bytes[i + 4]))
        m->honest = bytes[i] == 20 ? 0 : m->honest + 1;
}

void give(meeting *m, const uint8_t *bytes, size_t n)
{
    for (int idle = 0; n > 0 && idle < 2;) {
        size_t most = m->cut > 0 && m->cut < n ? m->cut : n;
        ptrdiff_t taken = tlsmem_feed(m->c, bytes, most);
        MUST(taken <= (ptrdiff_t)most && taken != 0 && taken != TLSMEM_EINVAL);
        if (taken < 0 && taken != TLSMEM_AGAIN)
            return;
        idle = taken > 0 ? 0 : idle + 1;
        if (taken > 0)
            bytes += taken, n -= (size_t)taken;
        else if (m->kind & KIND_PULL) {
            uint8_t some[3000];
            ptrdiff_t read = tlsmem_read(m->c, some, sizeof some);
            m->got += read > 0 ? (uint64_t)read : 0;
        } else
            IGNORE(tlsmem_resume(m->c));
    }
}

void carry(meeting *m)
{
    const void *bytes;
    size_t n;
    for (int moved = 1, turns = 0; moved && turns < 50; turns++) {
        moved = 0;
        if (m->other != NULL && !m->is_forged) {
            uint8_t some[2000];
            IGNORE(SSL_is_init_finished(m->other) ? SSL_read(m->other, some, sizeof some) : SSL_do_handshake(m->other));
            char *sent;
            long length = BIO_get_mem_data(m->from_other, &sent);
            if (length > 0) {
                count(m, (uint8_t *)sent, (size_t)length);
                give(m, (uint8_t *)sent, (size_t)length);
                BIO_reset(m->from_other), moved = 1;
            }
        }
        while (tlsmem_outgoing_peek(m->c, &bytes, &n) == TLSMEM_OK) {
            MUST(n > 0);
            if (m->other != NULL && !m->is_forged)
                MUST(BIO_write(m->to_other, bytes, (int)n) == (int)n);
            MUST(tlsmem_outgoing_consume(m->c, n) == TLSMEM_OK);
            moved = 1;
        }
    }
}

void meet(meeting *m, unsigned kind)
{
    const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, kind & KIND_PULL ? NULL : on_data, on_drain,
                                         on_eof, on_close };
    tlsmem_ctx *ctx = tlsmem_side(kind);
    *m = (meeting){ .kind = kind };
    world_begin(4);
    m->c = tlsmem_new(ctx, &callbacks, m);
    m->other = SSL_new(other_side());
    m->to_other = BIO_new(BIO_s_mem()), m->from_other = BIO_new(BIO_s_mem());
    MUST(m->c != NULL && m->other != NULL && m->to_other != NULL && m->from_other != NULL);
    SSL_set_app_data(m->other, m);
    SSL_set_bio(m->other, m->to_other, m->from_other);
    if (kind & KIND_SERVER)
        SSL_set_connect_state(m->other);
    else {
        SSL_set_accept_state(m->other);
        MUST(tlsmem_set_server_name(m->c, "fuzz.example") == TLSMEM_OK);
    }
    carry(m);
    MUST(m->established == 1 && SSL_is_init_finished(m->other));
    if (kind & KIND_OLD) {
        MUST(m->honest == 1); /* its Finished */
        seal_from_ssl(&m->keys, m->other);
    } else {
        m->honest = 0;
        seal_from_secret(&m->keys, m->secret);
    }
}

void part(meeting *m)
{
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    carry(m);
    ask_everything(m->c);
    IGNORE(tlsmem_feed_eof(m->c));
    carry(m);
    for (int i = 0; i < 4 && tlsmem_deadline(m->c) >= 0 && m->closes == 0; i++)
        IGNORE(tlsmem_tick(m->c, tlsmem_deadline(m->c)));
    ask_everything(m->c);
    uint8_t some[5000];
    for (ptrdiff_t n; m->kind & KIND_PULL && (n = tlsmem_read(m->c, some, sizeof some)) > 0;)
        m->got += (uint64_t)n;
    MUST(tlsmem_report(m->c, &report) == TLSMEM_OK && report.bytes_received >= m->got);
    MUST(report.bytes_accepted == m->accepted);
    tlsmem_free(m->c);
    SSL_free(m->other);
    world_end();
}
