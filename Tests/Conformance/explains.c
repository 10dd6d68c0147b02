/*
 * tlsmem_explain: connections that are stuck, each for a reason of its own, made on purpose. What is said has to name the
 * reason, who has to do what, and what ends the wait, in words for somebody who has not read the header.
 */
#define _GNU_SOURCE
#include "explains.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

char said_text[2048];

void says_at(const char *file, int line, const tlsmem *c, const char *const *parts)
{
    ptrdiff_t length = tlsmem_explain(c, said_text, sizeof said_text);
    CHECK(length == (ptrdiff_t)strlen(said_text) && length > 0, "%td bytes, \"%s\"", length, said_text);
    CHECK(strpbrk(said_text, "\n\t") == NULL && strstr(said_text, "  ") == NULL, "it is no paragraph: %s", said_text);
    for (; *parts != NULL; parts++)
        check_at(file, line, strstr(said_text, *parts) != NULL, "\"%s\" is not in: %s", *parts, said_text);
    if (getenv("EXPLAINS_SHOW") != NULL)
        printf("    %s\n", said_text);
}

/* ---- in the handshake */

static void silent_peer(void)
{
    int pair[2];
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    situation("a server that is silent in the handshake");
    SAYS(c, "Client of localhost, whose bytes the program moves: it has not begun.", "It waits for the program",
         "tlsmem_outgoing_peek", "No deadline of its own ends that.");
    socket_pair(pair);
    MUST(tlsmem_set_fd(c, pair[0]) == TLSMEM_OK);
    SAYS(c, "in no loop: it has not begun.", "It waits for the program, which has to begin it: tlsmem_handshake.");
    CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
    SAYS(c, "Client of localhost, descriptor ", "it is in its handshake for ", " ms",
         "It waits for the server, which has said nothing so far", "it ends in ", " s (handshake_ms) with TLSMEM_ETIMEOUT",
         "Its queues are empty.");
    CHECK_STATUS(tlsmem_write(c, "hello", 5), 5);
    SAYS(c, "The 5 bytes that were written wait for the end of the handshake.", "5 bytes that were written and are not encrypted yet");
    MUST(tlsmem_set_timeout(c, TLSMEM_TIMEOUT_HANDSHAKE, 0) == TLSMEM_OK);
    SAYS(c, "No deadline of its own ends that.");
    CHECK(write(pair[1], "\x16\x03\x03", 3) == 3, "the peer cannot write");
    SAYS(c, "It waits for the program: 3 bytes of the peer's are in the socket", "it has not called tlsmem_on_readable",
         "tlsmem_interest");
    CHECK_STATUS(tlsmem_on_readable(c), TLSMEM_OK);
    SAYS(c, "It waits for the server, whose next message is missing");
    MUST(tlsmem_set_timeout(c, TLSMEM_TIMEOUT_HANDSHAKE, 1) == TLSMEM_OK);
    while (tlsmem_now() < tlsmem_deadline(c) + 2)
        ;
    SAYS(c, "Its deadline (handshake_ms) has passed ", " ms ago: nobody has called tlsmem_tick.");
    CHECK_STATUS(tlsmem_tick(c, tlsmem_now()), TLSMEM_ETIMEOUT);
    SAYS(c, "it has ended: TLSMEM_ETIMEOUT, the handshake was not done within handshake_ms.", "tlsmem_free");
    tlsmem_free(c), tlsmem_ctx_free(ctx), close(pair[0]), close(pair[1]);
}

static void silent_client(void)
{
    int pair[2];
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    situation("a client that is silent from the beginning");
    SAYS(c, "Server, whose bytes the program moves: it has not begun.", "or feed it what the client sends (tlsmem_feed).");
    socket_pair(pair);
    MUST(tlsmem_set_fd(c, pair[0]) == TLSMEM_OK);
    SAYS(c, "It waits for the client, which has said nothing so far.", "(handshake_ms)");
    tlsmem_free(c), tlsmem_ctx_free(ctx), close(pair[0]), close(pair[1]);
}

