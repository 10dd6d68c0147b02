/*
 * A thousand handshakes whose every decision is answered late, by any of four threads (later_answers.c), while four loops, each
 * in a thread of its own, have the connections; half of the clients come back with a session. Run it with a library under ThreadSanitizer, too: `make check`.
 */
#include "later_loops.h"
#include "sessions.h"

#include <pthread.h>

enum { LOOPS = 2, AT_ONCE = 25 };

/* ---- the loops: servers that echo, clients that come one after another */

static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *server_loops[LOOPS], *client_loops[LOOPS];
static int to_come, port, wrong; /* to_come and wrong are atomic */
static acquaintance by;
static tlsmem_session *sealed; /* BY_TICKET: what each client comes with */
static int done[LOOPS], offered[LOOPS], resumed[LOOPS], stapled[LOOPS], left[LOOPS];
static tlsmem_session *newest[LOOPS]; /* of each loop's clients, half of which offer it, and each that can be once */

static void on_server_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) != (ptrdiff_t)n)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

static void on_server_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (report->status != TLSMEM_OK || report->bytes_received != 5)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    tlsmem_free(c);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_server_data, NULL, NULL, on_server_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static void next_client(int loop);

static void on_client_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (n != 5 || memcmp(bytes, "hello", 5) != 0)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    tlsmem_close(c);
}

static void on_client_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    int loop = (int)(intptr_t)user;
    if (report->status != TLSMEM_OK || report->bytes_received != 5)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    tlsmem_session *session = tlsmem_session_get(c);
    if (session != NULL) {
        tlsmem_session_free(newest[loop]);
        newest[loop] = session;
    }
    resumed[loop] += tlsmem_is_resumed(c);
    stapled[loop] += tlsmem_ocsp_response(c, NULL, 0) > 0;
    tlsmem_free(c);
    done[loop]++;
    next_client(loop);
}

static void next_client(int loop)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_client_data, NULL, NULL, on_client_close };
    static unsigned number[LOOPS];
    if (__atomic_sub_fetch(&to_come, 1, __ATOMIC_RELAXED) < 0) {
        if (--left[loop] == 0)
            tlsmem_loop_stop(client_loops[loop]);
        return;
    }
    tlsmem *c = connection(client_ctx, &callbacks, (void *)(intptr_t)loop);
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    MUST(tlsmem_set_server_name(c, "localhost") == TLSMEM_OK);
    if (by == BY_TICKET) {
        MUST(tlsmem_session_set(c, sealed) == TLSMEM_OK);
        offered[loop]++;
    }
    if (by == BY_CERTIFICATE && newest[loop] != NULL && number[loop]++ % 2 == 1) {
        MUST(tlsmem_session_set(c, newest[loop]) == TLSMEM_OK);
        tlsmem_session_free(newest[loop]);
        newest[loop] = NULL;
        offered[loop]++;
    }
    options.host = "127.0.0.1";
    options.port = port;
    MUST(tlsmem_loop_connect(client_loops[loop], c, &options) == TLSMEM_OK);
    MUST(tlsmem_write(c, "hello", 5) == 5);
}

static void *run(void *loop)
{
    MUST(tlsmem_loop_run(loop) == TLSMEM_OK);
    return NULL;
}

