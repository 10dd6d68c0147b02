/* Recordings in odd places: of a replay, by who frees its connection, of slow bytes, and of nothing but an end. */
#define _GNU_SOURCE
#include "replays.h"

/** A replay that is recorded has the recording's time, not none at all. */
void recorded_again(void)
{
    situation("a recording of a replay");
    static const char before[] = "tlsmem recording 1\n5 in 160301\n25 in 00\n10000 tick\n";
    text again = { 0 };
    tlsmem_ctx *ctx = seeded_context(0);
    tlsmem *c = connection(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_set_record_cb(c, record, &again), TLSMEM_OK);
    CHECK_STATUS(tlsmem_replay(c, before, strlen(before), NULL, NULL), TLSMEM_OK);
    CHECK(strcmp(again.bytes, before) == 0, "%s", again.bytes);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    clear(&again);
}

/** Frees its connection when it is told of something. */
typedef struct impatient {
    tlsmem *c;
    const char *of;
    int times;
} impatient;

static void free_when_told(const void *bytes, size_t n, void *user)
{
    impatient *who = user;
    if (memmem(bytes, n, who->of, strlen(who->of)) == NULL)
        return;
    who->times++;
    tlsmem_free(who->c);
}

/** Of a tick it was told before anything held the connection: it was used after its free. */
void freed_by_its_recorder(void)
{
    static const char *const events[] = { " in ", " end", " error ", " tick" };
    tlsmem_ctx *ctx = seeded_context(0);
    for (int i = 0; i < 4; i++) {
        situation("freed by its recorder, at \"%s\"", events[i]);
        tlsmem *c = connection(ctx, NULL, NULL);
        impatient who = { c, events[i], 0 };
        CHECK_STATUS(tlsmem_set_record_cb(c, free_when_told, &who), TLSMEM_OK);
        CHECK_STATUS(tlsmem_feed(c, "\026\003\001", 3), 3);
        if (i > 0)
            CHECK_STATUS(i == 1 ? tlsmem_feed_eof(c) : i == 2 ? tlsmem_feed_error(c, 104) : tlsmem_tick(c, tlsmem_now() + 10000),
                         TLSMEM_OK);
        CHECK(who.times == 1, "told %d times", who.times);
    }
    tlsmem_ctx_free(ctx);
}

/** Each line has the moment at which its bytes were fed, from when the recording began. */
void moments(void)
{
    situation("bytes that take ten milliseconds");
    tlsmem_ctx *server = seeded_context(TLSMEM_TLS1_3), *client = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    tlsmem_pair *pair = tlsmem_pair_new(server, client);
    tlsmem_wire_faults slow = TLSMEM_WIRE_FAULTS_INIT;
    slow.delay_least_ms = slow.delay_most_ms = 10;
    MUST(pair != NULL && tlsmem_set_server_name(tlsmem_pair_end(pair, 1), "localhost") == TLSMEM_OK);
    for (int side = 0; side < 2; side++)
        MUST(tlsmem_wire_set_faults(tlsmem_pair_wire(pair, side), &slow) == TLSMEM_OK);
    clear(&recording);
    CHECK_STATUS(tlsmem_set_record_cb(tlsmem_pair_end(pair, 0), record, &recording), TLSMEM_OK);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_STALLED);
    char *hello = strchr(recording.bytes, '\n') + 1, *finished = strchr(hello, '\n') + 1;
    CHECK(strncmp(hello, "10 in 1603", 10) == 0 && strncmp(finished, "30 in 1403", 10) == 0, "%.10s, %.10s", hello, finished);
    tlsmem_pair_free(pair);
    tlsmem_ctx_free(server);
    tlsmem_ctx_free(client);
}

/** What the transport said, and a program that frees the connection meanwhile. */
void endings(void)
{
    static const char *const lines[] = { "0 end\n", "0 error 104\n", "0 in 00\n", "10000 tick\n" };
    static const char *const ends[] = { "close TLSMEM_EHANDSHAKEEOF 0\n", "close TLSMEM_ERESET 0\n", "",
        "close TLSMEM_ETIMEOUT 0\n" };
    for (int i = 0; i < 4; i++) {
        situation("nothing but %.*s", (int)strcspn(lines[i], "\n"), lines[i]);
        text calls = { 0 }, by_hand = { 0 };
        append(&by_hand, "tlsmem recording 1\n", 19);
        append(&by_hand, lines[i], strlen(lines[i]));
        CHECK_STATUS(replay(0, &by_hand, &sent, &calls, 1), TLSMEM_OK);
        CHECK(strcmp(calls.bytes == NULL ? "" : calls.bytes, ends[i]) == 0, "%s", calls.bytes);
        clear(&calls), clear(&by_hand);
    }
}
