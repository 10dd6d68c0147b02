/* Sessions that the program keeps for many servers: a table here, from which a server is answered at once or later. */
#include "fleet.h"

#include "false_clock.h"

enum { PLACES = 64 };
static struct place {
    unsigned char id[32], bytes[4096];
    size_t id_n, n;
} places[PLACES];
static int version, late, news, finds, removed;
static struct { tlsmem *c; uint64_t token; unsigned char id[32]; size_t id_n; int once; } open_question;

static struct place *place_of(const void *id, size_t n)
{
    for (struct place *p = places; p < places + PLACES; p++)
        if (p->id_n == n && memcmp(p->id, id, n) == 0)
            return p;
    return NULL;
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    struct place *p = place_of("", 0);
    (void)c;
    MUST(p != NULL && entry->id_length <= sizeof p->id && entry->length <= sizeof p->bytes);
    CHECK(user == places && entry->size == sizeof *entry, "not what was given");
    CHECK_STATUS(entry->once, version == TLSMEM_TLS1_3);
    CHECK(entry->id_length == 32 && entry->length > 100, "%zu bytes under %zu", entry->length, entry->id_length);
    memcpy(p->id, entry->id, p->id_n = entry->id_length);
    memcpy(p->bytes, entry->bytes, p->n = entry->length);
    news++;
}

static void answer(tlsmem *c, uint64_t token, const void *id, size_t id_n, int once)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    struct place *p = place_of(id, id_n);
    if (p != NULL) {
        reply.bytes = p->bytes;
        reply.length = p->n;
    }
    CHECK_STATUS(tlsmem_answer(c, token, p != NULL ? TLSMEM_OK : TLSMEM_ESESSION, &reply), TLSMEM_OK);
    if (p != NULL && once)
        memset(p, 0, sizeof *p);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    finds++;
    CHECK(entry->bytes == NULL && entry->length == 0 && entry->expires == 0, "it is said what is asked");
    CHECK_STATUS(entry->once, version == TLSMEM_TLS1_3);
    CHECK_STATUS(want_of(c).waits_for, TLSMEM_QUESTION_SESSION);
    if (!late) {
        answer(c, entry->token, entry->id, entry->id_length, entry->once);
        return TLSMEM_LATER;
    }
    open_question.c = c;
    open_question.token = entry->token;
    memcpy(open_question.id, entry->id, open_question.id_n = entry->id_length);
    open_question.once = entry->once;
    return TLSMEM_LATER;
}

static void on_remove(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    struct place *p = place_of(entry->id, entry->id_length);
    (void)c, (void)user;
    CHECK(entry->bytes == NULL && entry->length == 0, "bytes of what is lost");
    removed++;
    if (p != NULL)
        memset(p, 0, sizeof *p);
}

static const tlsmem_session_callbacks callbacks = { sizeof callbacks, on_new, on_find, on_remove };

static tlsmem_ctx *storing(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_set_session_callbacks(ctx, &callbacks, places) == TLSMEM_OK);
    return ctx;
}

/** Visits a server and takes the next session in place of this. */
static void come_back(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session **session, int resumed)
{
    tlsmem_session *next;
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    if (*session != NULL)
        CHECK_STATUS(tlsmem_session_set(client.c, *session), TLSMEM_OK);
    if (late && *session != NULL) {
        wire_settle(&pair_wire);
        CHECK(open_question.c == server.c && !tlsmem_is_established(server.c), "it does not wait for the answer");
        answer(open_question.c, open_question.token, open_question.id, open_question.id_n, open_question.once);
        tlsmem_handshake(server.c);
    }
    next = visit_go_on(NULL, resumed);
    MUST(next != NULL);
    tlsmem_session_free(*session);
    *session = next;
}

/** The group is the client's first choice, or has it say a second ClientHello in TLS 1.3: also then the store is asked once. */
static void two_servers(const char *group)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *to[2] = { storing(context(TLSMEM_SERVER, version)), storing(context(TLSMEM_SERVER, version)) };
    tlsmem_session *session = NULL;
    situation("two servers with one store, answered %s, %s, TLS 1.%d", late ? "later" : "at once", group, version - 0x0301);
    for (int i = 0; i < 2; i++)
        MUST(tlsmem_ctx_set_groups(to[i], group) == TLSMEM_OK);
    memset(places, 0, sizeof places);
    news = finds = removed = 0;
    for (int i = 0; i < 6; i++)
        come_back(from, to[i % 2], &session, i > 0);
    CHECK_STATUS(finds, 5);
    CHECK_STATUS(news, version == TLSMEM_TLS1_3 ? 2 + 5 : 1);
    CHECK_STATUS(removed, 0);
    memset(places, 0, sizeof places);
    come_back(from, to[0], &session, 0);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to[0]);
    tlsmem_ctx_free(to[1]);
    tlsmem_ctx_free(from);
}

