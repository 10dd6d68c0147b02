/*
 * What a debug build of the library tells, in one sentence on stderr: handles used after they were freed, freed twice, of
 * another kind, and none at all. The call does what it does for NULL. Use by two threads at once is in told_threads.c.
 *
 * It is linked with .build/debug by `make debug`: a release build of the library sees nothing of this.
 */
#define _GNU_SOURCE
#include "told.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

static int heard = -1, stderr_before = -1;

/** stderr goes to a file in memory from now on, or to where it went. */
static void listen_to_stderr(int on)
{
    if (on) {
        MUST((heard = memfd_create("stderr", MFD_CLOEXEC)) >= 0 && (stderr_before = fcntl(2, F_DUPFD_CLOEXEC, 3)) >= 0);
        MUST(dup2(heard, 2) == 2);
    } else {
        MUST(dup2(stderr_before, 2) == 2);
        close(heard);
        close(stderr_before);
    }
}

void check_told(const char *file, int line, const char *call, const char *sentence)
{
    char said[1024], expected[256];
    ssize_t n = pread(heard, said, sizeof said - 1, 0);
    MUST(n >= 0 && ftruncate(heard, 0) == 0 && lseek(heard, 0, SEEK_SET) == 0);
    said[n] = 0;
    if (sentence != NULL)
        snprintf(expected, sizeof expected, "libtlsmem: %.*s: %s\n", (int)strcspn(call, "("), call, sentence);
    else
        expected[0] = 0;
    check_at(file, line, strcmp(said, expected) == 0, "%s: \"%s\" was told, and not \"%s\"", call, said, expected);
}

/* ---- what is freed */

