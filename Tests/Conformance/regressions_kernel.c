/*
 * Bugs that only a kernel shows that fails, or a clock that stands still, on demand. A program of its own, because all
 * of the process has this kernel and this clock.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <dlfcn.h>
#include <errno.h>
#include <faulty_kernel.h>
#include <time.h>
#include <unistd.h>

/* CLOCK_MONOTONIC in milliseconds, while it stands still; 0 while it is the kernel's. */
static int64_t still_at;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*next)(clockid_t, struct timespec *);
    if (clock == CLOCK_MONOTONIC && still_at > 0) {
        now->tv_sec = still_at / 1000;
        now->tv_nsec = still_at % 1000 * 1000000;
        return 0;
    }
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, now);
}

static int accepted_count, errors, last_error;

static int refuse(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    accepted_count++;
    return 1;
}

static void on_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)user;
    errors++;
    last_error = sys_errno;
}

static void accept_fails(int fault)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem_loop *loop = new_loop();
    options.host = "127.0.0.1";
    options.on_accept = refuse;
    options.on_error = on_error;
    MUST(tlsmem_loop_listen(loop, ctx, &options, &listener) == TLSMEM_OK);
    accepted_count = errors = last_error = 0;
    still_at = tlsmem_now();
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    faulty_arm(FAULTY_ACCEPT, 1, fault);
    for (int turn = 0; turn < 20; turn++)
        IGNORE(tlsmem_loop_run_once(loop, 0) < 0);
    CHECK(errors == 1 && last_error == fault, "on_error %d times, with errno %d for %d", errors, last_error, fault);
    CHECK(faulty_count(FAULTY_ACCEPT) == 1, "%ld times asked again at once, after errno %d",
          faulty_count(FAULTY_ACCEPT) - 1, fault);
    CHECK(tlsmem_loop_timeout(loop) == 1000, "it waits %d ms", tlsmem_loop_timeout(loop));
    still_at += 1000;
    settle_loop(loop);
    CHECK(accepted_count == 1, "%d accepted a second later", accepted_count);
    faulty_arm(FAULTY_ACCEPT, 0, 0);
    still_at = 0;
    close(fd);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

static void spins_when_accept_fails(void)
{
    static const int faults[] = { EPERM, EINVAL, EIO, EMFILE };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        accept_fails(faults[i]);
}

/** 79 KeyUpdates a second of 100, at moments between which 1.9 become due. */
static void counts_too_slowly(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.update_rate = 100;
    limits.update_burst = 4;
    still_at = tlsmem_now();
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_limits = &limits });
    for (int step = 0; step < 200 && server.closes == 0; step++) {
        still_at += 19;
        for (int i = 0; i < 1 + step % 2; i++)
            CHECK_STATUS(tlsmem_key_update(client.c, 0), TLSMEM_OK);
        wire_settle(&pair_wire);
    }
    CHECK(server.closes == 0, "ended with %s", tlsmem_status_name(server.report.status));
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_stats(server.c, &stats), TLSMEM_OK);
    CHECK(stats.key_updates_in == 300, "%llu KeyUpdates came", (unsigned long long)stats.key_updates_in);
    /* It can still say no: one more than the burst, at once. */
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(tlsmem_key_update(client.c, 0), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_ENDED(server, TLSMEM_ELIMIT);
    close_ends();
    still_at = 0;
}

/** The i-th change of what is watched fails, also the one in which an established connection leaves the newcomers. */
static void counts_twice(void)
{
    ends how = { .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1 };
    for (long i = 3; i < 12; i++) { /* the first two put the ends into the loop */
        tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
        tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
        tlsmem *newcomer = connection(ctx, NULL, NULL);
        int pair[2];
        how.loop = new_loop();
        faulty_arm(FAULTY_EPOLL_CTL, i, ENOSPC);
        open_ends(&how);
        settle_loop(how.loop);
        faulty_arm(FAULTY_EPOLL_CTL, 0, 0);
        tlsmem_abort(client.c);
        tlsmem_abort(server.c);
        socket_pair(pair);
        MUST(tlsmem_loop_add(how.loop, newcomer, pair[0]) == TLSMEM_OK);
        MUST(tlsmem_loop_stats(how.loop, &stats) == TLSMEM_OK);
        CHECK(stats.connections == 1 && stats.handshaking == 1, "%d connections, of which %d in handshake; call %ld",
              (int)stats.connections, (int)stats.handshaking, i);
        tlsmem_free(newcomer);
        close_ends();
        tlsmem_loop_free(how.loop);
        tlsmem_ctx_free(ctx);
        close(pair[0]);
        close(pair[1]);
    }
}

