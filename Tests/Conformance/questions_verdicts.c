/*
 * The program has the last word on a certificate: a good one goes on or is refused, a bad one stays bad unless the program
 * says otherwise by a word that says what that is.
 */
#include "questions.h"

int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    CHECK(user == &said && verdict->size == sizeof *verdict, "user %p, size %zu", user, verdict->size);
    CHECK(verdict->insecure_accept == 0, "it is accepted already");
    said.verdicts++;
    said.result = verdict->result;
    said.depth = verdict->depth;
    said.certificate = (long)tlsmem_peer_certificate(c, NULL, 0);
    verdict->insecure_accept = said.accept;
    if (said.inside != NULL)
        said.inside(c);
    return said.verdict;
}

tlsmem_ctx *asking_client(const char *authority, int version, int asks)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate(authority)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    MUST(!asks || tlsmem_ctx_set_verify_cb(ctx, on_verdict, &said) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *verifying_server(const char *authority, int version)
{
    tlsmem_ctx *ctx = asking_server("server", version, 0);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate(authority)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify_cb(ctx, on_verdict, &said) == TLSMEM_OK);
    return ctx;
}

/** The subject, client or server, trusts an authority; good or not, it comes to this status and alert. */
static void verdict(int version, int of_server, const char *authority, int status, int alert, const char *what)
{
    situation("version %x, %s asks, %s: %s", (unsigned)version, of_server ? "the server" : "the client", authority, what);
    int is_good = strcmp(authority, "ca.pem") == 0;
    if (of_server)
        ask_open(asking_client("ca.pem", version, 0), verifying_server(authority, version), FACE_BUFFERS, FACE_FD, CUT_WHOLE);
    else
        ask_open(asking_client(authority, version, 1), asking_server("server", version, 0), FACE_FD, FACE_BUFFERS, CUT_WHOLE);
    end *subject = of_server ? &server : &client, *peer = of_server ? &client : &server;
    ask_run();
    CHECK(said.verdicts == 1, "asked %d times", said.verdicts);
    CHECK((said.result == 0) == is_good && (said.depth < 0) == is_good, "result %ld at %d", said.result, said.depth);
    CHECK(said.certificate > 0, "nobody knows whose certificate it is: %ld", said.certificate);
    CHECK_ENDED(*subject, status);
    if (status == TLSMEM_OK) {
        CHECK_DELIVERED(client, server);
        CHECK_DELIVERED(server, client);
    } else {
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        CHECK_STATUS(tlsmem_error(subject->c, &error), TLSMEM_OK);
        CHECK(error.alert_sent == alert, "alert %d was sent", error.alert_sent);
        CHECK(error.verify_result == (said.verdict > 0 ? said.verdict : said.verdict < 0 ? 28 : said.result), "result %ld", error.verify_result);
        CHECK_STATUS(tlsmem_error(peer->c, &error), TLSMEM_OK);
        CHECK(error.alert_received == alert, "alert %d came", error.alert_received);
    }
    ask_close();
}

static int of_server_now;
static void free_it(tlsmem *c)
{
    (void)c;
    end_free_connection(of_server_now ? &server : &client);
}

static void frees(int version, int of_server, face f)
{
    situation("version %x, %s: %s is freed while it is asked", (unsigned)version, face_names[f], of_server ? "the server" : "the client");
    of_server_now = of_server;
    said.inside = free_it;
    if (of_server)
        ask_open(asking_client("ca.pem", version, 0), verifying_server("ca.pem", version), f, f, CUT_WHOLE);
    else
        ask_open(asking_client("ca.pem", version, 1), asking_server("server", version, 0), f, f, CUT_WHOLE);
    wire_settle(&pair_wire);
    CHECK(said.verdicts == 1 && (of_server ? &server : &client)->freed, "asked %d times", said.verdicts);
    ask_close();
}

void questions_of_verdicts(int version)
{
    for (int of_server = 0; of_server < 2; of_server++) {
        verdict(version, of_server, "ca.pem", TLSMEM_OK, 0, "left as it is");
        verdict(version, of_server, "other-ca.pem", TLSMEM_EVERIFY, 48, "left as it is");
        said.verdict = 23; /* X509_V_ERR_CERT_REVOKED */
        verdict(version, of_server, "ca.pem", TLSMEM_EVERIFY, 44, "refused as revoked");
        said.verdict = 9; /* X509_V_ERR_CERT_NOT_YET_VALID */
        verdict(version, of_server, "ca.pem", TLSMEM_EEXPIRED, 45, "refused as not yet valid");
        said.verdict = -1;
        said.accept = 1;
        verdict(version, of_server, "ca.pem", TLSMEM_EVERIFY, 42, "refused");
        said.accept = 1;
        verdict(version, of_server, "other-ca.pem", TLSMEM_OK, 0, "accepted");
        frees(version, of_server, FACE_BUFFERS);
        frees(version, of_server, FACE_REGISTRY);
    }
}
