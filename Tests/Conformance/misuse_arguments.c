/* Lengths, sizes of structs, and pointers beside the object. */
#define _GNU_SOURCE
#include <limits.h>
#include <errno.h>
#include "misuse.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static tlsmem_ctx *ctx;
static tlsmem *c;

static void buffers(void)
{
    const void *bytes;
    const char *name;
    size_t n;
    static const size_t bad[] = { NEGATIVE, TOO_LONG };
    situation("lengths and pointers");
    CHECK_STATUS(tlsmem_tick(c, INT64_MIN), TLSMEM_OK);
    CHECK_STATUS(tlsmem_tick(c, INT64_MAX), TLSMEM_OK); /* nothing has begun: no deadline */
    for (int which = -1; which <= 7; which++)
        CHECK_STATUS(tlsmem_set_timeout(c, (tlsmem_timeout)which, UINT32_MAX), which >= 1 && which <= 5 ? 0 : TLSMEM_EINVAL);
    for (int which = 1; which <= 5; which++)
        CHECK_STATUS(tlsmem_set_timeout(c, (tlsmem_timeout)which, 0), TLSMEM_OK);
    CHECK_STATUS(tlsmem_is_congested(c), 0);
    CHECK_STATUS(state_of(c), TLSMEM_STATE_NEW);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(tlsmem_feed(c, "x", bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_write(c, "x", bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_writev(c, (struct iovec[]){ { "x", 1 }, { "x", bad[i] } }, 2), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_read(c, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_unwrapped(c, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_certificate(c, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_subject(c, (char *)&n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_pem(c, (char *)&n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_chain(c, 0, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_san(c, 0, (char *)&n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_peer_san(c, bad[i], NULL, 0), TLSMEM_AGAIN);
        CHECK_STATUS(tlsmem_peer_chain(c, bad[i], NULL, 0), TLSMEM_AGAIN);
        CHECK_STATUS(tlsmem_peer_verified_chain(c, bad[i], NULL, 0), TLSMEM_AGAIN);
        CHECK_STATUS(tlsmem_export_keying_material(c, "x", NULL, 0, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_channel_binding(c, TLSMEM_BINDING_EXPORTER, &n, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_outgoing_consume(c, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_read_consume(c, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_feed(c, NULL, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_write(c, NULL, bad[i]), TLSMEM_EINVAL);
    }
    CHECK_STATUS(tlsmem_feed(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_write(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, NULL, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, (struct iovec[]){ { "x", 1 }, { NULL, 1 } }, 2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, (struct iovec[]){ { "x", PTRDIFF_MAX }, { "x", 1 } }, 2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, (struct iovec[1025]){ { "x", 0 } }, 1025), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(c, (struct iovec[1024]){ { NULL, 0 } }, 1024), 0);
    CHECK_STATUS(tlsmem_writev(c, NULL, 0), 0);
    CHECK_STATUS(want_of(c).deferred_bytes, 0);
    CHECK_STATUS(tlsmem_uncork(c), TLSMEM_ESTATE);
    for (int i = 0; i < 255; i++)
        MUST(tlsmem_cork(c) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_cork(c), TLSMEM_ESTATE);
    for (int i = 0; i < 255; i++)
        MUST(tlsmem_uncork(c) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_uncork(c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_read(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_unwrapped(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_feed_error(c, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_certificate(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_subject(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_feed(c, NULL, 0), 0);
    CHECK_STATUS(tlsmem_feed(c, "x", 0), 0);
    CHECK_STATUS(tlsmem_write(c, NULL, 0), 0);
    CHECK_STATUS(tlsmem_write(c, "x", 0), 0);
    CHECK_STATUS(tlsmem_read(c, NULL, 0), 0);
    CHECK_STATUS(tlsmem_outgoing_consume(c, 0), TLSMEM_OK);
    CHECK_STATUS(tlsmem_read_consume(c, 0), TLSMEM_OK);
    CHECK_STATUS(tlsmem_outgoing_consume(c, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_consume(c, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_outgoing_peek(c, NULL, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_outgoing_peek(c, &bytes, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_peek(c, NULL, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_peek(c, &bytes, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_alpn(c, NULL, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_alpn(c, &name, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_alpn(c, &name, &n), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_certificate(c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_subject(c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_issuer(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_issuer(c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_serial(c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_pem(c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_peer_verified_chain(c, 0, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_export_keying_material(c, NULL, NULL, 0, &n, sizeof n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_export_keying_material(c, "x", NULL, 0, NULL, 16), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_channel_binding(c, TLSMEM_BINDING_EXPORTER, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_fd(c, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_fd(c, -2147483647 - 1), TLSMEM_EINVAL);
}

/** A struct of every size that is not the right one, filled by `call`, which must not touch a byte of it. */
#define WRONG_SIZES(type, init, call)                                                                      \
    do {                                                                                                   \
        const size_t sizes[] = { 0, 1, sizeof(size_t), sizeof(type) - 1, (size_t)PTRDIFF_MAX, SIZE_MAX };  \
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {                                        \
            type value = init, before;                                                                     \
            value.size = sizes[i];                                                                         \
            memcpy(&before, &value, sizeof value);                                                         \
            CHECK((call) == TLSMEM_EINVAL, "%s with size %zu is not refused", #call, sizes[i]);            \
            CHECK(memcmp(&before, &value, sizeof value) == 0, "%s with size %zu wrote", #call, sizes[i]);  \
        }                                                                                                  \
    } while (0)

static int refused_callbacks(const tlsmem_callbacks *callbacks)
{
    tlsmem *made = tlsmem_new(ctx, callbacks, NULL);
    tlsmem_free(made);
    return made == NULL ? TLSMEM_EINVAL : TLSMEM_OK;
}

static int refused_loop(const tlsmem_loop_options *options)
{
    tlsmem_loop *made = tlsmem_loop_new_with(options);
    tlsmem_loop_free(made);
    return made == NULL && errno == EINVAL ? TLSMEM_EINVAL : TLSMEM_OK;
}

static int never(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    return 1;
}

static void structs(tlsmem_loop *loop)
{
    tlsmem_ctx *unfrozen = context(TLSMEM_SERVER, 0);
    situation("sizes of structs");
    CHECK_STATUS(tlsmem_want(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_report(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_stats(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_error(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_error(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_limits(unfrozen, NULL), TLSMEM_EINVAL);
    WRONG_SIZES(tlsmem_want_info, TLSMEM_WANT_INFO_INIT, tlsmem_want(c, &value));
    WRONG_SIZES(tlsmem_report_info, TLSMEM_REPORT_INFO_INIT, tlsmem_report(c, &value));
    WRONG_SIZES(tlsmem_stats_info, TLSMEM_STATS_INFO_INIT, tlsmem_stats(c, &value));
    WRONG_SIZES(tlsmem_error_info, TLSMEM_ERROR_INFO_INIT, tlsmem_error(c, &value));
    WRONG_SIZES(tlsmem_error_info, TLSMEM_ERROR_INFO_INIT, tlsmem_ctx_error(ctx, &value));
    WRONG_SIZES(tlsmem_limits, TLSMEM_LIMITS_INIT, tlsmem_ctx_set_limits(unfrozen, &value));
    WRONG_SIZES(tlsmem_callbacks, TLSMEM_CALLBACKS_INIT, tlsmem_set_callbacks(c, &value, NULL));
    WRONG_SIZES(tlsmem_callbacks, TLSMEM_CALLBACKS_INIT, refused_callbacks(&value));
    tlsmem_trace_info piece = { .size = sizeof piece };
    char line[8];
    WRONG_SIZES(tlsmem_trace_info, piece, tlsmem_trace(c, &value, TLSMEM_TRACE_AS_TEXT, line, sizeof line));
    WRONG_SIZES(tlsmem_loop_options, TLSMEM_LOOP_OPTIONS_INIT, refused_loop(&value));
    WRONG_SIZES(tlsmem_loop_stats_info, TLSMEM_LOOP_STATS_INFO_INIT, tlsmem_loop_stats(loop, &value));
    tlsmem_loop_options of_loop = TLSMEM_LOOP_OPTIONS_INIT;
    of_loop.handshakes_per_turn = -1;
    CHECK_STATUS(refused_loop(&of_loop), TLSMEM_EINVAL);
    of_loop.handshakes_per_turn = INT_MAX;
    CHECK_STATUS(refused_loop(&of_loop), TLSMEM_OK);
    CHECK_STATUS(refused_loop(NULL), TLSMEM_OK);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.on_accept = never;
    options.host = "127.0.0.1";
    tlsmem_listener *listener = NULL;
    WRONG_SIZES(tlsmem_listen_options, options, tlsmem_loop_listen(loop, ctx, &value, &listener));
    CHECK(listener == NULL, "a listener was made");
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = "127.0.0.1";
    to.port = 443;
    WRONG_SIZES(tlsmem_connect_options, to, tlsmem_loop_connect(loop, c, &value));
    tlsmem_ctx_free(unfrozen);
}

static void on_watch(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)fd, (void)events, (void)user;
}

static void listens(tlsmem_loop *loop)
{
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0), *bare = tlsmem_ctx_new(TLSMEM_SERVER);
    tlsmem_listen_options good = TLSMEM_LISTEN_OPTIONS_INIT, bad;
    good.on_accept = never;
    good.host = "127.0.0.1";
    situation("listening");
    CHECK_STATUS(tlsmem_loop_listen(loop, of_client, &good, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_listen(loop, bare, &good, NULL), TLSMEM_ENOIDENTITY);
    bad = good;
    bad.on_accept = NULL;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    static const int ports[] = { -1, 65536, 2147483647 };
    for (int i = 0; i < 3; i++) {
        bad = good;
        bad.port = ports[i];
        CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    }
    bad = good;
    bad.connections_max = -1;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.backlog = -1;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.accepts_per_turn = -1;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.user_size = NEGATIVE;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.path = "@tlsmem"; /* and a host */
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.fd = 0; /* and a host */
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.fd = -2;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_EINVAL);
    bad = good;
    bad.host = "192.0.2.1"; /* reserved for documentation: nobody has it */
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &bad, NULL), TLSMEM_ESYSTEM);
    tlsmem_listener *listener;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &good, &listener), TLSMEM_OK); /* the listener is the loop's */
    CHECK_STATUS(tlsmem_listener_add_loop(listener, NULL), TLSMEM_EINVAL);
    static const int indices[] = { -1, -2147483647 - 1 };
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(tlsmem_inherited_fd(indices[i]), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_inherited_fd(2147483647), TLSMEM_AGAIN);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(bare);
}

static void connects(tlsmem_loop *loop)
{
    static const tlsmem_connect_options init = TLSMEM_CONNECT_OPTIONS_INIT;
    static char long_name[300], endless_name[3000], long_path[200];
    memset(long_name, 'x', sizeof long_name - 1);
    memset(endless_name, 'x', sizeof endless_name - 1);
    memset(long_path, '/', sizeof long_path - 1);
    static const struct { const char *host; int port; const char *path, *bind_host; } bad[] = {
        { NULL, 443, NULL, NULL }, { "", 443, NULL, NULL }, { "127.0.0.1", 0, NULL, NULL }, { "127.0.0.1", -1, NULL, NULL },
        { "127.0.0.1", 65536, NULL, NULL }, { "127.0.0.1", 2147483647, NULL, NULL }, { NULL, 0, "", NULL },
        { NULL, 0, "@", NULL }, { NULL, 0, long_path, NULL }, { "127.0.0.1", 443, "/tmp/x", NULL },
        { NULL, 0, "/tmp/x", "127.0.0.1" }, { "127.0.0.1", 443, NULL, "localhost" }, { "127.0.0.1", 443, NULL, "" },
        { "127.0.0.1", 443, NULL, "::1" }, { "a..b", 443, NULL, NULL }, { "[::1]", 443, NULL, NULL },
        { "with space", 443, NULL, NULL }, { long_name, 443, NULL, NULL }, { endless_name, 443, NULL, NULL },
    };
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0);
    tlsmem *client = tlsmem_new(of_client, NULL, NULL);
    situation("connecting");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tlsmem_connect_options to = init;
        to.host = bad[i].host;
        to.port = bad[i].port;
        to.path = bad[i].path;
        to.bind_host = bad[i].bind_host;
        CHECK(tlsmem_loop_connect(loop, client, &to) == TLSMEM_EINVAL, "options %zu are taken", i);
    }
    CHECK_STATUS(state_of(client), TLSMEM_STATE_NEW);
    CHECK(tlsmem_loop_timeout(loop) == -1, "something is to be done");
    tlsmem_free(client);
    tlsmem_ctx_free(of_client);
}

static void descriptors(tlsmem_loop *loop)
{
    int closed = dup(1), file = open(certificate("ca.pem"), O_RDONLY | O_CLOEXEC);
    MUST(closed >= 0 && file >= 0);
    close(closed);
    situation("descriptors");
    CHECK_STATUS(tlsmem_loop_watch(loop, -1, POLLIN, on_watch, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_watch(loop, file, 0x4000, on_watch, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_watch(loop, closed, POLLIN, on_watch, NULL), TLSMEM_ESYSTEM);
    CHECK_STATUS(tlsmem_loop_add(loop, c, closed), TLSMEM_ESYSTEM);
    CHECK_EITHER(tlsmem_loop_add(loop, c, -1), TLSMEM_EINVAL, TLSMEM_ESTATE);
    CHECK_EITHER(tlsmem_loop_add(loop, c, -2), TLSMEM_EINVAL, TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_ESTATE);
    CHECK(tlsmem_fd(c) == -1, "a refused descriptor was kept");
    /* What tlsmem_loop_watch takes although epoll does not: always ready, until it is taken out again. */
    CHECK_STATUS(tlsmem_loop_watch(loop, file, POLLIN, on_watch, NULL), TLSMEM_OK);
    CHECK(tlsmem_loop_run_once(loop, 0) == 1, "a regular file is not ready");
    CHECK_STATUS(tlsmem_loop_watch(loop, file, 0, on_watch, NULL), TLSMEM_OK);
    CHECK(tlsmem_loop_run_once(loop, 0) == 0, "a file that is not watched is ready");
    close(file);
}

void wrong_arguments(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    MUST(loop != NULL);
    ctx = context(TLSMEM_SERVER, 0);
    c = tlsmem_new(ctx, NULL, &ctx);
    MUST(c != NULL && tlsmem_user(c) == &ctx);
    buffers();
    structs(loop);
    descriptors(loop);
    connects(loop);
    listens(loop);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    tlsmem_loop_free(loop);
}
