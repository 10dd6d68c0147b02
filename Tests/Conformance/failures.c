/*
 * Each way to fail has its own status and sentence on our side and the right alert on the peer's, and the server's
 * context goes on serving. Both ends are ours, in memory.
 */
#include "pair.h"

#include <sys/socket.h>

enum { ANY = -100 }; /* not looked at */

/** What one side must say: status, fatal alert sent, fatal alert received (RFC 8446, 6.2). */
typedef struct verdict { int status, alert_sent, alert_received; } verdict;

static tlsmem_ctx *client_ctx, *server_ctx;
static char sentences[29][256]; /* one for each status, as first seen */

static void fresh(int version)
{
    client_ctx = context(TLSMEM_CLIENT, version);
    server_ctx = context(TLSMEM_SERVER, version);
}

static void set_identity(tlsmem_ctx *ctx, const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
}

static tlsmem_ctx *other_identity(tlsmem_role role, const char *name)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(ctx != NULL);
    set_identity(ctx, name);
    if (role == TLSMEM_CLIENT)
        MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    return ctx;
}

/** A sentence of its own for each status. */
static void check_sentence(const char *side, const tlsmem_error_info *error)
{
    const char *end_of_text = memchr(error->sentence, 0, sizeof error->sentence);
    int at = -error->status;
    CHECK(end_of_text != NULL && end_of_text != error->sentence, "%s: no sentence", side);
    if (end_of_text == NULL || at <= 0 || at >= 29)
        return;
    for (int other = 1; other < 29; other++)
        CHECK(other == at || strcmp(sentences[other], error->sentence) != 0, "%s: %s and %s share \"%s\"", side,
              tlsmem_status_name(-at), tlsmem_status_name(-other), error->sentence);
    memcpy(sentences[at], error->sentence, sizeof sentences[at]);
}

static void check_verdict(const char *side, const end *e, verdict expected)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_error(e->c, &error), TLSMEM_OK);
    if (expected.status != ANY)
        CHECK(error.status == expected.status, "%s: %s, expected %s (\"%s\")", side, tlsmem_status_name(error.status),
              tlsmem_status_name(expected.status), error.sentence);
    CHECK(e->closes == 1 && e->report.status == error.status, "%s: on_close %d times, with %s", side, e->closes,
          tlsmem_status_name(e->report.status));
    if (expected.alert_sent != ANY)
        CHECK(error.alert_sent == expected.alert_sent, "%s: alert %d sent, expected %d", side, error.alert_sent,
              expected.alert_sent);
    if (expected.alert_received != ANY)
        CHECK(error.alert_received == expected.alert_received, "%s: alert %d received, expected %d", side,
              error.alert_received, expected.alert_received);
    if (error.status != TLSMEM_OK)
        check_sentence(side, &error);
}

/** The server's context has suffered nothing: a client that suits it is served. */
static void still_serves(int has_identity)
{
    tlsmem_ctx *good = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_insecure_no_verify(good) == TLSMEM_OK);
    if (has_identity)
        set_identity(good, "client");
    end_open(&client, good, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    client.to_send = server.to_send = 1000;
    wire_settle(&pair_wire);
    CHECK(client.received == 1000 && server.received == 1000, "the next connection fails: client %s, server %s",
          tlsmem_status_name(failure_of(client.c)), tlsmem_status_name(failure_of(server.c)));
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(good);
}

