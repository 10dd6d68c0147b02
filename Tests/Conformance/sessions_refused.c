/*
 * Sessions that are not taken: in the wrong state, of another name, version or cipher, over, or with a certificate that a
 * full handshake would not take. OpenSSL would take the last of these without a word.
 */
#include "sessions.h"

#include <openssl/ssl.h>

#include "false_clock.h"

static int version;
static tlsmem_ctx *from, *to;
static tlsmem_session *session; /* of "localhost" */

/** What a new connection of a context says to a session; it is a connection as any other then. */
static void refused(tlsmem_ctx *ctx, const char *name, const tlsmem_session *offered, int expected)
{
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    if (name != NULL)
        MUST(tlsmem_set_server_name(c, name) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(c, offered), expected);
    CHECK_STATUS(failure_of(c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(c, "localhost"), expected == TLSMEM_OK ? TLSMEM_ESTATE : TLSMEM_OK);
    /* What was refused changes nothing. */
    CHECK_STATUS(tlsmem_session_set(c, expected == TLSMEM_OK ? offered : session), TLSMEM_OK);
    tlsmem_free(c);
}

static void wrong_time(void)
{
    situation("a session in the wrong state, TLS 1.%d", version - 0x0301);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(NULL, session), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_set(client.c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_set(server.c, session), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(client.c, "localhost"), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_ESTATE);
    visit_run();
    CHECK_STATUS(tlsmem_is_resumed(client.c), 1);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_ESTATE);
    visit_end();
    tlsmem *c = connection(from, NULL, NULL);
    CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_ESTATE);
    CHECK(tlsmem_session_get(c) == NULL, "it never had one");
    tlsmem_free(c);
}

static void names(void)
{
    tlsmem_ctx *careless = insecure_client(version);
    situation("another name, TLS 1.%d", version - 0x0301);
    refused(from, NULL, session, TLSMEM_ENAME);
    refused(from, "127.0.0.1", session, TLSMEM_EHOST); /* which the certificate is for, too */
    refused(from, "other.example", session, TLSMEM_EHOST);
    refused(from, "localhos", session, TLSMEM_EHOST);
    refused(from, "LocalHost.", session, TLSMEM_OK);
    refused(careless, NULL, session, TLSMEM_EHOST);
    refused(careless, "other.example", session, TLSMEM_EHOST);

    situation("no name, and an address, TLS 1.%d", version - 0x0301);
    tlsmem_session *nameless;
    for (int i = 0; i < 2; i++) {
        visit_open(careless, to, FACE_BUFFERS, FACE_BUFFERS);
        tlsmem_free(client.c);
        client.c = tlsmem_new(careless, &end_callbacks, &client);
        if (i == 1)
            MUST(tlsmem_set_server_name(client.c, "::1") == TLSMEM_OK);
        visit_run();
        nameless = tlsmem_session_get(client.c);
        visit_end();
        refused(careless, "localhost", nameless, TLSMEM_EHOST);
        refused(careless, i == 0 ? NULL : "0:0::0:1", nameless, TLSMEM_OK);
        refused(from, "::1", nameless, i == 0 ? TLSMEM_EHOST : TLSMEM_OK);
        tlsmem_session_free(nameless);
    }
    tlsmem_ctx_free(careless);
}

/** tlsmem_loop_connect names a server that has no name by its host, but not once there is a session. */
static void name_stays(void)
{
    tlsmem_ctx *careless = insecure_client(version);
    tlsmem_loop *loop = new_loop();
    tlsmem_connect_options there = TLSMEM_CONNECT_OPTIONS_INIT;
    there.host = "127.0.0.1", there.port = 1;
    situation("a name by tlsmem_loop_connect, TLS 1.%d", version - 0x0301);
    visit_open(careless, to, FACE_BUFFERS, FACE_BUFFERS);
    tlsmem_free(client.c);
    client.c = tlsmem_new(careless, &end_callbacks, &client);
    visit_run();
    tlsmem_session *nameless = tlsmem_session_get(client.c);
    visit_end();
    tlsmem *c = tlsmem_new(careless, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, nameless), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &there), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(c, nameless), TLSMEM_OK); /* it still has none */
    tlsmem_free(c);

    c = tlsmem_new(from, NULL, NULL);
    there.host = "localhost";
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &there), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_OK); /* which is in time: nothing has begun */
    CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_OK);
    there.host = "127.0.0.1";
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &there), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_OK); /* it still has that */
    tlsmem_free(c);
    tlsmem_session_free(nameless);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(careless);
}

static void settings(void)
{
    int other = version == TLSMEM_TLS1_2 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2;
    situation("a context that the session does not fit, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, other);
    tlsmem *c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_EVERSION);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_ciphers(ctx, "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305") == TLSMEM_OK);
    c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_ECIPHER);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_ENOTRUST);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
}

