/*
 * Fifty changes of certificate, authority, ticket keys and OCSP response, half of them broken, while clients come one after
 * another: all are served, each by one whole configuration, and resumed or not as they like.
 */
#define _GNU_SOURCE
#include "reloads.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { CHANGES = 50, BETWEEN = 10, AT_ONCE = 8 };

static tlsmem_ctx *clients;
static tlsmem_loop *client_loop, *server_loop;
static int port, left;
static int handshakes, is_over, failed, mixed, resumed; /* atomic */
static tlsmem_session *newest;
static int served[2], sealed[2];

/* ---- the server: says what it is */

static void on_server_established(tlsmem *c, void *user)
{
    (void)user;
    if (tlsmem_write(c, "hello", 5) != 5)
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
}

static void on_server_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (report->status != TLSMEM_OK)
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
    tlsmem_free(c);
}

static void on_server_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes, (void)n, (void)user;
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_server_established, on_server_data, NULL, NULL, on_server_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

/* ---- what a client sees of a configuration */

static unsigned char stapled[2][4096];
static size_t stapled_n[2];

static void read_responses(void)
{
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(certificate(responses[i]), "rb");
        MUST(file != NULL && (stapled_n[i] = fread(stapled[i], 1, sizeof stapled[i], file)) > 0);
        fclose(file);
    }
}

/** The certificate and the response are those of this configuration. */
static int is_whole(const tlsmem *c, int which)
{
    unsigned char der[4096];
    const char *signature = tlsmem_signature_name(c);
    ptrdiff_t n = tlsmem_ocsp_response(c, der, sizeof der);
    return signature != NULL && (strncmp(signature, "rsa", 3) == 0) == which && n == (ptrdiff_t)stapled_n[which]
        && memcmp(der, stapled[which], stapled_n[which]) == 0;
}

/** Which key sealed a ticket, whose name it begins with (RFC 5077, 4); all generations have one set, so it need not be that of
 *  the connection. -1 for a key of nobody's. */
static int sealed_by(const tlsmem_session *session)
{
    unsigned char bytes[8192], name[16];
    ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
    for (int i = 0; i < 2 && n > 0 && n <= (ptrdiff_t)sizeof bytes; i++) {
        memset(name, key_bytes[i], sizeof name);
        if (memmem(bytes, (size_t)n, name, sizeof name) != NULL)
            return i;
    }
    return -1;
}

static int protocol_of(const tlsmem *c)
{
    const char *name = "";
    size_t length = 0;
    IGNORE(tlsmem_alpn(c, &name, &length) != 0);
    return length == 3;
}

/* ---- the clients: one after another, half of them with the newest session */

static void next_client(void);

static void on_client_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)bytes, (void)n, (void)user;
    int which = protocol_of(c);
    if (tlsmem_is_resumed(c))
        __atomic_add_fetch(&resumed, 1, __ATOMIC_RELAXED); /* the certificate is that of its first handshake */
    else if (!is_whole(c, which))
        __atomic_add_fetch(&mixed, 1, __ATOMIC_RELAXED);
    served[which]++;
    tlsmem_close(c);
}

static void on_client_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (report->status != TLSMEM_OK || report->bytes_received != 5)
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
    tlsmem_session *session = tlsmem_session_get(c);
    if (session != NULL) {
        int which = sealed_by(session);
        if (which < 0)
            __atomic_add_fetch(&mixed, 1, __ATOMIC_RELAXED);
        else
            sealed[which]++;
        tlsmem_session_free(newest);
        newest = session;
    }
    tlsmem_free(c);
    __atomic_add_fetch(&handshakes, 1, __ATOMIC_RELAXED);
    next_client();
}