/** A ticket of TLS 1.3 is good for one visit, a session of TLS 1.2 for many. */
static void once(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = storing(context(TLSMEM_SERVER, version));
    situation("one session, two visits, TLS 1.%d", version - 0x0301);
    memset(places, 0, sizeof places);
    tlsmem_session *session = visit(from, to, NULL, 0);
    tlsmem_session_free(visit(from, to, session, 1));
    tlsmem_session_free(visit(from, to, session, version == TLSMEM_TLS1_2));
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** What the store has is looked at: other bytes, another's session, an old one, and a client's certificate. */
static void bad_answers(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = storing(context(TLSMEM_SERVER, version));
    struct place good;
    memset(places, 0, sizeof places);
    tlsmem_session *other = visit(from, to, NULL, 0), *session = visit(from, to, NULL, 0);
    struct place *p = places + news % PLACES;
    for (int i = 0; i < PLACES; i++)
        if (places[i].n > 0)
            p = &places[i]; /* the last that came is the client's */
    good = *p;
    for (int i = 0; i < 6; i++) {
        situation("a store that answers with something else, %d, TLS 1.%d", i, version - 0x0301);
        *p = good;
        switch (i) {
        case 0: p->n = 0; break;
        case 1: p->n--; break;
        case 2: p->n++; break;
        case 3: p->bytes[0] ^= 1; break;
        case 4: p->n = 4096; memset(p->bytes, 0xff, sizeof p->bytes); break;
        case 5: memcpy(p->bytes, places[0].bytes, p->n = places[0].n); break; /* another's */
        }
        tlsmem_session_free(visit(from, to, session, 0));
    }
    situation("a session that is over, TLS 1.%d", version - 0x0301);
    *p = good;
    tlsmem_session_free(other);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_AGAIN);
    false_clock_jump(7300);
    tlsmem_session_free(visit_go_on(NULL, 0));
    false_clock_jump(-7300);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

static void certificates(void)
{
    known_key unused = { 0x55, -10, 600, 1200 };
    tlsmem_ctx *from = known_client(version), *one = storing(asking_server(version, &unused));
    tlsmem_ctx *other = storing(asking_server(version, &unused)), *careless = storing(context(TLSMEM_SERVER, version));
    tlsmem_session *session = NULL;
    situation("a client with a certificate, TLS 1.%d", version - 0x0301);
    memset(places, 0, sizeof places);
    come_back(from, one, &session, 0);
    come_back(from, other, &session, 1);
    tlsmem_session_free(session);
    session = NULL;
    come_back(from, careless, &session, 0);
    come_back(from, one, &session, 0); /* there nobody had asked who it is */
    tlsmem_session_free(session);
    tlsmem_ctx_free(one);
    tlsmem_ctx_free(other);
    tlsmem_ctx_free(careless);
    tlsmem_ctx_free(from);
}

/** A connection that failed takes its session with it. */
static void failures(void)
{
    static const unsigned char rubbish[] = { 23, 3, 3, 0, 32, [36] = 1 };
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = storing(context(TLSMEM_SERVER, version));
    situation("a connection fails, TLS 1.%d", version - 0x0301);
    memset(places, 0, sizeof places);
    removed = 0;
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    server.to_send = 10;
    wire_settle(&pair_wire);
    tlsmem_session *session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    IGNORE(tlsmem_feed(server.c, rubbish, sizeof rubbish));
    CHECK_STATUS(removed, 1);
    CHECK_STATUS(failure_of(server.c), TLSMEM_EPROTOCOL);
    visit_end();
    tlsmem_session_free(visit(from, to, session, 0));
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** Nobody answers: the deadline does. And what is freed meanwhile is gone. */
static void no_answer(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = storing(context(TLSMEM_SERVER, version));
    tlsmem_session *session;
    situation("nobody answers, TLS 1.%d", version - 0x0301);
    memset(places, 0, sizeof places);
    late = 0;
    session = visit(from, to, NULL, 0);
    late = 1;
    for (int is_freed = 0; is_freed < 2; is_freed++) {
        visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        wire_settle(&pair_wire);
        CHECK_STATUS(want_of(server.c).waits_for, TLSMEM_QUESTION_SESSION);
        if (!is_freed)
            CHECK_STATUS(tlsmem_tick(server.c, tlsmem_now() + 60000), TLSMEM_ETIMEOUT);
        visit_end();
        CHECK_STATUS(tlsmem_answer(open_question.c, open_question.token, TLSMEM_OK, NULL), TLSMEM_ESTATE);
    }
    late = 0;
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** Whoever looks for a session asks another machine: one packet must not have it asked hundreds of times. */
static void many_tickets(void)
{
    static unsigned char hello[16384];
    size_t n = hello_with_tickets(hello, 200);
    tlsmem_ctx *to = storing(context(TLSMEM_SERVER, TLSMEM_TLS1_3));
    situation("one ClientHello with two hundred tickets");
    finds = 0;
    tlsmem *c = connection(to, NULL, NULL);
    CHECK_STATUS(tlsmem_feed(c, hello, n), (long)n);
    CHECK(finds > 0 && finds <= 8, "asked for %d sessions", finds);
    CHECK(state_of(c) == TLSMEM_STATE_HANDSHAKING && want_of(c).outgoing_bytes > 500, "state %d, %zu bytes", (int)state_of(c), want_of(c).outgoing_bytes);
    tlsmem_free(c);
    tlsmem_ctx_free(to);
}

static void misuse(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    tlsmem_session_callbacks bad = callbacks;
    situation("callbacks that cannot be");
    bad.on_find = NULL;
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = callbacks;
    bad.on_new = NULL;
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(ctx, &bad, NULL), TLSMEM_EINVAL);
    bad.size--;
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(ctx, &bad, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(storing(ctx), NULL, NULL), TLSMEM_OK);
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    news = finds = 0;
    tlsmem_session *session = visit(from, ctx, NULL, 0);
    tlsmem_session_free(visit(from, ctx, session, 1)); /* by a ticket of OpenSSL's, as ever */
    CHECK(news == 0 && finds == 0, "asked all the same");
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(ctx, &callbacks, NULL), TLSMEM_ESTATE);
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(ctx);
}

void fleet_store(int of_version)
{
    version = of_version;
    for (late = 0; late < 2; late++) {
        two_servers("X25519");
        two_servers("P-384");
    }
    late = 0;
    once();
    bad_answers();
    certificates();
    failures();
    no_answer();
    if (version == TLSMEM_TLS1_3)
        many_tickets();
    misuse();
}
