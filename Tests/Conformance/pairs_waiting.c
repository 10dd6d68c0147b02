/* Pairs that wait: for a deadline, for the program, or for ever; and those that are freed meanwhile. */
#include "pairs.h"

#include <sys/socket.h>
#include <unistd.h>

static int tells(const char *part)
{
    char text[256];
    MUST(tlsmem_pair_tell(pair, text, sizeof text) == TLSMEM_OK);
    return CHECK(strstr(text, part) != NULL, "\"%s\" has no \"%s\"", text, part);
}

void waiting(int version)
{
    tlsmem_wire_faults stall = TLSMEM_WIRE_FAULTS_INIT;
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    int tls = version - 0x0301;
    stall.stall_after = 10;

    situation("a stall without a deadline, TLS 1.%d", tls);
    limits.handshake_ms = 0;
    contexts(version, &limits);
    open_pair(1000);
    set_faults(0, &stall);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_STALLED);
    CHECK(tlsmem_pair_time(pair) == 0, "it took %lld ms", (long long)tlsmem_pair_time(pair));
    tells("at 0 ms the server is in its handshake, and the client is in its handshake, ");
    tells(" bytes are on their way to it");
    char small[8];
    CHECK_STATUS(tlsmem_pair_tell(pair, small, sizeof small), TLSMEM_OK);
    CHECK(strcmp(small, "at 0 ms") == 0, "%s", small);
    tlsmem_pair_free(pair);

    situation("a client of which nothing arrives, TLS 1.%d", tls);
    contexts(version, NULL);
    open_pair(0);
    stall.stall_after = 0;
    set_faults(1, &stall);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    CHECK(parties[0].status == TLSMEM_ETIMEOUT && parties[0].closed_at == 10000, "%s at %lld",
          tlsmem_status_name(parties[0].status), (long long)parties[0].closed_at);
    tlsmem_pair_free(pair);

    situation("idle, read and write deadlines in the pair's time, TLS 1.%d", tls);
    static const int which[] = { TLSMEM_TIMEOUT_IDLE, TLSMEM_TIMEOUT_READ, TLSMEM_TIMEOUT_WRITE };
    for (int i = 0; i < 3; i++) {
        contexts(version, NULL);
        open_pair(0);
        parties[0].stays_open = parties[1].stays_open = 1;
        CHECK_STATUS(tlsmem_pair_run(pair, 1000), TLSMEM_PAIR_STALLED);
        MUST(tlsmem_set_timeout(parties[0].c, (tlsmem_timeout)which[i], 7000) == TLSMEM_OK);
        stall.capacity = 4096;
        stall.stall_after = 0;
        set_faults(0, &stall); /* the server's words go nowhere */
        static char much[100000];
        if (which[i] == TLSMEM_TIMEOUT_WRITE)
            MUST(tlsmem_write(parties[0].c, much, sizeof much) > 0);
        int64_t from = tlsmem_pair_time(pair);
        IGNORE(tlsmem_pair_run(pair, INT64_MAX));
        CHECK(parties[0].status == TLSMEM_ETIMEOUT && parties[0].closed_at == from + 7000, "%s at %lld, from %lld",
              tlsmem_status_name(parties[0].status), (long long)parties[0].closed_at, (long long)from);
        tlsmem_pair_free(pair);
    }

    situation("a peer that does not close, TLS 1.%d", tls);
    open_pair(0);
    parties[0].stays_open = parties[1].stays_open = 1;
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_STALLED);
    stall.stall_after = 0;
    set_faults(1, &stall);
    MUST(tlsmem_close(parties[1].c) == TLSMEM_OK);
    MUST(tlsmem_close(parties[0].c) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    CHECK(parties[0].status == TLSMEM_ETIMEOUT && parties[0].closed_at == 5000, "%s at %lld",
          tlsmem_status_name(parties[0].status), (long long)parties[0].closed_at);
    tlsmem_pair_free(pair);

    situation("two that always have an answer, TLS 1.%d", tls);
    open_pair(1);
    for (int i = 0; i < 2; i++)
        parties[i].answers = parties[i].stays_open = 1;
    CHECK_STATUS(tlsmem_pair_run(pair, 3), TLSMEM_PAIR_TIME);
    CHECK(tlsmem_pair_time(pair) == 3 && parties[0].received > 500, "at %lld ms they had said %llu",
          (long long)tlsmem_pair_time(pair), (unsigned long long)parties[0].received);
    tlsmem_pair_free(pair);

    situation("a program that does not read, TLS 1.%d", tls);
    limits.incoming_max = 20000;
    limits.incoming_low = 0;
    contexts(version, &limits);
    open_pair(200000);
    static const tlsmem_callbacks none = TLSMEM_CALLBACKS_INIT;
    MUST(tlsmem_set_callbacks(parties[0].c, &none, NULL) == TLSMEM_OK); /* it reads by itself, and closes at the end */
    CHECK_STATUS(tlsmem_pair_run(pair, 0), TLSMEM_PAIR_TIME);
    tells(" bytes wait to be read");
    static unsigned char bytes[30000];
    uint64_t got = 0;
    ptrdiff_t n;
    while ((n = tlsmem_read(parties[0].c, bytes, sizeof bytes)) > 0 || n == TLSMEM_AGAIN) {
        if (n > 0 && !CHECK(pattern_differs(bytes, 1, got, (size_t)n) == (size_t)n, "wrong after %llu", (unsigned long long)got))
            break;
        got += n > 0 ? (uint64_t)n : 0;
        int outcome = tlsmem_pair_run(pair, 0);
        if (n == TLSMEM_AGAIN && !CHECK(outcome == TLSMEM_PAIR_TIME && want_of(parties[0].c).has_plaintext, "outcome %d", outcome))
            break;
    }
    CHECK(n == 0 && got == 200000, "%llu, then %td", (unsigned long long)got, n);
    tlsmem_close(parties[0].c);
    CHECK_STATUS(tlsmem_pair_run(pair, 0), TLSMEM_PAIR_DONE);
    tlsmem_pair_free(pair);
    contexts(version, NULL);
}

