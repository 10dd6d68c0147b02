/*
 * gathered.c - what a small write costs when many of one turn are gathered, against a record for each.
 *
 *     gathered [ROUNDS]
 *
 * A turn is 16, 64 or 256 writes of 64 bytes, from the client to the server, and all of them are read at its end.
 */
#include "measure.h"
#include "pair.h"
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

enum { SIZE = 64, TURN_MAX = 256 };

static char text[SIZE];
static struct iovec pieces[TURN_MAX];
static int turn;

static void write_all(tlsmem *c)
{
    for (int i = 0; i < turn; i++)
        require(tlsmem_write(c, text, SIZE) == SIZE, "tlsmem_write");
}

/* All that a turn wrote has arrived. */
static void carry(struct pair *p)
{
    size_t before = p->received;
    pair_carry(p);
    require(p->received - before == (size_t)turn * SIZE, "all is received");
}

static void each(void *state)
{
    struct pair *p = state;
    write_all(p->client);
    carry(p);
}

static void corked(void *state)
{
    struct pair *p = state;
    require(tlsmem_cork(p->client) == TLSMEM_OK, "tlsmem_cork");
    write_all(p->client);
    require(tlsmem_uncork(p->client) == TLSMEM_OK, "tlsmem_uncork");
    carry(p);
}

static void vector(void *state)
{
    struct pair *p = state;
    require(tlsmem_writev(p->client, pieces, turn) == (ptrdiff_t)turn * SIZE, "tlsmem_writev");
    carry(p);
}

int main(int argc, char **argv)
{
    static const int turns[] = { 16, 64, TURN_MAX };
    static struct pair pair;
    int rounds = rounds_wanted(argc, argv);
    memset(text, 'x', sizeof text);
    for (int i = 0; i < TURN_MAX; i++)
        pieces[i] = (struct iovec) { text, SIZE };
    pair_make(&pair);
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        char about[32];
        turn = turns[i];
        struct way ways[] = {
            { "corked", corked, &pair, turn, { 0 } },
            { "writev", vector, &pair, turn, { 0 } },
            { "a-record-each", each, &pair, turn, { 0 } },
        };
        snprintf(about, sizeof about, "gathered/%d", turn);
        measure(about, ways, 3, rounds);
        print_line("x", ratio(&ways[0], &ways[2], rounds), "%s/corked-against-each", about);
        print_line("x", ratio(&ways[1], &ways[2], rounds), "%s/writev-against-each", about);
    }
    return 0;
}
