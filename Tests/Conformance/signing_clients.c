/* A client's program chooses its certificate when a server wants one: at once, later, none, or one that cannot be. */
#define _GNU_SOURCE
#include "signing.h"

/** What the next question is answered with, and what was asked. */
static struct choice {
    tlsmem_ctx *ctx;
    int status, later;
    int asked;
    tlsmem *c;
    uint64_t token;
    unsigned char authorities[1024], schemes[256];
    size_t authorities_bytes, schemes_bytes;
} choice;

static int answer(void)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.ctx = choice.ctx;
    return tlsmem_answer(choice.c, choice.token, choice.status, &reply);
}

static int on_request(tlsmem *c, const tlsmem_cert_request *r, void *user)
{
    CHECK(user == &choice && r->size == sizeof *r, "user %p, size %zu", user, r->size);
    choice.asked++;
    choice.c = c;
    choice.token = r->token;
    MUST(r->authorities_bytes <= sizeof choice.authorities && r->schemes_bytes <= sizeof choice.schemes);
    choice.authorities_bytes = r->authorities_bytes;
    choice.schemes_bytes = r->schemes_bytes;
    if (r->authorities != NULL)
        memcpy(choice.authorities, r->authorities, r->authorities_bytes);
    if (r->schemes != NULL)
        memcpy(choice.schemes, r->schemes, r->schemes_bytes);
    if (choice.later)
        return TLSMEM_LATER;
    if (choice.ctx == NULL)
        return choice.status;
    CHECK_STATUS(answer(), TLSMEM_OK);
    return TLSMEM_LATER;
}

static tlsmem_ctx *with(const char *pair)
{
    char file[64];
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    snprintf(file, sizeof file, "%s.pem", pair);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", pair);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    return ctx;
}

/** A client that asks, and would show "client" otherwise. */
static tlsmem_ctx *asking(int version)
{
    tlsmem_ctx *ctx = with("client");
    MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_client_cert_cb(ctx, on_request, &choice), TLSMEM_OK);
    return ctx;
}

/** A server that asks for a certificate of the test authority's, or for any with the key of that name. */
static tlsmem_ctx *wanting(int version, tlsmem_verify verify, const char *pinned)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    if (pinned != NULL) {
        MUST(tlsmem_ctx_add_pin(ctx, held(pinned)->sha256) == TLSMEM_OK);
        return ctx;
    }
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK && tlsmem_ctx_set_verify(ctx, verify) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_INSECURE_ANY) == TLSMEM_OK); /* what stands in the certificates */
    return ctx;
}

static void check_shown(const char *subject)
{
    char shown[128] = "";
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    IGNORE(tlsmem_peer_subject(server.c, shown, sizeof shown));
    CHECK(strcmp(shown, subject) == 0, "shown was %s, not %s", shown, subject);
    CHECK(choice.asked == 1, "asked %d times", choice.asked);
}

static void run_and_close(int client_status, int server_status)
{
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, client_status);
    CHECK_ENDED(server, server_status);
    CHECK(choice.asked == 1, "asked %d times", choice.asked);
    close_pair();
}

static void forget(void)
{
    tlsmem_ctx_free(choice.ctx);
    memset(&choice, 0, sizeof choice);
}

static void chooses(int version, face f, int later)
{
    situation("version %x, %s: a client's certificate is chosen%s", (unsigned)version, face_names[f], later ? ", later" : "");
    choice.ctx = with("a-rsa");
    choice.later = later;
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_REQUIRED, NULL), f);
    if (later) {
        wire_settle(&pair_wire);
        CHECK(want_of(client.c).waits_for == TLSMEM_QUESTION_CLIENT_CERT && !client.established, "waits for %d",
              (int)want_of(client.c).waits_for);
        CHECK_STATUS(answer(), TLSMEM_OK);
        IGNORE(tlsmem_handshake(client.c));
    }
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_shown("CN=a-rsa");
    static const char authority[] = "tlsmem test authority";
    size_t n = choice.authorities_bytes;
    CHECK(n > 2 && n == 2 + (size_t)(choice.authorities[0] << 8 | choice.authorities[1])
          && memmem(choice.authorities + 2, n - 2, authority, sizeof authority - 1) != NULL, "%zu bytes of authorities", n);
    int knows = 0;
    for (size_t i = 0; i + 1 < choice.schemes_bytes; i += 2)
        knows |= choice.schemes[i] == 0x08 && choice.schemes[i + 1] == 0x04;
    CHECK(knows && choice.schemes_bytes % 2 == 0, "rsa_pss_rsae_sha256 is not among %zu bytes", choice.schemes_bytes);
    CHECK_STATUS(tlsmem_ctx_set_tickets(choice.ctx, 1), TLSMEM_ESTATE);
    close_pair();
    forget();
}

static void others(int version)
{
    situation("version %x: a client shows none", (unsigned)version);
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_OPTIONAL, NULL), FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_shown("");
    close_pair();
    forget();

    situation("version %x: a client shows none, and has to", (unsigned)version);
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_REQUIRED, NULL), FACE_BUFFERS);
    run_and_close(version == TLSMEM_TLS1_2 ? TLSMEM_EALERT : TLSMEM_EREJECTED, TLSMEM_ENOCERT);
    forget();

    situation("version %x: a client will not go on", (unsigned)version);
    choice.status = -7;
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_REQUIRED, NULL), FACE_BUFFERS);
    run_and_close(TLSMEM_EREFUSED, TLSMEM_EALERT);
    forget();

    situation("version %x: a client is to be a server", (unsigned)version);
    choice.ctx = context(TLSMEM_SERVER, 0);
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_REQUIRED, NULL), FACE_BUFFERS);
    run_and_close(TLSMEM_EREFUSED, TLSMEM_EALERT);
    CHECK_STATUS(tlsmem_ctx_set_tickets(choice.ctx, 1), TLSMEM_OK);
    forget();

    situation("version %x: a client is to be somebody who is nobody", (unsigned)version);
    choice.ctx = context(TLSMEM_CLIENT, 0);
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_REQUIRED, NULL), FACE_BUFFERS);
    run_and_close(TLSMEM_ENOIDENTITY, TLSMEM_EALERT);
    forget();

    situation("version %x: the key of the chosen certificate is held elsewhere", (unsigned)version);
    held("Ed25519");
    choice.ctx = keyless(TLSMEM_CLIENT, 0, "Ed25519");
    open_pair(asking(version), wanting(version, TLSMEM_VERIFY_NONE, "Ed25519"), FACE_REGISTRY);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_shown("CN=Ed25519");
    CHECK(signs.asked == 1, "asked %d times to sign", signs.asked);
    close_pair();
    forget();

    situation("version %x: nobody is asked when no certificate is wanted", (unsigned)version);
    open_pair(asking(version), context(TLSMEM_SERVER, version), FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK(choice.asked == 0, "asked %d times", choice.asked);
    close_pair();
    forget();
}

void signing_clients(int version)
{
    for (int f = 0; f < 3; f++)
        for (int later = 0; later < 2; later++)
            chooses(version, (face)f, later);
    others(version);
}