static int never_answers(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)c;
    *(uint64_t *)user = hello->token;
    return TLSMEM_LATER;
}

static void unanswered_question(void)
{
    uint64_t token = 0;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_client_hello_cb(to, never_answers, &token) == TLSMEM_OK);
    tlsmem *client = connection(from, NULL, NULL), *server = connection(to, NULL, NULL);
    situation("a question that nobody answers");
    const void *bytes;
    size_t n;
    MUST(tlsmem_outgoing_peek(client, &bytes, &n) == TLSMEM_OK);
    SAYS(client, "It waits for the program, which has to send the ", " bytes that it shows (tlsmem_outgoing_peek");
    CHECK(tlsmem_feed(server, bytes, n) == (ptrdiff_t)n, "it was not fed");
    SAYS(server, "It stands still for the program: its tlsmem_client_hello_cb was asked ",
         " ago, returned TLSMEM_LATER, and nobody has called tlsmem_answer since.", "(handshake_ms)");
    CHECK_STATUS(tlsmem_answer(server, token, TLSMEM_OK, NULL), TLSMEM_OK);
    SAYS(server, "The program's answer is there, and the handshake goes on with the next driving call");
    CHECK_STATUS(tlsmem_handshake(server), TLSMEM_AGAIN);
    SAYS(server, "It waits for the program, which has to send the ");
    tlsmem_free(client), tlsmem_free(server), tlsmem_ctx_free(from), tlsmem_ctx_free(to);
}

/** A name that a client chose so that it looks like other lines: OpenSSL takes it, and a terminal would, too. */
static void forged_name(void)
{
    static const char forged[] = "b: it is open.\nloop 1: Server \033[2J";
    tlsmem_ctx *to = context(TLSMEM_SERVER, 0);
    tlsmem *server = connection(to, NULL, NULL);
    SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(plain);
    BIO *out = BIO_new(BIO_s_mem());
    char *hello;
    situation("a name with a newline in it");
    MUST(out != NULL && SSL_set_tlsext_host_name(ssl, forged) == 1);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(ssl);
    IGNORE(SSL_do_handshake(ssl));
    long n = BIO_get_mem_data(out, &hello);
    MUST(n > 0);
    CHECK(tlsmem_feed(server, hello, (size_t)n) == n, "it was not fed");
    SAYS(server, "Server as b:?it?is?open.?loop?1:?Server??[2J, whose bytes the program moves: ");
    SSL_free(ssl), SSL_CTX_free(plain), tlsmem_free(server), tlsmem_ctx_free(to);
}

/* ---- a text that does not fit */

static void cut_texts(void)
{
    static char whole[2048], part[2048];
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    situation("a text that does not fit");
    MUST(tlsmem_set_server_name(c, "localhost") == TLSMEM_OK);
    ptrdiff_t length = tlsmem_explain(c, whole, sizeof whole);
    CHECK(tlsmem_explain(c, NULL, 0) == length, "asked for, it is another length");
    for (size_t n = 1; n <= (size_t)length + 2; n++) {
        memset(part, '#', sizeof part);
        CHECK(tlsmem_explain(c, part, n) == length, "with room for %zu it is another length", n);
        size_t fits = n - 1 < (size_t)length ? n - 1 : (size_t)length;
        CHECK(strlen(part) == fits && memcmp(part, whole, fits) == 0 && part[n] == '#', "%zu: %.80s", n, part);
    }
    tlsmem_free(c), tlsmem_ctx_free(ctx);
}

int main(void)
{
    begin("explains");
    silent_peer();
    silent_client();
    unanswered_question();
    stuck_when_open();
    stuck_at_the_end();
    stuck_in_loops();
    forged_name();
    cut_texts();
    numbers_and_lines();
    return finish();
}
