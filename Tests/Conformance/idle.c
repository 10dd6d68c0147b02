/*
 * What an idle connection owns: in each face, whatever it carried before, OpenSSL's object and at most 256 bytes of the
 * library's. And OpenSSL's record buffers: when they go, by themselves, by tlsmem_trim, and after buffers_ms.
 *
 * Everything that malloc has given out is counted, and beside it what of that OpenSSL has asked for; the difference is
 * the library's, as the program itself asks for nothing between two counts. What the thread keeps is made by a first pair
 * of connections. OpenSSL's function is looked up at run time: programs link the library, not OpenSSL.
 */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 128, OWN_MOST = 256, BUFFER = 16384 };

/* ---- counting, with what a block costs its owner: the block and malloc's word in front of it */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static long all, openssl;

static long cost(void *block)
{
    return block == NULL ? 0 : (long)malloc_usable_size(block) + (long)sizeof(size_t);
}

static void *counted(void *block)
{
    all += cost(block);
    return block;
}

void *malloc(size_t n) { return counted(__libc_malloc(n)); }
void *calloc(size_t n, size_t size) { return counted(__libc_calloc(n, size)); }
void *aligned_alloc(size_t alignment, size_t n) { return counted(__libc_memalign(alignment, n)); }

void free(void *block)
{
    all -= cost(block);
    __libc_free(block);
}

void *realloc(void *block, size_t n)
{
    all -= cost(block);
    return counted(__libc_realloc(block, n));
}

/* An alignment that malloc has anyway is left to it: memalign cuts blocks out of larger ones. */
int posix_memalign(void **block, size_t alignment, size_t n)
{
    *block = alignment <= 16 ? malloc(n) : aligned_alloc(alignment, n);
    return *block == NULL;
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    void *block = n == 0 ? NULL : malloc(n);
    openssl += cost(block);
    return block;
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    openssl -= cost(block);
    free(block);
}

static void *openssl_realloc(void *block, size_t n, const char *file, int line)
{
    if (n == 0) {
        openssl_free(block, file, line);
        return NULL;
    }
    openssl -= cost(block);
    block = realloc(block, n);
    openssl += cost(block);
    return block;
}

/* ---- connections */

typedef enum how { IN_LOOP, BY_FD, BY_BUFFERS } how;
static const char *const names[] = { "a loop", "the fd face", "the buffers face" };

typedef struct half {
    tlsmem *c;
    int fd, established;
    size_t received;
} half;

static half halves[2 * PAIRS + 2]; /* client, server, client, ... */
static int count;
static tlsmem_loop *loop;
static how face;

static void on_established(tlsmem *c, void *user)
{
    (void)c;
    ((half *)user)->established = 1;
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes;
    ((half *)user)->received += n;
}

static void move_bytes(half *from, half *to)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(from->c, &bytes, &n) == TLSMEM_OK) {
        MUST(tlsmem_feed(to->c, bytes, n) == (ptrdiff_t)n);
        MUST(tlsmem_outgoing_consume(from->c, n) == TLSMEM_OK);
    }
}

static void turn(half *client, half *server)
{
    if (face == IN_LOOP) {
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    } else if (face == BY_FD) {
        MUST(tlsmem_on_writable(client->c) == TLSMEM_OK && tlsmem_on_readable(server->c) == TLSMEM_OK);
        MUST(tlsmem_on_writable(server->c) == TLSMEM_OK && tlsmem_on_readable(client->c) == TLSMEM_OK);
    } else {
        move_bytes(client, server);
        move_bytes(server, client);
    }
}

static void carry(half *from, half *to, size_t n)
{
    static const char bytes[65536];
    for (size_t written = 0, before = to->received; to->received < before + n; turn(from, to)) {
        ptrdiff_t taken = tlsmem_write(from->c, bytes, n - written < sizeof bytes ? n - written : sizeof bytes);
        MUST(taken >= 0 || taken == TLSMEM_AGAIN);
        written += taken > 0 ? (size_t)taken : 0;
    }
}

