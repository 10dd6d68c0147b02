/*
 * protocol_test.c - the test kit: a program's own protocol over a network that cuts, delays, refuses, stalls and breaks.
 *
 * The protocol: a message is two bytes that say how long it is, and so many bytes. The client sends some, a few at a time
 * without waiting, and the server answers each with its bytes in reverse. A thousand seeds try it, in some seconds, and
 * hours of their own time. With --wrong the server believes that one on_data is one message, which --calm, a short message at a
 * time over a network without faults, does not see: the seeds do, and the one that does is printed.
 */
#include "common.h"
#include <string.h>

enum { HEAD = 2, LENGTH_MAX = 40000, PATIENCE_MS = 30000 };

/* ---- the protocol, as it stands in the program that is tested */

/* One end, and what of the other's bytes is no whole message yet. */
struct peer {
    tlsmem *c;
    struct bytes partial;
    void (*on_message)(struct peer *p, const unsigned char *bytes, size_t n);
    int wrong, status;
    struct trial *trial;
};

static void send_message(struct peer *p, const unsigned char *bytes, size_t n)
{
    unsigned char message[HEAD + LENGTH_MAX] = { (unsigned char)(n >> 8), (unsigned char)n };
    memcpy(message + HEAD, bytes, n);
    if (tlsmem_write(p->c, message, HEAD + n) != (ptrdiff_t)(HEAD + n))
        tlsmem_abort(p->c); /* so little always has room in outgoing_max, unless it has ended */
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct peer *p = user;
    size_t length;
    (void)c;
    if (p->wrong) { /* the mistake: TLS is a stream, and keeps no pieces apart */
        p->on_message(p, (const unsigned char *)bytes + HEAD, n < HEAD ? 0 : n - HEAD);
        return;
    }
    keep(&p->partial, bytes, n);
    while (p->partial.n >= HEAD) {
        const unsigned char *at = (const unsigned char *)p->partial.at;
        length = (size_t)at[0] << 8 | at[1];
        if (p->partial.n < HEAD + length)
            break;
        p->on_message(p, at + HEAD, length);
        drop(&p->partial, HEAD + length);
    }
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)c;
    ((struct peer *)user)->status = report->status;
}

/* What both ends of the protocol do with a new connection. */
static void begin(struct peer *p)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, NULL, NULL, on_close };
    tlsmem_set_callbacks(p->c, &callbacks, p);
    tlsmem_set_timeout(p->c, TLSMEM_TIMEOUT_READ, PATIENCE_MS); /* without it, a stall is found to last for ever */
}

/* ---- the test */

/* What is tried, beside the usual. */
struct way {
    long wrong, calm;
};

/* What one seed tries. */
struct trial {
    unsigned long long seed, random;
    struct peer client, server;
    int to_ask, window, asked, answered, bad;
    size_t lengths[16];
};

static unsigned random_below(struct trial *t, unsigned most)
{
    t->random = t->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(t->random >> 33) % most;
}

static unsigned char byte_of(int message, size_t place)
{
    return (unsigned char)((size_t)message * 101 + place * 7 + place / 256);
}

static void answer(struct peer *p, const unsigned char *bytes, size_t n)
{
    unsigned char reversed[LENGTH_MAX];
    if (n > sizeof reversed) {
        tlsmem_abort(p->c);
        return;
    }
    for (size_t i = 0; i < n; i++)
        reversed[i] = bytes[n - 1 - i];
    send_message(p, reversed, n);
}

static void ask(struct trial *t)
{
    unsigned char question[LENGTH_MAX];
    while (t->asked < t->to_ask && t->asked < t->answered + t->window) {
        for (size_t i = 0; i < t->lengths[t->asked]; i++)
            question[i] = byte_of(t->asked, i);
        send_message(&t->client, question, t->lengths[t->asked++]);
    }
    if (t->answered == t->to_ask)
        tlsmem_close(t->client.c);
}

static void check_answer(struct peer *p, const unsigned char *bytes, size_t n)
{
    struct trial *t = p->trial;
    t->bad += t->answered >= t->asked || n != t->lengths[t->answered];
    for (size_t i = 0; i < n && !t->bad; i++)
        t->bad += bytes[i] != byte_of(t->answered, n - 1 - i);
    t->answered++;
    ask(t);
}

