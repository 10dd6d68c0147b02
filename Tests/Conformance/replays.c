/*
 * Recordings: a real client (openssl s_client) speaks with a server in a loop, over TCP, and what came in is fed to a new
 * connection again. With the same random numbers it sends the same bytes and calls the same callbacks; with one bit
 * of what came changed it does not.
 */
#define _GNU_SOURCE
#include "replays.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

void append(text *t, const void *bytes, size_t n)
{
    t->bytes = realloc(t->bytes, t->length + n + 1);
    MUST(t->bytes != NULL);
    memcpy(t->bytes + t->length, bytes, n);
    t->bytes[t->length += n] = 0;
}

text clear(text *t)
{
    free(t->bytes);
    return *t = (text){ NULL, 0 };
}

static int same(const text *one, const text *other)
{
    return one->length == other->length && one->length > 0 && memcmp(one->bytes, other->bytes, one->length) == 0;
}

text recording, sent;
static text heard, *sent_now, *heard_now;
static tlsmem *served;

/** The library's, too: what the recorded connection hands to the kernel. */
ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    if (next == NULL)
        next = (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    ssize_t taken = next(fd, bytes, n, flags);
    if (taken > 0 && served != NULL && fd == tlsmem_fd(served))
        append(&sent, bytes, (size_t)taken);
    return taken;
}

/* Three lines of C. */
void record(const void *bytes, size_t n, void *user)
{
    append(user, bytes, n);
}

/* ---- the program: it answers in capitals, and writes down what it hears */

static void on_established(tlsmem *c, void *user)
{
    (void)user;
    append(heard_now, "established\n", 12);
    CHECK_STATUS(tlsmem_write(c, "welcome\n", 8), 8);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    char answer[4096];
    (void)user;
    append(heard_now, "data ", 5);
    append(heard_now, bytes, n);
    for (size_t i = 0; i < n && i < sizeof answer; i++)
        answer[i] = (char)(((const char *)bytes)[i] & ~32);
    IGNORE(tlsmem_write(c, answer, n));
}

static void on_eof(tlsmem *c, void *user)
{
    (void)user;
    append(heard_now, "eof\n", 4);
    tlsmem_close(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    char line[64];
    (void)user;
    append(heard_now, line, (size_t)sprintf(line, "close %s %llu\n", tlsmem_status_name(report->status),
                                            (unsigned long long)report->bytes_received));
    if (c == served) {
        served = NULL;
        tlsmem_free(c);
    }
}

static const tlsmem_callbacks program = { sizeof program, on_established, on_data, NULL, on_eof, on_close };

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)user;
    accepted->callbacks = &program;
    served = accepted->connection;
    MUST(tlsmem_set_record_cb(served, record, &recording) == TLSMEM_OK);
    return 0;
}

/** The contexts of a recording and of its replays are made from the same random numbers. */
tlsmem_ctx *seeded_context(int version)
{
    MUST(tlsmem_insecure_randomness(4711) == TLSMEM_OK);
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ticket_mode(ctx, TLSMEM_TICKETS_NEVER) == TLSMEM_OK);
    return ctx;
}

/** Serves one s_client that says these words, and records it. */
static void record_session(int version, const char *words)
{
    tlsmem_ctx *ctx = seeded_context(version);
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listener *listener;
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(loop, ctx, &options, &listener) == TLSMEM_OK);
    sent_now = &sent, heard_now = &heard;
    clear(&recording), clear(&sent), clear(&heard);
    char command[300];
    snprintf(command, sizeof command, "(printf '%s'; sleep 0.2; printf Q) | openssl s_client -connect 127.0.0.1:%d "
             "-CAfile %s -verify_return_error >/dev/null 2>&1", words, tlsmem_listener_port(listener), certificate("ca.pem"));
    pid_t client = fork();
    MUST(client >= 0);
    if (client == 0)
        _exit(execl("/bin/sh", "sh", "-c", command, (char *)NULL));
    while (heard.length == 0 || strstr(heard.bytes, "close ") == NULL)
        MUST(tlsmem_loop_run_once(loop, 20000) >= 0);
    int status;
    waitpid(client, &status, 0);
    CHECK(status == 0, "s_client ended with %#x", status);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

