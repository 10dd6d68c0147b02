/* The contexts: two names of the server's, five kinds of clients, and what the program is asked in handshakes. */
#include "contexts.h"

enum { REFUSES = 112, REJECTED = 28 }; /* the alert unrecognized_name; OpenSSL's X509_V_ERR_CERT_REJECTED */

static tlsmem_ctx *of_name[NAMES], *of_kind[KINDS];
static const char shared_key[] = "thirty-two bytes that both know.";

static void set_patience(tlsmem_ctx *ctx)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = limits.close_ms = 0; /* nobody is to be late who is not meant to be, however busy the machine is */
    MUST(tlsmem_ctx_set_limits(ctx, &limits) == TLSMEM_OK);
}

static void set_key(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_set_psk(ctx, "soak", shared_key, 32) == TLSMEM_OK);
}

/* ---- the server's */

/** The name chooses the context; one of ten waits for its answer. */
static int hello_asked(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    talk *t = tlsmem_user(c);
    const char *name = hello->server_name != NULL ? hello->server_name : "";
    (void)user;
    ADD(own->questions, 1);
    if (strcmp(name, REFUSED_NAME) == 0)
        return REFUSES;
    tlsmem_ctx *chosen = strcmp(name, names[OTHER_NAME]) == 0 ? of_name[OTHER_NAME] : NULL;
    if (seeded_next(&t->chance) % 10 == 0) {
        answer_later(t, hello->token, chosen);
        return TLSMEM_LATER;
    }
    return chosen == NULL ? TLSMEM_OK : tlsmem_set_ctx(c, chosen);
}

static tlsmem_ctx *server_context(int name)
{
    static const char *const files[NAMES][2] = { { "server.pem", "server.key" }, { "wronghost.pem", "wronghost.key" } };
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(ctx != NULL && tlsmem_ctx_set_cert_file(ctx, certificate(files[name][0])) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(files[name][1])) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_tickets(ctx, 1) == TLSMEM_OK && tlsmem_ctx_set_early_data(ctx, 16384) == TLSMEM_OK);
    if (name == USUAL_NAME) {
        MUST(tlsmem_ctx_set_client_hello_cb(ctx, hello_asked, NULL) == TLSMEM_OK);
    } else {
        MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL) == TLSMEM_OK);
    }
    set_key(ctx);
    set_patience(ctx);
    return ctx;
}

tlsmem_ctx *contexts_of_server(void)
{
    for (int i = 0; i < NAMES; i++)
        of_name[i] = server_context(i);
    return of_name[USUAL_NAME];
}

void contexts_reload(void)
{
    for (int i = 0; i < NAMES; i++) {
        tlsmem_ctx *fresh = server_context(i);
        if (tlsmem_ctx_reload(of_name[i], fresh) != TLSMEM_OK)
            wrong("server: a context that is well was not taken");
        tlsmem_ctx_free(fresh);
        ADD(own->reloads, 1);
    }
}

/* ---- the clients' */

static int verdict_asked(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    talk *t = tlsmem_user(c);
    (void)user;
    ADD(own->questions, 1);
    if (verdict->result != 0)
        wrong("%s: a good certificate was found bad", talk_name(t));
    if (t->plan.order.ending == UNANSWERED) {
        tlsmem_set_timeout(c, TLSMEM_TIMEOUT_HANDSHAKE, 1 + (uint32_t)(seeded_next(&t->chance) % 300));
        return TLSMEM_LATER;
    }
    if (t->plan.later) {
        answer_later(t, verdict->token, NULL);
        return TLSMEM_LATER;
    }
    return t->plan.order.ending == DISTRUSTED ? REJECTED : TLSMEM_OK;
}

void contexts_of_clients(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        tlsmem_ctx *ctx = context(TLSMEM_CLIENT, kind == OLD_VERSION ? TLSMEM_TLS1_2 : kind == WITH_VERDICT ? 0 : TLSMEM_TLS1_3);
        if (kind == WITH_KEY)
            set_key(ctx);
        if (kind == WITH_CERTIFICATE) {
            MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
            MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
        }
        if (kind == WITH_VERDICT)
            MUST(tlsmem_ctx_set_verify_cb(ctx, verdict_asked, NULL) == TLSMEM_OK);
        set_patience(ctx);
        of_kind[kind] = ctx;
    }
}

tlsmem_ctx *context_of_kind(int kind)
{
    return of_kind[kind];
}

/* ---- both */

static long connections_of(const tlsmem_ctx *ctx)
{
    tlsmem_ctx_stats_info stats = TLSMEM_CTX_STATS_INFO_INIT;
    if (ctx == NULL)
        return 0;
    MUST(tlsmem_ctx_stats(ctx, &stats) == TLSMEM_OK);
    return (long)(stats.connections + stats.connections_old);
}

long contexts_connections(void)
{
    long all = 0;
    for (int i = 0; i < NAMES; i++)
        all += connections_of(of_name[i]);
    for (int i = 0; i < KINDS; i++)
        all += connections_of(of_kind[i]);
    return all;
}

void contexts_free(void)
{
    for (int i = 0; i < NAMES; i++)
        tlsmem_ctx_free(of_name[i]);
    for (int i = 0; i < KINDS; i++)
        tlsmem_ctx_free(of_kind[i]);
}

/* ---- sessions: a few of each kind and name, in no order */

enum { KEPT = 16 };
static tlsmem_session *kept[KINDS][NAMES][KEPT];

static tlsmem_session **place_of(talk *t)
{
    return &kept[t->plan.kind][t->plan.name][seeded_next(&t->chance) % KEPT];
}

int sessions_offer(talk *t)
{
    tlsmem_session **place = place_of(t);
    if (*place == NULL)
        return 0;
    int status = tlsmem_session_set(t->c, *place);
    if (status != TLSMEM_OK)
        wrong("%s: a session was refused: %s", talk_name(t), tlsmem_status_name(status));
    return status == TLSMEM_OK;
}

void keep_session(talk *t)
{
    tlsmem_session *session = t->established ? tlsmem_session_get(t->c) : NULL;
    if (session == NULL)
        return;
    if (seeded_next(&t->chance) % 32 == 0) { /* by way of its bytes */
        unsigned char bytes[8192];
        ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
        tlsmem_session_free(session);
        if (n <= 0 || n > (ptrdiff_t)sizeof bytes || tlsmem_session_from_bytes(bytes, (size_t)n, &session) != TLSMEM_OK) {
            wrong("%s: a session does not survive as bytes", talk_name(t));
            return;
        }
    }
    tlsmem_session **place = place_of(t);
    tlsmem_session_free(*place);
    *place = session;
}

void sessions_free(void)
{
    tlsmem_session **all = &kept[0][0][0];
    for (int i = 0; i < KINDS * NAMES * KEPT; i++) {
        tlsmem_session_free(all[i]);
        all[i] = NULL;
    }
}
