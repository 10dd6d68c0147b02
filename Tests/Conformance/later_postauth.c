/*
 * Decisions about a client that is asked for its certificate in the middle of a connection of TLS 1.3 (RFC 8446, 4.6.2): the
 * server's verdict, which certificate the client shows, and the signature for it.
 */
#define _GNU_SOURCE
#include "later.h"
#include "false_clock.h"

#include <pthread.h>

static int told;

static void on_done(tlsmem *c, void *user)
{
    CHECK(c == server.c && user == &told, "told of another");
    told++;
}

/** The connection stands, and the server has asked. */
static void ask(const decision *d, face f, face g)
{
    tlsmem_ctx *from = d->client_ctx(TLSMEM_TLS1_3), *to = d->server_ctx(TLSMEM_TLS1_3);
    MUST(tlsmem_ctx_set_post_handshake_auth(from, 1) == TLSMEM_OK && tlsmem_ctx_set_verify(to, TLSMEM_VERIFY_LATER) == TLSMEM_OK);
    later_open_between(d, from, to, f, g, CUT_WHOLE);
    told = 0;
    client.to_send = client.to_receive = server.to_send = server.to_receive = 0;
    client.close_when_done = 0;
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    CHECK(last.times == 0 && client.established && server.established, "asked %d times in the handshake", last.times);
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &told), TLSMEM_OK);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 30000;
    client.close_when_done = 1;
    server.activity++;
    client.activity++;
}

static void check_done(const decision *d)
{
    char subject[64] = "";
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    IGNORE(tlsmem_peer_subject(server.c, subject, sizeof subject));
    CHECK(told == 1 && last.times == 1, "told %d times, asked %d times", told, last.times);
    CHECK(strcmp(subject, "CN=test client") == 0, "%s: the client is %s", d->name, subject);
}

static void at_once(void) { CHECK_STATUS(good_answer(), TLSMEM_OK); }

static void *in_a_thread(void *result)
{
    *(int *)result = good_answer();
    return NULL;
}

static void wait_for_it(const decision *d)
{
    wire_settle(&pair_wire);
    end *e = decider(d);
    MUST(last.times == 1 && last.c == e->c);
    tlsmem_want_info want = want_of(e->c);
    CHECK(want.waits_for == d->question && want.deadline_ms > tlsmem_now(), "it waits for %d until %lld", (int)want.waits_for,
          (long long)want.deadline_ms);
    CHECK(told == 0 && !end_ended(e), "it went on without an answer");
}

static void answered(const decision *d, face f, face g, int how)
{
    static const char *const hows[] = { "at once", "later", "later from another thread" };
    situation("%s, after the handshake, %s and %s: answered %s", d->name, face_names[f], face_names[g], hows[how]);
    ask(d, f, g);
    if (how == 0) {
        last.inside = at_once;
    } else {
        int result = TLSMEM_EINTERNAL;
        pthread_t thread;
        wait_for_it(d);
        if (how == 1)
            result = good_answer();
        else
            MUST(pthread_create(&thread, NULL, in_a_thread, &result) == 0 && pthread_join(thread, NULL) == 0);
        CHECK_STATUS(result, TLSMEM_OK);
        check_nobody_waits();
        if (decider(d)->face != FACE_REGISTRY)
            IGNORE(tlsmem_tick(last.c, tlsmem_now()) != 0);
    }
    check_done(d);
    check_nobody_waits();
    later_close();
}

static void refused(const decision *d, face f)
{
    situation("%s, after the handshake, %s: refused later", d->name, face_names[f]);
    ask(d, f, f);
    wait_for_it(d);
    answer(d->refusal);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(*decider(d), d->refused_status[1]);
    CHECK(told == 0, "told %d times", told);
    later_close();
}

static void never(const decision *d, face f)
{
    situation("%s, after the handshake, %s: never answered", d->name, face_names[f]);
    ask(d, f, f);
    wait_for_it(d);
    end *e = decider(d);
    false_clock_forward(tlsmem_deadline(e->c) - tlsmem_now());
    if (f != FACE_REGISTRY)
        IGNORE(tlsmem_tick(e->c, tlsmem_now()) != 0);
    end_drive(e);
    CHECK_ENDED(*e, TLSMEM_ETIMEOUT);
    check_nobody_waits();
    later_close();
}

static void freed(const decision *d, face f)
{
    situation("%s, after the handshake, %s: freed while it waits", d->name, face_names[f]);
    ask(d, f, f);
    wait_for_it(d);
    end_free_connection(decider(d));
    check_nobody_waits();
    later_close();
}

void later_postauth(const decision *d)
{
    int of_client = d->question == TLSMEM_QUESTION_SIGN || d->question == TLSMEM_QUESTION_CLIENT_CERT;
    if (d->of_server ? d->question != TLSMEM_QUESTION_VERIFY : !of_client)
        return;
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    for (int i = 0; i < 3; i++) {
        if (skips(d, i))
            continue;
        for (int how = 0; how < 3; how++)
            answered(d, faces[i], faces[(i + how) % 3], how);
        refused(d, faces[i]);
        never(d, faces[i]);
        freed(d, faces[i]);
    }
}
