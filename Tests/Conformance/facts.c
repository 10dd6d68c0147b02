/*
 * What a connection knows of itself and of its peer: both roles, TLS 1.2 and 1.3, in full handshakes and resumed ones, with
 * client certificates and without, while it lives and after its end; when nobody verifies, and when the peer was refused
 * (facts_refused.c). What stands in certificates is held against other people's tools in Tests/Peers/test_facts.py.
 */
#include "facts.h"

#include <time.h>

static int version;

char *texts(const char *first, const char *second)
{
    const char *names[2] = { first, second };
    char *text = calloc(1, 65536);
    size_t n = 0;
    MUST(text != NULL);
    for (int i = 0; i < 2 && names[i] != NULL; i++) {
        FILE *file = fopen(certificate(names[i]), "r");
        MUST(file != NULL);
        n += fread(text + n, 1, 65535 - n, file);
        fclose(file);
    }
    return text;
}

static void visit_open(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session)
{
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    if (session != NULL)
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
}

void visit(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session)
{
    visit_open(from, to, session);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 10;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

void leave(void)
{
    end_finish(&client);
    end_finish(&server);
}

/* ---- the peer's certificates */

const char *text_of(ptrdiff_t asked, char *text, size_t room, ptrdiff_t got)
{
    if (got < 0)
        return "";
    CHECK(asked == got && (size_t)got < room && strlen(text) == (size_t)got, "length %td, then %td, is %zu", asked, got,
          strlen(text));
    return text;
}

/** All that is said of the peer of c, which has sent these certificates; and of those that verification has found `verified`. */
static void check_peer(const tlsmem *c, const char *pem, size_t count, const char *subject, const char *issuer,
                       int verified)
{
    static char text[65536];
    static unsigned char der[65536], again[65536];
    tlsmem_peer_details info = TLSMEM_PEER_DETAILS_INIT;
    ptrdiff_t n = tlsmem_peer_certificate(c, der, sizeof der);
    CHECK(n > 0 && tlsmem_peer_certificate(c, NULL, 0) == n, "%td bytes of DER", n);
    memset(again, 7, sizeof again);
    CHECK(tlsmem_peer_certificate(c, again, (size_t)n - 1) == n && again[0] == 7, "written although there is no room");
    CHECK(tlsmem_peer_chain(c, 0, again, sizeof again) == n && memcmp(der, again, (size_t)n) == 0, "chain 0 is another");
    CHECK(strcmp(TEXT(tlsmem_peer_pem), pem) == 0, "PEM:\n%s", text);
    CHECK(strcmp(TEXT(tlsmem_peer_subject), subject) == 0, "subject %s", text);
    CHECK(strcmp(TEXT(tlsmem_peer_issuer), issuer) == 0, "issuer %s", text);
    CHECK(strlen(TEXT(tlsmem_peer_serial)) >= 2, "serial %s", text);
    CHECK_STATUS(tlsmem_peer_info(c, &info), TLSMEM_OK);
    CHECK(info.chain_count == count, "%zu certificates, expected %zu", info.chain_count, count);
    CHECK(info.not_before <= time(NULL) && info.not_after > time(NULL), "valid from %lld to %lld",
          (long long)info.not_before, (long long)info.not_after);
    for (size_t i = 0; i < count; i++)
        CHECK(tlsmem_peer_chain(c, i, NULL, 0) > 0, "certificate %zu is not there", i);
    CHECK_STATUS(tlsmem_peer_chain(c, count, NULL, 0), TLSMEM_AGAIN);
    for (size_t i = 0; i < info.san_count; i++)
        CHECK(tlsmem_peer_san(c, i, text, sizeof text) > 3, "name %zu is not there", i);
    CHECK_STATUS(tlsmem_peer_san(c, info.san_count, text, sizeof text), TLSMEM_AGAIN);
    for (int i = 0; i < verified; i++) {
        ptrdiff_t one = tlsmem_peer_verified_chain(c, (size_t)i, again, sizeof again);
        CHECK(one > 0 && (i > 0 || (one == n && memcmp(der, again, (size_t)n) == 0)), "verified %d: %td", i, one);
    }
    CHECK_STATUS(tlsmem_peer_verified_chain(c, (size_t)verified, again, sizeof again), TLSMEM_AGAIN);
}

static void check_no_peer(const tlsmem *c)
{
    tlsmem_peer_details info = TLSMEM_PEER_DETAILS_INIT;
    tlsmem_verify_details verified = TLSMEM_VERIFY_DETAILS_INIT;
    char text[8] = "text";
    CHECK_STATUS(tlsmem_peer_certificate(c, text, sizeof text), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_pem(c, text, sizeof text), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_serial(c, text, sizeof text), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_chain(c, 0, text, sizeof text), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_san(c, 0, text, sizeof text), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_info(c, &info), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_verify_result(c, &verified), TLSMEM_AGAIN);
    CHECK(strcmp(text, "text") == 0 && info.chain_count == 0 && verified.depth == -1, "something was written");
}

void check_verified(const char *file, int line, const tlsmem *c, long result, int depth, const char *part)
{
    tlsmem_verify_details found = TLSMEM_VERIFY_DETAILS_INIT;
    check_status_at(file, line, "tlsmem_verify_result", tlsmem_verify_result(c, &found), TLSMEM_OK);
    check_at(file, line, found.result == result && found.depth == depth && strstr(found.sentence, part) != NULL,
             "%ld at %d: %s", found.result, found.depth, found.sentence);
}

/* ---- the algorithms */

#define CHECK_SIGNATURES(c, peers, peers_name, own, own_name) \
    check_signatures(__LINE__, c, peers, peers_name, own, own_name)
static void check_signatures(int line, const tlsmem *c, int peers, const char *peers_name, int own, const char *own_name)
{
    check_at(__FILE__, line, tlsmem_signature_id(c) == peers && strcmp(tlsmem_signature_name(c), peers_name) == 0,
             "the peer's signature is %#x %s", (unsigned)tlsmem_signature_id(c), tlsmem_signature_name(c));
    check_at(__FILE__, line, tlsmem_own_signature_id(c) == own && strcmp(tlsmem_own_signature_name(c), own_name) == 0,
             "ours is %#x %s", (unsigned)tlsmem_own_signature_id(c), tlsmem_own_signature_name(c));
}

static void check_numbers(const tlsmem *c, int cipher, int group, const char *group_name)
{
    CHECK(tlsmem_cipher_id(c) == cipher, "cipher %#x %s", (unsigned)tlsmem_cipher_id(c), tlsmem_cipher_name(c));
    CHECK(tlsmem_group_id(c) == group && strcmp(tlsmem_group_name(c), group_name) == 0, "group %d %s",
          tlsmem_group_id(c), tlsmem_group_name(c));
}

tlsmem_ctx *server_with(const char *name, int version, int asks)
{
    char file[64];
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, asks ? TLSMEM_VERIFY_OPTIONAL : TLSMEM_VERIFY_NONE) == TLSMEM_OK);
    return ctx;
}