static void next_client(void)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_client_data, NULL, NULL, on_client_close };
    static unsigned number;
    if (__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        if (--left == 0)
            tlsmem_loop_stop(client_loop);
        return;
    }
    tlsmem *c = connection(clients, &callbacks, NULL);
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.port = port;
    MUST(tlsmem_set_server_name(c, "localhost") == TLSMEM_OK);
    if (number++ % 2 == 1 && newest != NULL)
        IGNORE(tlsmem_session_set(c, newest) != 0);
    MUST(tlsmem_loop_connect(client_loop, c, &options) == TLSMEM_OK);
}

static void *run(void *loop)
{
    MUST(tlsmem_loop_run(loop) == TLSMEM_OK);
    return NULL;
}

/* ---- the changes */

/** Returns whether it was put in place. */
static int change(tlsmem_ctx *ctx, int number)
{
    int flaw = number % 2 == 0 ? FLAW_NONE : 1 + number / 2 % (FLAWS - 1);
    tlsmem_ctx *fresh = configured(number / 2 % 2, flaw);
    if (fresh == NULL)
        return 0;
    int status = tlsmem_ctx_reload(ctx, fresh);
    CHECK(flaw == FLAW_NONE ? status == TLSMEM_OK : status == TLSMEM_ENOTRUST, "change %d: %s", number, tlsmem_status_name(status));
    tlsmem_ctx_free(fresh);
    return status == TLSMEM_OK;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void reloads_under_load(tlsmem_ctx *client_ctx, int version)
{
    situation("version %x: %d changes under load, half of them broken", (unsigned)version, CHANGES);
    pthread_t threads[2];
    tlsmem_ctx *ctx = configured(0, FLAW_NONE);
    clients = client_ctx;
    read_responses();
    handshakes = is_over = failed = mixed = resumed = served[0] = served[1] = sealed[0] = sealed[1] = 0;
    left = AT_ONCE;
    MUST((server_loop = new_loop()) != NULL && (client_loop = new_loop()) != NULL);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(server_loop, ctx, &options, &listener) == TLSMEM_OK);
    port = tlsmem_listener_port(listener);
    for (int i = 0; i < AT_ONCE; i++)
        next_client();
    double began = seconds();
    MUST(pthread_create(&threads[0], NULL, run, server_loop) == 0 && pthread_create(&threads[1], NULL, run, client_loop) == 0);
    int changed = 0, broken = 0;
    for (int i = 0; i < CHANGES; i++) {
        int due = (i + 1) * BETWEEN;
        while (__atomic_load_n(&handshakes, __ATOMIC_RELAXED) < due)
            usleep(500);
        if (change(ctx, i))
            changed++;
        else
            broken++;
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    pthread_join(threads[1], NULL);
    double took = seconds() - began;
    tlsmem_loop_drain(server_loop, 5000);
    pthread_join(threads[0], NULL);
    printf("reloads: %d handshakes, %.0f a second, %d resumed, %d changes, %d refused\n", handshakes, handshakes / took, resumed,
           changed, broken);
    CHECK(failed == 0 && mixed == 0, "%d failed, %d had parts of two", failed, mixed);
    CHECK(changed == CHANGES / 2 && broken == CHANGES / 2, "%d changes, %d refused", changed, broken);
    CHECK(served[0] > 0 && served[1] > 0 && resumed > 0, "%d by the first, %d by the second, %d resumed", served[0], served[1], resumed);
    CHECK(sealed[0] > 0 && sealed[1] > 0, "%d tickets by the first key, %d by the second", sealed[0], sealed[1]);
    tlsmem_ctx_stats_info stats = TLSMEM_CTX_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_ctx_stats(ctx, &stats), TLSMEM_OK);
    CHECK(stats.generation == 1 + CHANGES / 2 && stats.connections + stats.connections_old == 0, "generation %d, %d and %d left",
          (int)stats.generation, (int)stats.connections, (int)stats.connections_old);
    tlsmem_session_free(newest);
    newest = NULL;
    tlsmem_loop_free(server_loop);
    tlsmem_loop_free(client_loop);
    tlsmem_ctx_free(ctx);
}
