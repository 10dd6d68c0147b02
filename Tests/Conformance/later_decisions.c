/*
 * Every decision of a handshake: whose contexts ask for it, what a good answer brings along, and what comes of it.
 */
#define _GNU_SOURCE
#include "later.h"
#include "signing.h"

#include <openssl/pem.h>

asked last;
static struct {
    unsigned char id[32], bytes[2048];
    size_t id_n, n;
} stored; /* the session that the first visit has left */
static tlsmem_session *left_behind;
static EVP_PKEY *keys[2]; /* of the client and of the server, which the library is not given */
static const tlsmem_ticket_key ticket_key = { sizeof ticket_key, "a key's name", "a key's secret", 0, INT64_MAX, INT64_MAX };
static const char common_key[] = "0123456789abcdef0123456789ABCDEF";

/* ---- the questions */

static int put(tlsmem *c, uint64_t token)
{
    last.c = c;
    last.token = token;
    last.times++;
    if (last.inside != NULL)
        last.inside();
    return last.returned;
}

static int put_with(tlsmem *c, uint64_t token, const void *bytes, size_t n)
{
    MUST(n <= sizeof last.bytes);
    memcpy(last.bytes, bytes, n);
    last.reply.bytes = last.bytes;
    last.reply.length = n;
    return put(c, token);
}

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    CHECK(user == &last, "another user");
    return put(c, hello->token);
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    CHECK(user == &last, "another user");
    return put(c, verdict->token);
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    if (stored.n > 0)
        return;
    MUST(entry->id_length <= sizeof stored.id && entry->length <= sizeof stored.bytes);
    memcpy(stored.id, entry->id, stored.id_n = entry->id_length);
    memcpy(stored.bytes, entry->bytes, stored.n = entry->length);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    CHECK(user == &last, "another user");
    CHECK(entry->id_length == stored.id_n && memcmp(entry->id, stored.id, stored.id_n) == 0, "another session is asked for");
    return put_with(c, entry->token, stored.bytes, stored.n);
}

static int on_ocsp(tlsmem *c, const tlsmem_ocsp_request *request, void *user)
{
    unsigned char response[4096];
    FILE *file = fopen(certificate("server.good.ocsp"), "rb");
    MUST(file != NULL);
    size_t n = fread(response, 1, sizeof response, file);
    fclose(file);
    CHECK(user == &last && n > 0, "another user, or no response");
    return put_with(c, request->token, response, n);
}

static int on_psk(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    CHECK(user == &last, "another user");
    last.reply.identity = "somebody";
    return put_with(c, request->token, common_key, 32);
}

static int on_signature(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    unsigned char signature[512];
    EVP_PKEY *key = keys[c == server.c];
    CHECK(user == &last, "another user");
    size_t n = sign_as(key, request->scheme, request->message, request->message_bytes, signature, sizeof signature);
    return put_with(c, request->token, signature, n);
}

static tlsmem_ctx *certified_client(int version);

static int on_certificate(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    CHECK(user == &last, "another user");
    last.reply.ctx = certified_client(0);
    return put(c, request->token);
}

/* ---- the contexts */

static tlsmem_ctx *plain_server(int version) { return context(TLSMEM_SERVER, version); }
static tlsmem_ctx *plain_client(int version) { return context(TLSMEM_CLIENT, version); }