/** A client that shows client.pem and ca.pem behind it, or nothing. */
static tlsmem_ctx *client_with(int certificates)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    char *both = texts("client.pem", "ca.pem");
    if (certificates)
        MUST(tlsmem_ctx_set_cert_mem(ctx, both, strlen(both)) == TLSMEM_OK
             && tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    free(both);
    return ctx;
}

/* ---- scenes */

static const char authority[] = "CN=tlsmem test authority", intermediate[] = "CN=tlsmem test intermediate";

/** A full handshake, and one that resumes it: from the session itself, and from its bytes. */
static void full_and_resumed(int asks, int shows)
{
    unsigned char bytes[8192];
    tlsmem_session *session = NULL, *made = NULL;
    tlsmem_ctx *from = client_with(shows), *to = server_with("full", version, asks);
    char *servers = texts("full.pem", NULL), *clients = texts("client.pem", "ca.pem"), *leaf = texts("client.pem", NULL);
    int knows = asks && shows;
    int cipher = version == TLSMEM_TLS1_3 ? 0x1302 : 0xc02c; /* ECDHE-ECDSA-AES256-GCM-SHA384 */
    for (int i = 0; i < 3; i++) {
        situation("TLS 1.%d, %s, the client %s and %s", version - 0x0301, i == 0 ? "full" : i == 1 ? "resumed"
                  : "resumed from bytes", asks ? "is asked" : "is not asked", shows ? "has a certificate" : "has none");
        visit_open(from, to, i == 2 ? made : session);
        check_no_peer(client.c);
        check_no_peer(server.c);
        check_numbers(client.c, 0, 0, "");
        wire_establish(&pair_wire);
        CHECK_STATUS(tlsmem_is_resumed(client.c), i > 0);
        for (int is_over = 0; is_over < 2; is_over++) {
            check_peer(client.c, servers, 2, "CN=localhost", intermediate, i == 0 ? 3 : 0);
            CHECK_VERIFIED(client.c, 0, -1, "ok");
            if (knows && i == 0)
                check_peer(server.c, clients, 2, "CN=test client", authority, 2);
            else if (knows)
                check_peer(server.c, leaf, 1, "CN=test client", authority, 0);
            else
                check_no_peer(server.c);
            if (knows)
                CHECK_VERIFIED(server.c, 0, -1, "ok");
            /* the first group of OpenSSL's own list */
            int newer = version == TLSMEM_TLS1_3 && strncmp(tlsmem_openssl_version(), "OpenSSL 3.0", 11) != 0;
            check_numbers(client.c, cipher, newer ? 0x11ec : 29, newer ? "X25519MLKEM768" : "x25519");
            check_numbers(server.c, cipher, newer ? 0x11ec : 29, newer ? "X25519MLKEM768" : "x25519");
            const char *name = "ecdsa_secp256r1_sha256";
            int peers = i == 0 ? 0x0403 : 0, own = i == 0 && knows ? 0x0403 : 0;
            CHECK_SIGNATURES(client.c, peers, peers ? name : "", own, own ? name : "");
            CHECK_SIGNATURES(server.c, own, own ? name : "", peers, peers ? name : "");
            client.to_send = client.to_receive = server.to_send = server.to_receive = 10;
            client.close_when_done = server.close_on_eof = 1;
            CHECK(wire_run(&pair_wire, both_ended), "stalled");
        }
        tlsmem_session_free(session);
        session = tlsmem_session_get(client.c);
        if (i == 1) {
            ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
            MUST(n > 0 && tlsmem_session_from_bytes(bytes, (size_t)n, &made) == TLSMEM_OK);
        }
        leave();
    }
    tlsmem_session_free(session);
    tlsmem_session_free(made);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    free(servers);
    free(clients);
    free(leaf);
}

