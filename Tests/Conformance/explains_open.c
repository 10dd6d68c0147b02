/* What is said of connections that are stuck when they are open, when they close, and in loops. */
#define _GNU_SOURCE
#include "explains.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const ends sockets = { .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1 };
static char much[2000000];

static void full_socket(void)
{
    situation("a peer that does not read");
    establish_ends(&sockets);
    SAYS(server.c, "it is open, with TLSv1.3. Nothing is left to do: it waits until the program writes or the "
         "client does.", "Its socket is empty, both ways.");
    while (tlsmem_write(server.c, much, sizeof much) > 0)
        ;
    SAYS(server.c, "It waits for the client, which does not read: nothing more goes into our socket, and ", " bytes of ciphertext wait here.",
         "No deadline of its own ends that.", " bytes of ciphertext to be sent (outgoing_max is 1048576)",
         "on_drain comes once what waits to be sent has fallen to 262144 bytes.", "and some that the peer has not received.");
    CHECK(recv(client.fd, much, sizeof much, 0) > 0, "nothing came");
    while (recv(client.fd, much, sizeof much, 0) > 0)
        ;
    SAYS(server.c, " bytes of ciphertext wait although the socket takes some: the program has not called tlsmem_on_writable.",
         "tlsmem_interest");
    close_ends();
}

static void paused(void)
{
    situation("paused by the program");
    establish_ends(&sockets);
    tlsmem_pause(server.c);
    SAYS(server.c, "The program has paused it ", " ms ago (tlsmem_pause): until tlsmem_resume nothing is delivered.");
    say(&client, 1000);
    CHECK_STATUS(tlsmem_on_readable(server.c), TLSMEM_OK);
    SAYS(server.c, "until tlsmem_resume nothing is delivered; 1000 bytes of plaintext wait.",
         "In its queues: 1000 bytes of plaintext to be read (incoming_max is 262144).");
    tlsmem_resume(server.c);
    CHECK(server.received == 1000, "%d came", (int)server.received);
    close_ends();
}

/** Everything is read by tlsmem_read, and nobody calls it. */
static void nobody_reads(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to;
    limits.incoming_max = 20000, limits.incoming_low = 5000;
    to = context_limited(TLSMEM_SERVER, 0, &limits);
    situation("plaintext that nobody reads, up to incoming_max");
    tlsmem_pair *pair = tlsmem_pair_new(from, to);
    MUST(pair != NULL && tlsmem_set_server_name(tlsmem_pair_end(pair, 0), "localhost") == TLSMEM_OK);
    tlsmem *writer = tlsmem_pair_end(pair, 0), *reader = tlsmem_pair_end(pair, 1);
    CHECK_STATUS(tlsmem_write(writer, much, 300), 300);
    IGNORE(tlsmem_pair_run(pair, 100));
    SAYS(reader, "It waits for the program, which has not read the 300 bytes of plaintext that are there (tlsmem_read).");
    CHECK(tlsmem_write(writer, much, 500000) > 0, "nothing was written");
    IGNORE(tlsmem_pair_run(pair, 200));
    SAYS(reader, "It waits for the program, which does not read: ", "incoming_max is 20000",
         "nothing more is received before they have fallen to 5000 (tlsmem_read).");
    tlsmem_pair_free(pair), tlsmem_ctx_free(from), tlsmem_ctx_free(to);
}

