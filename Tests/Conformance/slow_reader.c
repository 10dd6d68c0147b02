/*
 * A relay between a peer that writes as fast as it can and one that reads 1 KiB a second, in a loop with other
 * connections: what waits stays under the limits, memory does not grow, and the others go on as if nothing were.
 *
 * A second is a round of this program, in which everybody else does as much as can be done: nothing sleeps.
 */
#define _GNU_SOURCE
#include "sanitizers.h"
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef ADDRESS_SANITIZER
enum { GROWTH_MOST = 1 << 30 }; /* KiB; a sanitizer keeps what was freed */
#else
enum { GROWTH_MOST = 4096 };
#endif
enum { OTHERS = 8, QUESTION = 5000, SLOW_BYTES = 1024, TURNS_MOST = 1000 };

/* A connection in the loop, and its peer, which is driven by hand. */
typedef struct line {
    tlsmem *c, *peer;
    int fds[2];
    uint64_t sent, received;
} line;

static tlsmem_loop *loop;
static tlsmem_ctx *server_ctx, *client_ctx, *slow_ctx;
static line fast, slow, others[OTHERS];
static size_t wrong, pauses, resumes, relayed;

/* ---- in the loop */

static void relay(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    wrong += tlsmem_write(slow.c, bytes, n) != (ptrdiff_t)n;
    relayed += n;
    if (tlsmem_is_congested(slow.c)) {
        pauses++;
        tlsmem_pause(c);
    }
}

static void go_on(tlsmem *c, void *user)
{
    (void)c, (void)user;
    resumes++;
    tlsmem_resume(fast.c);
}

static void echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    wrong += tlsmem_write(c, bytes, n) != (ptrdiff_t)n;
}

/* ---- by hand */

static void drive(line *l)
{
    struct pollfd p = { l->fds[1], (short)tlsmem_interest(l->peer), 0 };
    if (p.events == 0 || poll(&p, 1, 0) <= 0)
        return;
    if (p.revents & ~POLLOUT)
        IGNORE(tlsmem_on_readable(l->peer) != 0);
    if (p.revents & POLLOUT)
        IGNORE(tlsmem_on_writable(l->peer) != 0);
}

static int has_work(void)
{
    struct pollfd p = { tlsmem_loop_fd(loop), POLLIN, 0 };
    return poll(&p, 1, 0) > 0 || tlsmem_loop_timeout(loop) == 0;
}

static void open_line(line *l, tlsmem_ctx *peer_ctx, const tlsmem_callbacks *cb)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, l->fds) == 0);
    l->c = connection(server_ctx, cb, l);
    l->peer = connection(peer_ctx, NULL, NULL);
    MUST(tlsmem_loop_add(loop, l->c, l->fds[0]) == TLSMEM_OK && tlsmem_set_fd(l->peer, l->fds[1]) == TLSMEM_OK);
    for (int turn = 0; turn < 100 && !(tlsmem_is_established(l->c) && tlsmem_is_established(l->peer)); turn++) {
        IGNORE(tlsmem_handshake(l->peer) != 0);
        drive(l);
        IGNORE(tlsmem_loop_run_once(loop, 0) < 0);
    }
    MUST(tlsmem_is_established(l->c) && tlsmem_is_established(l->peer));
}

static void close_line(line *l)
{
    tlsmem_free(l->c);
    tlsmem_free(l->peer);
    close(l->fds[0]);
    close(l->fds[1]);
}

/** The fast peer writes whatever is taken, and the loop turns until it has nothing to do. */
static void flood(void)
{
    static unsigned char bytes[16384];
    for (int turn = 0; turn < TURNS_MOST; turn++) {
        pattern_fill(bytes, 0, fast.sent, sizeof bytes);
        ptrdiff_t taken = tlsmem_write(fast.peer, bytes, sizeof bytes);
        fast.sent += taken > 0 ? (uint64_t)taken : 0;
        drive(&fast);
        if (has_work())
            IGNORE(tlsmem_loop_run_once(loop, 0) < 0);
        else if (taken <= 0)
            return;
    }
    CHECK(0, "after %d turns there still is room: %llu bytes were taken", TURNS_MOST, (unsigned long long)fast.sent);
}

/** The slow peer reads what it reads in a second. */
static void trickle(void)
{
    unsigned char bytes[SLOW_BYTES];
    for (int i = 0; i < 40 && want_of(slow.peer).incoming_bytes < SLOW_BYTES; i++)
        drive(&slow);
    ptrdiff_t got = tlsmem_read(slow.peer, bytes, sizeof bytes);
    if (got > 0) {
        wrong += pattern_differs(bytes, 0, slow.received, (size_t)got) != (size_t)got;
        slow.received += (uint64_t)got;
    }
}

