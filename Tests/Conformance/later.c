/*
 * Decisions of a handshake that are answered by tlsmem_answer: inside the callback, later, from another thread, and twice. Which
 * there are is in later_decisions.c, what may happen meanwhile in later_meanwhile.c, what an answer may bring along in
 * later_replies.c, and what is asked after the handshake in later_postauth.c. Time stands still.
 */
#define _GNU_SOURCE
#include "later.h"
#include "false_clock.h"

#include <poll.h>
#include <pthread.h>

static tlsmem_loop *loops[2];

/* ---- a pair of which one decides */

int skips(const decision *d, int face) { return short_run() && (d - decisions) % 3 != face; }

end *decider(const decision *d) { return d->of_server ? &server : &client; }

void later_open(const decision *d, int version, face client_face, face server_face, cut_kind how)
{
    later_open_between(d, d->client_ctx(version), d->server_ctx(version), client_face, server_face, how);
}

void later_open_between(const decision *d, tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, cut_kind how)
{
    visit_before(d, from, to);
    memset(&last, 0, sizeof last);
    last.returned = TLSMEM_LATER;
    last.reply = (tlsmem_reply)TLSMEM_REPLY_INIT;
    for (int i = 0; i < 2; i++)
        MUST((loops[i] = new_loop()) != NULL);
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    come_back();
    wire_open(&pair_wire, &client, &server, (cut){ how, 1 });
    if (pair_wire.bytewise_most > 8192)
        pair_wire.bytewise_most = 8192; /* the handshake, and something behind it */
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 100000;
    client.close_when_done = server.close_on_eof = 1;
}

void later_close(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong, server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
    tlsmem_ctx_free(last.reply.ctx);
    forget_visit();
}

void later_wait(const decision *d)
{
    wire_settle(&pair_wire);
    end *e = decider(d);
    MUST(last.times == 1 && last.c == e->c);
    tlsmem_want_info want = want_of(e->c);
    CHECK(want.waits_for == d->question, "it waits for %d", (int)want.waits_for);
    CHECK(want.needs_ciphertext == 0 && want.deadline_ms > tlsmem_now(), "it reads %d, deadline %lld", want.needs_ciphertext,
          (long long)want.deadline_ms);
    CHECK(!e->established && e->received == 0 && !end_ended(e), "it went on without an answer");
    CHECK(e->face != FACE_FD || tlsmem_interest(e->c) == 0, "interest %d", tlsmem_interest(e->c));
}

int good_answer(void) { return tlsmem_answer(last.c, last.token, TLSMEM_OK, &last.reply); }

void answer(int status)
{
    CHECK_STATUS(tlsmem_answer(last.c, last.token, status, &last.reply), TLSMEM_OK);
    if ((last.c == client.c ? client : server).face != FACE_REGISTRY)
        IGNORE(tlsmem_handshake(last.c) != 0);
}

void check_whole(const decision *d)
{
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK(last.times == 1, "asked %d times", last.times);
    check_effect(d, 1);
}

void check_nobody_waits(void)
{
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, NULL), TLSMEM_ESTATE);
}

/* ---- answers */

static void answer_at_once(void)
{
    CHECK_STATUS(good_answer(), TLSMEM_OK);
    CHECK_STATUS(tlsmem_answer(last.c, last.token, 40, NULL), TLSMEM_ESTATE);
}

static void at_once(const decision *d, int version, face f, cut_kind how)
{
    situation("%s, version %x, %s, %s: answered inside the callback", d->name, (unsigned)version, face_names[f], cut_names[how]);
    later_open(d, version, f, f, how);
    last.inside = answer_at_once;
    check_whole(d);
    check_nobody_waits();
    later_close();
}

/** The first answer counts, and what the callback then returns does not. */
static void first_counts(const decision *d, int version)
{
    situation("%s, version %x: answered inside the callback, which returns something else", d->name, (unsigned)version);
    later_open(d, version, FACE_BUFFERS, FACE_FD, CUT_WHOLE);
    last.inside = answer_at_once;
    last.returned = d->refusal;
    check_whole(d);
    later_close();
}

static void *answer_in_a_thread(void *result)
{
    *(int *)result = good_answer();
    return NULL;
}

static void later(const decision *d, int version, face f, face g, cut_kind how, int in_a_thread)
{
    situation("%s, version %x, %s and %s, %s: answered later%s", d->name, (unsigned)version, face_names[f], face_names[g], cut_names[how],
              in_a_thread ? " from another thread" : "");
    later_open(d, version, f, g, how);
    later_wait(d);
    end *e = decider(d);
    int result = TLSMEM_EINTERNAL;
    pthread_t thread;
    CHECK_STATUS(tlsmem_answer(e->c, last.token + 1, TLSMEM_OK, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_answer(e == &client ? server.c : client.c, last.token, TLSMEM_OK, NULL), TLSMEM_ESTATE);
    if (in_a_thread)
        MUST(pthread_create(&thread, NULL, answer_in_a_thread, &result) == 0 && pthread_join(thread, NULL) == 0);
    else
        result = good_answer();
    CHECK_STATUS(result, TLSMEM_OK);
    check_nobody_waits();
    if (e->face != FACE_REGISTRY)
        CHECK(tlsmem_deadline(e->c) <= tlsmem_now(), "no deadline asks for a drive");
    if (e->face == FACE_FD)
        CHECK(tlsmem_interest(e->c) & POLLOUT, "no interest asks for a drive");
    else if (e->face == FACE_BUFFERS)
        CHECK_STATUS(tlsmem_tick(e->c, tlsmem_now()), TLSMEM_OK);
    check_whole(d);
    later_close();
}

static void refused(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: refused later", d->name, (unsigned)version, face_names[f]);
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    answer(d->refusal);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    int status = d->refused_status[version == TLSMEM_TLS1_3];
    CHECK_ENDED(*decider(d), status);
    if (status == TLSMEM_OK)
        check_effect(d, 0);
    later_close();
}

/** Over every pair of faces; how the wire cuts goes round with the pairs, and from decision to decision. */
static void of_decision(const decision *d, int version)
{
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    int turn = short_run() ? 0 : (int)(d - decisions) + version;
    for (int i = 0; i < 3; i++) {
        face f = faces[i];
        if (skips(d, i))
            continue;
        at_once(d, version, f, (cut_kind)((turn + i) % 3));
        for (int j = 0; j < 3; j++)
            later(d, version, f, faces[j], (cut_kind)((turn + i + j) % 3), (turn + i * 3 + j) % 2);
        refused(d, version, f);
    }
    first_counts(d, version);
    later_meanwhile(d, version);
}

int main(void)
{
    begin("later");
    false_clock(1);
    for (int i = 0; i < decisions_count; i++)
        for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
            of_decision(&decisions[i], version);
    for (int i = 0; i < decisions_count; i++)
        later_postauth(&decisions[i]);
    later_replies();
    forget_keys();
    return finish();
}
