/*
 * Clients that come again: what has become of them since, and how long ago they were looked at. Time can be put forward.
 */
#define _GNU_SOURCE
#include "trust.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <time.h>

static int version;
static time_t ahead;

/* The libraries call this one. */
time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += ahead;
    if (to != NULL)
        *to = now.tv_sec;
    return now.tv_sec;
}

static tlsmem_ctx *known(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *requiring(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

/** One visit; returns the session to come again with, and frees the one that was offered. */
static tlsmem_session *visit(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session *offered, int expected, int resumed)
{
    meet(from, to, NULL, offered);
    CHECK_STATUS(failure_of(server.c), expected);
    CHECK(tlsmem_is_resumed(server.c) == resumed, "resumed %d", tlsmem_is_resumed(server.c));
    tlsmem_session *session = tlsmem_session_get(client.c);
    part();
    tlsmem_session_free(offered);
    return session;
}

static void expire(tlsmem_ctx *ctx)
{
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(tlsmem_ctx_native(ctx)), time(NULL) + 60 * 86400);
}

/** Has the store hold a list of ca.pem's that names client.pem, as a directory's new file would. */
static void revoke(tlsmem_ctx *ctx)
{
    BIO *issuer_file = BIO_new_file(certificate("ca.pem"), "r"), *key_file = BIO_new_file(certificate("ca.key"), "r");
    BIO *client_file = BIO_new_file(certificate("client.pem"), "r");
    X509 *issuer = PEM_read_bio_X509(issuer_file, NULL, NULL, NULL), *leaf = PEM_read_bio_X509(client_file, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL);
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *yesterday = ASN1_TIME_set(NULL, time(NULL) - 86400), *tomorrow = ASN1_TIME_set(NULL, time(NULL) + 86400);
    MUST(issuer != NULL && leaf != NULL && key != NULL && list != NULL && entry != NULL && tomorrow != NULL);
    MUST(X509_CRL_set_version(list, 1) && X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)));
    MUST(X509_CRL_set1_lastUpdate(list, yesterday) && X509_CRL_set1_nextUpdate(list, tomorrow));
    MUST(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(leaf)));
    MUST(X509_REVOKED_set_revocationDate(entry, yesterday) && X509_CRL_add0_revoked(list, entry));
    MUST(X509_CRL_sign(list, key, EVP_sha256()) > 0);
    MUST(X509_STORE_add_crl(SSL_CTX_get_cert_store(tlsmem_ctx_native(ctx)), list));
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tlsmem_ctx_native(ctx)), X509_V_FLAG_CRL_CHECK);
    X509_CRL_free(list);
    ASN1_TIME_free(yesterday), ASN1_TIME_free(tomorrow);
    X509_free(issuer), X509_free(leaf);
    EVP_PKEY_free(key);
    BIO_free(issuer_file), BIO_free(key_file), BIO_free(client_file);
}

static void a_session_outlived_its_certificate(int by_ticket, void (*change)(tlsmem_ctx *ctx), int expected)
{
    situation("a client comes again by %s, TLS 1.%d: %s", by_ticket ? "ticket" : "id", version - 0x0301,
              tlsmem_status_name(expected));
    tlsmem_ctx *from = known(), *to = requiring();
    if (!by_ticket)
        SSL_CTX_set_options(tlsmem_ctx_native(to), SSL_OP_NO_TICKET);
    tlsmem_session *session = visit(from, to, NULL, TLSMEM_OK, 0);
    CHECK((session != NULL) == (by_ticket || version == TLSMEM_TLS1_3), "a session: %d", session != NULL);
    if (by_ticket)
        session = visit(from, to, session, TLSMEM_OK, 1);
    change(to);
    tlsmem_session_free(visit(from, to, session, expected, 0));
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** Each ticket of TLS 1.3 that is given for another begins its time anew, and the first handshake was long ago. */
static void tickets_were_renewed_for_ever(void)
{
    if (strncmp(tlsmem_openssl_version(), "OpenSSL 3.0", 11) != 0)
        return; /* later ones ask another clock than `time`, which is not put forward */
    situation("a client that comes again and again, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *from = known(), *to = requiring();
    tlsmem_session *session = visit(from, to, NULL, TLSMEM_OK, 0);
    for (int hours = 1; hours <= 3; hours++) {
        ahead = hours * 3500;
        session = visit(from, to, session, TLSMEM_OK, hours < 3);
    }
    ahead = 0;
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** RFC 6066, 3: a server must not resume a session of TLS 1.2 for another name. */
static void a_session_was_resumed_for_another_name(int with_callback)
{
    static const char *const names[] = { "localhost", "evil.example", NULL };
    for (int i = 0; i < 3; i++) {
        situation("a session of TLS 1.%d comes with the name %s", version - 0x0301, names[i] == NULL ? "-" : names[i]);
        tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = tlsmem_ctx_new(TLSMEM_SERVER);
        MUST(tlsmem_ctx_add_keypair(to, "localhost", certificate("server.pem"), certificate("server.key")) == TLSMEM_OK);
        MUST(tlsmem_ctx_add_keypair(to, NULL, certificate("server.pem"), certificate("server.key")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_sni_strict(to, with_callback) == TLSMEM_OK);
        tlsmem_session *session = visit(from, to, NULL, TLSMEM_OK, 0);
        end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
        end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
        wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        MUST(SSL_set_tlsext_host_name(tlsmem_native(client.c), names[i]) == 1);
        client.to_send = client.to_receive = server.to_send = server.to_receive = 100;
        client.close_when_done = server.close_on_eof = 1;
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        int refuses = with_callback && i == 1, may_resume = i == 0 || version == TLSMEM_TLS1_3;
        CHECK_STATUS(failure_of(server.c), refuses ? TLSMEM_ENOIDENTITY : TLSMEM_OK);
        CHECK(refuses || tlsmem_is_resumed(server.c) == may_resume, "resumed %d", tlsmem_is_resumed(server.c));
        part();
        tlsmem_session_free(session);
        tlsmem_ctx_free(from);
        tlsmem_ctx_free(to);
    }
}

/** With a pin there has to be a key, however little verification asks for. */
static void a_pin_was_met_by_no_certificate(void)
{
    static const tlsmem_verify all[] = { TLSMEM_VERIFY_NONE, TLSMEM_VERIFY_OPTIONAL, TLSMEM_VERIFY_REQUIRED };
    for (int i = 0; i < 3; i++) {
        situation("a pin, and a client without a certificate, TLS 1.%d, verification %d", version - 0x0301, i);
        tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = requiring();
        MUST(tlsmem_ctx_set_verify(to, all[i]) == TLSMEM_OK);
        pin(to, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
        tlsmem_session_free(visit(from, to, NULL, TLSMEM_ENOCERT, 0));
        tlsmem_ctx_free(from);
        tlsmem_ctx_free(to);
    }
}

void who_comes_again(int of_version)
{
    version = of_version;
    for (int by_ticket = 0; by_ticket < 2; by_ticket++) {
        a_session_outlived_its_certificate(by_ticket, expire, TLSMEM_EEXPIRED);
        a_session_outlived_its_certificate(by_ticket, revoke, TLSMEM_EVERIFY);
    }
    if (version == TLSMEM_TLS1_3)
        tickets_were_renewed_for_ever();
    a_session_was_resumed_for_another_name(0);
    a_session_was_resumed_for_another_name(1);
    a_pin_was_met_by_no_certificate();
}