/** Somebody in the middle, whom a careless connection has talked to. A connection that verifies does not fall for it. */
static void certificate_anew(const char *name, int expected)
{
    tlsmem_ctx *careless = insecure_client(version), *other = server_with(name, version);
    situation("a session of a server whose certificate is %s, TLS 1.%d", name, version - 0x0301);
    tlsmem_session *of_other = visit(careless, other, NULL, 0);
    MUST(of_other != NULL);
    refused(from, "localhost", of_other, expected);
    visit_open(from, other, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(client.c, of_other), expected);
    wire_run(&pair_wire, expected == TLSMEM_OK ? both_established : both_ended);
    CHECK_STATUS(failure_of(client.c), expected);
    CHECK_STATUS(tlsmem_is_resumed(client.c), expected == TLSMEM_OK);
    CHECK(SSL_get_verify_result(tlsmem_native(client.c)) == X509_V_OK || expected != TLSMEM_OK, "OpenSSL has not heard of it");
    visit_end();
    tlsmem_session_free(visit(careless, other, of_other, 1));
    tlsmem_session_free(of_other);

    situation("the same, but OpenSSL is asked");
    visit_open(careless, other, FACE_BUFFERS, FACE_BUFFERS);
    visit_run();
    SSL_SESSION *theirs = SSL_get1_session(tlsmem_native(client.c));
    visit_end();
    visit_open(from, other, FACE_BUFFERS, FACE_BUFFERS);
    MUST(SSL_set_session(tlsmem_native(client.c), theirs) == 1);
    visit_run();
    CHECK(tlsmem_is_resumed(client.c) && client.received == 1000, "it has learned to verify: then the library need not");
    visit_end();
    SSL_SESSION_free(theirs);
    tlsmem_ctx_free(careless);
    tlsmem_ctx_free(other);
}

/** One that another context has verified, by authorities that this one does not trust; and one without a certificate. */
static void other_trust(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    situation("authorities that do not know the server, TLS 1.%d", version - 0x0301);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("other-ca.pem")) == TLSMEM_OK);
    tlsmem *c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_EVERIFY);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    if (version != TLSMEM_TLS1_2)
        return;
    situation("a server without a certificate");
    tlsmem_ctx *careless = insecure_client(version), *nobody = context(TLSMEM_SERVER, version);
    ctx = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *const all[] = { ctx, careless, nobody };
    for (int i = 0; i < 3; i++) { /* tlsmem_ctx_set_ciphers has none that proves nothing */
        CHECK_STATUS(tlsmem_ctx_set_ciphers(all[i], "AECDH-AES128-SHA:@SECLEVEL=0"), TLSMEM_ECONFIG);
        MUST(SSL_CTX_set_cipher_list(tlsmem_ctx_native(all[i]), "AECDH-AES128-SHA:@SECLEVEL=0") == 1);
    }
    visit_open(careless, nobody, FACE_BUFFERS, FACE_BUFFERS);
    visit_run();
    tlsmem_session *anonymous = tlsmem_session_get(client.c);
    MUST(anonymous != NULL);
    visit_end();
    c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, anonymous), TLSMEM_ENOCERT);
    tlsmem_free(c);
    tlsmem_session_free(anonymous);
    tlsmem_ctx_free(careless);
    tlsmem_ctx_free(nobody);
    tlsmem_ctx_free(ctx);
}

static void over(void)
{
    situation("a session that has expired, TLS 1.%d", version - 0x0301);
    tlsmem_session *fresh = visit(from, to, NULL, 0);
    int64_t left = tlsmem_session_expires(fresh) - time(NULL);
    CHECK(left > 7100 && left <= 7200, "%lld seconds", (long long)left);
    false_clock_jump(left - 5);
    refused(from, "localhost", fresh, TLSMEM_OK);
    tlsmem_session *replaced = session;
    session = visit(from, to, NULL, 0);
    false_clock_jump(10);
    refused(from, "localhost", fresh, TLSMEM_ESESSION);
    tlsmem_session_free(session);
    session = replaced;
    false_clock_jump(-left - 5);
    tlsmem_session_free(fresh);

    situation("a session of a connection that broke, TLS 1.%d", version - 0x0301);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    server.to_send = 1000;
    MUST(wire_run(&pair_wire, both_established));
    wire_settle(&pair_wire);
    fresh = tlsmem_session_get(client.c);
    MUST(fresh != NULL);
    CHECK(tlsmem_feed(client.c, "\x17\x03\x03\x00\x20 this is no record of this server.....", 37) > 0, "not fed");
    CHECK_STATUS(failure_of(client.c), TLSMEM_EPROTOCOL);
    CHECK(tlsmem_session_get(client.c) == NULL, "there is one after a fatal alert (RFC 5246, 7.2.2)");
    visit_end();
    tlsmem_session_free(visit(from, to, fresh, 1)); /* what was taken before is the program's */
    tlsmem_session_free(fresh);

    situation("a session that was offered in a connection that broke, TLS 1.%d", version - 0x0301);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_AGAIN);
    CHECK(tlsmem_feed(client.c, "\x16\x03\x03\x00\x04\x63\x00\x00\x00", 9) > 0, "not fed");
    CHECK_STATUS(failure_of(client.c), TLSMEM_EPROTOCOL);
    visit_end();
    tlsmem_session_free(visit(from, to, session, 1));
}

void sessions_refused(int of_version)
{
    version = of_version;
    from = context(TLSMEM_CLIENT, version), to = context(TLSMEM_SERVER, version);
    situation("a session to be refused");
    MUST((session = visit(from, to, NULL, 0)) != NULL);
    wrong_time();
    names();
    name_stays();
    settings();
    certificate_anew("selfsigned", TLSMEM_EVERIFY);
    certificate_anew("chained", TLSMEM_EVERIFY); /* and what it is chained to is not there */
    certificate_anew("purpose", TLSMEM_EVERIFY);
    certificate_anew("wronghost", TLSMEM_EHOST);
    certificate_anew("expired", TLSMEM_EEXPIRED);
    certificate_anew("future", TLSMEM_EEXPIRED);
    certificate_anew("full", TLSMEM_OK);
    other_trust();
    over();
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