/** They are changed by the pair's clock: all of it takes no time. */
void keys(int version)
{
    tlsmem_wire_faults slow = TLSMEM_WIRE_FAULTS_INIT;
    slow.delay_least_ms = slow.delay_most_ms = 100;
    situation("keys that live two seconds, TLS 1.%d", version - 0x0301);
    contexts(version, NULL);
    MUST(tlsmem_ctx_set_key_update(client_ctx, 0, 2) == TLSMEM_OK && tlsmem_ctx_set_key_update(server_ctx, 0, 2) == TLSMEM_OK);
    open_pair(1);
    for (int i = 0; i < 2; i++) {
        parties[i].answers = parties[i].stays_open = 1;
        set_faults(i, &slow);
    }
    CHECK_STATUS(tlsmem_pair_run(pair, 10000), TLSMEM_PAIR_TIME);
    for (int i = 0; i < 2; i++) {
        tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
        MUST(tlsmem_stats(parties[i].c, &stats) == TLSMEM_OK);
        CHECK(stats.key_updates_in == (version == TLSMEM_TLS1_2 ? 0 : 4), "the peer of side %d changed its key %llu times", i,
              (unsigned long long)stats.key_updates_in);
    }
    tlsmem_pair_free(pair);
    contexts(version, NULL);
}

/** The pair put the same bytes on the wire again and again, because nobody takes from a connection with an fd. */
static void attached(int version)
{
    static char much[1 << 20];
    int ends[2];
    situation("a connection that was given an fd, TLS 1.%d", version - 0x0301);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    while (write(ends[0], much, sizeof much) > 0) {
    }
    open_pair(0);
    CHECK_STATUS(tlsmem_set_fd(parties[1].c, ends[0]), TLSMEM_OK);
    for (int step = 0; step < 10; step++)
        IGNORE(tlsmem_pair_step(pair));
    tlsmem_wire_stats_info stats = TLSMEM_WIRE_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_wire_stats(tlsmem_pair_wire(pair, 1), &stats), TLSMEM_OK);
    CHECK(stats.bytes_put == 0, "%llu bytes are on the wire", (unsigned long long)stats.bytes_put);
    tlsmem_pair_free(pair);
    close(ends[0]);
    close(ends[1]);
}

void freeing(int version)
{
    static const char *const names[] = { "", "on_established", "on_data", "on_close", "on_data, the whole pair" };
    for (int when = FREES_ESTABLISHED; when <= FREES_PAIR; when++)
        for (int who = 0; who < 2; who++) {
            situation("freed in %s, side %d, TLS 1.%d", names[when], who, version - 0x0301);
            open_pair(5000);
            parties[who].frees = (frees)when;
            parties[!who].stays_open = 1;
            CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
            if (when == FREES_PAIR)
                continue;
            CHECK(tlsmem_pair_end(pair, who) == NULL && tlsmem_pair_end(pair, !who) == parties[!who].c, "who is left");
            CHECK(parties[!who].closes == 1, "the other: on_close %d times", parties[!who].closes);
            tells(" is freed");
            tlsmem_pair_free(pair);
        }

    attached(version);
    situation("freed before anything, TLS 1.%d", version - 0x0301);
    open_pair(10);
    tlsmem_free(parties[0].c);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    CHECK(parties[1].status == TLSMEM_EHANDSHAKEEOF, "%s", tlsmem_status_name(parties[1].status));
    tlsmem_pair_free(pair);
    open_pair(10);
    tlsmem_pair_free(pair);
}
