/*
 * What only TCP does: resets, a close that loses nothing although the peer is gone, a listener under load.
 */
#define _GNU_SOURCE
#include "end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

static tlsmem_ctx *client_ctx, *server_ctx;

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    return fd;
}

static int tcp_connect(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = tcp_socket();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS);
    return fd;
}

/** Two ends of one TCP connection over loopback, non-blocking. */
static void tcp_pair(int pair[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    int listening = tcp_socket();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(bind(listening, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(listen(listening, 1) == 0);
    MUST(getsockname(listening, (struct sockaddr *)&address, &length) == 0);
    pair[0] = tcp_connect(ntohs(address.sin_port));
    struct pollfd wanted = { listening, POLLIN, 0 };
    MUST(poll(&wanted, 1, 10000) == 1);
    pair[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    MUST(pair[1] >= 0);
    close(listening);
}

static void reset(int fd)
{
    struct linger at_once = { 1, 0 };
    MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    close(fd);
}

/** Drives an end, waiting for the network where there is nothing to do. Returns 0 after ten seconds of nothing. */
static int drive_waiting(end *e)
{
    struct pollfd wanted = { -1, 0, 0 };
    if (e->face == FACE_FD) {
        wanted.fd = e->fd;
        wanted.events = (short)tlsmem_interest(e->c);
    } else {
        wanted.fd = tlsmem_loop_fd(e->loop);
        wanted.events = POLLIN;
    }
    if (tlsmem_loop_timeout(e->loop) != 0 && poll(&wanted, 1, 10000) <= 0)
        return 0;
    end_drive(e);
    return 1;
}

/** A connection on one end of a TCP pair; the wire's side of it is the other, plain, end. */
static void open_on(end *e, tlsmem_ctx *ctx, face face, tlsmem_loop *loop, int fd, int outer)
{
    end_adopt(e, NULL, 1);
    e->c = connection(ctx, &end_callbacks, e);
    e->face = face;
    e->loop = loop;
    e->fd = fd;
    e->outer = outer;
    if (face == FACE_FD)
        MUST(tlsmem_set_fd(e->c, fd) == TLSMEM_OK);
    else
        MUST(tlsmem_loop_add(loop, e->c, fd) == TLSMEM_OK);
}

/** Moves bytes between a connection in the buffers face and its plain socket. Returns 0 when the socket is full. */
static int pump(end *plain, int fd, int read_too)
{
    static unsigned char bytes[65536];
    const void *waiting;
    size_t n;
    ptrdiff_t got;
    while (read_too && (got = recv(fd, bytes, sizeof bytes, 0)) > 0)
        IGNORE(tlsmem_feed(plain->c, bytes, (size_t)got) < 0);
    while (tlsmem_outgoing_peek(plain->c, &waiting, &n) == TLSMEM_OK) {
        ptrdiff_t went = send(fd, waiting, n, MSG_NOSIGNAL);
        if (went <= 0)
            return 0;
        tlsmem_outgoing_consume(plain->c, (size_t)went);
    }
    return 1;
}

/** Runs the handshake of one end in the buffers face, over a plain socket, with one that has its own. */
static void establish_over_tcp(end *plain, end *other, int fd)
{
    for (int turn = 0; turn < 1000 && !(plain->established && other->established); turn++) {
        pump(plain, fd, 1);
        end_drive(other);
        struct pollfd wanted[2] = { { fd, POLLIN, 0 }, { other->fd, POLLIN, 0 } };
        if (!other->established)
            MUST(poll(wanted, 2, 10000) > 0);
    }
    MUST(plain->established && other->established);
}

static void resets(tlsmem_role role, face face, int handshake_first)
{
    static end ours, peer;
    int pair[2];
    situation("%s is reset %s, %s face", role == TLSMEM_SERVER ? "server" : "client",
              handshake_first ? "after the handshake" : "in the handshake", face_names[face]);
    tlsmem_loop *loop = new_loop();
    tcp_pair(pair);
    open_on(&ours, role == TLSMEM_SERVER ? server_ctx : client_ctx, face, loop, pair[1], -1);
    if (handshake_first) {
        end_open(&peer, role == TLSMEM_SERVER ? client_ctx : server_ctx, FACE_BUFFERS, NULL, 0, 0);
        establish_over_tcp(&peer, &ours, pair[0]);
        end_finish(&peer);
    } else if (role == TLSMEM_SERVER) {
        MUST(send(pair[0], "\x16\x03\x01\x02\x00\x01", 6, MSG_NOSIGNAL) == 6);
        MUST(drive_waiting(&ours));
    } else {
        end_drive(&ours);
    }
    reset(pair[0]);
    while (ours.closes == 0 && drive_waiting(&ours))
        ;
    CHECK(ours.closes == 1 && ours.report.status == TLSMEM_ERESET, "on_close %d times, with %s", ours.closes,
          tlsmem_status_name(ours.report.status));
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_error(ours.c, &error), TLSMEM_OK);
    CHECK(error.sys_errno == ECONNRESET || error.sys_errno == EPIPE, "errno %d", error.sys_errno);
    end_finish(&ours);
    tlsmem_loop_free(loop);
}

/** A client that writes 266,668 bytes and closes its socket at once, without reading: all of them arrive. */
static void writes_and_closes(int version, face face)
{
    enum { BYTES = 266668 };
    static end client, server;
    int pair[2];
    situation("TLS 1.%d client writes %d bytes and closes without reading, %s server", version - 0x0301, (int)BYTES,
              face_names[face]);
    tlsmem_loop *loop = new_loop();
    tcp_pair(pair);
    end_open(&client, client_ctx, FACE_BUFFERS, NULL, 0, 0);
    open_on(&server, server_ctx, face, loop, pair[1], -1);
    server.close_on_eof = 1;
    client.to_send = BYTES;
    establish_over_tcp(&client, &server, pair[0]);
    end_step(&client);
    tlsmem_close(client.c);
    while (!pump(&client, pair[0], 0) && drive_waiting(&server))
        ;
    close(pair[0]);
    while (server.closes == 0 && drive_waiting(&server))
        ;
    CHECK(server.received == BYTES && server.wrong == 0, "delivered %llu", (unsigned long long)server.received);
    CHECK(server.eofs == 1 && server.closes == 1, "on_eof %d times, on_close %d times", server.eofs, server.closes);
    CHECK(server.report.status == TLSMEM_OK && server.report.close_notify_received == 1, "ended with %s",
          tlsmem_status_name(server.report.status));
    end_finish(&client);
    end_finish(&server);
    tlsmem_loop_free(loop);
}

/* ---- a listener, and the greeting written in its on_accept */

enum { CLIENTS = 20 };
static end accepted_ends[CLIENTS];
static int accepted_count;

static int greet(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    end *e = &accepted_ends[accepted_count++];
    (void)listener;
    CHECK(user == accepted_ends, "another user pointer");
    CHECK(accepted->fd >= 0 && accepted->fd == tlsmem_fd(accepted->connection), "fd %d, connection's %d", accepted->fd,
          tlsmem_fd(accepted->connection));
    CHECK(accepted->peer->sa_family == AF_INET && accepted->peer_length == sizeof(struct sockaddr_in),
          "family %d, %u bytes", accepted->peer->sa_family, (unsigned)accepted->peer_length);
    end_adopt(e, accepted->connection, 1);
    e->to_send = 5000;
    e->close_on_eof = 1;
    accepted->callbacks = &end_callbacks;
    accepted->user = e;
    unsigned char first[4];
    pattern_fill(first, 1, 0, sizeof first);
    CHECK_STATUS(tlsmem_write(e->c, first, sizeof first), sizeof first);
    e->sent = 4;
    return 0;
}

static void greeting(int tls_version)
{
    static end clients[CLIENTS];
    tlsmem_loop *loop = new_loop();
    tlsmem_listener *listener = NULL;
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    situation("greeting in on_accept, TLS 1.%d", tls_version - 0x0301);
    options.host = "127.0.0.1";
    options.on_accept = greet;
    options.user = accepted_ends;
    accepted_count = 0;
    MUST(tlsmem_loop_listen(loop, server_ctx, &options, &listener) == TLSMEM_OK);
    for (int i = 0; i < CLIENTS; i++) {
        end_adopt(&clients[i], connection(client_ctx, &end_callbacks, &clients[i]), 0);
        clients[i].face = FACE_REGISTRY;
        clients[i].loop = loop;
        clients[i].fd = tcp_connect(tlsmem_listener_port(listener));
        MUST(tlsmem_loop_add(loop, clients[i].c, clients[i].fd) == TLSMEM_OK);
    }
    for (int turn = 0, done = 0; turn < 100000 && done < 2 * CLIENTS; turn++) {
        if (tlsmem_loop_run_once(loop, 10000) <= 0)
            break;
        done = 0;
        for (int i = 0; i < CLIENTS; i++) {
            if (i < accepted_count)
                end_step(&accepted_ends[i]);
            if (clients[i].received == 5000 && !clients[i].close_called) {
                clients[i].close_called = 1;
                tlsmem_close(clients[i].c);
            }
            done += end_ended(&clients[i]) + (i < accepted_count && end_ended(&accepted_ends[i]));
        }
    }
    CHECK(accepted_count == CLIENTS, "%d accepted", accepted_count);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK(clients[i].received == 5000 && clients[i].wrong == 0, "client %d received %llu, %d wrong", i,
              (unsigned long long)clients[i].received, clients[i].wrong);
        CHECK(clients[i].closes == 1 && clients[i].report.status == TLSMEM_OK, "client %d ended with %s", i,
              tlsmem_status_name(clients[i].report.status));
        end_finish(&clients[i]);
        if (i < accepted_count)
            end_finish(&accepted_ends[i]);
    }
    tlsmem_listener_free(listener);
    tlsmem_loop_free(loop);
}

/**
 * A client whose kernel gathers small segments (Nagle) holds its first request back until its Finished is acknowledged,
 * and nothing that the server sends does that: the kernel's acknowledgement must not be put off for 40 ms.
 */
static void acknowledges(int version, face face)
{
    static end ours, peer;
    struct tcp_info info;
    socklen_t length = sizeof info;
    int pair[2];
    situation("the last flight of the handshake is acknowledged at once, TLS 1.%d, %s face", version - TLSMEM_TLS1_2 + 2,
              face_names[face]);
    tlsmem_loop *loop = new_loop();
    tcp_pair(pair);
    open_on(&ours, server_ctx, face, loop, pair[1], -1);
    end_open(&peer, client_ctx, FACE_BUFFERS, NULL, 0, 0);
    establish_over_tcp(&peer, &ours, pair[0]);
    MUST(getsockopt(pair[0], IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
    CHECK(info.tcpi_unacked == 0, "%u segments are not acknowledged", info.tcpi_unacked);
    end_finish(&peer);
    end_finish(&ours);
    close(pair[0]);
    tlsmem_loop_free(loop);
}

int main(void)
{
    begin("tcp");
    int descriptors = open_descriptors();
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        client_ctx = context(TLSMEM_CLIENT, version);
        server_ctx = context(TLSMEM_SERVER, version);
        for (int face = FACE_FD; face <= FACE_REGISTRY; face++) {
            for (int i = 0; i < 4; i++)
                resets((i & 1) != 0 ? TLSMEM_SERVER : TLSMEM_CLIENT, face, i >> 1);
            writes_and_closes(version, face);
            acknowledges(version, face);
        }
        greeting(version);
        tlsmem_ctx_free(client_ctx);
        tlsmem_ctx_free(server_ctx);
    }
    CHECK(open_descriptors() == descriptors, "%d descriptors open, %d at the beginning", open_descriptors(), descriptors);
    return finish();
}
