/*
 * Hosts that have little: no standard descriptors, sixteen descriptors, threads of 64 KiB, a full disk under the key log,
 * and clocks that jump. Whatever changes the process is done in a child.
 */
#define _GNU_SOURCE
#include "child.h"
#include "converse.h"
#include "false_clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 300000, DAY = 24 * 3600 };
static tlsmem_ctx *client_ctx, *server_ctx;

/* ---- descriptors */

/** What the library opens becomes 0, 1 and 2. */
static void without_standard_descriptors(void)
{
    conversation t;
    close(0), close(1), close(2);
    HOLDS(converse_begin(&t, client_ctx, server_ctx, BYTES));
    HOLDS(tlsmem_loop_fd(t.loop) == 0);
    for (int turns = 0; turns < 100000 && t.client.closes + t.server.closes < 2; turns++)
        HOLDS(converse_turn(&t, 1000) >= 0);
    HOLDS(converse_went_well(&t));
    converse_end(&t);
    HOLDS(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0);
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER); /* files that are read, too, become descriptor 0 */
    HOLDS(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")) == TLSMEM_OK);
    HOLDS(tlsmem_ctx_set_key_file(ctx, certificate("server.key")) == TLSMEM_OK);
    HOLDS(converse(client_ctx, ctx, BYTES));
    tlsmem_ctx_free(ctx);
}

/** A connection gets descriptor 1, and another one 2: were anything printed there, the peer would not understand it. */
static void as_standard_descriptors(void)
{
    conversation t;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        int has_it = 0;
        HOLDS(converse_begin(&t, client_ctx, server_ctx, BYTES));
        close(fd);
        for (int turns = 0; turns < 100000 && t.client.closes + t.server.closes < 2; turns++) {
            HOLDS(converse_turn(&t, 1000) >= 0);
            has_it |= tlsmem_fd(t.client.c) == fd || (t.server.c != NULL && tlsmem_fd(t.server.c) == fd);
        }
        HOLDS(has_it && converse_went_well(&t));
        converse_end(&t);
        HOLDS(open("/dev/null", O_RDWR) == fd);
    }
}

static int free_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 16; fd++)
        count += fcntl(fd, F_GETFD) < 0;
    return count;
}

static void with_sixteen(void)
{
    conversation t;
    struct rlimit sixteen = { 16, 16 };
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem *many[16];
    end ends[16];
    int count = 0;
    MUST(setrlimit(RLIMIT_NOFILE, &sixteen) == 0);
    int before = free_descriptors();
    HOLDS(converse(client_ctx, server_ctx, BYTES));
    HOLDS_STATUS(free_descriptors(), before);

    HOLDS(converse_begin(&t, client_ctx, server_ctx, BYTES));
    to.host = "127.0.0.1";
    to.port = tlsmem_listener_port(t.listener);
    for (; count < 16; count++) { /* clients until no more can be had: the listener has none left for any of them */
        end_adopt(&ends[count], many[count] = connection(client_ctx, &end_callbacks, &ends[count]), 2);
        HOLDS_STATUS(tlsmem_loop_connect(t.loop, many[count], &to), TLSMEM_OK);
    }
    for (int turns = 0; turns < 200 && (t.errors == 0 || ends[15].closes == 0); turns++)
        HOLDS(tlsmem_loop_run_once(t.loop, 10) >= 0);
    HOLDS(t.errors > 0 && t.last_error == EMFILE);
    HOLDS(ends[15].closes == 1 && ends[15].report.status == TLSMEM_ECONNECT);
    HOLDS(tlsmem_error(many[15], &error) == TLSMEM_OK && error.sys_errno == EMFILE);
    HOLDS_STATUS(free_descriptors(), 0);
    errno = 0;
    HOLDS(tlsmem_loop_new() == NULL && errno == EMFILE);
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    HOLDS_STATUS(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")), TLSMEM_ECONFIG);
    HOLDS(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK && error.sys_errno == EMFILE);
    HOLDS_STATUS(tlsmem_ctx_set_keylog(ctx, "/dev/null"), TLSMEM_ECONFIG);
    tlsmem_ctx_free(ctx);
    int errors = t.errors;
    for (int turns = 0; turns < 20; turns++)
        HOLDS(tlsmem_loop_run_once(t.loop, 5) >= 0);
    HOLDS(t.errors <= errors + 1); /* it pauses, and does not try again and again */
    while (count > 0)
        tlsmem_free(many[--count]);
    for (int turns = 0; turns < 400 && t.client.closes + t.server.closes < 2; turns++) /* it resumes */
        HOLDS(converse_turn(&t, 10) >= 0);
    converse_end(&t);
    HOLDS_STATUS(free_descriptors(), before);
    HOLDS(converse(client_ctx, server_ctx, BYTES));
}

/* ---- small stacks */

static int answer_later(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    IGNORE(tlsmem_answer(c, verdict->token, TLSMEM_OK, NULL));
    return TLSMEM_LATER;
}

static void *on_a_small_stack(void *asking)
{
    static int well;
    well = converse(asking != NULL ? asking : client_ctx, server_ctx, BYTES);
    return &well;
}

static void small_stacks(void)
{
    pthread_attr_t small;
    tlsmem_ctx *asking = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_verify_cb(asking, answer_later, NULL) == TLSMEM_OK);
    MUST(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 65536) == 0);
    for (int asks = 0; asks < 2; asks++) {
        pthread_t thread;
        void *well;
        situation("a thread with a stack of 64 KiB%s", asks ? ", and a question that stands still in its middle" : "");
        MUST(pthread_create(&thread, &small, on_a_small_stack, asks ? asking : NULL) == 0);
        MUST(pthread_join(thread, &well) == 0);
        CHECK(*(int *)well, "it did not go well");
    }
    pthread_attr_destroy(&small);
    tlsmem_ctx_free(asking);
}

