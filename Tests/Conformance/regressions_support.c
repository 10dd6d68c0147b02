#define _GNU_SOURCE
#include "regressions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void play_all(const regression *each, const char *wanted)
{
    for (; each->play != NULL; each++) {
        if (wanted != NULL && strstr(each->what_went_wrong, wanted) == NULL)
            continue;
        int descriptors = open_descriptors();
        situation("it %s", each->what_went_wrong);
        each->play();
        CHECK(open_descriptors() == descriptors, "%d descriptors open, %d before", open_descriptors(), descriptors);
    }
}

static tlsmem_ctx *context_for(tlsmem_role role, const ends *how)
{
    const tlsmem_limits *limits = role == TLSMEM_CLIENT ? how->client_limits : how->server_limits;
    tlsmem_ctx *ctx = context(role, how->version);
    if (limits != NULL)
        MUST(tlsmem_ctx_set_limits(ctx, limits) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_renegotiation(ctx, how->renegotiation) == TLSMEM_OK);
    return ctx;
}

static void open_direct(end *e, tlsmem_ctx *ctx, const ends *how, uint32_t stream, int fd)
{
    end_adopt(e, connection(ctx, &end_callbacks, e), stream);
    e->face = how->client_face;
    e->fd = fd;
    e->loop = how->loop;
    if (how->client_face == FACE_FD)
        MUST(tlsmem_set_fd(e->c, fd) == TLSMEM_OK);
    else
        MUST(tlsmem_loop_add(how->loop, e->c, fd) == TLSMEM_OK);
}

void open_ends(const ends *how)
{
    tlsmem_ctx *client_ctx = context_for(TLSMEM_CLIENT, how), *server_ctx = context_for(TLSMEM_SERVER, how);
    if (how->direct) {
        int pair[2];
        socket_pair(pair);
        open_direct(&client, client_ctx, how, 0, pair[0]);
        open_direct(&server, server_ctx, how, 1, pair[1]);
    } else {
        end_open(&client, client_ctx, how->client_face, how->loop, 0, 0);
        end_open(&server, server_ctx, how->server_face, how->loop, 1, 0);
        wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    }
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

void establish_ends(const ends *how)
{
    open_ends(how);
    if (!how->direct) {
        wire_establish(&pair_wire);
        wire_settle(&pair_wire);
        return;
    }
    if (how->client_face == FACE_FD)
        settle_direct();
    else
        settle_loop(how->loop);
    MUST(client.established && server.established);
}

void close_ends(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong,
          server.wrong);
    end_finish(&client);
    end_finish(&server);
}

void say(end *e, size_t n)
{
    e->to_send += n;
    end_step(e);
}

void settle_loop(tlsmem_loop *loop)
{
    for (int idle = 0; idle < 8;)
        idle = tlsmem_loop_run_once(loop, 0) > 0 ? 0 : idle + 1;
}

void settle_direct(void)
{
    for (int idle = 0; idle < 8;) {
        uint64_t before = client.activity + server.activity;
        end_drive(&client);
        end_drive(&server);
        idle = client.activity + server.activity != before ? 0 : idle + 1;
    }
}

void socket_pair(int pair[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
}

int plain_client(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct timeval patience = { 10, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0
                    || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}