/** Each of the others asks and is answered. Returns the turns of the loop that it took. */
static int round_trips(void)
{
    unsigned char question[QUESTION] = { 0 }, answer[QUESTION];
    int turns = 0, answered = 0;
    for (int i = 0; i < OTHERS; i++) {
        MUST(tlsmem_write(others[i].peer, question, sizeof question) == QUESTION);
        others[i].received = 0;
    }
    for (; answered < OTHERS && turns < TURNS_MOST; turns++) {
        drive(&fast);
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
        answered = 0;
        for (int i = 0; i < OTHERS; i++) {
            drive(&others[i]);
            for (ptrdiff_t n; (n = tlsmem_read(others[i].peer, answer, sizeof answer)) > 0;)
                others[i].received += (uint64_t)n;
            answered += others[i].received == QUESTION;
        }
    }
    CHECK(answered == OTHERS, "%d of %d were answered", answered, OTHERS);
    return turns;
}

static long resident_kilobytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    MUST(file != NULL && fscanf(file, "%*s %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void play(size_t outgoing_high, size_t outgoing_low)
{
    static const tlsmem_callbacks relays = { sizeof relays, NULL, relay, NULL, NULL, NULL },
                                  drains = { sizeof drains, NULL, NULL, go_on, NULL, NULL },
                                  echoes = { sizeof echoes, NULL, echo, NULL, NULL, NULL };
    tlsmem_limits limits = TLSMEM_LIMITS_INIT, narrow = TLSMEM_LIMITS_INIT;
    situation("outgoing_high %zu", outgoing_high);
    limits.outgoing_high = outgoing_high;
    limits.outgoing_low = outgoing_low;
    narrow.incoming_max = 2 * SLOW_BYTES;
    narrow.wake_max = SLOW_BYTES;
    server_ctx = context_limited(TLSMEM_SERVER, TLSMEM_TLS1_3, &limits);
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    slow_ctx = context_limited(TLSMEM_CLIENT, TLSMEM_TLS1_3, &narrow);
    loop = new_loop();
    MUST(loop != NULL);
    fast = slow = (line){ NULL, NULL, { -1, -1 }, 0, 0 };
    wrong = pauses = resumes = relayed = 0;
    open_line(&fast, client_ctx, &relays);
    open_line(&slow, slow_ctx, &drains);
    for (int i = 0; i < OTHERS; i++)
        open_line(&others[i], client_ctx, &echoes);
    round_trips();

    size_t most_out = 0, most_in = 0;
    int seconds = short_run() ? 20 : 1800, most_turns = 0;
    flood();
    long before = resident_kilobytes();
    for (int second = 0; second < seconds; second++) {
        flood();
        trickle();
        int turns = round_trips();
        tlsmem_want_info out = want_of(slow.c), in = want_of(fast.c);
        most_out = out.outgoing_bytes > most_out ? out.outgoing_bytes : most_out;
        most_in = in.incoming_bytes > most_in ? in.incoming_bytes : most_in;
        most_turns = turns > most_turns ? turns : most_turns;
    }
    long growth = resident_kilobytes() - before;
    printf("slow_reader: %d s at 1 KiB/s: %llu bytes read of %llu; at most %zu bytes to send and %zu to read waited; "
           "paused %zu times, resumed %zu; RSS grew by %ld KiB; %d others: %d round trips, at most %d turns each\n",
           seconds, (unsigned long long)slow.received, (unsigned long long)fast.sent, most_out, most_in, pauses, resumes,
           growth, OTHERS, OTHERS * seconds, most_turns);
    CHECK(wrong == 0, "%zu writes were short, or bytes wrong", wrong);
    CHECK(most_out > outgoing_high && most_out <= outgoing_high + 2 * 16384, "%zu bytes waited to be sent", most_out);
    CHECK(most_in >= limits.incoming_max && most_in <= limits.incoming_max + 16384, "%zu to be read", most_in);
    CHECK(growth < GROWTH_MOST || short_run(), "the memory in use grew by %ld KiB", growth);
    CHECK(slow.received >= (uint64_t)(seconds - 20) * SLOW_BYTES, "only %llu arrived", (unsigned long long)slow.received);
    CHECK(pauses > 0 && (resumes > 0 || short_run()) && pauses - resumes <= 1, "%zu pauses, %zu resumes", pauses, resumes);
    CHECK(most_turns < 20, "the others waited for %d turns", most_turns);

    close_line(&fast);
    close_line(&slow);
    for (int i = 0; i < OTHERS; i++)
        close_line(&others[i]);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(server_ctx);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(slow_ctx);
}

int main(void)
{
    begin("slow_reader");
    play(524288, 262144);
    play(65536, 16384);
    return finish();
}
