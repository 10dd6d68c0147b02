/*
 * What a program does inside the callbacks of the key log and of the trace, at each of the times that they come: the
 * connection may be freed there, and nothing calls back any more; or ended; or used.
 */
#include "reports.h"

enum { FREE, ABORT, CLOSE, WRITE, DRIVE, PAUSE, ACTS };
static const char *const names[ACTS] = { "free", "abort", "close", "write", "drive", "pause and resume" };

static int act, when, came, freed, side, depth;

static void on_report(tlsmem *c)
{
    end *e = side == 0 ? &client : &server, *other = side == 0 ? &server : &client;
    CHECK(!freed, "told after the free");
    CHECK(depth++ == 0, "one inside the other");
    if (came++ == when) {
        unsigned char byte;
        switch (act) {
        case FREE:
            freed = 1;
            end_free_connection(e);
            break;
        case ABORT: CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK); break;
        case CLOSE: CHECK_STATUS(tlsmem_close(c), TLSMEM_OK); break;
        case WRITE:
            pattern_fill(&byte, e->stream, e->sent, 1);
            if (tlsmem_write(c, &byte, 1) == 1)
                e->sent++, e->to_send++, other->to_receive++;
            break;
        case DRIVE:
            IGNORE(tlsmem_handshake(c));
            IGNORE(tlsmem_tick(c, tlsmem_now()));
            break;
        case PAUSE:
            CHECK_STATUS(tlsmem_pause(c), TLSMEM_OK);
            CHECK_STATUS(tlsmem_resume(c), TLSMEM_OK);
            break;
        }
    }
    depth--;
}

/* So that reports come while a question is open, too. */
static int go_on(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)c, (void)hello, (void)user;
    CHECK(!freed, "asked after the free");
    return TLSMEM_OK;
}

/** Returns whether the time came at all. */
static int run(int version, face of_both)
{
    tlsmem_ctx *contexts[2];
    tlsmem_loop *loops[2] = { new_loop(), new_loop() };
    MUST(loops[0] != NULL && loops[1] != NULL);
    situation("%s at the %d-th report of the %s, %s, TLS 1.%d", names[act], when, side == 0 ? "client" : "server",
              face_names[of_both], version - 0x0301);
    accounts_open(version, contexts);
    accounts[side].hook = on_report;
    if (side == 1)
        MUST(tlsmem_ctx_set_client_hello_cb(contexts[1], go_on, NULL) == TLSMEM_OK);
    came = freed = depth = 0;
    accounts_pair(contexts, loops, of_both, of_both);
    client.to_send = server.to_receive = server.to_send = client.to_receive = 100;
    client.close_when_done = server.close_on_eof = client.close_on_eof = 1;
    wire_run(&pair_wire, both_ended);
    end *e = side == 0 ? &client : &server, *other = side == 0 ? &server : &client;
    int has_come = came > when;
    CHECK(e->wrong == 0 && other->wrong == 0, "%d wrong, %d at the peer", e->wrong, other->wrong);
    CHECK(freed || act == FREE ? 1 : e->closes == 1, "on_close %d times", e->closes);
    if (!freed && act != FREE && act != ABORT)
        CHECK(accounts[side].told_closed == (int)accounts[side].count, "%d were told before on_close, %zu in all",
              accounts[side].told_closed, accounts[side].count);
    if (act == ABORT && has_come)
        CHECK(e->report.status == TLSMEM_EABORTED || e->report.status == TLSMEM_OK, "ended with %s",
              tlsmem_status_name(e->report.status));
    if ((act == WRITE || act == DRIVE || act == PAUSE) && has_come)
        CHECK(e->report.status == TLSMEM_OK && other->report.status == TLSMEM_OK && other->received == e->sent
              && e->received == 100, "ended with %s and %s, %llu of %llu", tlsmem_status_name(e->report.status),
              tlsmem_status_name(other->report.status), (unsigned long long)other->received, (unsigned long long)e->sent);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++) {
        tlsmem_loop_free(loops[i]);
        tlsmem_ctx_free(contexts[i]);
    }
    return has_come;
}

/* ---- another context, by the ClientHello */

static tlsmem_ctx *other;

static int change_context(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)hello, (void)user;
    CHECK_STATUS(tlsmem_set_ctx(c, other), TLSMEM_OK);
    return TLSMEM_OK;
}

/** Whom the first context names is told of the ClientHello, and whom the other one names of all that follows. */
static void changed(int version, int first_tells, int other_tells)
{
    tlsmem_ctx *contexts[2], *first;
    tlsmem_loop *none[2] = { NULL, NULL };
    situation("another context, which tells %s, from one that tells %s, TLS 1.%d", other_tells ? "all" : "nothing",
              first_tells ? "all" : "nothing", version - 0x0301);
    accounts_open(version, contexts);
    other = contexts[1];
    first = contexts[1] = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_client_hello_cb(first, change_context, NULL) == TLSMEM_OK);
    if (first_tells)
        accounts_tell(first, &accounts[0]);
    MUST(tlsmem_ctx_set_trace_cb(contexts[0], NULL, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_keylog_cb(contexts[0], NULL, NULL) == TLSMEM_OK);
    if (!other_tells)
        MUST(tlsmem_ctx_set_trace_cb(other, NULL, NULL) == TLSMEM_OK && tlsmem_ctx_set_keylog_cb(other, NULL, NULL) == TLSMEM_OK);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_BUFFERS);
    wire_establish(&pair_wire);
    CHECK(accounts[0].count == (first_tells ? 2 : 0) && accounts[0].line_count == 0, "the first had %zu and %zu lines",
          accounts[0].count, accounts[0].line_count);
    CHECK(accounts[1].line_count == (size_t)(other_tells ? version == TLSMEM_TLS1_3 ? 5 : 1 : 0), "%zu lines",
          accounts[1].line_count);
    CHECK((accounts[1].count > 8) == other_tells && (other_tells || accounts[1].count == 0), "%zu pieces", accounts[1].count);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(contexts[0]);
    tlsmem_ctx_free(first);
    tlsmem_ctx_free(other);
}

void inside_reports(int version)
{
    for (int i = 0; i < 4; i++)
        changed(version, i / 2, i % 2);
    for (act = 0; act < ACTS; act++)
        for (side = 0; side < 2; side++)
            for (int face = FACE_BUFFERS; face <= FACE_REGISTRY; face++)
                for (when = 0; run(version, (enum face)face); when += short_run() ? 7 : act == FREE ? 1 : 3)
                    MUST(when < 500);
}