/* ---- the key log */

static int disk_is_full, lines_refused;

/** Stands in front of the C library's: the disk takes no line, or its first half. */
ssize_t write(int fd, const void *bytes, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "write");
    int is_line = n > 100 && (memcmp(bytes, "CLIENT_", 7) == 0 || memcmp(bytes, "SERVER_", 7) == 0
                              || memcmp(bytes, "EXPORTER", 8) == 0);
    if (disk_is_full == 0 || !is_line)
        return next(fd, bytes, n);
    lines_refused++;
    if (disk_is_full == 2)
        return next(fd, bytes, n / 2);
    errno = ENOSPC;
    return -1;
}

static void key_log(void)
{
    char folder[] = "/tmp/tlsmem-limits-XXXXXX", path[64];
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keys", folder);
    for (disk_is_full = 0; disk_is_full <= 2; disk_is_full++) {
        struct stat file;
        tlsmem_ctx *ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
        situation("the key log on a disk %s", disk_is_full == 0 ? "with room" : disk_is_full == 1 ? "without room" : "that ends");
        lines_refused = 0;
        MUST(tlsmem_ctx_set_keylog(ctx, path) == TLSMEM_OK);
        CHECK(converse(ctx, server_ctx, BYTES), "the connection did not go well");
        CHECK(stat(path, &file) == 0 && (file.st_size > 0) == (disk_is_full != 1), "%lld bytes are there",
              (long long)file.st_size);
        CHECK((lines_refused >= 4) == (disk_is_full != 0), "%d lines were refused", lines_refused);
        MUST(truncate(path, 0) == 0);
        tlsmem_ctx_free(ctx);
    }
    disk_is_full = 0;
    situation("a key log that nobody reads");
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    MUST(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, path), TLSMEM_ECONFIG);
    CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, "/dev/full"), TLSMEM_ECONFIG);
    CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, "/dev/null"), TLSMEM_OK);
    CHECK(converse(ctx, server_ctx, BYTES), "the connection did not go well");
    tlsmem_ctx_free(ctx);
    MUST(unlink(path) == 0 && rmdir(folder) == 0);
}

/* ---- clocks */

static void clocks(void)
{
    static const int64_t jumps[] = { -5 * 3600, 10 * 3600, -5 * 3600 }; /* back, forth, and where it was */
    conversation t;
    situation("the time of day jumps by hours while they speak");
    MUST(converse_begin(&t, client_ctx, server_ctx, 100 * BYTES));
    for (int turns = 0; turns < 100000 && t.client.closes + t.server.closes < 2; turns++) {
        if (turns < 3)
            false_clock_jump(jumps[turns]);
        MUST(converse_turn(&t, 1000) >= 0);
    }
    CHECK(converse_went_well(&t), "it did not go well");
    converse_end(&t);

    situation("the certificates of a time long past, and of one to come");
    static const struct { int64_t jump; int expected; } times[] = {
        { -20000 * (int64_t)DAY, TLSMEM_EEXPIRED }, { 60000 * (int64_t)DAY, TLSMEM_EEXPIRED },
        { -40000 * (int64_t)DAY, TLSMEM_OK } };
    for (int i = 0; i < 3; i++) {
        false_clock_jump(times[i].jump);
        MUST(converse_begin(&t, client_ctx, server_ctx, BYTES));
        for (int turns = 0; turns < 1000 && t.client.closes + t.server.closes < 2; turns++)
            MUST(converse_turn(&t, 1000) >= 0);
        CHECK_STATUS(t.client.report.status, times[i].expected);
        converse_end(&t);
    }

    situation("the monotonic clock stands still while they speak, and then leaps a day");
    false_clock(1);
    MUST(converse_begin(&t, client_ctx, server_ctx, BYTES));
    t.client.close_when_done = 0;
    for (int turns = 0; turns < 100000 && !(t.client.received == BYTES && t.server.received == BYTES); turns++)
        MUST(converse_turn(&t, 0) >= 0);
    t.server.close_when_done = 0;
    CHECK(t.client.received == BYTES && t.server.received == BYTES, "they do not understand each other");
    converse_end(&t);
    MUST(converse_begin(&t, client_ctx, server_ctx, BYTES));
    for (int turns = 0; turns < 100 && t.server.c == NULL; turns++)
        MUST(converse_turn(&t, 0) >= 0);
    MUST(!t.client.established);
    false_clock_forward(DAY * 1000LL); /* whoever is in a handshake has taken too long */
    for (int turns = 0; turns < 100 && t.client.closes + t.server.closes < 2; turns++)
        MUST(converse_turn(&t, 0) >= 0);
    CHECK(t.client.closes == 1 && t.client.report.status == TLSMEM_ETIMEOUT, "the client ended with %s",
          tlsmem_status_name(t.client.report.status));
    CHECK(t.server.closes == 1, "the server waits on");
    converse_end(&t);
    CHECK(converse(client_ctx, server_ctx, BYTES), "the next ones do not go well");
    false_clock(0);
    CHECK(converse(client_ctx, server_ctx, BYTES), "those after them do not go well");
}

int main(void)
{
    begin("limits");
    client_ctx = context(TLSMEM_CLIENT, 0);
    server_ctx = context(TLSMEM_SERVER, 0);
    situation("a process without descriptors 0, 1 and 2");
    in_child(without_standard_descriptors);
    situation("a connection whose descriptor is 1 or 2");
    in_child(as_standard_descriptors);
    situation("a process with sixteen descriptors");
    in_child(with_sixteen);
    small_stacks();
    key_log();
    clocks();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
