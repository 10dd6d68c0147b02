/*
 * The one that is attacked: an echo server, or a client that echoes, over the face that the command line names. Each
 * connection that ends is one line on stdout, of words with a value each.
 *
 *   target server|client registry|fd|buffers FOLDER [renegotiation] [send_buffer=BYTES] [LIMIT=NUMBER ...]
 *
 * FOLDER has the certificates; send_buffer is the kernel's, which else takes megabytes that nobody reads. Commands on
 * stdin: "connect PORT NAME" for a client, "heap" for both. It ends with its stdin.
 */
#define _GNU_SOURCE
#include "target.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

tlsmem_ctx *target_ctx;
session *sessions;
static face used;
static int is_client, send_buffer;

static int64_t cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t target_heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "target: %s\n", why);
    exit(2);
}

/* ---- sessions */

session *session_new(const char *name, int fd)
{
    int64_t heap = target_heap();
    session *s = calloc(1, sizeof *s);
    if (s == NULL)
        give_up("no memory");
    snprintf(s->name, sizeof s->name, "%s", name);
    s->fd = fd;
    s->heap = s->heap_most = heap;
    s->cpu = cpu_now();
    s->next = sessions;
    sessions = s;
    return s;
}

void session_free(session *s)
{
    session **place = &sessions;
    while (*place != s)
        place = &(*place)->next;
    *place = s->next;
    tlsmem_free(s->c);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

void session_measure(session *s)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    int64_t heap = target_heap();
    if (s->c == NULL || tlsmem_want(s->c, &want) != TLSMEM_OK)
        return;
    s->incoming = want.incoming_bytes > s->incoming ? want.incoming_bytes : s->incoming;
    s->outgoing = want.outgoing_bytes > s->outgoing ? want.outgoing_bytes : s->outgoing;
    s->deferred = want.deferred_bytes > s->deferred ? want.deferred_bytes : s->deferred;
    s->heap_most = heap > s->heap_most ? heap : s->heap_most;
}

/* ---- what is the same in all faces */

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    if (tlsmem_write(c, bytes, n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c);
    session_measure(user);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    session *s = user;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    session_measure(s);
    if (tlsmem_error(c, &error) != TLSMEM_OK || tlsmem_stats(c, &stats) != TLSMEM_OK)
        give_up("a connection that has ended tells nothing");
    printf("ended name=%s status=%s established=%d protocol=%d alert_sent=%d alert_received=%d bytes_in=%llu bytes_out=%llu "
           "key_updates=%llu incoming=%zu outgoing=%zu deferred=%zu heap=%lld cpu=%lld reason=%s\n",
           s->name, tlsmem_status_name(report->status), tlsmem_is_established(c), tlsmem_protocol(c), error.alert_sent,
           error.alert_received, (unsigned long long)report->ciphertext_received,
           (unsigned long long)(report->ciphertext_sent + report->ciphertext_unsent), (unsigned long long)stats.key_updates_in,
           s->incoming, s->outgoing, s->deferred, (long long)(s->heap_most - s->heap), (long long)(cpu_now() - s->cpu),
           error.sentence);
    s->ended = 1;
    s->linger = tlsmem_now() + 2000;
    if (used == FACE_REGISTRY)
        session_free(s);
}

const tlsmem_callbacks target_callbacks = { sizeof target_callbacks, NULL, on_data, on_drain, NULL, on_close };

void target_socket(int fd)
{
    if (send_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
}

void target_greets(tlsmem *c)
{
    if (tlsmem_write(c, "hello\n", 6) != 6)
        give_up("a new connection takes no greeting");
}

void target_listens(int port)
{
    printf("listening on %d\n", port);
}

void target_command(void)
{
    char line[128], name[32];
    int port, n = 0;
    do { /* byte by byte, so that nothing of the next command is taken */
        if (read(STDIN_FILENO, line + n, 1) != 1)
            exit(0);
    } while (line[n++] != '\n' && n < (int)sizeof line - 1);
    line[n] = 0;
    if (sscanf(line, "connect %d %31s", &port, name) == 2) {
        if (used == FACE_REGISTRY)
            registry_connect(port, name);
        else
            polled_connect(port, name);
    } else if (strcmp(line, "heap\n") == 0) {
        int count = 0;
        for (session *s = sessions; s != NULL; s = s->next)
            count++;
        printf("heap bytes=%lld sessions=%d cpu=%lld\n", (long long)target_heap(), count, (long long)cpu_now());
    }
}

/* ---- the beginning */

static void set_limit(tlsmem_limits *limits, const char *word)
{
    static const struct { const char *name; size_t at; } deadlines[] = {
        { "handshake_ms", offsetof(tlsmem_limits, handshake_ms) }, { "idle_ms", offsetof(tlsmem_limits, idle_ms) },
        { "read_ms", offsetof(tlsmem_limits, read_ms) }, { "write_ms", offsetof(tlsmem_limits, write_ms) },
        { "close_ms", offsetof(tlsmem_limits, close_ms) }, { "update_rate", offsetof(tlsmem_limits, update_rate) },
        { "update_burst", offsetof(tlsmem_limits, update_burst) } };
    size_t n = strcspn(word, "=");
    for (size_t i = 0; word[n] == '=' && i < sizeof deadlines / sizeof *deadlines; i++)
        if (strlen(deadlines[i].name) == n && memcmp(deadlines[i].name, word, n) == 0) {
            *(uint32_t *)((char *)limits + deadlines[i].at) = (uint32_t)strtoul(word + n + 1, NULL, 10);
            return;
        }
    give_up(word);
}

static void file(int (*set)(tlsmem_ctx *, const char *), const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (set(target_ctx, path) != TLSMEM_OK)
        give_up(path);
}

int main(int argc, char **argv)
{
    static const char *const faces[] = { "registry", "fd", "buffers" };
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    if (argc < 4)
        give_up("role, face and folder are missing");
    setvbuf(stdout, NULL, _IOLBF, 0);
    is_client = strcmp(argv[1], "client") == 0;
    for (int i = 0; i < 3; i++)
        if (strcmp(argv[2], faces[i]) == 0)
            used = (face)i;
    target_ctx = tlsmem_ctx_new(is_client ? TLSMEM_CLIENT : TLSMEM_SERVER);
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "renegotiation") == 0) {
            if (tlsmem_ctx_set_renegotiation(target_ctx, TLSMEM_RENEGOTIATE_ALWAYS) != TLSMEM_OK)
                give_up(argv[i]);
        } else if (sscanf(argv[i], "send_buffer=%d", &send_buffer) != 1) {
            set_limit(&limits, argv[i]);
        }
    }
    if (tlsmem_ctx_set_limits(target_ctx, &limits) != TLSMEM_OK || tlsmem_ctx_set_alpn(target_ctx, "h2,http/1.1") != TLSMEM_OK)
        give_up("a setting was refused");
    if (is_client) {
        file(tlsmem_ctx_set_ca_file, argv[3], "ca.pem");
    } else {
        file(tlsmem_ctx_set_cert_file, argv[3], "server.pem");
        file(tlsmem_ctx_set_key_file, argv[3], "server.key");
    }
    if (used == FACE_REGISTRY)
        registry_serve(!is_client);
    else
        polled_serve(!is_client, used);
    return 0;
}