static void held_back(void)
{
    situation("held back by a cork");
    establish_ends(&sockets);
    CHECK_STATUS(tlsmem_cork(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_write(client.c, "hello", 5), 5);
    SAYS(client.c, "5 bytes that were written are held back by tlsmem_cork: tlsmem_uncork or tlsmem_flush lets them go.");
    close_ends();
}

static void not_told(void)
{
    situation("bytes in the socket that the program was told of and did not receive");
    establish_ends(&sockets);
    say(&client, 100);
    SAYS(server.c, "It waits for the program: ", " bytes of the peer's are in the socket, and it has not called tlsmem_on_readable. "
         "Does its loop watch what tlsmem_interest says?", " bytes that came and were not received");
    close_ends();
}

void stuck_when_open(void)
{
    full_socket();
    paused();
    nobody_reads();
    held_back();
    not_told();
}

/* ---- ends */

static void waiting_close(void)
{
    situation("a close that waits for the peer's");
    establish_ends(&sockets);
    CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
    SAYS(client.c, "It waits for the server: the program has closed its own direction (tlsmem_close_write)");
    end_drive(&server);
    SAYS(server.c, "It waits for the program: the client has closed ", " ago, and will send nothing more; tlsmem_close ends it");
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    SAYS(client.c, "it is closing for ", "All that was written is sent, and our close_notify with it. It waits for the server, which has "
         "not closed yet.", "it ends in ", " (close_ms) with TLSMEM_ETIMEOUT");
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    end_drive(&client);
    SAYS(client.c, "it has ended cleanly.", "Nothing more happens to it: tlsmem_free is what is left to do.");
    close_ends();
}

/** A peer that asks for new keys more often than it may. */
static void limit_reached(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.update_rate = 1, limits.update_burst = 2;
    ends how = sockets;
    how.server_limits = &limits;
    situation("a limit that the peer has reached");
    establish_ends(&how);
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(tlsmem_key_update(client.c, 0), TLSMEM_OK);
    IGNORE(tlsmem_on_readable(server.c));
    SAYS(server.c, "it has ended: TLSMEM_ELIMIT, the peer asks for new keys too often: update_rate is reached.");
    close_ends();
}

static void failed_and_waiting(void)
{
    tlsmem_ctx *from = tlsmem_ctx_new(TLSMEM_CLIENT), *to = context(TLSMEM_SERVER, 0);
    int pair[2];
    situation("a failure whose alert the peer has not taken");
    MUST(tlsmem_ctx_set_ca_file(from, certificate("other-ca.pem")) == TLSMEM_OK);
    tlsmem *client = connection(from, NULL, NULL), *server = connection(to, NULL, NULL);
    socket_pair(pair);
    MUST(tlsmem_set_fd(client, pair[0]) == TLSMEM_OK && tlsmem_set_fd(server, pair[1]) == TLSMEM_OK);
    IGNORE(tlsmem_handshake(client));
    IGNORE(tlsmem_on_readable(server));
    IGNORE(tlsmem_on_readable(client));
    SAYS(client, "it has failed, and is about to end: ", "TLSMEM_EVERIFY, ", "(certificate 0 of the chain)",
         "The alert that says why has been sent; it waits until the server has taken it, and closes.", "(close_ms) with TLSMEM_EVERIFY");
    tlsmem_free(client), tlsmem_free(server), tlsmem_ctx_free(from), tlsmem_ctx_free(to), close(pair[0]), close(pair[1]);
}

void stuck_at_the_end(void)
{
    waiting_close();
    limit_reached();
    failed_and_waiting();
}

/* ---- loops */

static char told[16][2048];
static int tellings;

static void tell(const char *text, void *user)
{
    CHECK(user == told, "another user pointer");
    if (tellings < 16)
        snprintf(told[tellings++], sizeof told[0], "%s", text);
    if (getenv("EXPLAINS_SHOW") != NULL)
        printf("    %s\n", text);
}

/** Checks that one of the paragraphs has this in it. */
static void told_of(const char *part)
{
    int found = 0;
    for (int i = 0; i < tellings; i++)
        found += strstr(told[i], part) != NULL;
    CHECK(found > 0, "nobody says \"%s\"", part);
}

static void explain(tlsmem_loop *loop, int expected)
{
    tellings = 0;
    CHECK_STATUS(tlsmem_loop_explain(loop, tell, told), expected);
    CHECK(tellings == expected && strncmp(told[0], "Loop, ", 6) == 0, "%d paragraphs, the first is %s", tellings, told[0]);
}

static int accept_it(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener;
    *(tlsmem **)user = accepted->connection;
    return 0;
}

/** A listening socket whose queue is full, so that one more that connects hears nothing. Returns its port. */
static int deaf_port(int *listening, int queue[8])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t n = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(bind(*listening, (struct sockaddr *)&address, n) == 0 && listen(*listening, 0) == 0);
    MUST(getsockname(*listening, (struct sockaddr *)&address, &n) == 0);
    for (int i = 0; i < 8; i++) {
        queue[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        IGNORE(connect(queue[i], (struct sockaddr *)&address, n));
    }
    return ntohs(address.sin_port);
}

static void connecting(tlsmem_loop *loop, tlsmem_ctx *ctx)
{
    int listening, queue[8];
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    situation("a server that does not answer");
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    to.host = "127.0.0.1", to.port = deaf_port(&listening, queue);
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &to), TLSMEM_OK);
    IGNORE(tlsmem_loop_run_once(loop, 0));
    SAYS(c, "it is connecting for ", "It waits for the network: 127.0.0.1:", ": no answer so far.", "it ends in ", " s (connect_ms) with "
         "TLSMEM_ETIMEOUT");
    explain(loop, 2);
    told_of("it is connecting for ");
    told_of("Loop, with connections: 1, in their handshake: 0; listeners: 0;");
    tlsmem_free(c), close(listening);
    for (int i = 0; i < 8; i++)
        close(queue[i]);
}

void stuck_in_loops(void)
{
    tlsmem_loop *loop = new_loop();
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = context(TLSMEM_SERVER, 0);
    tlsmem_listener *listener;
    tlsmem *accepted = NULL;
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    connecting(loop, from);
    situation("a listener that is full");
    options.host = "127.0.0.1", options.connections_max = 1, options.on_accept = accept_it, options.user = &accepted;
    MUST(tlsmem_loop_listen(loop, to, &options, &listener) == TLSMEM_OK);
    explain(loop, 2);
    told_of(", clients that are in: 0. It accepts.");
    int client = plain_client(tlsmem_listener_port(listener)), next = plain_client(tlsmem_listener_port(listener));
    MUST(client >= 0 && next >= 0);
    settle_loop(loop);
    explain(loop, 3);
    told_of(", clients that are in: 1. It waits for one of them to go: connections_max is 1.");
    told_of(", in a loop: it is in its handshake for ");
    told_of("Loop, with connections: 1, in their handshake: 1; listeners: 1;");
    CHECK(write(client, "\x16\x03", 2) == 2, "it cannot write");
    SAYS(accepted, "It waits for the program: 2 bytes of the peer's are in the socket, and the loop has not turned since. Does it run?");
    tlsmem_free(accepted), tlsmem_loop_free(loop), tlsmem_ctx_free(from), tlsmem_ctx_free(to), close(client), close(next);
}