static void open_half(half *h, tlsmem_ctx *ctx, int fd)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, NULL, NULL, NULL };
    *h = (half){ connection(ctx, &callbacks, h), fd, 0, 0 };
    if (face == IN_LOOP)
        MUST(tlsmem_loop_add(loop, h->c, fd) == TLSMEM_OK);
    else if (face == BY_FD)
        MUST(tlsmem_set_fd(h->c, fd) == TLSMEM_OK);
}

/** Opens a pair, which says `n` bytes each way; and changes keys, if that is wanted. */
static void open_pair(tlsmem_ctx *client_ctx, tlsmem_ctx *server_ctx, size_t n, int changes_keys)
{
    half *client = &halves[count++], *server = &halves[count++];
    int fds[2] = { -1, -1 };
    if (face != BY_BUFFERS)
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    open_half(client, client_ctx, fds[0]);
    open_half(server, server_ctx, fds[1]);
    while (!client->established || !server->established)
        turn(client, server);
    for (int i = 0; i < 1 + changes_keys; i++) {
        if (n > 0) {
            carry(client, server, n);
            carry(server, client, n);
        }
        if (changes_keys)
            MUST(tlsmem_key_update(client->c, 0) == TLSMEM_OK);
    }
    turn(client, server);
    turn(client, server);
}

static void close_all(void)
{
    while (count > 0) {
        half *h = &halves[--count];
        tlsmem_free(h->c);
        if (h->fd >= 0)
            close(h->fd);
    }
}

/* ---- what it owns */

