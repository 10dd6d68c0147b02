/* Clients come back to another server of the fleet, over a change of keys, and not after a key's end. */
#include "fleet.h"

#include "false_clock.h"

static int version;
static const known_key a = { 0xa1, -10, 600, 1200 }, b = { 0xb2, 300, 1800, 2400 };

/** Visits a server, which is to know the session, and takes the next one in place of it. */
static void come_back(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session **session, int resumed)
{
    tlsmem_session *next = visit(from, to, *session, resumed);
    MUST(next != NULL);
    tlsmem_session_free(*session);
    *session = next;
}

/** The same where the server's clock is so many seconds behind the client's, and that of the server that gave the ticket. */
static void come_back_behind(int seconds, tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session **session, int resumed)
{
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(client.c, *session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_AGAIN);
    false_clock_jump(-seconds);
    tlsmem_session *next = visit_go_on(NULL, resumed);
    false_clock_jump(seconds);
    MUST(next != NULL);
    tlsmem_session_free(*session);
    *session = next;
}

static void two_servers(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *stranger = context(TLSMEM_SERVER, version);
    tlsmem_ctx *to[2] = { server_with_keys(version, &a, 1), server_with_keys(version, &a, 1) };
    tlsmem_session *session = NULL;
    situation("two servers with one key, TLS 1.%d", version - 0x0301);
    for (int i = 0; i < 6; i++)
        come_back(from, to[i % 2], &session, i > 0);
    tlsmem_ctx_free(to[0]);
    to[0] = server_with_keys(version, &a, 1); /* as after a restart */
    come_back(from, to[0], &session, 1);
    come_back(from, stranger, &session, 0);
    come_back(from, to[1], &session, 0);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to[0]);
    tlsmem_ctx_free(to[1]);
    tlsmem_ctx_free(stranger);
    tlsmem_ctx_free(from);
}

/** By the clock alone: first a seals, then b, and a opens for a while. */
static void rotation(void)
{
    const known_key both[2] = { a, b };
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *with_both = server_with_keys(version, both, 2), *with_a = server_with_keys(version, &a, 1);
    tlsmem_ctx *with_b = server_with_keys(version, &b, 1);
    tlsmem_session *old = NULL, *session = NULL;
    situation("a key follows the other, TLS 1.%d", version - 0x0301);
    come_back(from, with_both, &old, 0);
    tlsmem_session_free(visit(from, with_b, old, 0));
    come_back(from, with_both, &session, 0);
    come_back(from, with_a, &session, 1);
    false_clock_jump(400); /* b seals, which began later */
    come_back(from, with_both, &session, 1);
    come_back(from, with_b, &session, 1);
    false_clock_jump(400); /* a only opens */
    CHECK(visit(from, with_a, NULL, 0) == NULL, "a ticket, and no key that seals");
    tlsmem_session_free(visit(from, with_a, old, 1));
    false_clock_jump(400); /* nothing any more */
    tlsmem_session_free(visit(from, with_both, old, 0));
    CHECK(visit(from, with_a, old, 0) == NULL, "a ticket, and no key");
    come_back(from, with_both, &session, 1);
    false_clock_jump(-1200);
    situation("what has ended is gone, also when the clock goes back, TLS 1.%d", version - 0x0301);
    tlsmem_session_free(visit(from, with_both, old, 0));
    tlsmem_session_free(old);
    tlsmem_session_free(session);
    tlsmem_ctx_free(with_both);
    tlsmem_ctx_free(with_a);
    tlsmem_ctx_free(with_b);
    tlsmem_ctx_free(from);
}

/** While connections are served: a key is added, and one taken away. */
static void at_work(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = server_with_keys(version, &a, 1);
    tlsmem_session *session = NULL, *old = NULL;
    char text[1024] = "";
    situation("keys are changed at work, TLS 1.%d", version - 0x0301);
    come_back(from, to, &session, 0);
    come_back(from, to, &old, 0);
    tlsmem_ticket_key second = key_of((known_key){ 0xc3, -5, 600, 700 });
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &second), TLSMEM_OK);
    come_back(from, to, &session, 1); /* sealed by the second from now on */
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, key_of(a).name), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, key_of(a).name), TLSMEM_OK);
    come_back(from, to, &session, 1);
    come_back(from, to, &old, 0);
    add_line(text, b);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(to, text, strlen(text)), TLSMEM_OK);
    CHECK(visit(from, to, session, 0) == NULL, "a ticket, though no key seals yet");
    tlsmem_session_free(session);
    tlsmem_session_free(old);
    tlsmem_ctx_free(to);

    situation("without a key before the first connection, TLS 1.%d", version - 0x0301);
    to = context(TLSMEM_SERVER, version);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, second.name), TLSMEM_OK);
    tlsmem_session_free(visit(from, to, NULL, 0));
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &second), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(to, text, strlen(text)), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, second.name), TLSMEM_ESTATE);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** A client with a certificate is verified anew by whoever it comes back to, and only where the same decides. */
static void certificates(void)
{
    tlsmem_ctx *from = known_client(version), *one = asking_server(version, &a), *other = asking_server(version, &a);
    tlsmem_ctx *elsewhere = asking_server(version, &a), *open = server_with_keys(version, &a, 1);
    tlsmem_session *session = NULL;
    MUST(tlsmem_ctx_set_ca_file(elsewhere, certificate("other-ca.pem")) == TLSMEM_OK);
    situation("a client with a certificate, TLS 1.%d", version - 0x0301);
    come_back(from, one, &session, 0);
    come_back(from, other, &session, 1);
    come_back(from, elsewhere, &session, 0); /* it believes one more */
    come_back(from, one, &session, 0);
    tlsmem_session_free(visit(from, open, session, 0));
    come_back(from, other, &session, 1);

    situation("clocks that differ, TLS 1.%d", version - 0x0301);
    false_clock_jump(130);
    tlsmem_session_free(session);
    session = visit(from, one, NULL, 0);
    come_back_behind(20, from, other, &session, 1);
    come_back_behind(120, from, other, &session, 0);
    false_clock_jump(-130);
    tlsmem_session_free(session);
    tlsmem_ctx_free(one);
    tlsmem_ctx_free(other);
    tlsmem_ctx_free(elsewhere);
    tlsmem_ctx_free(open);
    tlsmem_ctx_free(from);
}