static void freed_connection(void)
{
    const void *bytes;
    char text[8];
    size_t n;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = connection(ctx, NULL, NULL), *other = connection(ctx, NULL, NULL);
    static const char sentence[] = "this connection was freed";
    situation("a connection that was freed");
    tlsmem_free(c);
    check_told(__FILE__, __LINE__, "tlsmem_free(c)", NULL);
    tlsmem_free(c);
    check_told(__FILE__, __LINE__, "tlsmem_free(c)", sentence);
    TOLD(tlsmem_handshake(c), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_write(c, "x", 1), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_read(c, text, 1), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_feed(c, "x", 1), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_outgoing_peek(c, &bytes, &n), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_want(c, &want), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_interest(c), 0, sentence);
    TOLD(tlsmem_fd(c), -1, sentence);
    TOLD(tlsmem_close(c), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_abort(c), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_error(c, &error), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_user(c) != NULL, 0, sentence);
    TOLD(tlsmem_cipher_id(c), 0, sentence);
    TOLD(tlsmem_cipher_name(c)[0], 0, sentence);
    TOLD(tlsmem_peer_subject(c, text, sizeof text), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_peer_chain(c, 0, text, sizeof text), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_session_get(c) != NULL, 0, sentence);
    TOLD(tlsmem_loop_add(loop, c, 0), TLSMEM_EINVAL, sentence);
    TOLD(tlsmem_loop_move(loop, c), TLSMEM_EINVAL, sentence);
    situation("a connection that was made after another was freed");
    tlsmem *next = connection(ctx, NULL, NULL);
    CHECK(next != c, "it has the handle of the one that was freed");
    TOLD(tlsmem_write(next, "x", 1), 1, NULL);
    TOLD(tlsmem_write(other, "x", 1), 1, NULL);
    TOLD(tlsmem_write(c, "x", 1), TLSMEM_EINVAL, sentence);
    tlsmem_free(next);
    tlsmem_free(other);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

static void freed_others(void)
{
    static const char gone[] = "this context was freed";
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    situation("a context that was freed, in use by a connection");
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    CHECK(tlsmem_ctx_ref(ctx) == ctx, "another handle for the same context");
    tlsmem_ctx_free(ctx);
    TOLD(tlsmem_ctx_error(ctx, &error), TLSMEM_OK, NULL);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(ctx);
    check_told(__FILE__, __LINE__, "tlsmem_ctx_free(ctx)", gone);
    TOLD(tlsmem_ctx_error(ctx, &error), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_set_alpn(ctx, "h2"), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_set_ca_mem(ctx, "x", 1), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_add_keypair(ctx, "a.example", "x", "x"), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_add_ticket_key(ctx, &(tlsmem_ticket_key)TLSMEM_TICKET_KEY_INIT), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_set_ocsp_response_mem(ctx, "x", 1), TLSMEM_EINVAL, gone);
    TOLD(tlsmem_ctx_ref(ctx) != NULL, 0, gone);
    TOLD(tlsmem_new(ctx, NULL, NULL) != NULL, 0, gone);
    TOLD(tlsmem_write(c, "x", 1), 1, NULL);

    situation("a loop that was freed, and a timer and a listener in it");
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_ctx *serving = context(TLSMEM_SERVER, 0);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener, *early;
    options.host = "127.0.0.1";
    options.on_accept = (int (*)(tlsmem_listener *, tlsmem_accepted *, void *))abort;
    MUST(tlsmem_loop_listen(loop, serving, &options, &listener) == TLSMEM_OK);
    MUST(tlsmem_loop_listen(loop, serving, &options, &early) == TLSMEM_OK);
    tlsmem_timer *timer = tlsmem_loop_timer(loop, 1000, (void (*)(tlsmem_timer *, void *))abort, NULL);
    tlsmem_timer *soon = tlsmem_loop_timer(loop, 1000, (void (*)(tlsmem_timer *, void *))abort, NULL);
    tlsmem_timer_free(soon);
    tlsmem_listener_free(early);
    TOLD(tlsmem_timer_set(soon, 1), TLSMEM_EINVAL, "this timer was freed");
    TOLD(tlsmem_listener_port(early), TLSMEM_EINVAL, "this listener was freed");
    TOLD(tlsmem_timer_set(timer, 1000), TLSMEM_OK, NULL);
    tlsmem_loop_free(loop);
    TOLD(tlsmem_loop_run_once(loop, 0), TLSMEM_EINVAL, "this loop was freed");
    TOLD(tlsmem_loop_wake(loop), TLSMEM_EINVAL, "this loop was freed");
    TOLD(tlsmem_timer_set(timer, 1), TLSMEM_EINVAL, "this timer was freed");
    TOLD(tlsmem_listener_port(listener), TLSMEM_EINVAL, "this listener was freed");
    TOLD(tlsmem_listener_add_loop(listener, loop), TLSMEM_EINVAL, "this listener was freed");
    tlsmem_loop_free(loop);
    check_told(__FILE__, __LINE__, "tlsmem_loop_free(loop)", "this loop was freed");
    tlsmem_timer_free(timer);
    check_told(__FILE__, __LINE__, "tlsmem_timer_free(timer)", "this timer was freed");
    tlsmem_listener_free(listener);
    check_told(__FILE__, __LINE__, "tlsmem_listener_free(listener)", "this listener was freed");
    tlsmem_ctx_free(serving);
    tlsmem_free(c);
}

/** It belongs to its pair, which finds that out. */
static void freed_wire(void)
{
    situation("a wire that was freed, of a pair");
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = context(TLSMEM_SERVER, 0);
    tlsmem_pair *pair = tlsmem_pair_new(from, to);
    tlsmem_wire *wire = tlsmem_pair_wire(pair, 0);
    tlsmem_wire_free(wire);
    TOLD(tlsmem_wire_end(wire), TLSMEM_EINVAL, "this wire was freed");
    tlsmem_pair_free(pair);
    check_told(__FILE__, __LINE__, "free()", "this wire was freed");
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void freed_session(void)
{
    scene s = { "a session that was freed", TLSMEM_TLS1_2, FACE_BUFFERS, FACE_BUFFERS, NULL };
    pair_establish(&s);
    tlsmem_session *session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    CHECK(tlsmem_session_expires(session) > 0, "it was not there");
    check_told(__FILE__, __LINE__, "tlsmem_session_expires(session)", NULL);
    tlsmem_session_free(session);
    TOLD(tlsmem_session_expires(session), 0, "this session was freed");
    TOLD(tlsmem_session_to_bytes(session, NULL, 0), TLSMEM_EINVAL, "this session was freed");
    tlsmem_session_free(session);
    check_told(__FILE__, __LINE__, "tlsmem_session_free(session)", "this session was freed");
    pair_close();
}

/* ---- inside a callback */

static void free_and_go_on(end *e, event what)
{
    if (what != EVENT_DATA)
        return;
    tlsmem *c = e->c;
    end_free_connection(e);
    TOLD(tlsmem_write(c, "x", 1), TLSMEM_EINVAL, "this connection was freed");
    tlsmem_free(c);
    check_told(__FILE__, __LINE__, "tlsmem_free(c)", "this connection was freed");
}

static void freed_inside(void)
{
    scene s = { "a connection that its own on_data has freed", TLSMEM_TLS1_3, FACE_BUFFERS, FACE_BUFFERS, NULL };
    pair_establish(&s);
    server.hook = free_and_go_on;
    client.to_send = 100;
    wire_settle(&pair_wire);
    CHECK(server.freed, "it was not freed");
    check_told(__FILE__, __LINE__, "tlsmem_feed(c)", NULL);
    end_finish(&client);
    end_finish(&server);
}

/* ---- what is something else */

static void other_kinds(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = connection(ctx, NULL, NULL);
    char nothing[256] = "";
    situation("handles of another kind, and pointers that are none");
    TOLD(tlsmem_write((tlsmem *)ctx, "x", 1), TLSMEM_EINVAL, "this is a context, and no connection");
    TOLD(tlsmem_write((tlsmem *)loop, "x", 1), TLSMEM_EINVAL, "this is a loop, and no connection");
    TOLD(tlsmem_loop_run_once((tlsmem_loop *)c, 0), TLSMEM_EINVAL, "this is a connection, and no loop");
    TOLD(tlsmem_new((tlsmem_ctx *)c, NULL, NULL) != NULL, 0, "this is a connection, and no context");
    TOLD(tlsmem_timer_set((tlsmem_timer *)loop, 1), TLSMEM_EINVAL, "this is a loop, and no timer");
    tlsmem_free((tlsmem *)ctx);
    check_told(__FILE__, __LINE__, "tlsmem_free(ctx)", "this is a context, and no connection");
    tlsmem_ctx_free((tlsmem_ctx *)c);
    check_told(__FILE__, __LINE__, "tlsmem_ctx_free(c)", "this is a connection, and no context");
    TOLD(tlsmem_write((tlsmem *)nothing, "x", 1), TLSMEM_EINVAL, "this is no connection");
    TOLD(tlsmem_write((tlsmem *)(void *)((char *)c + 8), "x", 1), TLSMEM_EINVAL, "this is no connection");
    TOLD(tlsmem_write((tlsmem *)(uintptr_t)1, "x", 1), TLSMEM_EINVAL, "this is no connection");
    TOLD(tlsmem_write((tlsmem *)UINTPTR_MAX, "x", 1), TLSMEM_EINVAL, "this is no connection");
    TOLD(tlsmem_write(NULL, "x", 1), TLSMEM_EINVAL, NULL);
    TOLD(tlsmem_write(c, "x", 1), 1, NULL);
    TOLD(tlsmem_loop_run_once(loop, 0), 0, NULL);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

int main(void)
{
    begin("told");
    listen_to_stderr(1);
    freed_connection();
    freed_others();
    freed_wire();
    freed_session();
    freed_inside();
    other_kinds();
    two_threads();
    listen_to_stderr(0);
    return finish();
}
