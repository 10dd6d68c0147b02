/* Recorders: what they are given of a replay, and those that free the connection they are told of. */
#define _GNU_SOURCE
#include "replays.h"

void append(text *t, const void *bytes, size_t n)
{
    t->bytes = realloc(t->bytes, t->length + n + 1);
    MUST(t->bytes != NULL);
    memcpy(t->bytes + t->length, bytes, n);
    t->bytes[t->length += n] = 0;
}

text clear(text *t)
{
    free(t->bytes);
    return *t = (text){ NULL, 0 };
}

/* Three lines of C. */
void record(const void *bytes, size_t n, void *user)
{
    append(user, bytes, n);
}

/** A replay that is recorded has the recording's time, not none at all. */
static void recorded_again(void)
{
    situation("a recording of a replay");
    static const char before[] = "tlsmem recording 1\n5 in 160301\n25 in 00\n10000 tick\n";
    text again = { 0 };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
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
static void freed_by_its_recorder(void)
{
    static const char *const events[] = { " in ", " end", " error ", " tick" };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
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

void recorders(void)
{
    recorded_again();
    freed_by_its_recorder();
}
