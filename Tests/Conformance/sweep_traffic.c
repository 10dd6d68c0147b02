/*
 * A server in a loop greets two clients, one in the same loop and one with a loop of its own; 300,000 bytes go each way
 * through small buffers, with new keys in the middle, and everybody closes: in TLS 1.3 and, with a renegotiation, in 1.2.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

enum { BYTES = 300000, OWN = 0, IN_LOOP = 1 };

static int version;

/** New keys, half-way. */
static void change_keys(end *e)
{
    if (e->test != NULL || e->sent < BYTES / 2 || !tlsmem_is_established(e->c))
        return;
    e->test = e; /* once */
    int status = version == TLSMEM_TLS1_3 ? tlsmem_key_update(e->c, 1) : tlsmem_renegotiate(e->c);
    CHECK(sweep_excuses(status) || end_ended(e), "new keys: %s", tlsmem_status_name(status));
}

static void open_client(int which, tlsmem_ctx *ctx)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    end *e = &pairs[which].client;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), send_buffer = 40000;
    address.sin_port = htons((uint16_t)tlsmem_listener_port(pairs[which].listener));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) == 0);
    MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS);
    e->fd = fd;
    e->after_write = which == OWN ? change_keys : NULL;
    e->close_when_done = 1;
    e->c = sweep_new(ctx, &end_callbacks, e);
    if (e->c == NULL)
        return;
    if (!TRY(tlsmem_set_server_name(e->c, "localhost")))
        return;
    e->face = which == OWN ? FACE_FD : FACE_REGISTRY;
    e->loop = loops[0];
    pairs[which].begun = which == OWN ? TRY(tlsmem_set_fd(e->c, fd)) : TRY(tlsmem_loop_add(loops[0], e->c, fd));
}

static void play_with(int which_version)
{
    version = which_version;
    faulty_pause(1); /* the other scenes show how contexts fail */
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_renegotiation(from, 1) == TLSMEM_OK && tlsmem_ctx_set_renegotiation(to, 1) == TLSMEM_OK);
    faulty_pause(0);
    if (sweep_open()) {
        sweep_patience_ms = 60;
        for (int i = 0; i < 2; i++) {
            sweep_task(&pairs[i].client, BYTES);
            if (sweep_listen(i, to, NULL))
                open_client(i, from);
        }
        sweep_run(NULL);
        sweep_judge();
    }
    sweep_close();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void play_traffic(void) { play_with(TLSMEM_TLS1_3); }
static void play_renegotiation(void) { play_with(TLSMEM_TLS1_2); }

const scene traffic_scene = { "traffic", play_traffic };
const scene renegotiation_scene = { "renegotiation", play_renegotiation };