static void measure(how how, int version, size_t n, int changes_keys, const tlsmem_limits *limits)
{
    situation("%s, TLS 1.%d, %zu bytes each way%s, %s", names[how], version == TLSMEM_TLS1_3 ? 3 : 2, n,
              changes_keys ? " and new keys" : "", limits->read_ms == 0 ? "no deadline" : "read_ms");
    tlsmem_ctx *client_ctx = context_limited(TLSMEM_CLIENT, version, limits);
    tlsmem_ctx *server_ctx = context_limited(TLSMEM_SERVER, version, limits);
    face = how;
    loop = tlsmem_loop_new();
    MUST(loop != NULL);
    open_pair(client_ctx, server_ctx, n, changes_keys);
    MUST(tlsmem_loop_trim(loop) == TLSMEM_OK);
    long all_before = all, openssl_before = openssl;
    for (int i = 0; i < PAIRS; i++)
        open_pair(client_ctx, server_ctx, n, changes_keys);
    MUST(tlsmem_loop_trim(loop) == TLSMEM_OK);
    long own = all - all_before - (openssl - openssl_before);
    CHECK((openssl - openssl_before) / (2 * PAIRS) < BUFFER + 8000, "a record buffer of OpenSSL's is still there");
    close_all();
    MUST(tlsmem_loop_trim(loop) == TLSMEM_OK);
    long left = all - all_before - (openssl - openssl_before);
    /* The loop keeps places of deadlines for a while: as many as were needed at once, which depends on the time it took. */
    long places = limits->read_ms > 0 || how == IN_LOOP ? 4096 : 0;
    CHECK(left <= places, "%ld bytes are left when all are closed", left);
    long each = own / (2 * PAIRS), extra = changes_keys || limits->read_ms > 0 ? 336 : 0;
    CHECK(each > 100, "%ld bytes of the library's: that cannot be all", each);
    CHECK(own <= 2 * PAIRS * (OWN_MOST + extra) + places, "%ld bytes of the library's", each);
    if (setting("IDLE_PRINT", 0))
        printf("idle: %ld bytes of ours: %s, %x, %zu, keys %d\n", each, names[how], (unsigned)version, n, changes_keys);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

/* ---- OpenSSL's buffers */

static void keep_buffers(how how)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.buffers_ms = 50;
    tlsmem_ctx *client_ctx = context_limited(TLSMEM_CLIENT, 0, &limits);
    tlsmem_ctx *server_ctx = context_limited(TLSMEM_SERVER, 0, &limits);
    face = how;
    loop = tlsmem_loop_new();
    MUST(loop != NULL);
    open_pair(client_ctx, server_ctx, 1000, 0);
    half *client = &halves[0], *server = &halves[1];

    situation("%s, buffers_ms passes", names[how]);
    long busy = openssl;
    int64_t deadline = tlsmem_deadline(server->c);
    CHECK(deadline >= 0 && deadline <= tlsmem_now() + 50, "the deadline is %lld", (long long)(deadline - tlsmem_now()));
    if (how == IN_LOOP) {
        while (tlsmem_deadline(server->c) >= 0 || tlsmem_deadline(client->c) >= 0)
            MUST(tlsmem_loop_run_once(loop, 1000) >= 0);
        CHECK(tlsmem_now() >= deadline, "too soon");
    } else {
        CHECK_STATUS(tlsmem_tick(server->c, deadline - 1), TLSMEM_OK);
        CHECK(openssl == busy, "given back too soon");
        CHECK_STATUS(tlsmem_tick(server->c, deadline), TLSMEM_OK);
        CHECK_STATUS(tlsmem_tick(client->c, deadline + 100), TLSMEM_OK);
    }
    CHECK(busy - openssl >= 4 * BUFFER, "%ld bytes were given back", busy - openssl);
    CHECK(tlsmem_deadline(server->c) == -1 && tlsmem_deadline(client->c) == -1, "a deadline is left");

    situation("%s, buffers come again", names[how]);
    carry(client, server, 1000);
    CHECK(tlsmem_deadline(server->c) >= 0 && tlsmem_deadline(client->c) >= 0, "no deadline");
    CHECK(openssl > busy - 4 * BUFFER, "no buffer");

    situation("%s, tlsmem_trim", names[how]);
    carry(server, client, 1000);
    busy = openssl;
    CHECK_STATUS(tlsmem_trim(server->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_trim(client->c), TLSMEM_OK);
    CHECK(busy - openssl >= 4 * BUFFER, "%ld bytes were given back", busy - openssl);
    CHECK(tlsmem_deadline(server->c) == -1, "a deadline is left");
    carry(server, client, 100000);

    if (how == BY_BUFFERS) {
        situation("tlsmem_trim with half a record");
        const void *bytes;
        size_t n;
        MUST(tlsmem_write(client->c, "0123456789", 10) == 10);
        MUST(tlsmem_outgoing_peek(client->c, &bytes, &n) == TLSMEM_OK && n > 20);
        MUST(tlsmem_feed(server->c, bytes, 12) == 12);
        CHECK_STATUS(tlsmem_trim(server->c), TLSMEM_AGAIN);
        MUST(tlsmem_outgoing_consume(client->c, 12) == TLSMEM_OK);
        size_t before = server->received;
        move_bytes(client, server);
        CHECK(server->received == before + 10, "%zu bytes came", server->received - before);
        CHECK_STATUS(tlsmem_trim(server->c), TLSMEM_OK);
    }
    close_all();
    tlsmem_loop_free(loop);

    situation("tlsmem_trim before and in a handshake");
    tlsmem *c = connection(client_ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_trim(c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_trim(c), TLSMEM_AGAIN);
    tlsmem_free(c);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

int main(void)
{
    typedef int set_mem_functions(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
                                  void (*)(void *, const char *, int));
    union { void *object; set_mem_functions *function; } found = { dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions") };
    MUST(found.object != NULL && found.function(openssl_malloc, openssl_realloc, openssl_free) == 1);
    begin("idle");
    const size_t carried[] = { 0, 64, 200000 };
    tlsmem_limits usual = TLSMEM_LIMITS_INIT, timed = TLSMEM_LIMITS_INIT;
    timed.read_ms = 60000;
    for (how how = IN_LOOP; how <= BY_BUFFERS; how++) {
        for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
            measure(how, TLSMEM_TLS1_3, carried[i], 0, &usual);
            measure(how, TLSMEM_TLS1_2, carried[i], 0, &usual);
        }
        measure(how, TLSMEM_TLS1_3, 64, 1, &usual);
        measure(how, TLSMEM_TLS1_3, 64, 0, &timed);
        keep_buffers(how);
    }
    return finish();
}
