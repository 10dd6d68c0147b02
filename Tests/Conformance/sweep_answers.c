/*
 * Decisions that are answered late: the server's key is held elsewhere, who verifies thinks about it, the client chooses its
 * certificate later. One connection in each version; both move from loop to loop, the one of TLS 1.3 is asked for its
 * certificate when it stands, and in the end both loops are drained.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 20000, LATE_MOST = 16 };

static EVP_PKEY *key; /* of the server's certificate */
static tlsmem_ctx *shown; /* whose certificate the client shows */

/* ---- the answers, given at the end of the turn */

static struct late {
    tlsmem *c;
    uint64_t token;
    unsigned char bytes[512];
    size_t n;
    tlsmem_ctx *ctx;
} late[LATE_MOST];
static int waiting;

static struct late *wait(tlsmem *c, uint64_t token)
{
    MUST(waiting < LATE_MOST);
    late[waiting] = (struct late){ .c = c, .token = token };
    return &late[waiting++];
}

static int on_sign(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    struct late *answer = wait(c, request->token);
    (void)user;
    faulty_pause(1);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    answer->n = sizeof answer->bytes;
    MUST(signing != NULL && EVP_DigestSignInit_ex(signing, NULL, request->hash, NULL, NULL, key, NULL) == 1);
    MUST(EVP_DigestSign(signing, answer->bytes, &answer->n, request->message, request->message_bytes) == 1);
    EVP_MD_CTX_free(signing);
    faulty_pause(0);
    return TLSMEM_LATER;
}

static int on_verify(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    wait(c, verdict->token);
    return TLSMEM_LATER;
}

static int on_client_cert(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    (void)user;
    wait(c, request->token)->ctx = shown;
    return TLSMEM_LATER;
}

static void give_answers(void)
{
    for (int i = 0; i < waiting; i++) {
        tlsmem_reply reply = TLSMEM_REPLY_INIT;
        reply.bytes = late[i].n > 0 ? late[i].bytes : NULL;
        reply.length = late[i].n;
        reply.ctx = late[i].ctx;
        int status = tlsmem_answer(late[i].c, late[i].token, TLSMEM_OK, &reply);
        if (status == TLSMEM_ENOMEM && sweep_excuses(status))
            status = tlsmem_answer(late[i].c, late[i].token, TLSMEM_OK, &reply); /* the question is open still */
        CHECK(status == TLSMEM_OK || status == TLSMEM_ESTATE || sweep_lasts(), "tlsmem_answer: %s",
              tlsmem_status_name(status));
    }
    waiting = 0;
}

/* ---- what else happens */

static int is_asked[PAIRS];

static void on_done(tlsmem *c, void *user)
{
    (void)c;
    ++*(int *)user;
}

/** They move when they stand, and the client of TLS 1.3 is asked then. */
static void established(end *e, event what)
{
    int i = e == &pairs[0].client || e == &pairs[0].served ? 0 : 1, is_client = e == &pairs[i].client;
    if (what == EVENT_ESTABLISHED) {
        int status = tlsmem_loop_move(loops[is_client ? 0 : 1], e->c);
        CHECK(sweep_excuses(status), "tlsmem_loop_move: %s", tlsmem_status_name(status));
        if (!is_client && i == 1)
            CHECK(sweep_excuses(tlsmem_request_certificate(e->c, on_done, &is_asked[i])), "it cannot be asked");
    }
    if (what == EVENT_CLOSE && !is_client)
        end_free_connection(e);
}

static void each_turn(void)
{
    give_answers();
    for (int i = 0; i < 2; i++)
        if (pairs[i].served.c != NULL)
            pairs[i].served.hook = established;
    if (pairs[0].client.closes > 0 && (pairs[1].served.c != NULL || end_ended(&pairs[1].client)))
        for (int i = 0; i < 2; i++)
            CHECK_STATUS(tlsmem_loop_drain(loops[i], 30000), TLSMEM_OK);
}

/* ---- the scene */

static tlsmem_ctx *server(int version)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(ctx != NULL && tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_sign_cb(ctx, on_sign, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, version == TLSMEM_TLS1_3 ? TLSMEM_VERIFY_LATER : TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify_cb(ctx, on_verify, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *client_with_certificate(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *client(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_client_cert_cb(ctx, on_client_cert, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify_cb(ctx, on_verify, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_post_handshake_auth(ctx, 1) == TLSMEM_OK);
    return ctx;
}

static EVP_PKEY *read_key(void)
{
    FILE *file = fopen(certificate("server.key"), "r");
    MUST(file != NULL);
    EVP_PKEY *found = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    MUST(found != NULL && fclose(file) == 0);
    return found;
}

static void open_client(int i, tlsmem_ctx *from)
{
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    end *e = &pairs[i].client;
    options.host = "127.0.0.1";
    options.port = tlsmem_listener_port(pairs[i].listener);
    e->c = sweep_new(from, &end_callbacks, e);
    if (e->c == NULL)
        return;
    e->face = FACE_REGISTRY;
    e->loop = loops[1];
    e->close_when_done = 1;
    e->hook = established;
    if (TRY(tlsmem_set_server_name(e->c, "localhost")))
        pairs[i].begun = TRY(tlsmem_loop_connect(loops[1], e->c, &options));
}

static void play(void)
{
    faulty_pause(1);
    key = read_key();
    shown = client_with_certificate();
    tlsmem_ctx *from = client(), *to[] = { server(TLSMEM_TLS1_2), server(TLSMEM_TLS1_3) };
    faulty_pause(0);
    waiting = 0;
    memset(is_asked, 0, sizeof is_asked);
    if (sweep_open()) {
        for (int i = 0; i < 2; i++) {
            sweep_task(&pairs[i].client, BYTES);
            if (sweep_listen(i, to[i], NULL))
                open_client(i, from);
        }
        sweep_run(each_turn);
        sweep_judge();
        CHECK(!sweep_is_clean() || is_asked[1] == 1, "told %d times", is_asked[1]);
    }
    sweep_close();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to[0]);
    tlsmem_ctx_free(to[1]);
    tlsmem_ctx_free(shown);
    EVP_PKEY_free(key);
}

const scene answers_scene = { "answers", play };
