/*
 * records.c - what one record costs in memory, made and read, by libtlsmem, by the textbook, and by EVP alone.
 *
 *     records [ROUNDS]
 *
 * One application write is one record, from the client to the server, and is read before the next. libtlsmem does it in
 * its buffers face; the textbook by SSL_write, BIO_read, BIO_write and SSL_read over BIO_s_mem; EVP seals and opens, which
 * is the least that any TLS could do.
 */
#include "measure.h"
#include "pair.h"
#include "seal.h"
#include <stdio.h>
#include <string.h>

static unsigned char text[RECORD_PLAINTEXT], read_text[RECORD_PLAINTEXT];
static unsigned char record[RECORD_PLAINTEXT + RECORD_OVERHEAD];
static size_t size;

static void by_libtlsmem(void *state)
{
    struct pair *p = state;
    size_t before = p->received;
    require(tlsmem_write(p->client, text, size) == (ptrdiff_t)size, "tlsmem_write");
    pair_carry(p);
    require(p->received - before == size, "all is received");
}

static void by_textbook(void *state)
{
    struct textbook *t = state;
    require(SSL_write(t->client, text, (int)size) == (int)size, "SSL_write");
    textbook_carry(t, t->client, t->server);
    require(SSL_read(t->server, read_text, sizeof read_text) == (int)size, "SSL_read");
}

static void by_evp(void *state)
{
    struct seal *s = state;
    seal_record(s, text, size, record);
    seal_open(s, record, size, read_text);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 64, 1024, RECORD_PLAINTEXT };
    static struct pair pair;
    static struct textbook textbook;
    static struct seal seal;
    int rounds = rounds_wanted(argc, argv);
    memset(text, 'x', sizeof text);
    pair_make(&pair);
    textbook_make(&textbook);
    seal_make(&seal);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct way ways[] = {
            { "libtlsmem", by_libtlsmem, &pair, 1, { 0 } },
            { "textbook", by_textbook, &textbook, 1, { 0 } },
            { "evp", by_evp, &seal, 1, { 0 } },
        };
        char about[32];
        size = sizes[i];
        snprintf(about, sizeof about, "records/%zu", size);
        measure(about, ways, 3, rounds);
        print_line("x", ratio(&ways[0], &ways[1], rounds), "%s/libtlsmem-against-textbook", about);
        print_line("%", 100 / ratio(&ways[2], &ways[0], rounds), "%s/libtlsmem-share-of-evp", about);
    }
    return 0;
}