/** Runs both contexts against each other; both must end, as expected. Frees the contexts. */
static void fails(const char *what, const char *name, verdict of_client, verdict of_server)
{
    situation("%s", what);
    end_open(&client, client_ctx, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
    if (name != NULL)
        MUST(tlsmem_set_server_name(client.c, name) == TLSMEM_OK);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_settle(&pair_wire);
    check_verdict("client", &client, of_client);
    check_verdict("server", &server, of_server);
    end_finish(&client);
    end_finish(&server);
    if (of_server.status != TLSMEM_ENOIDENTITY)
        still_serves(of_server.status == TLSMEM_ENOCERT);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

static void certificates(int version)
{
    tlsmem_ctx *ctx;
    fresh(version);
    tlsmem_ctx_free(client_ctx);
    client_ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_set_ca_file(client_ctx, certificate("other-ca.pem")) == TLSMEM_OK);
    fails("wrong CA", NULL, (verdict){ TLSMEM_EVERIFY, 48, -1 }, (verdict){ TLSMEM_EREJECTED, -1, 48 });
    fresh(version);
    fails("wrong host", "example.org", (verdict){ TLSMEM_EHOST, 42, -1 }, (verdict){ TLSMEM_EREJECTED, -1, 42 });
    fresh(version);
    fails("wrong address", "127.0.0.2", (verdict){ TLSMEM_EHOST, 42, -1 }, (verdict){ TLSMEM_EREJECTED, -1, 42 });
    fresh(version);
    tlsmem_ctx_free(server_ctx);
    server_ctx = other_identity(TLSMEM_SERVER, "wronghost");
    fails("certificate of another host", NULL, (verdict){ TLSMEM_EHOST, 42, -1 },
          (verdict){ TLSMEM_EREJECTED, -1, 42 });
    fresh(version);
    tlsmem_ctx_free(server_ctx);
    server_ctx = other_identity(TLSMEM_SERVER, "expired");
    fails("expired", NULL, (verdict){ TLSMEM_EEXPIRED, 45, -1 }, (verdict){ TLSMEM_EREJECTED, -1, 45 });

    fresh(version);
    ctx = server_ctx;
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    fails("no client certificate", NULL,
          /* In TLS 1.2 there is no alert of its own for this. */
          version == TLSMEM_TLS1_3 ? (verdict){ TLSMEM_EREJECTED, -1, 116 } : (verdict){ ANY, -1, 40 },
          (verdict){ TLSMEM_ENOCERT, version == TLSMEM_TLS1_3 ? 116 : 40, -1 });
    fresh(version);
    MUST(tlsmem_ctx_set_ca_file(server_ctx, certificate("other-ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(server_ctx, TLSMEM_VERIFY_OPTIONAL) == TLSMEM_OK);
    set_identity(client_ctx, "client");
    fails("client certificate of another CA", NULL, (verdict){ TLSMEM_EREJECTED, -1, 48 },
          (verdict){ TLSMEM_EVERIFY, 48, -1 });
}

static void nothing_in_common(void)
{
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_2);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    fails("old client, new server", NULL, (verdict){ TLSMEM_EVERSION, -1, 70 }, (verdict){ TLSMEM_EVERSION, 70, -1 });
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_2);
    fails("new client, old server", NULL, (verdict){ TLSMEM_EVERSION, -1, 70 }, (verdict){ TLSMEM_EVERSION, 70, -1 });
    fresh(TLSMEM_TLS1_2);
    MUST(tlsmem_ctx_set_ciphers(client_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ciphers(server_ctx, "ECDHE-ECDSA-AES256-GCM-SHA384") == TLSMEM_OK);
    fails("no common cipher, TLS 1.2", NULL, (verdict){ TLSMEM_ECIPHER, -1, 40 }, (verdict){ TLSMEM_ECIPHER, 40, -1 });
    fresh(TLSMEM_TLS1_3);
    MUST(tlsmem_ctx_set_ciphers(client_ctx, "TLS_AES_128_GCM_SHA256") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ciphers(server_ctx, "TLS_AES_256_GCM_SHA384") == TLSMEM_OK);
    fails("no common cipher, TLS 1.3", NULL, (verdict){ TLSMEM_ECIPHER, -1, 40 }, (verdict){ TLSMEM_ECIPHER, 40, -1 });
    fresh(TLSMEM_TLS1_3);
    MUST(tlsmem_ctx_set_groups(client_ctx, "P-256") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_groups(server_ctx, "X25519") == TLSMEM_OK);
    fails("no common group", NULL, (verdict){ TLSMEM_ECIPHER, -1, 40 }, (verdict){ TLSMEM_ECIPHER, 40, -1 });
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        fresh(version);
        MUST(tlsmem_ctx_set_signature_algorithms(client_ctx, "rsa_pss_rsae_sha256:rsa_pkcs1_sha256") == TLSMEM_OK);
        fails("no common signature algorithm", NULL, (verdict){ TLSMEM_ECIPHER, -1, 40 }, (verdict){ TLSMEM_ECIPHER, 40, -1 });
        fresh(version);
        MUST(tlsmem_ctx_set_alpn(client_ctx, "h2,http/1.1") == TLSMEM_OK);
        MUST(tlsmem_ctx_set_alpn(server_ctx, "imap") == TLSMEM_OK);
        fails("no common ALPN", NULL, (verdict){ TLSMEM_EALPN, -1, 120 }, (verdict){ TLSMEM_EALPN, 120, -1 });
    }
}

/** Refused before a byte is sent: the other side has not seen anything and ends with the end of file. */
static void not_ready(void)
{
    fresh(0);
    tlsmem_ctx_free(client_ctx);
    client_ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    fails("no CA", "localhost", (verdict){ TLSMEM_ENOTRUST, -1, -1 }, (verdict){ TLSMEM_EHANDSHAKEEOF, -1, -1 });
    fresh(0);
    tlsmem_ctx_free(server_ctx);
    server_ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    fails("no identity", NULL, (verdict){ ANY, -1, ANY }, (verdict){ TLSMEM_ENOIDENTITY, ANY, -1 });

    fresh(0);
    situation("no server name");
    end_adopt(&client, NULL, 0);
    client.c = tlsmem_new(client_ctx, &end_callbacks, &client);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_ENAME);
    check_verdict("client", &client, (verdict){ TLSMEM_ENAME, -1, -1 });
    end_finish(&client);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

static void not_tls(void)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "220 mail.example ESMTP\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4"
    };
    for (size_t i = 0; i < 2 * sizeof texts / sizeof *texts; i++) {
        const char *text = texts[i / 2];
        size_t n = strlen(text) > 0 ? strlen(text) : 12;
        end *e = i % 2 == 0 ? &server : &client;
        fresh(0);
        situation("%s gets plain text %zu", i % 2 == 0 ? "server" : "client", i / 2);
        end_open(e, i % 2 == 0 ? server_ctx : client_ctx, FACE_BUFFERS, NULL, 0, 0);
        IGNORE(tlsmem_handshake(e->c));
        CHECK(end_give(e, text, n) == n, "not taken");
        static unsigned char bytes[4096];
        while (end_take(e, bytes, sizeof bytes) > 0)
            ;
        end_give_eof(e); /* the peer may be waited for until the alert has had its time */
        check_verdict("it", e, (verdict){ TLSMEM_ENOTTLS, ANY, -1 });
        end_finish(e);
        tlsmem_ctx_free(client_ctx);
        tlsmem_ctx_free(server_ctx);
    }
}

/** The alert is to arrive, so what still comes is dropped, and the socket not closed; but not for as long as somebody sends. */
static void sends_on(void)
{
    static const char zeros[65536];
    uint64_t sent = 0;
    fresh(TLSMEM_TLS1_3);
    situation("a peer that was refused, and sends on");
    end_open(&server, server_ctx, FACE_FD, NULL, 0, 0);
    MUST(send(server.outer, "\x16\x03\x03\x00\x04zzzz", 9, MSG_NOSIGNAL) == 9);
    for (int turn = 0; turn < 1000 && !end_ended(&server); turn++) {
        ssize_t n = send(server.outer, zeros, sizeof zeros, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (uint64_t)n : 0;
        end_drive(&server);
    }
    check_verdict("server", &server, (verdict){ TLSMEM_EPROTOCOL, ANY, -1 });
    CHECK(sent > 1048576 && sent < 3 * 1048576, "after %llu bytes", (unsigned long long)sent);
    end_finish(&server);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

int main(void)
{
    begin("failures");
    certificates(TLSMEM_TLS1_2);
    certificates(TLSMEM_TLS1_3);
    nothing_in_common();
    not_ready();
    not_tls();
    sends_on();
    return finish();
}
