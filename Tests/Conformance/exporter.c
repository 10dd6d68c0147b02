/*
 * What ties something else to a connection: keying material and channel bindings, which are the same at both ends and nowhere
 * else, in full handshakes, resumed ones and after a renegotiation; and where there are none. What other TLS libraries make of
 * the same is compared in Tests/Peers (settings.py: AGREE).
 */
#include "pair.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static const char label[] = "EXPERIMENTAL tlsmem";

static tlsmem_ctx *of(tlsmem_role role, int version)
{
    tlsmem_ctx *ctx = context(role, version);
    MUST(tlsmem_ctx_set_renegotiation(ctx, 1) == TLSMEM_OK);
    return ctx;
}

/** Establishes a connection; both contexts are the caller's. */
static void meet(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session)
{
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    if (session != NULL)
        MUST(tlsmem_session_set(client.c, session) == TLSMEM_OK);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_establish(&pair_wire);
}

static void part(void)
{
    client.to_send = client.to_receive = server.to_send = server.to_receive = 10;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

static void leave(void)
{
    end_finish(&client);
    end_finish(&server);
}

static void leave_both(tlsmem_ctx *from, tlsmem_ctx *to)
{
    leave();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

enum { BYTES = 32 };

/** Checks that both ends have the same, and returns it. */
static const unsigned char *exported(const char *name, const void *about, size_t n)
{
    static unsigned char made[4][2][BYTES];
    static int turn;
    unsigned char (*both)[BYTES] = made[turn++ % 4];
    memset(both, 0, 2 * BYTES);
    CHECK_STATUS(tlsmem_export_keying_material(client.c, name, about, n, both[0], BYTES), TLSMEM_OK);
    CHECK_STATUS(tlsmem_export_keying_material(server.c, name, about, n, both[1], BYTES), TLSMEM_OK);
    CHECK(memcmp(both[0], both[1], BYTES) == 0, "the two ends have different keys");
    return both[0];
}

/** The same for a binding, which has to be so long. */
static const unsigned char *bound(tlsmem_binding type, ptrdiff_t length)
{
    static unsigned char made[2][65];
    memset(made, 7, sizeof made);
    CHECK_STATUS(tlsmem_channel_binding(client.c, type, NULL, 0), length);
    CHECK_STATUS(tlsmem_channel_binding(client.c, type, made[0], (size_t)length - 1), length);
    CHECK(made[0][0] == 7, "written although there is no room");
    CHECK_STATUS(tlsmem_channel_binding(client.c, type, made[0], sizeof made[0]), length);
    CHECK_STATUS(tlsmem_channel_binding(server.c, type, made[1], sizeof made[1]), length);
    CHECK(memcmp(made[0], made[1], (size_t)length) == 0, "the two ends have different bindings");
    CHECK(made[0][length] == 7, "written behind the end");
    return made[0];
}

static void nothing_bound(tlsmem_binding type, const end *e, int status)
{
    unsigned char bytes[64];
    CHECK_STATUS(tlsmem_channel_binding(e->c, type, bytes, sizeof bytes), status);
}

static void refused(const char *name, const void *about, size_t about_n, size_t n, int status)
{
    static unsigned char bytes[8192];
    memset(bytes, 7, sizeof bytes);
    CHECK_STATUS(tlsmem_export_keying_material(client.c, name, about, about_n, bytes, n), status);
    CHECK(bytes[0] == 7, "written all the same");
}

static void what_is_exported(int version)
{
    situation("TLS 1.%d: keying material", version - 0x0301);
    char most[512] = { 0 }, name[251] = { 0 };
    unsigned char long_one[8160];
    tlsmem_ctx *from = of(TLSMEM_CLIENT, version), *to = of(TLSMEM_SERVER, version);
    meet(from, to, NULL);
    const unsigned char *none = exported(label, NULL, 0), *empty = exported(label, "", 0);
    CHECK((memcmp(none, empty, BYTES) == 0) == (version == TLSMEM_TLS1_3), "none and an empty context are the same, or not");
    CHECK(memcmp(none, exported("EXPERIMENTAL other", NULL, 0), BYTES) != 0, "the label does not matter");
    CHECK(memcmp(empty, exported(label, "x", 1), BYTES) != 0, "the context does not matter");
    memset(name, 'x', 250);
    refused(name, NULL, 0, 16, TLSMEM_EINVAL);
    name[249] = '\0';
    exported(name, most, sizeof most);
    refused(label, most, sizeof most + 1, 16, TLSMEM_EINVAL);
    refused("", NULL, 0, 16, TLSMEM_EINVAL);
    refused(label, NULL, 0, 0, TLSMEM_EINVAL);
    refused(label, NULL, 0, 8161, TLSMEM_EINVAL);
    refused(label, NULL, 1, 16, TLSMEM_EINVAL);
    refused(label, "x", (size_t)-1, 16, TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_export_keying_material(client.c, label, NULL, 0, long_one, sizeof long_one), TLSMEM_OK);
    if (version == TLSMEM_TLS1_2)
        refused("key expansion", NULL, 0, 16, TLSMEM_EINVAL);
    part();
    CHECK(memcmp(empty, exported(label, "", 0), BYTES) == 0, "it is another after the end");
    leave();
    unsigned char first[BYTES];
    memcpy(first, none, sizeof first);
    meet(from, to, NULL);
    CHECK(memcmp(first, exported(label, NULL, 0), BYTES) != 0, "another connection has the same");
    part();
    leave_both(from, to);
}

/** Before the handshake, and while a renegotiation is under way; behind it there are new ones. */
static void not_yet(int version)
{
    situation("TLS 1.%d: before the handshake is done", version - 0x0301);
    tlsmem_ctx *from = of(TLSMEM_CLIENT, version), *to = of(TLSMEM_SERVER, version);
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    for (int turns = 0; !tlsmem_is_established(client.c) && turns < 100; turns++) {
        refused(label, NULL, 0, 16, TLSMEM_AGAIN);
        for (int type = TLSMEM_BINDING_EXPORTER; type <= TLSMEM_BINDING_UNIQUE; type++)
            nothing_bound((tlsmem_binding)type, &client, TLSMEM_AGAIN);
        wire_turn(&pair_wire);
    }
    wire_establish(&pair_wire);
    if (version == TLSMEM_TLS1_2) {
        unsigned char first[BYTES], unique[12];
        memcpy(first, exported(label, NULL, 0), sizeof first);
        memcpy(unique, bound(TLSMEM_BINDING_UNIQUE, 12), sizeof unique);
        CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
        refused(label, NULL, 0, 16, TLSMEM_AGAIN);
        nothing_bound(TLSMEM_BINDING_UNIQUE, &client, TLSMEM_AGAIN);
        wire_settle(&pair_wire);
        CHECK(memcmp(first, exported(label, NULL, 0), BYTES) != 0, "a renegotiation does not change it");
        CHECK(memcmp(unique, bound(TLSMEM_BINDING_UNIQUE, 12), 12) != 0, "a renegotiation does not change tls-unique");
    }
    part();
    leave_both(from, to);
}

static void bindings(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    tlsmem_session *session = NULL;
    unsigned char first[BYTES];
    for (int resumes = 0; resumes < 2; resumes++) {
        situation("TLS 1.%d, %s: channel bindings", version - 0x0301, resumes ? "resumed" : "full");
        meet(from, to, session);
        CHECK_STATUS(tlsmem_is_resumed(client.c), resumes);
        const unsigned char *by_label = exported("EXPORTER-Channel-Binding", "", 0);
        CHECK(memcmp(by_label, bound(TLSMEM_BINDING_EXPORTER, BYTES), BYTES) == 0, "tls-exporter is something else");
        CHECK(!resumes || memcmp(first, by_label, BYTES) != 0, "a resumed connection has the same");
        memcpy(first, by_label, BYTES);
        tlsmem_peer_details peer = TLSMEM_PEER_DETAILS_INIT;
        unsigned char hash[64];
        CHECK_STATUS(tlsmem_peer_info(client.c, &peer), TLSMEM_OK);
        CHECK_STATUS(tlsmem_channel_binding(client.c, TLSMEM_BINDING_SERVER_END_POINT, hash, sizeof hash), 32);
        CHECK(memcmp(hash, peer.sha256, 32) == 0, "the end point is another certificate");
        if (resumes)
            nothing_bound(TLSMEM_BINDING_SERVER_END_POINT, &server, TLSMEM_ESTATE);
        else
            bound(TLSMEM_BINDING_SERVER_END_POINT, 32);
        if (version == TLSMEM_TLS1_2) {
            bound(TLSMEM_BINDING_UNIQUE, 12);
        } else {
            nothing_bound(TLSMEM_BINDING_UNIQUE, &client, TLSMEM_ESTATE);
            nothing_bound(TLSMEM_BINDING_UNIQUE, &server, TLSMEM_ESTATE);
        }
        nothing_bound((tlsmem_binding)0, &client, TLSMEM_EINVAL);
        nothing_bound((tlsmem_binding)4, &client, TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_channel_binding(client.c, TLSMEM_BINDING_EXPORTER, NULL, 1), TLSMEM_EINVAL);
        part();
        tlsmem_session_free(session);
        session = tlsmem_session_get(client.c);
        leave();
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** Where a renegotiation may come there is no tls-exporter (RFC 9266, 4): it would bind to what is behind it as well. */
static void where_a_renegotiation_may_come(int version)
{
    situation("TLS 1.%d: tls-exporter where a renegotiation may come", version - 0x0301);
    for (int by_client = 0; by_client < 2; by_client++) {
        tlsmem_ctx *from = by_client ? of(TLSMEM_CLIENT, version) : context(TLSMEM_CLIENT, version);
        tlsmem_ctx *to = by_client ? context(TLSMEM_SERVER, version) : of(TLSMEM_SERVER, version);
        meet(from, to, NULL);
        tlsmem *allowing = (by_client ? &client : &server)->c, *other = (by_client ? &server : &client)->c;
        int expected = version == TLSMEM_TLS1_2 ? TLSMEM_ESTATE : BYTES;
        CHECK_STATUS(tlsmem_channel_binding(allowing, TLSMEM_BINDING_EXPORTER, NULL, 0), expected);
        CHECK_STATUS(tlsmem_channel_binding(other, TLSMEM_BINDING_EXPORTER, NULL, 0), BYTES);
        bound(TLSMEM_BINDING_SERVER_END_POINT, 32);
        exported(label, NULL, 0);
        part();
        leave_both(from, to);
    }
}

/** In TLS 1.2 without extended master secret nothing may be exported. */
static void without_extended_master_secret(void)
{
    situation("TLS 1.2 without extended master secret");
    tlsmem_ctx *from = of(TLSMEM_CLIENT, TLSMEM_TLS1_2), *to = of(TLSMEM_SERVER, TLSMEM_TLS1_2);
    SSL_CTX_set_options(tlsmem_ctx_native(from), SSL_OP_NO_EXTENDED_MASTER_SECRET);
    meet(from, to, NULL);
    refused(label, NULL, 0, 16, TLSMEM_ESTATE);
    const end *both[2] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        nothing_bound(TLSMEM_BINDING_EXPORTER, both[i], TLSMEM_ESTATE);
        nothing_bound(TLSMEM_BINDING_UNIQUE, both[i], TLSMEM_ESTATE);
    }
    bound(TLSMEM_BINDING_SERVER_END_POINT, 32);
    part();
    leave_both(from, to);
}

/** A certificate of nobody, signed by this hash. */
static int make_certificate(EVP_PKEY *key, const EVP_MD *hash, unsigned char **der)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    MUST(X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) == 1);
    MUST(X509_set_issuer_name(x, name) == 1 && X509_gmtime_adj(X509_getm_notBefore(x), -60) != NULL);
    MUST(X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL && X509_set_pubkey(x, key) == 1);
    MUST(X509_sign(x, key, hash) > 0);
    *der = NULL;
    int n = i2d_X509(x, der);
    X509_free(x);
    MUST(n > 0);
    return n;
}

/** tls-server-end-point goes by the hash of the certificate's signature (RFC 5929, 4.1). */
static void end_points(int version)
{
    static const struct { const char *key, *signed_by, *hash; } table[] = {
        { "server.key", "SHA256", "SHA256" }, { "server.key", "SHA384", "SHA384" }, { "rsa.key", "SHA512", "SHA512" },
        { "rsa.key", "SHA1", "SHA256" }, { "rsa.key", "MD5", "SHA256" }, { "ed25519.key", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        situation("TLS 1.%d: the end point of a certificate that is signed by %s", version - 0x0301,
                  table[i].signed_by != NULL ? table[i].signed_by : "Ed25519");
        FILE *file = fopen(certificate(table[i].key), "r");
        MUST(file != NULL);
        EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
        MUST(key != NULL);
        unsigned char *der, hash[64];
        unsigned size = 0;
        int n = make_certificate(key, table[i].signed_by != NULL ? EVP_get_digestbyname(table[i].signed_by) : NULL, &der);
        tlsmem_ctx *from = of(TLSMEM_CLIENT, version), *to = tlsmem_ctx_new(TLSMEM_SERVER);
        MUST(tlsmem_ctx_insecure_no_verify(from) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_cert_mem(to, der, (size_t)n) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_file(to, certificate(table[i].key)) == TLSMEM_OK);
        meet(from, to, NULL);
        if (table[i].hash != NULL) {
            MUST(EVP_Digest(der, (size_t)n, hash, &size, EVP_get_digestbyname(table[i].hash), NULL) == 1);
            CHECK(memcmp(bound(TLSMEM_BINDING_SERVER_END_POINT, (ptrdiff_t)size), hash, size) == 0, "another hash");
        } else {
            nothing_bound(TLSMEM_BINDING_SERVER_END_POINT, &client, TLSMEM_ESTATE);
            nothing_bound(TLSMEM_BINDING_SERVER_END_POINT, &server, TLSMEM_ESTATE);
        }
        part();
        leave_both(from, to);
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
}

int main(void)
{
    begin("exporter");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        what_is_exported(version);
        not_yet(version);
        bindings(version);
        where_a_renegotiation_may_come(version);
        end_points(version);
    }
    without_extended_master_secret();
    return finish();
}
