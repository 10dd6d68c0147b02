/* What a server sends first, to clients of every kind. */
#include "flight.h"

static tlsmem_session *sessions[2];
static tlsmem_ctx *shown;
/** Of the servers that have given them: whoever makes seeds goes on with these. */
tlsmem_ctx *session_servers[2];

static int on_psk(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    (void)user;
    MUST(request->identity == NULL);
    return flight_asked(c, TLSMEM_QUESTION_PSK, request->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return flight_asked(c, TLSMEM_QUESTION_VERIFY, verdict->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static int on_cert(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    (void)user;
    MUST(request->schemes_bytes % 2 == 0);
    for (size_t i = 0, n = request->authorities_bytes; i < n;) {
        MUST(i + 2 <= n);
        i += 2 + ((size_t)request->authorities[i] << 8 | request->authorities[i + 1]);
        MUST(i <= n);
    }
    return flight_asked(c, TLSMEM_QUESTION_CLIENT_CERT, request->token) ? TLSMEM_LATER : TLSMEM_OK;
}

static void keep(tlsmem *c, void *user)
{
    *(tlsmem **)user = c;
}

/** A session of a handshake with a server of our own. */
static tlsmem_session *session_of(tlsmem_ctx *client, int version)
{
    tlsmem *established = NULL;
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_ctx *server = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_max_version(server, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_early_data(server, 16384) == TLSMEM_OK);
    tlsmem_pair *pair = tlsmem_pair_new(client, server);
    tlsmem *c = tlsmem_pair_end(pair, 0);
    callbacks.on_established = keep;
    MUST(tlsmem_set_callbacks(c, &callbacks, &established) == TLSMEM_OK);
    MUST(tlsmem_set_server_name(c, "fuzz.example") == TLSMEM_OK);
    SAY(tlsmem_pair_end(pair, 1), "with tickets");
    MUST(tlsmem_pair_run(pair, 1000) >= 0 && established == c);
    tlsmem_session *session = tlsmem_session_get(c);
    MUST(session != NULL);
    tlsmem_pair_free(pair);
    session_servers[version == TLSMEM_TLS1_3] = server;
    return session;
}

static void traced(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    (void)c, (void)user;
    MUST(info->name != NULL && (info->length == 0 || info->bytes != NULL));
}

static tlsmem_ctx *context_of(unsigned which)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, which == 4 ? 1 : -1);
    int ok = TLSMEM_OK;
    switch (which) {
    case 0: ok |= tlsmem_ctx_set_alpn(ctx, "h2,http/1.1"); break;
    case 1: ok |= tlsmem_ctx_insecure_no_verify(ctx); ok |= tlsmem_ctx_set_trace_cb(ctx, traced, NULL); break;
    case 2: ok |= tlsmem_ctx_set_psk(ctx, "fuzz", "0123456789abcdef", 16); break;
    case 3: ok |= tlsmem_ctx_request_ocsp(ctx); break;
    case 4: ok |= tlsmem_ctx_set_post_handshake_auth(ctx, 1); break;
    case 5: sessions[0] = session_of(ctx, TLSMEM_TLS1_2); break;
    case 6: sessions[1] = session_of(ctx, TLSMEM_TLS1_3); break;
    case 7: shown = context(TLSMEM_CLIENT, 0); ok |= tlsmem_ctx_set_client_cert_cb(ctx, on_cert, NULL); break;
    case 8: ok |= tlsmem_ctx_set_verify_cb(ctx, on_verdict, NULL); break;
    case 9: ok |= tlsmem_ctx_set_psk_cb(ctx, on_psk, NULL); break;
    case 10: ok |= tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2); ok |= tlsmem_ctx_set_renegotiation(ctx, 1); break;
    default:
        ok |= tlsmem_ctx_set_groups(ctx, "P-384:X25519");
        ok |= tlsmem_ctx_set_alpn(ctx, "a");
        ok |= tlsmem_ctx_set_alpn_policy(ctx, TLSMEM_ALPN_REQUIRED);
    }
    MUST(ok == TLSMEM_OK);
    return ctx;
}

static void set_up(tlsmem *c, unsigned which)
{
    MUST(tlsmem_set_server_name(c, which == 3 ? "127.0.0.1" : "fuzz.example") == TLSMEM_OK);
    if (which == 5 || which == 6)
        MUST(tlsmem_session_set(c, sessions[which - 5]) == TLSMEM_OK);
    if (which == 6)
        MUST(tlsmem_write_early(c, "early", 5) == 5);
}

static void answer(tlsmem *c, tlsmem_question question, uint64_t token)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    if (question == TLSMEM_QUESTION_CLIENT_CERT)
        reply.ctx = shown;
    if (question == TLSMEM_QUESTION_PSK)
        reply.bytes = "0123456789abcdef", reply.length = 16, reply.identity = "asked";
    if (question == TLSMEM_QUESTION_VERIFY)
        reply.insecure_accept = 1;
    MUST(tlsmem_answer(c, token, TLSMEM_OK, &reply) != TLSMEM_EINVAL);
}

/**
 * When early data was sent, and the server then says that it speaks TLS 1.2, OpenSSL 3.0 has room for an explicit nonce in
 * front of its alert, which is sent in plain: eight bytes that nobody has written, and that are never the same.
 */
static int is_same_again(unsigned which)
{
    return which != 6;
}

const flight fuzzed = { TLSMEM_CLIENT, context_of, set_up, answer, is_same_again };
