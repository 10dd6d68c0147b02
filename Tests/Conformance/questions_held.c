/*
 * What has gone wrong with questions once: a verdict that was not put, a connection that ended while it was asked about and
 * was freed in another thread, lists that are none, what another context asks for and a session did not have.
 */
#define _GNU_SOURCE
#include "questions.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>

/** The client's certificate with another signature than its authority's, DER. */
static size_t forged(unsigned char **der)
{
    FILE *file = fopen(certificate("client.pem"), "r");
    MUST(file != NULL);
    X509 *client_certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    *der = NULL;
    int n = i2d_X509(client_certificate, der);
    MUST(n > 0);
    (*der)[n - 1] ^= 1;
    X509_free(client_certificate);
    return (size_t)n;
}

static tlsmem_ctx *strict_server(int version, int asks)
{
    tlsmem_ctx *ctx = asking_server("server", version, 0);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(!asks || tlsmem_ctx_set_verify_cb(ctx, on_verdict, &said) == TLSMEM_OK);
    return ctx;
}

static void a_forged_signature_was_not_asked_about(int version, int accept)
{
    situation("version %x: a forged signature, accepted %d", (unsigned)version, accept);
    unsigned char *der;
    size_t n = forged(&der);
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_mem(from, der, n) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(from, certificate("client.key")) == TLSMEM_OK);
    said.accept = accept;
    ask_open(from, strict_server(version, 1), FACE_FD, FACE_REGISTRY, CUT_WHOLE);
    ask_run();
    CHECK(said.verdicts == 1 && said.result == 7 /* X509_V_ERR_CERT_SIGNATURE_FAILURE */, "asked %d times about %ld",
          said.verdicts, said.result);
    CHECK_ENDED(server, accept ? TLSMEM_OK : TLSMEM_EVERIFY);
    ask_close();
    OPENSSL_free(der);
}

static void *free_it(void *c)
{
    tlsmem_free(c);
    return NULL;
}

static void abort_it(tlsmem *c) { CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK); }

static void a_connection_that_ended_could_not_be_freed_elsewhere(int version, int by_server)
{
    situation("version %x: ended while %s was asked, freed in another thread", (unsigned)version, by_server ? "the server" : "the client");
    pthread_t thread;
    said.inside = abort_it;
    tlsmem_ctx *from = asking_client("ca.pem", version, !by_server), *to = asking_server("server", version, by_server);
    tlsmem *a = connection(from, NULL, NULL), *b = connection(to, NULL, NULL);
    IGNORE(tlsmem_handshake(a));
    while (carry(a, b) | carry(b, a)) {
    }
    CHECK(said.hellos + said.verdicts == 1, "asked %d times", said.hellos + said.verdicts);
    CHECK_STATUS(tlsmem_set_ctx(b, to), TLSMEM_ESTATE);
    tlsmem *subject = by_server ? b : a;
    CHECK_STATUS(failure_of(subject), TLSMEM_EABORTED);
    MUST(pthread_create(&thread, NULL, free_it, subject) == 0 && pthread_join(thread, NULL) == 0);
    tlsmem_free(by_server ? a : b);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    memset(&said, 0, sizeof said);
}

/** What is not what it says: `by` is added to the byte `at` behind the beginning of the mark; without one, of the suites. */
static const struct malformed {
    const char *what, *mark;
    int at, by, hellos;
} malformed[] = {
    { "a protocol that is longer than its list", "\2h2\10http/1.1", 0, 100, 0 },
    { "a protocol without a name", "\2h2\10http/1.1", 0, -2, 0 },
    { "a list of protocols that is longer than its extension", "\2h2\10http/1.1", -1, 1, 0 },
    { "suites of three bytes", NULL, 1, 1, 0 },
    { "a host name that is longer than its extension", "localhost", -1, 1, 1 },
};

static void what_is_malformed_was_shown(const struct malformed *m)
{
    situation("a ClientHello with %s", m->what);
    static unsigned char hello[16384];
    const void *bytes;
    size_t n;
    tlsmem_ctx *from = plain_client(TLSMEM_TLS1_3), *to = asking_server("server", TLSMEM_TLS1_3, 1);
    tlsmem *a = connection(from, NULL, NULL), *b = connection(to, NULL, NULL);
    IGNORE(tlsmem_handshake(a));
    CHECK_STATUS(tlsmem_outgoing_peek(a, &bytes, &n), TLSMEM_OK);
    MUST(n < sizeof hello);
    memcpy(hello, bytes, n);
    unsigned char *suites = hello + 44 + hello[43]; /* behind two headers, a version, the random and the session id */
    unsigned char *mark = m->mark == NULL ? suites : memmem(hello, n, m->mark, strlen(m->mark));
    MUST(mark != NULL);
    mark[m->at] = (unsigned char)(mark[m->at] + m->by);
    if (m->hellos > 0)
        mark[strlen(m->mark)] = 'x'; /* of the next extension: no part of the name */
    IGNORE(tlsmem_feed(b, hello, n));
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_error(b, &error), TLSMEM_OK);
    CHECK(error.status == TLSMEM_EPROTOCOL && error.alert_sent == 50, "%s, alert %d", tlsmem_status_name(error.status), error.alert_sent);
    CHECK(said.hellos == m->hellos, "asked %d times", said.hellos);
    CHECK(said.hellos == 0 || strcmp(said.name, "-") == 0, "asked about %s", said.name);
    tlsmem_free(a);
    tlsmem_free(b);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    memset(&said, 0, sizeof said);
}