static tlsmem_ctx *certified_client(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_alpn(ctx, "h2,http/1.1") == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *hello_server(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_client_hello_cb(ctx, on_hello, &last) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *wanting_server(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *verifying_server(int version)
{
    tlsmem_ctx *ctx = wanting_server(version);
    MUST(tlsmem_ctx_set_verify_cb(ctx, on_verdict, &last) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *verifying_client(int version)
{
    tlsmem_ctx *ctx = certified_client(version);
    MUST(tlsmem_ctx_set_verify_cb(ctx, on_verdict, &last) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *storing_server(int version)
{
    static const tlsmem_session_callbacks callbacks = { sizeof callbacks, on_new, on_find, NULL };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_session_callbacks(ctx, &callbacks, &last) == TLSMEM_OK && tlsmem_ctx_set_tickets(ctx, 1) == TLSMEM_OK);
    return ctx;
}

static int on_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *request, void *user)
{
    CHECK(user == &last, "another user");
    CHECK(memcmp(request->name, ticket_key.name, sizeof ticket_key.name) == 0, "another key is asked for");
    return put_with(c, request->token, ticket_key.secret, sizeof ticket_key.secret);
}

/** It has a key until somebody has been there. */
static tlsmem_ctx *forgetful_server(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_add_ticket_key(ctx, &ticket_key) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ticket_key_cb(ctx, on_ticket_key, &last) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *stapling_server(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ocsp_cb(ctx, on_ocsp, &last) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *curious_client(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_request_ocsp(ctx) == TLSMEM_OK);
    return ctx;
}

/** With a common key, and no certificate: it is set, or asked for. */
static tlsmem_ctx *by_key(tlsmem_role role, int version, int asks)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    MUST((asks ? tlsmem_ctx_set_psk_cb(ctx, on_psk, &last) : tlsmem_ctx_set_psk(ctx, "somebody", common_key, 32)) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *key_client(int version) { return by_key(TLSMEM_CLIENT, version, 0); }
static tlsmem_ctx *key_server(int version) { return by_key(TLSMEM_SERVER, version, 0); }
static tlsmem_ctx *key_asking_client(int version) { return by_key(TLSMEM_CLIENT, version, 1); }
static tlsmem_ctx *key_asking_server(int version) { return by_key(TLSMEM_SERVER, version, 1); }

/** Its key is held elsewhere. */
static tlsmem_ctx *signing(tlsmem_ctx *ctx, const char *name)
{
    char file[64];
    EVP_PKEY **key = &keys[strcmp(name, "server") == 0];
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_sign_cb(ctx, on_signature, &last) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    FILE *pem = fopen(certificate(file), "r");
    MUST(pem != NULL && (*key != NULL || (*key = PEM_read_PrivateKey(pem, NULL, NULL, NULL)) != NULL));
    fclose(pem);
    return ctx;
}

static tlsmem_ctx *signing_client(int version) { return signing(context(TLSMEM_CLIENT, version), "client"); }

static tlsmem_ctx *signing_server(int version)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    return signing(ctx, "server");
}

static tlsmem_ctx *choosing_client(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_client_cert_cb(ctx, on_certificate, &last) == TLSMEM_OK);
    return ctx;
}

/* The first is the one that later_replies.c answers in its own ways. */
const decision decisions[] = {
    { "a ClientHello", TLSMEM_QUESTION_CLIENT_HELLO, 1, certified_client, hello_server, 40, { TLSMEM_EREFUSED, TLSMEM_EREFUSED } },
    { "a server's verdict", TLSMEM_QUESTION_VERIFY, 1, certified_client, verifying_server, 23, { TLSMEM_EVERIFY, TLSMEM_EVERIFY } },
    { "a client's verdict", TLSMEM_QUESTION_VERIFY, 0, verifying_client, plain_server, 23, { TLSMEM_EVERIFY, TLSMEM_EVERIFY } },
    { "a session", TLSMEM_QUESTION_SESSION, 1, plain_client, storing_server, TLSMEM_ESESSION, { TLSMEM_OK, TLSMEM_OK } },
    { "a ticket's key", TLSMEM_QUESTION_TICKET_KEY, 1, plain_client, forgetful_server, TLSMEM_EINVAL, { TLSMEM_OK, TLSMEM_OK } },
    { "an OCSP response", TLSMEM_QUESTION_OCSP, 1, curious_client, stapling_server, TLSMEM_EINVAL, { TLSMEM_OK, TLSMEM_OK } },
    { "a server's key", TLSMEM_QUESTION_PSK, 1, key_client, key_asking_server, TLSMEM_EINVAL, { TLSMEM_EPROTOCOL, TLSMEM_ECIPHER } },
    { "a client's key", TLSMEM_QUESTION_PSK, 0, key_asking_client, key_server, TLSMEM_EINVAL, { TLSMEM_EPSK, TLSMEM_ECIPHER } },
    { "a server's signature", TLSMEM_QUESTION_SIGN, 1, plain_client, signing_server, TLSMEM_EINVAL, { TLSMEM_ESIGN, TLSMEM_ESIGN } },
    { "a client's signature", TLSMEM_QUESTION_SIGN, 0, signing_client, wanting_server, TLSMEM_EINVAL, { TLSMEM_ESIGN, TLSMEM_ESIGN } },
    { "a client's certificate", TLSMEM_QUESTION_CLIENT_CERT, 0, choosing_client, wanting_server, TLSMEM_EINVAL,
      { TLSMEM_EREFUSED, TLSMEM_EREFUSED } },
};
const int decisions_count = sizeof decisions / sizeof decisions[0];

/* ---- before, and after */

void forget_visit(void)
{
    tlsmem_session_free(left_behind);
    left_behind = NULL;
    memset(&stored, 0, sizeof stored);
}

void visit_before(const decision *d, tlsmem_ctx *from, tlsmem_ctx *to)
{
    if (d->question != TLSMEM_QUESTION_SESSION && d->question != TLSMEM_QUESTION_TICKET_KEY)
        return;
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 1 });
    client.to_receive = server.to_send = 100;
    client.close_when_done = server.close_on_eof = 1;
    MUST(wire_run(&pair_wire, both_ended) && (left_behind = tlsmem_session_get(client.c)) != NULL);
    MUST(d->question == TLSMEM_QUESTION_SESSION ? stored.n > 0 : tlsmem_ctx_remove_ticket_key(to, ticket_key.name) == TLSMEM_OK);
    end_finish(&client);
    end_finish(&server);
}

void come_back(void)
{
    if (left_behind != NULL)
        MUST(tlsmem_session_set(client.c, left_behind) == TLSMEM_OK);
}

void check_effect(const decision *d, int is_good)
{
    char text[128] = "";
    unsigned char der[4096];
    const char *identity = NULL;
    switch (d->question) {
    case TLSMEM_QUESTION_SESSION:
    case TLSMEM_QUESTION_TICKET_KEY:
        CHECK_STATUS(tlsmem_is_resumed(server.c), is_good);
        break;
    case TLSMEM_QUESTION_OCSP:
        CHECK((tlsmem_ocsp_response(client.c, der, sizeof der) > 0) == is_good, "a response, or none");
        break;
    case TLSMEM_QUESTION_PSK:
        identity = tlsmem_psk_identity(server.c);
        CHECK((identity != NULL && strcmp(identity, "somebody") == 0) == is_good, "by the key of %s", identity);
        break;
    case TLSMEM_QUESTION_CLIENT_CERT:
        IGNORE(tlsmem_peer_subject(server.c, text, sizeof text));
        CHECK((strcmp(text, "CN=test client") == 0) == is_good, "the client is %s", text);
        break;
    default:
        break;
    }
}

void forget_keys(void)
{
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}
