/* What is known of a peer whose certificate is not good: where that is let pass, and where it is not. */
#include "facts.h"

/** What verification would say where it is switched off, and what it has said where it is not. */
void verification(int version)
{
    static const struct { const char *name, *trust; long result; int depth; const char *part; } table[] = {
        { "server", "ca.pem", 0, -1, "ok" },
        { "server", "other-ca.pem", 20, 0, "issuer" },
        { "expired", "ca.pem", 10, 0, "expired" },
        { "future", "ca.pem", 9, 0, "not yet valid" },
        { "selfsigned", "ca.pem", 18, 0, "self-signed" },
        { "wronghost", "ca.pem", 62, 0, "ostname mismatch" },
        { "full", "other-ca.pem", 20, 1, "issuer" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (int insecure = 0; insecure < 2; insecure++) {
            situation("TLS 1.%d, %s by %s, %s", version - 0x0301, table[i].name, table[i].trust,
                      insecure ? "insecure" : "verified");
            tlsmem_ctx *from = tlsmem_ctx_new(TLSMEM_CLIENT), *to = server_with(table[i].name, version, 0);
            MUST(tlsmem_ctx_set_ca_file(from, certificate(table[i].trust)) == TLSMEM_OK);
            if (insecure)
                MUST(tlsmem_ctx_insecure_no_verify(from) == TLSMEM_OK);
            visit(from, to, NULL);
            CHECK((failure_of(client.c) == TLSMEM_OK) == (insecure || table[i].result == 0), "it ended with %s",
                  tlsmem_status_name(failure_of(client.c)));
            CHECK_VERIFIED(client.c, table[i].result, table[i].depth, table[i].part);
            CHECK(tlsmem_peer_subject(client.c, NULL, 0) > 3, "nobody knows who the server was");
            CHECK_STATUS(tlsmem_peer_verified_chain(client.c, 0, NULL, 0) > 0, table[i].result == 0);
            leave();
            tlsmem_ctx_free(from);
            tlsmem_ctx_free(to);
        }
    }
}

/** A server knows who the client was that it has refused. */
void refused_client(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = server_with("server", version, 1);
    situation("TLS 1.%d, a client with a certificate for servers", version - 0x0301);
    MUST(tlsmem_ctx_set_cert_file(from, certificate("full.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(from, certificate("full.key")) == TLSMEM_OK);
    visit(from, to, NULL);
    char text[64], *leaf = texts("chained.pem", NULL);
    const tlsmem *c = server.c;
    CHECK_STATUS(failure_of(c), TLSMEM_EVERIFY);
    CHECK_STATUS(tlsmem_is_established(c), 0);
    CHECK(strcmp(TEXT(tlsmem_peer_issuer), "CN=tlsmem test intermediate") == 0, "issuer %s", text);
    char pem[4096];
    CHECK(tlsmem_peer_pem(c, pem, sizeof pem) > 0 && strcmp(pem, leaf) == 0, "PEM:\n%s", pem);
    CHECK_VERIFIED(c, 26, 0, "purpose");
    CHECK_STATUS(tlsmem_peer_verified_chain(c, 0, NULL, 0), TLSMEM_AGAIN);
    CHECK(tlsmem_signature_id(c) == 0 && tlsmem_own_signature_id(c) == 0, "a signature before it was looked at");
    leave();
    free(leaf);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/* ---- while the program is asked */

static int asked, accepts;

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    char text[8192];
    const char *pem = user;
    tlsmem_peer_details info = TLSMEM_PEER_DETAILS_INIT;
    asked++;
    CHECK(strcmp(TEXT(tlsmem_peer_pem), pem) == 0, "PEM:\n%s", text);
    CHECK(tlsmem_peer_info(c, &info) == TLSMEM_OK && info.chain_count == 2, "%zu certificates", info.chain_count);
    CHECK(tlsmem_peer_chain(c, 1, NULL, 0) > 0, "no second certificate");
    CHECK_STATUS(tlsmem_peer_verified_chain(c, 0, NULL, 0), TLSMEM_AGAIN);
    CHECK_VERIFIED(c, verdict->result, verdict->depth, verdict->result == 0 ? "ok" : "issuer");
    verdict->insecure_accept = accepts;
    return TLSMEM_OK;
}

/** Both sides know whom they are asked about; and who is accepted all the same was not verified. */
void judged(int version)
{
    char *servers = texts("full.pem", NULL), *clients = texts("client.pem", "ca.pem"), *key = texts("client.key", NULL);
    for (int good = 0; good < 2; good++) {
        situation("TLS 1.%d, the program has the last word on a %s server", version - 0x0301, good ? "good" : "bad");
        tlsmem_ctx *from = tlsmem_ctx_new(TLSMEM_CLIENT), *to = server_with("full", version, 1);
        MUST(tlsmem_ctx_set_ca_file(from, certificate(good ? "ca.pem" : "other-ca.pem")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_cert_mem(from, clients, strlen(clients)) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_mem(from, key, strlen(key)) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_verify_cb(from, on_verdict, servers) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_verify_cb(to, on_verdict, clients) == TLSMEM_OK);
        asked = 0, accepts = 1;
        visit(from, to, NULL);
        CHECK_STATUS(asked, 2);
        CHECK_STATUS(failure_of(client.c), TLSMEM_OK);
        CHECK_VERIFIED(client.c, 0, -1, "ok"); /* the program's word counts */
        CHECK_STATUS(tlsmem_peer_verified_chain(client.c, 0, NULL, 0) > 0, good);
        CHECK(tlsmem_peer_verified_chain(server.c, 1, NULL, 0) > 0, "the client's chain is not there");
        leave();
        tlsmem_ctx_free(from);
        tlsmem_ctx_free(to);
    }

    situation("TLS 1.%d, the program judges instead of OpenSSL", version - 0x0301);
    tlsmem_verify_details found = TLSMEM_VERIFY_DETAILS_INIT;
    tlsmem_ctx *from = tlsmem_ctx_new(TLSMEM_CLIENT), *to = server_with("full", version, 0);
    MUST(tlsmem_ctx_insecure_no_verify(from) == TLSMEM_OK && tlsmem_ctx_set_verify_cb(from, on_verdict, servers) == TLSMEM_OK);
    visit(from, to, NULL);
    CHECK_STATUS(failure_of(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_verify_result(client.c, &found), TLSMEM_AGAIN); /* nobody has looked */
    CHECK_STATUS(tlsmem_peer_verified_chain(client.c, 0, NULL, 0), TLSMEM_AGAIN);
    leave();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    free(servers);
    free(clients);
    free(key);
}