static void a_renegotiation_had_to_offer_protocols(void)
{
    situation("a renegotiation where a protocol is required");
    tlsmem_ctx *from = plain_client(TLSMEM_TLS1_2), *to = asking_server("server", TLSMEM_TLS1_2, 1);
    MUST(tlsmem_ctx_set_renegotiation(from, 1) == TLSMEM_OK && tlsmem_ctx_set_renegotiation(to, 1) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_alpn(to, "h2") == TLSMEM_OK && tlsmem_ctx_set_alpn_policy(to, TLSMEM_ALPN_REQUIRED) == TLSMEM_OK);
    ask_open(from, to, FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    client.close_when_done = 0;
    MUST(wire_run(&pair_wire, both_established));
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(said.hellos == 2 && server.closes == 0 && client.closes == 0, "asked %d times", said.hellos);
    client.close_when_done = 1;
    ask_run();
    check_whole();
    ask_close();
}

static void a_renegotiation_changed_to_another_context(void)
{
    situation("a renegotiation that changes to another context");
    tlsmem_ctx *from = plain_client(TLSMEM_TLS1_2), *to = asking_server("server", TLSMEM_TLS1_2, 1);
    tlsmem_ctx *other = asking_server("rsa", TLSMEM_TLS1_2, 0);
    MUST(tlsmem_ctx_set_renegotiation(from, 1) == TLSMEM_OK && tlsmem_ctx_set_renegotiation(to, 1) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_renegotiation(other, 1) == TLSMEM_OK);
    ask_open(from, to, FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    client.close_when_done = 0;
    MUST(wire_run(&pair_wire, both_established));
    said.other = other;
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(said.hellos == 2 && server.closes == 0 && client.closes == 0, "asked %d times", said.hellos);
    CHECK_STATUS(said.set_ctx, TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_alpn(other, "h2"), TLSMEM_ESTATE); /* it is in use now */
    client.close_when_done = 1;
    ask_run();
    check_whole();
    ask_close();
    tlsmem_ctx_free(other);
}

/** Behind one front, a session of a context that asks for nothing gets nobody into one that asks for a certificate. */
static void a_session_went_round_the_certificate(int version)
{
    situation("version %x: a session of one context, offered to another", (unsigned)version);
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *front = asking_server(NULL, version, 1);
    tlsmem_ctx *open = asking_server("server", version, 0), *strict = strict_server(version, 0);
    tlsmem_session *session = NULL;
    for (int i = 0; i < 3; i++) {
        said.other = i < 2 ? open : strict;
        ask_open(tlsmem_ctx_ref(from), tlsmem_ctx_ref(front), FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
        if (session != NULL)
            CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        ask_run();
        CHECK(tlsmem_is_resumed(server.c) == (i == 1), "visit %d: resumed %d", i, tlsmem_is_resumed(server.c));
        CHECK_ENDED(server, i < 2 ? TLSMEM_OK : TLSMEM_ENOCERT);
        tlsmem_session_free(session);
        session = tlsmem_session_get(client.c);
        ask_close();
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(front);
    tlsmem_ctx_free(open);
    tlsmem_ctx_free(strict);
}

void questions_held(int version)
{
    a_forged_signature_was_not_asked_about(version, 0);
    a_forged_signature_was_not_asked_about(version, 1);
    a_connection_that_ended_could_not_be_freed_elsewhere(version, 0);
    a_connection_that_ended_could_not_be_freed_elsewhere(version, 1);
    a_session_went_round_the_certificate(version);
    for (size_t i = 0; version == TLSMEM_TLS1_3 && i < sizeof malformed / sizeof *malformed; i++)
        what_is_malformed_was_shown(&malformed[i]);
    if (version == TLSMEM_TLS1_2) {
        a_renegotiation_had_to_offer_protocols();
        a_renegotiation_changed_to_another_context();
    }
}
