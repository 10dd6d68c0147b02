/*
 * What was done in the callbacks of a trace, and was lost on the connection that it was told of.
 */
#include "reports.h"

#include <sys/socket.h>
#include <unistd.h>

static tlsmem_ctx *contexts[2];
static int given[2];

static void open_both(const char *what, int version)
{
    tlsmem_loop *none[2] = { NULL, NULL };
    situation("%s, TLS 1.%d", what, version - 0x0301);
    accounts_open(version, contexts);
    MUST(tlsmem_ctx_set_key_update(contexts[1], 100, 0) == TLSMEM_OK);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_BUFFERS);
}

static void close_both(void)
{
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_ctx_free(contexts[i]);
}

static void consume_all(tlsmem *c)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK)
        CHECK_STATUS(tlsmem_outgoing_consume(c, n), TLSMEM_OK);
}

static void write_pattern(end *e, size_t n)
{
    unsigned char bytes[256];
    pattern_fill(bytes, e->stream, e->sent, n);
    MUST(tlsmem_write(e->c, bytes, n) == (ptrdiff_t)n);
    e->sent += n;
}

/* ---- what waited was left, when the last that was told had tlsmem_resume called */

static void resume(tlsmem *c)
{
    accounts[1].hook = NULL;
    CHECK_STATUS(tlsmem_resume(c), TLSMEM_OK);
}

static void resumed_and_left(int version)
{
    open_both("what waited was left when a trace resumed", version);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    write_pattern(&client, 10);
    wire_settle(&pair_wire);
    MUST(server.received == 0);
    accounts[1].hook = resume;
    write_pattern(&server, 20);
    IGNORE(tlsmem_handshake(server.c));
    CHECK(accounts[1].hook == NULL, "nothing was told");
    CHECK(server.received == 10, "%llu bytes of 10", (unsigned long long)server.received);
    close_both();
}

/* ---- a KeyUpdate was made, and told, after on_close */

static void write_more(tlsmem *c)
{
    (void)c;
    accounts[1].hook = NULL;
    write_pattern(&server, 200);
}

static void told_after_close(int version)
{
    open_both("a KeyUpdate was told after on_close", version);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    accounts[1].hook = write_more; /* so that a new key is due when it has ended */
    write_pattern(&server, 20);
    CHECK_STATUS(tlsmem_feed_eof(server.c), TLSMEM_ETRUNCATED);
    MUST(server.closes == 1 && accounts[1].hook == NULL);
    consume_all(server.c);
    CHECK(accounts[1].told_closed == (int)accounts[1].count, "%d were told before on_close, %zu in all",
          accounts[1].told_closed, accounts[1].count);
    close_both();
}

/* ---- the alert was not sent, when the program closed as it was told of the handshake that had failed */

static void close_it(tlsmem *c)
{
    accounts[1].hook = NULL;
    CHECK_STATUS(tlsmem_close(c), TLSMEM_OK);
}

static void closed_before_its_alert(int version)
{
    tlsmem_loop *none[2] = { NULL, NULL };
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    situation("the alert of a handshake that failed was not sent, TLS 1.%d", version - 0x0301);
    accounts_open(version, contexts);
    for (int i = 0; i < 2; i++)
        MUST(tlsmem_ctx_set_alpn(contexts[i], i == 0 ? "one" : "other") == TLSMEM_OK);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_FD);
    accounts[1].hook = close_it;
    wire_run(&pair_wire, both_ended);
    CHECK(accounts[1].hook == NULL && server.report.status == TLSMEM_EALPN, "the server ended with %s",
          tlsmem_status_name(server.report.status));
    CHECK(tlsmem_error(client.c, &error) == TLSMEM_OK && error.alert_received == 120, "the client has heard %d, and ended with %s",
          error.alert_received, tlsmem_status_name(client.report.status));
    close_both();
}

/* ---- tlsmem_outgoing_peek showed what was the socket's by then */

static void give_socket(tlsmem *c)
{
    accounts[0].hook = NULL;
    CHECK_STATUS(tlsmem_set_fd(c, given[0]), TLSMEM_OK);
}

static void shown_twice(int version)
{
    const void *bytes;
    size_t n = 0;
    open_both("ciphertext was shown that its new socket had got", version);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, given) == 0);
    while (send(given[0], &n, sizeof n, 0) > 0) {
    } /* so that it takes nothing */
    accounts[0].hook = give_socket;
    CHECK_STATUS(tlsmem_outgoing_peek(client.c, &bytes, &n), TLSMEM_AGAIN);
    CHECK(accounts[0].hook == NULL, "nothing was told");
    CHECK_STATUS(tlsmem_outgoing_peek(client.c, &bytes, &n), TLSMEM_ESTATE);
    end_free_connection(&client);
    close_both();
    close(given[0]);
    close(given[1]);
}

void meanwhile_reports(int version)
{
    resumed_and_left(version);
    told_after_close(version);
    closed_before_its_alert(version);
    shown_twice(version);
}
