/*
 * A thousand handshakes whose every decision is answered late, by any of four threads, while four loops, each in a thread of
 * its own, have the connections. Run it with a library under ThreadSanitizer, too: `make check`.
 */
#define _GNU_SOURCE
#include "support.h"

#include <pthread.h>
#include <unistd.h>

enum { LOOPS = 2, THREADS = 4, AT_ONCE = 25, QUEUE = 4096 };

/* ---- those who answer */

typedef struct question {
    tlsmem *c;
    uint64_t token;
} question;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static question queue[QUEUE];
static int first, count, is_over, overrun;
static int asked[2], answered, refused_twice, lost; /* atomic */

static int put(tlsmem *c, uint64_t token, int which)
{
    __atomic_add_fetch(&asked[which], 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&mutex);
    if (count < QUEUE)
        queue[(first + count++) % QUEUE] = (question){ c, token };
    else
        overrun++;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&mutex);
    return TLSMEM_LATER;
}

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    return put(c, hello->token, 0);
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return put(c, verdict->token, 1);
}

static void *answers(void *seed)
{
    seeded random = { (uint64_t)(uintptr_t)seed };
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (count == 0 && !is_over)
            pthread_cond_wait(&more, &mutex);
        if (count == 0) {
            pthread_mutex_unlock(&mutex);
            return NULL;
        }
        question q = queue[first];
        first = (first + 1) % QUEUE;
        count--;
        pthread_mutex_unlock(&mutex);
        if (seeded_next(&random) % 4 == 0)
            usleep((useconds_t)(seeded_next(&random) % 2000));
        __atomic_add_fetch(tlsmem_answer(q.c, q.token, TLSMEM_OK, NULL) == TLSMEM_OK ? &answered : &lost, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&refused_twice, tlsmem_answer(q.c, q.token, 40, NULL) == TLSMEM_ESTATE, __ATOMIC_RELAXED);
    }
}

/* ---- the loops: servers that echo, clients that come one after another */

static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *server_loops[LOOPS], *client_loops[LOOPS];
static int to_come, port, wrong; /* to_come and wrong are atomic */
static int done[LOOPS];

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
    tlsmem_free(c);
    done[loop]++;
    next_client(loop);
}

static int left[LOOPS];

static void next_client(int loop)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_client_data, NULL, NULL, on_client_close };
    if (__atomic_sub_fetch(&to_come, 1, __ATOMIC_RELAXED) < 0) {
        if (--left[loop] == 0)
            tlsmem_loop_stop(client_loops[loop]);
        return;
    }
    tlsmem *c = connection(client_ctx, &callbacks, (void *)(intptr_t)loop);
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    MUST(tlsmem_set_server_name(c, "localhost") == TLSMEM_OK);
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

static void set_up(int version)
{
    server_ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ca_file(server_ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(server_ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_client_hello_cb(server_ctx, on_hello, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify_cb(server_ctx, on_verdict, NULL) == TLSMEM_OK);
    client_ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(client_ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(client_ctx, certificate("client.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify_cb(client_ctx, on_verdict, NULL) == TLSMEM_OK);
}

static void all_late(int version, int handshakes)
{
    situation("version %x: %d handshakes with every decision late", (unsigned)version, handshakes);
    pthread_t loop_threads[2 * LOOPS], answering[THREADS];
    set_up(version);
    memset(asked, 0, sizeof asked);
    answered = lost = refused_twice = wrong = overrun = is_over = 0;
    to_come = handshakes;
    for (int i = 0; i < LOOPS; i++) {
        MUST((server_loops[i] = new_loop()) != NULL && (client_loops[i] = new_loop()) != NULL);
        left[i] = AT_ONCE;
        done[i] = 0;
    }
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(server_loops[0], server_ctx, &options, &listener) == TLSMEM_OK);
    for (int i = 0; i < LOOPS; i++)
        MUST(tlsmem_listener_add_loop(listener, server_loops[i]) == TLSMEM_OK);
    port = tlsmem_listener_port(listener);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&answering[i], NULL, answers, (void *)(uintptr_t)(i + 1)) == 0);
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
    pthread_mutex_lock(&mutex);
    is_over = 1;
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(answering[i], NULL);
    CHECK(wrong == 0 && overrun == 0, "%d wrong, %d not queued", wrong, overrun);
    CHECK(done[0] + done[1] == handshakes, "%d of %d handshakes", done[0] + done[1], handshakes);
    CHECK(asked[0] == handshakes && asked[1] == 2 * handshakes, "asked %d times about ClientHellos, %d about verdicts", asked[0], asked[1]);
    CHECK(answered == 3 * handshakes && lost == 0, "%d answers taken, %d not", answered, lost);
    CHECK(refused_twice == 3 * handshakes, "%d second answers refused", refused_twice);
    for (int i = 0; i < LOOPS; i++) {
        tlsmem_loop_free(server_loops[i]);
        tlsmem_loop_free(client_loops[i]);
    }
    tlsmem_ctx_free(server_ctx);
    tlsmem_ctx_free(client_ctx);
}

int main(void)
{
    begin("later_loops");
    int handshakes = (int)setting("LATER_HANDSHAKES", 500);
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        all_late(version, handshakes);
    return finish();
}
