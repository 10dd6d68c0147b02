/*
 * Clients that connect by the loop: to an address, to a name that has addresses of both families of which one refuses
 * (RFC 8305), and to a Unix socket. Each sends 3,000 bytes to and fro, with a half close.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <unistd.h>

enum { BYTES = 3000, BY_ADDRESS = 0, BY_NAME = 1, BY_PATH = 2 };

static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user)
{
    (void)to, (void)n, (void)user;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK(sys_errno >= 0 && tlsmem_error(c, &error) == TLSMEM_OK, "an attempt ended with %d", sys_errno);
}

/** No more is to come from us; the peer answers still. */
static void close_half(end *e)
{
    if (e->sent == e->to_send && e->test == NULL) {
        e->test = e;
        int status = tlsmem_close_write(e->c);
        CHECK(sweep_excuses(status) || end_ended(e), "tlsmem_close_write: %s", tlsmem_status_name(status));
    }
}

/** What failed is told in a sentence. */
static void look_at_end(end *e, event what)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (what == EVENT_CLOSE)
        CHECK(tlsmem_error(e->c, &error) == TLSMEM_OK && (e->report.status == TLSMEM_OK || error.sentence[0] != 0),
              "%s, and no sentence", tlsmem_status_name(e->report.status));
}

static void open_client(int i, tlsmem_ctx *ctx, const char *path)
{
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    end *e = &pairs[i].client;
    options.host = i == BY_ADDRESS ? "127.0.0.1" : i == BY_NAME ? "localhost" : NULL;
    options.bind_host = i == BY_ADDRESS ? "127.0.0.1" : NULL;
    options.port = i == BY_PATH ? 0 : tlsmem_listener_port(pairs[i].listener);
    options.path = i == BY_PATH ? path : NULL;
    options.on_attempt = on_attempt;
    e->c = sweep_new(ctx, &end_callbacks, e);
    if (e->c == NULL)
        return;
    e->face = FACE_REGISTRY;
    e->loop = loops[1];
    e->close_when_done = 1;
    e->hook = look_at_end;
    e->after_write = i == BY_NAME ? close_half : NULL;
    if (TRY(tlsmem_set_server_name(e->c, "localhost")))
        pairs[i].begun = TRY(tlsmem_loop_connect(loops[1], e->c, &options));
}

static void play(void)
{
    char folder[] = "/tmp/tlsmem-XXXXXX", path[96];
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    faulty_pause(1); /* the other scenes show how contexts fail */
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = context(TLSMEM_SERVER, 0);
    faulty_pause(0);
    if (sweep_open()) {
        for (int i = 0; i < PAIRS; i++) {
            sweep_task(&pairs[i].client, BYTES);
            if (sweep_listen(i, to, i == BY_PATH ? path : NULL))
                open_client(i, from, path);
        }
        sweep_run(NULL);
        sweep_judge();
    }
    sweep_close();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    unlink(path);
    MUST(rmdir(folder) == 0);
}

const scene connect_scene = { "connect", play };