/* Faults for one direction. One in four seeds has some that end the connection before its time. Returns whether it has. */
static int draw_faults(struct trial *t, tlsmem_wire *wire)
{
    tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
    faults.seed = t->seed;
    faults.capacity = 1000 + random_below(t, 60000);
    if (random_below(t, 2))
        faults.chunk_most = 100 + random_below(t, 3000);
    if (random_below(t, 2))
        faults.delay_most_ms = random_below(t, 20);
    if (random_below(t, 2))
        faults.refuse_permille = random_below(t, 300);
    unsigned fatal = random_below(t, 24), place = 1 + random_below(t, 20000);
    uint64_t *const places[] = { &faults.stall_after, &faults.cut_after, &faults.reset_after };
    if (fatal < 3)
        *places[fatal] = place;
    if (tlsmem_wire_set_faults(wire, &faults) != TLSMEM_OK)
        abort();
    return fatal < 3;
}

static struct peer peer_of(struct trial *t, tlsmem *c, void (*on_message)(struct peer *, const unsigned char *, size_t))
{
    return (struct peer){ .c = c, .on_message = on_message, .status = TLSMEM_AGAIN, .trial = t };
}

/* Returns 1 when all went as it should; else says what did not. */
static int passes(unsigned long long seed, tlsmem_pair *pair, const struct options *o, const struct way *way)
{
    static struct trial t;
    t = (struct trial){ .seed = seed, .random = seed };
    t.client = peer_of(&t, tlsmem_pair_end(pair, 0), check_answer);
    t.server = peer_of(&t, tlsmem_pair_end(pair, 1), answer);
    t.server.wrong = way->wrong != 0;
    t.to_ask = 1 + (int)random_below(&t, 16);
    t.window = way->calm ? 1 : 1 + (int)random_below(&t, 4);
    for (int i = 0; i < t.to_ask; i++)
        t.lengths[i] = random_below(&t, way->calm || random_below(&t, 8) ? 200 : LENGTH_MAX);
    begin(&t.client);
    begin(&t.server);
    if (tlsmem_set_server_name(t.client.c, o->host) != TLSMEM_OK)
        usage_error("--host: %s is no name", o->host);
    int breaks = 0;
    for (int side = 0; side < 2 && !way->calm; side++)
        breaks += draw_faults(&t, tlsmem_pair_wire(pair, side));
    ask(&t); /* waits for the handshake by itself */

    int outcome = tlsmem_pair_run(pair, INT64_MAX);
    char where[256];
    tlsmem_pair_tell(pair, where, sizeof where);
    /* Whatever the network does, no answer is wrong and both ends come to an end; and when it breaks nothing, a good one. */
    int whole = t.answered == t.to_ask && t.client.status == TLSMEM_OK && t.server.status == TLSMEM_OK;
    int good = !t.bad && outcome == TLSMEM_PAIR_DONE && (breaks || whole);
    if (!good)
        say("seed %llu: %d of %d answered%s; %s", seed, t.answered, t.to_ask, t.bad ? ", one of them wrongly" : "", where);
    drop(&t.client.partial, t.client.partial.n);
    drop(&t.server.partial, t.server.partial.n);
    return good;
}

/* The same random numbers for each seed: what fails once fails again, to the byte. */
static int try_seed(unsigned long long seed, const struct options *o, const struct way *way)
{
    if (tlsmem_insecure_randomness(seed) != TLSMEM_OK)
        usage_error("this OpenSSL takes no random numbers");
    struct options of_client = *o, of_server = *o;
    of_client.cert = of_client.key = of_server.ca = of_server.keylog = NULL;
    tlsmem_ctx *server = server_context(&of_server), *client = new_context(TLSMEM_CLIENT, &of_client);
    if (client == NULL)
        exit(EXIT_TLS);
    tlsmem_pair *pair = tlsmem_pair_new(client, server);
    if (pair == NULL)
        usage_error("no memory");
    int good = passes(seed, pair, o, way);
    tlsmem_pair_free(pair);
    tlsmem_ctx_free(client);
    tlsmem_ctx_free(server);
    return good;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "localhost" };
    struct way way = { 0 };
    long seeds = 1000, first = 1;
    const struct own_option own[] = {
        { "seeds", "N", NULL, &seeds, "how many seeds to try (1000)" },
        { "first", "N", NULL, &first, "the first of them (1)" },
        { "wrong", NULL, NULL, &way.wrong, "test the server that takes one on_data for one message" },
        { "calm", NULL, NULL, &way.calm, "without faults, and short messages one by one" },
        { 0 },
    };
    parse_options(argc, argv, "tests a protocol of its own over networks that break", &o, own);
    if (!has_identity(&o) || trusts_system(&o))
        usage_error("--cert and --key are needed, or --pkcs12, and --ca or --insecure");
    for (long seed = first; seed < first + seeds; seed++)
        if (!try_seed((unsigned long long)seed, &o, &way)) {
            say("again: --first %ld --seeds 1%s", seed, way.wrong ? " --wrong" : "");
            return EXIT_TLS;
        }
    printf("%ld seeds passed\n", seeds);
    return EXIT_DONE;
}