/** Each full handshake has asked all of it, and a resumed one only what is left then. */
static void check_counts(int handshakes)
{
    int hits = resumed[0] + resumed[1], offers = offered[0] + offered[1], full = by != BY_CERTIFICATE ? 0 : handshakes - hits, all = 0;
    const int expected[9] = { 0, handshakes, 2 * full, full, by == BY_KEY ? 2 * handshakes : 0, by == BY_CERTIFICATE ? offers : 0,
                              2 * full, full, by == BY_TICKET ? handshakes : 0 };
    CHECK(wrong == 0 && done[0] + done[1] == handshakes, "%d wrong, %d of %d handshakes", wrong, done[0] + done[1], handshakes);
    for (int i = 0; i < 9; i++) {
        CHECK(asked[i] == expected[i], "question %d was put %d times, not %d", i, asked[i], expected[i]);
        all += asked[i];
    }
    CHECK(hits == found && (by == BY_CERTIFICATE ? hits > 0 && offers > hits : hits == offers), "%d offered, %d found, %d resumed", offers, found, hits);
    CHECK(stapled[0] + stapled[1] == full, "%d responses, and %d full handshakes", stapled[0] + stapled[1], full);
    CHECK(answered == all && lost == 0, "%d answers taken, %d not", answered, lost);
    CHECK(refused_twice == all, "%d of %d second answers refused", refused_twice, all);
    printf("later_loops: %d handshakes, %d resumed of %d that offered it, %d answers\n", handshakes, hits, offers, answered);
}

static int any_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)c, (void)hello, (void)user;
    return TLSMEM_OK;
}

/** A session whose ticket another server has sealed, which asks about each ClientHello as well. */
static void seal(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *other = context(TLSMEM_SERVER, version);
    give_ticket_key(other);
    MUST(tlsmem_ctx_set_client_hello_cb(other, any_hello, NULL) == TLSMEM_OK);
    visit_open(from, other, FACE_BUFFERS, FACE_BUFFERS);
    MUST(tlsmem_set_server_name(client.c, "localhost") == TLSMEM_OK && (sealed = visit_go_on(NULL, 0)) != NULL);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(other);
}

static void all_late(int version, int handshakes, acquaintance how)
{
    static const char *const names[] = { "certificates", "a common key", "tickets of another's" };
    situation("version %x: %d handshakes by %s with every decision late", (unsigned)version, handshakes, names[how]);
    pthread_t loop_threads[2 * LOOPS];
    if (how == BY_TICKET)
        seal(version);
    asking_contexts(version, how, &client_ctx, &server_ctx);
    begin_answers();
    wrong = 0;
    by = how;
    to_come = handshakes;
    for (int i = 0; i < LOOPS; i++) {
        MUST((server_loops[i] = new_loop()) != NULL && (client_loops[i] = new_loop()) != NULL);
        left[i] = AT_ONCE;
        done[i] = offered[i] = resumed[i] = stapled[i] = 0;
    }
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(server_loops[0], server_ctx, &options, &listener) == TLSMEM_OK);
    for (int i = 0; i < LOOPS; i++)
        MUST(tlsmem_listener_add_loop(listener, server_loops[i]) == TLSMEM_OK);
    port = tlsmem_listener_port(listener);
    for (int i = 0; i < LOOPS; i++) {
        for (int k = 0; k < AT_ONCE; k++)
            next_client(i);
        MUST(pthread_create(&loop_threads[i], NULL, run, server_loops[i]) == 0);
        MUST(pthread_create(&loop_threads[LOOPS + i], NULL, run, client_loops[i]) == 0);
    }
    for (int i = 0; i < LOOPS; i++)
        pthread_join(loop_threads[LOOPS + i], NULL);
    tlsmem_loop_drain(server_loops[0], 5000);
    tlsmem_loop_drain(server_loops[1], 5000);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(loop_threads[i], NULL);
    end_answers();
    check_counts(handshakes);
    for (int i = 0; i < LOOPS; i++) {
        tlsmem_loop_free(server_loops[i]);
        tlsmem_loop_free(client_loops[i]);
        tlsmem_session_free(newest[i]);
        newest[i] = NULL;
    }
    tlsmem_session_free(sealed);
    sealed = NULL;
    tlsmem_ctx_free(server_ctx);
    tlsmem_ctx_free(client_ctx);
    forget_answers();
}

int main(void)
{
    begin("later_loops");
    int handshakes = (int)setting("LATER_HANDSHAKES", 500);
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        all_late(version, handshakes, BY_CERTIFICATE);
        all_late(version, handshakes / 5, BY_KEY);
        all_late(version, handshakes / 5, BY_TICKET);
    }
    return finish();
}
