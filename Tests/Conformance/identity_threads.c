/* One context with many names, in several threads at once. */
#define _GNU_SOURCE
#include "identity.h"

#include <pthread.h>

enum { THREADS = 4, NAMES = 3 };
static tlsmem_ctx *of_server, *of_client;
static const char *const asked[NAMES] = { "a.example", "b.example", "c.b.example" };
static const char *const shown[NAMES] = { "CN=a-ecdsa", "CN=b", "CN=b-wild" };

static int move(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    for (; tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK; moved = 1)
        if (tlsmem_feed(to, bytes, n) < 0 || tlsmem_outgoing_consume(from, n) != TLSMEM_OK)
            return 0;
    return moved;
}

/** Nothing is checked here: checks are counted without a lock. Returns how many handshakes went wrong. */
static void *handshakes(void *first)
{
    long wrong = 0, count = short_run() ? 10 : 200;
    for (long i = (long)(intptr_t)first; i < count; i++) {
        char subject[64] = "";
        tlsmem *c = tlsmem_new(of_client, NULL, NULL), *s = tlsmem_new(of_server, NULL, NULL);
        int named = tlsmem_set_server_name(c, asked[i % NAMES]) == TLSMEM_OK;
        IGNORE(tlsmem_handshake(c));
        while (move(c, s) + move(s, c) > 0)
            ;
        wrong += !named || tlsmem_peer_subject(c, subject, sizeof subject) < 0 || strcmp(subject, shown[i % NAMES]) != 0;
        tlsmem_free(c);
        tlsmem_free(s);
    }
    return (void *)(intptr_t)wrong;
}

void threads(void)
{
    pthread_t all[THREADS];
    situation("names in %d threads", THREADS);
    of_server = nobody();
    of_client = choosy(0, NULL);
    static const char *const pairs[NAMES][2] = {
        { "a.example", "a-ecdsa" }, { "b.example", "b" }, { "*.b.example", "b-wild" }
    };
    for (int i = 0; i < NAMES; i++) {
        char cert[64], key[64];
        snprintf(cert, sizeof cert, "%s.pem", pairs[i][1]);
        snprintf(key, sizeof key, "%s.key", pairs[i][1]);
        MUST(tlsmem_ctx_add_keypair(of_server, pairs[i][0], certificate(cert), certificate(key)) == TLSMEM_OK);
    }
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&all[i], NULL, handshakes, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        MUST(pthread_join(all[i], &wrong) == 0);
        CHECK(wrong == NULL, "%ld handshakes went wrong", (long)(intptr_t)wrong);
    }
    tlsmem_ctx_free(of_server);
    tlsmem_ctx_free(of_client);
}