static int choose(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)hello;
    CHECK_STATUS(tlsmem_set_ctx(c, user), TLSMEM_OK);
    return TLSMEM_OK;
}

/** The keys of the first context count, whatever the one has that a ClientHello chooses. */
static void chosen_context(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *chosen[2] = { context(TLSMEM_SERVER, version), server_with_keys(version, &b, 1) };
    tlsmem_session *session = NULL;
    situation("a ClientHello chooses the context, TLS 1.%d", version - 0x0301);
    for (int i = 0; i < 4; i++) {
        tlsmem_ctx *first = server_with_keys(version, &a, 1);
        MUST(tlsmem_ctx_set_client_hello_cb(first, choose, chosen[i % 2]) == TLSMEM_OK);
        come_back(from, first, &session, i > 0);
        tlsmem_ctx_free(first);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(chosen[0]);
    tlsmem_ctx_free(chosen[1]);
    tlsmem_ctx_free(from);
}

/** What takes the place of a context brings its keys along, and they are changed by either. */
static void reload(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = server_with_keys(version, &a, 1);
    tlsmem_ctx *without = context(TLSMEM_SERVER, version), *with_c = server_with_keys(version, &(known_key){ 0xc3, -5, 600, 700 }, 1);
    tlsmem_ticket_key first = key_of(a);
    tlsmem_session *session = NULL, *old = NULL;
    situation("keys and tlsmem_ctx_reload, TLS 1.%d", version - 0x0301);
    come_back(from, to, &session, 0);
    come_back(from, to, &old, 0);
    CHECK_STATUS(tlsmem_ctx_reload(to, without), TLSMEM_OK);
    come_back(from, to, &session, 1);
    CHECK_STATUS(tlsmem_ctx_reload(to, with_c), TLSMEM_OK);
    come_back(from, to, &session, 0);
    come_back(from, to, &session, 1);
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &first), TLSMEM_OK); /* which opens, and does not seal: the other is younger */
    come_back(from, to, &old, 1);
    tlsmem_session_free(session);
    tlsmem_session_free(old);
    tlsmem_ctx_free(with_c);
    tlsmem_ctx_free(without);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);

    situation("keys that came with a reload, TLS 1.%d", version - 0x0301);
    from = context(TLSMEM_CLIENT, version), to = context(TLSMEM_SERVER, version), with_c = server_with_keys(version, &b, 1);
    tlsmem_session_free(visit(from, to, NULL, 0));
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &first), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_reload(to, with_c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &first), TLSMEM_OK);
    session = visit(from, to, NULL, 0);
    tlsmem_session_free(visit(from, to, session, 1));
    tlsmem_session_free(session);
    tlsmem_ctx_free(with_c);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

static struct { tlsmem *c; uint64_t token; } hello;

static int on_hello(tlsmem *c, const tlsmem_client_hello *asked, void *user)
{
    (void)user;
    hello.c = c;
    hello.token = asked->token;
    return TLSMEM_LATER;
}

static tlsmem_ctx *hearing(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_client_hello_cb(ctx, on_hello, NULL) == TLSMEM_OK);
    return ctx;
}

/** The keys are those of the context that a connection began with, which may be gone when its ticket is sealed. */
static void first_context_goes(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = hearing(), *other = context(TLSMEM_SERVER, version);
    tlsmem_session *session = NULL;
    situation("a ticket of a context that was reloaded and left meanwhile, TLS 1.%d", version - 0x0301);
    for (int again = 0; again < 2; again++) {
        tlsmem_reply reply = TLSMEM_REPLY_INIT;
        for (int i = 0; i < 2; i++) {
            tlsmem_ctx *fresh = hearing();
            CHECK_STATUS(tlsmem_ctx_reload(to, fresh), TLSMEM_OK);
            tlsmem_ctx_free(fresh);
            if (i == 0) {
                visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
                if (session != NULL)
                    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
                wire_settle(&pair_wire);
                MUST(hello.c == server.c);
            }
        }
        reply.ctx = other;
        CHECK_STATUS(tlsmem_answer(server.c, hello.token, TLSMEM_OK, &reply), TLSMEM_OK);
        IGNORE(tlsmem_handshake(server.c));
        tlsmem_session_free(session);
        MUST((session = visit_go_on(NULL, again)) != NULL);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(other);
}

void fleet_keys(int of_version)
{
    version = of_version;
    two_servers();
    rotation();
    at_work();
    certificates();
    chosen_context();
    reload();
    first_context_goes();
}