/** There is no reset when the kernel has no memory for what is sent: the peer knows nothing of it, and waits, as we do. */
static void waits_with_its_peer(void)
{
    static const int faults[] = { ENOBUFS, ENOMEM, EPERM };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        ends how = { .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1 };
        how.loop = new_loop();
        open_ends(&how);
        settle_loop(how.loop);
        faulty_arm(FAULTY_SEND, 1, faults[i]);
        say(&client, 100);
        settle_loop(how.loop);
        CHECK_ENDED(server, TLSMEM_ETRUNCATED);
        end_finish(&server); /* as its program does: only then is there an end of file for the other */
        settle_loop(how.loop);
        CHECK_ENDED(client, TLSMEM_ESYSTEM);
        faulty_arm(FAULTY_SEND, 0, 0);
        close_ends();
        tlsmem_loop_free(how.loop);
    }
}

static void listens_at_a_secret_port(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem_loop *loop = new_loop();
    int before = open_descriptors();
    options.on_accept = refuse;
    faulty_arm(FAULTY_GETSOCKNAME, 1, ENOBUFS);
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &options, NULL), TLSMEM_ESYSTEM);
    CHECK(errno == ENOBUFS && open_descriptors() == before, "errno %d", errno);
    faulty_arm(FAULTY_GETSOCKNAME, 0, 0);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

/** A send fails, the program takes its fd back, and closes by itself. */
static void sends_behind_a_hole(void)
{
    const void *bytes;
    size_t n;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1 });
    faulty_arm(FAULTY_SEND, 1, ENOBUFS);
    say(&client, 100);
    CHECK(faulty_happened(), "nothing was sent");
    faulty_arm(FAULTY_SEND, 0, 0);
    CHECK(tlsmem_take_fd(client.c) == client.fd, "it had another fd");
    CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_outgoing_peek(client.c, &bytes, &n), TLSMEM_AGAIN);
    close_ends();
}

enum { CROWD = 40 }; /* so many wait for their turn, that most are silenced */

/** Has each say a byte, and the loop read it. */
static void say_byte(tlsmem_loop *loop, int (*pairs)[2], char byte)
{
    for (int i = 0; i < CROWD; i++)
        MUST(write(pairs[i][1], &byte, 1) == 1);
    settle_loop(loop);
}

/** The i-th change of what is watched fails while a crowd has to wait. Returns whether there were as many. */
static int goes_deaf(long i)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem *crowd[CROWD];
    int pairs[CROWD][2], deaf = 0;
    options.handshakes_per_turn = 1;
    tlsmem_loop *loop = tlsmem_loop_new_with(&options);
    MUST(loop != NULL);
    for (int k = 0; k < CROWD; k++) {
        socket_pair(pairs[k]);
        crowd[k] = connection(ctx, NULL, NULL);
        MUST(tlsmem_loop_add(loop, crowd[k], pairs[k][0]) == TLSMEM_OK);
    }
    faulty_arm(FAULTY_EPOLL_CTL, i, ENOMEM);
    say_byte(loop, pairs, 0x16);
    say_byte(loop, pairs, 0x03);
    int has_happened = faulty_happened();
    faulty_arm(FAULTY_EPOLL_CTL, 0, 0);
    for (int k = 0; k < CROWD; k++) {
        tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
        MUST(tlsmem_stats(crowd[k], &stats) == TLSMEM_OK);
        deaf += stats.ciphertext_in != 2;
        tlsmem_free(crowd[k]);
        close(pairs[k][0]);
        close(pairs[k][1]);
    }
    CHECK(deaf == 0, "%d of them are not heard any more, after call %ld", deaf, i);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return has_happened;
}

static void goes_deaf_in_a_crowd(void)
{
    long i = 1;
    while (goes_deaf(i))
        i++;
    CHECK(i > CROWD, "only %ld changes were made", i - 1);
}

static const regression kernel_regressions[] = {
    { "spins when accept fails in a way that it does not know", spins_when_accept_fails },
    { "allows the peer fewer KeyUpdates than update_rate", counts_too_slowly },
    { "takes a handshake off the count twice when epoll refuses what follows", counts_twice },
    { "waits with its peer when nothing can be sent and nobody was reset", waits_with_its_peer },
    { "listens at a port that it cannot tell", listens_at_a_secret_port },
    { "shows what is behind lost ciphertext once its fd is taken back", sends_behind_a_hole },
    { "does not hear one of a crowd any more when epoll had no memory", goes_deaf_in_a_crowd },
    { NULL, NULL }
};

int main(int count, char **arguments)
{
    begin("regressions_kernel");
    play_all(kernel_regressions, count > 1 ? arguments[1] : NULL);
    return finish();
}