/** Other keys, other groups. */
static void algorithms(void)
{
    static const struct { const char *groups, *ciphers, *name; int id, cipher, peers; const char *peers_name; } table[] = {
        { "P-256", NULL, "secp256r1", 23, 0, 0x0804, "rsa_pss_rsae_sha256" },
        { "P-384", NULL, "secp384r1", 24, 0, 0x0804, "rsa_pss_rsae_sha256" },
        { "P-521", NULL, "secp521r1", 25, 0, 0x0804, "rsa_pss_rsae_sha256" },
        { "X448", NULL, "x448", 30, 0, 0x0804, "rsa_pss_rsae_sha256" },
        { "ffdhe3072", NULL, "ffdhe3072", 257, 0, 0x0804, "rsa_pss_rsae_sha256" },
        { "P-256", "AES128-GCM-SHA256", "", 0, 0x009c, 0, "" }, /* RSA key exchange */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if ((version == TLSMEM_TLS1_2 && table[i].id > 255) || (version == TLSMEM_TLS1_3 && table[i].ciphers != NULL))
            continue;
        situation("TLS 1.%d, an RSA key, %s, %s", version - 0x0301, table[i].groups,
                  table[i].ciphers != NULL ? table[i].ciphers : "any cipher");
        tlsmem_ctx *from = client_with(0), *to = server_with("rsa", version, 0);
        tlsmem_ctx *both[2] = { from, to };
        for (int k = 0; k < 2; k++) {
            MUST(tlsmem_ctx_set_groups(both[k], table[i].groups) == TLSMEM_OK);
            if (table[i].ciphers != NULL)
                MUST(tlsmem_ctx_set_ciphers(both[k], table[i].ciphers) == TLSMEM_OK);
        }
        visit(from, to, NULL);
        int cipher = table[i].cipher != 0 ? table[i].cipher : version == TLSMEM_TLS1_3 ? 0x1302 : 0xc030;
        check_numbers(client.c, cipher, table[i].id, table[i].name);
        check_numbers(server.c, cipher, table[i].id, table[i].name);
        CHECK_SIGNATURES(client.c, table[i].peers, table[i].peers_name, 0, "");
        CHECK_SIGNATURES(server.c, 0, "", table[i].peers, table[i].peers_name);
        leave();
        tlsmem_ctx_free(from);
        tlsmem_ctx_free(to);
    }
}

int main(void)
{
    begin("facts");
    for (version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        for (int i = 0; i < 4; i++)
            full_and_resumed(i / 2, i % 2);
        algorithms();
        verification(version);
        refused_client(version);
        judged(version);
    }
    return finish();
}
