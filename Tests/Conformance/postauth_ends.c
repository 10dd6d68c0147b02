/* A client that is asked for its certificate later: what the program says to it, and how it may end. */
#include "postauth.h"

/* ---- verdicts */

static int verdict_is;      /* what is said, or TLSMEM_LATER */
static uint64_t open_token;

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    CHECK(verdict->result == 0 && tlsmem_peer_certificate(c, NULL, 0) > 0, "result %ld", verdict->result);
    open_token = verdict->token;
    return verdict_is;
}

void verdicts(void)
{
    static const struct { int said, later, status; } table[] = {
        { TLSMEM_OK, 0, TLSMEM_OK }, { 50, 0, TLSMEM_EVERIFY }, { TLSMEM_LATER, TLSMEM_OK, TLSMEM_OK },
        { TLSMEM_LATER, 50, TLSMEM_EVERIFY },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        situation("the program says %d, and then %d", table[i].said, table[i].later);
        tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
        MUST(tlsmem_ctx_set_verify_cb(to, on_verdict, NULL) == TLSMEM_OK);
        verdict_is = table[i].said;
        open_token = 0;
        meet(from, to, NULL);
        CHECK(open_token == 0, "asked in the handshake");
        CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
        server.to_send = client.to_receive = server.to_receive = client.to_send = 30000; /* what is written meanwhile waits */
        wire_settle(&pair_wire);
        CHECK(open_token != 0, "not asked");
        if (verdict_is == TLSMEM_LATER) {
            CHECK(told == 0, "told before it was answered");
            tlsmem_reply reply = TLSMEM_REPLY_INIT;
            CHECK_STATUS(tlsmem_answer(server.c, open_token, table[i].later, &reply), TLSMEM_OK);
            server.activity++;
            CHECK_STATUS(tlsmem_handshake(server.c), table[i].status);
        }
        wire_settle(&pair_wire);
        if (table[i].status == TLSMEM_OK) {
            CHECK(told == 1, "told %d times", told);
            check_client("CN=test client");
            part(30000);
        } else {
            CHECK(wire_run(&pair_wire, both_ended) && told == 0, "stalled, or told %d times", told);
            CHECK_STATUS(failure_of(server.c), table[i].status);
        }
        leave(from, to);
    }
}

/* ---- ends */

static void free_it(end *e) { end_free_connection(e); }
static void close_it(end *e) { tlsmem_close(e->c); }
static void ask_again(end *e)
{
    inside = NULL;
    CHECK_STATUS(tlsmem_request_certificate(e->c, on_done, e), TLSMEM_OK);
}

static void in_the_callback(void (*what)(end *e), const char *name, int expected)
{
    situation("%s inside of the callback, with data right behind the answer", name);
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    meet(from, to, NULL);
    inside = what;
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
    pair_wire.how = (cut){ CUT_WHOLE, 0 };
    client.to_send = server.to_receive = 1000;
    wire_settle(&pair_wire);
    CHECK(told == expected, "told %d times", told);
    if (!server.freed && what != close_it)
        part(1000);
    leave(from, to);
}

void ends_in_the_callback(void)
{
    in_the_callback(free_it, "freed", 1);
    in_the_callback(close_it, "closed", 1);
    in_the_callback(ask_again, "asked again", 2);
}

void no_answer(void)
{
    situation("no answer");
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    meet(from, to, NULL);
    CHECK_STATUS(tlsmem_deadline(server.c), -1);
    pair_wire.down.cut_off = 1;
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
    client.to_send = server.to_receive = 100; /* this is no answer */
    wire_settle(&pair_wire);
    int64_t left = tlsmem_deadline(server.c) - tlsmem_now();
    CHECK(left > 8000 && left <= 10000, "%lld ms are left", (long long)left);
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_now() + 9000), TLSMEM_OK);
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_now() + 10001), TLSMEM_ETIMEOUT);
    CHECK(told == 0 && server.closes == 1, "told %d times, closed %d times", told, server.closes);
    leave(from, to);
}