/** Feeds it to a new connection. Returns as tlsmem_replay. */
int replay(int version, const text *from, text *bytes, text *calls, int seeded_anew)
{
    tlsmem_ctx *ctx = seeded_context(version);
    if (!seeded_anew)
        MUST(tlsmem_insecure_randomness(4712) == TLSMEM_OK);
    heard_now = calls;
    tlsmem *c = connection(ctx, &program, NULL);
    int status = tlsmem_replay(c, from->bytes, from->length, record, bytes);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    return status;
}

/** The n-th line of fed bytes. */
static char *line_of_bytes(const text *t, int n)
{
    char *at = t->bytes;
    while (n-- >= 0)
        MUST((at = strstr(at + 1, " in ")) != NULL);
    return at + 4;
}

static void session(int version)
{
    text again = { 0 }, calls = { 0 };
    situation("a session with s_client, TLS 1.%d", version - 0x0301);
    record_session(version, "hello\\nand more\\n");
    CHECK(strstr(heard.bytes, "established\n") != NULL && strstr(heard.bytes, "hello\n") != NULL, "%s", heard.bytes);
    CHECK(strncmp(recording.bytes, "tlsmem recording 1\n", 19) == 0, "%.30s", recording.bytes);

    situation("its replay, TLS 1.%d", version - 0x0301);
    for (int time = 0; time < 2; time++) {
        CHECK_STATUS(replay(version, &recording, &again, &calls, 1), TLSMEM_OK);
        CHECK(same(&again, &sent), "%zu bytes were sent, now %zu, not the same", sent.length, again.length);
        CHECK(same(&calls, &heard), "it was called back:\n%snow:\n%s", heard.bytes, calls.bytes);
        clear(&again), clear(&calls);
    }

    situation("its replay with other random numbers, TLS 1.%d", version - 0x0301);
    CHECK_STATUS(replay(version, &recording, &again, &calls, 0), TLSMEM_OK);
    CHECK(!same(&again, &sent) && !same(&calls, &heard), "the same");
    clear(&again), clear(&calls);

    situation("its replay with a bit flipped, TLS 1.%d", version - 0x0301);
    int lines = 0;
    for (char *at = recording.bytes; (at = strstr(at + 1, " in ")) != NULL;)
        lines++;
    CHECK(lines >= 2, "%d lines", lines);
    for (int line = 0; line < lines; line++) {
        char *digit = line_of_bytes(&recording, line) + 40, before = *digit;
        *digit = before == '0' ? '1' : before == '1' ? '0' : '1';
        CHECK_STATUS(replay(version, &recording, &again, &calls, 1), TLSMEM_OK);
        CHECK(!same(&again, &sent), "line %d: the same bytes are sent", line);
        *digit = before;
        clear(&again), clear(&calls);
    }
}

/** A deadline that passed is in it, and passes again, in no time. */
static void deadline(void)
{
    situation("a deadline that passed");
    tlsmem_ctx *ctx = seeded_context(0);
    tlsmem *c = connection(ctx, &program, NULL);
    heard_now = &heard;
    clear(&recording), clear(&heard);
    CHECK_STATUS(tlsmem_set_record_cb(c, record, &recording), TLSMEM_OK);
    CHECK_STATUS(tlsmem_feed(c, "\026\003\001", 3), 3);
    CHECK_STATUS(tlsmem_tick(c, tlsmem_now() + 10000), TLSMEM_ETIMEOUT);
    CHECK(strstr(recording.bytes, " in 160301\n") != NULL && strstr(recording.bytes, " tick\n") != NULL, "%s", recording.bytes);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    text calls = { 0 };
    static const char later[] = "tlsmem recording 1\n0 in 160301\n9999 tick\n10000 tick\n";
    text by_hand = { (char *)later, strlen(later) };
    CHECK_STATUS(replay(0, &by_hand, &sent, &calls, 1), TLSMEM_OK);
    CHECK(same(&calls, &heard), "%s", calls.bytes);
    clear(&calls);
    by_hand.length -= strlen("10000 tick\n");
    CHECK_STATUS(replay(0, &by_hand, &sent, &calls, 1), TLSMEM_OK);
    CHECK(calls.length == 0, "before its time: %s", calls.bytes);
}

int main(void)
{
    begin("replays");
    session(TLSMEM_TLS1_2);
    session(TLSMEM_TLS1_3);
    deadline();
    recorded_again();
    freed_by_its_recorder();
    moments();
    endings();
    clear(&recording), clear(&sent), clear(&heard);
    return finish();
}
