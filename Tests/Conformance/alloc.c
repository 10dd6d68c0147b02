/*
 * OpenSSL has no memory: a whole session between a client and a server is played once to count its allocations, and
 * then again and again with one of them failing, or all from one on. Every call gives a documented status, nothing
 * wrong is delivered, nothing crashes, and in the end nothing is leaked.
 *
 * OpenSSL's allocator can only be replaced before its first allocation, which is why this is a program of its own.
 */
#define _GNU_SOURCE
#include "alloc.h"

#include <dlfcn.h>
#include <malloc.h>

typedef int set_mem_functions(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
                              void (*)(void *, const char *, int));

enum { PAYLOAD = 50 * 1000 };

long allocations, fail_at, failures, live;
int fail_all;

static int refused(void)
{
    allocations++;
    if (fail_at == 0 || !(allocations == fail_at || (fail_all && allocations > fail_at)))
        return 0;
    failures++;
    return 1;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (size == 0 || refused())
        return NULL;
    void *block = malloc(size);
    live += block != NULL;
    return block;
}

static const char text[] = "what nobody is to find in memory";
const char *secret = text;
size_t secret_length = sizeof text - 1;
long found;
static long wiped; /* large blocks given back all zero */

static void look_for_secret(const unsigned char *block, size_t n)
{
    found += memmem(block, n, secret, secret_length) != NULL;
    wiped += n >= 4096 && block[0] == 0 && memcmp(block, block + 1, 4095) == 0;
}

static void release(void *block, const char *file, int line)
{
    (void)file, (void)line;
    live -= block != NULL;
    if (block != NULL)
        look_for_secret(block, malloc_usable_size(block));
    free(block);
}

static void *reallocate(void *block, size_t size, const char *file, int line)
{
    if (block == NULL)
        return allocate(size, file, line);
    if (size == 0) {
        release(block, file, line);
        return NULL;
    }
    return refused() ? NULL : realloc(block, size);
}

/* ---- one session */

/** What a call may say: it went well, it has to wait, there is no memory, or it comes after the end. */
static int documented(long status)
{
    return status >= TLSMEM_ESIGN;
}

static void note(const char *what, long status)
{
    CHECK(documented(status), "%s gave %ld", what, status);
}

/** A setter: without memory it says so, and the context can be told again. */
int set(const char *what, int status)
{
    CHECK(status == TLSMEM_OK || (failures > 0 && (status == TLSMEM_ENOMEM || status == TLSMEM_ECONFIG)), "%s: %s", what,
          tlsmem_status_name(status));
    return status == TLSMEM_OK;
}

static int move(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    while (tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK) {
        ptrdiff_t taken = tlsmem_feed(to, bytes, n);
        note("tlsmem_feed", taken);
        note("tlsmem_outgoing_consume", tlsmem_outgoing_consume(from, n));
        moved = 1;
    }
    return moved;
}

static void carry(tlsmem *client, tlsmem *server)
{
    for (int rounds = 0; rounds < 1000 && move(client, server) + move(server, client) > 0; rounds++)
        ;
}

/** Reads everything; it must be the beginning of the pattern. Returns how much that was. */
static size_t drain(tlsmem *c, uint32_t stream)
{
    static unsigned char bytes[PAYLOAD];
    size_t total = 0;
    ptrdiff_t n;
    while ((n = tlsmem_read(c, bytes, sizeof bytes)) > 0) {
        CHECK(pattern_differs(bytes, stream, total, (size_t)n) == (size_t)n, "wrong bytes were delivered");
        total += (size_t)n;
    }
    note("tlsmem_read", n);
    return total;
}

static int talk(tlsmem *client, tlsmem *server, int version)
{
    static unsigned char payload[PAYLOAD];
    pattern_fill(payload, 1, 0, sizeof payload);
    note("tlsmem_write", tlsmem_write(client, payload, 100)); /* waits for the handshake */
    carry(client, server);
    note("tlsmem_write", tlsmem_write(client, payload + 100, sizeof payload - 100));
    if (version == TLSMEM_TLS1_3)
        note("tlsmem_key_update", tlsmem_key_update(client, 1));
    else
        note("tlsmem_renegotiate", tlsmem_renegotiate(client));
    carry(client, server);
    size_t arrived = drain(server, 1);
    pattern_fill(payload, 2, 0, sizeof payload);
    note("tlsmem_write", tlsmem_write(server, payload, sizeof payload));
    carry(client, server);
    size_t answered = drain(client, 2);
    note("tlsmem_close", tlsmem_close(client));
    note("tlsmem_close", tlsmem_close(server));
    carry(client, server);
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    MUST(tlsmem_report(server, &report) == TLSMEM_OK);
    CHECK(report.bytes_received >= arrived, "more was read than came");
    return arrived == PAYLOAD && answered == PAYLOAD && report.status == TLSMEM_OK;
}

/** What the client needs to come back with, as bytes and from them; returns whether it could. */
static int come_back(tlsmem *client, tlsmem_ctx *ctx)
{
    static unsigned char bytes[16384];
    tlsmem_session *newest = tlsmem_session_get(client), *made = NULL;
    tlsmem *next = tlsmem_new(ctx, NULL, NULL);
    ptrdiff_t n = tlsmem_session_to_bytes(newest, bytes, sizeof bytes);
    note("tlsmem_session_to_bytes", n);
    int status = n > 0 ? tlsmem_session_from_bytes(bytes, (size_t)n, &made) : TLSMEM_ENOMEM;
    note("tlsmem_session_from_bytes", status);
    tlsmem_session_free(newest);
    if (next != NULL && made != NULL && tlsmem_set_server_name(next, "localhost") == TLSMEM_OK) {
        status = tlsmem_session_set(next, made);
        note("tlsmem_session_set", status);
    }
    tlsmem_session_free(made);
    tlsmem_free(next);
    return status == TLSMEM_OK;
}

/** Plays a session; returns whether everything arrived. */
static int session(int version)
{
    int good = 0;
    allocations = failures = 0;
    tlsmem_ctx *for_client = tlsmem_ctx_new(TLSMEM_CLIENT), *for_server = tlsmem_ctx_new(TLSMEM_SERVER);
    tlsmem *client = NULL, *server = NULL;
    if (for_client != NULL && for_server != NULL &&
        set("certificate", tlsmem_ctx_set_cert_file(for_server, certificate("server.pem"))) &&
        set("key", tlsmem_ctx_set_key_file(for_server, certificate("server.key"))) &&
        set("authority", tlsmem_ctx_set_ca_file(for_client, certificate("ca.pem"))) &&
        set("names", tlsmem_ctx_set_accepted_ca_file(for_server, certificate("ca.pem"))) &&
        set("revocations", tlsmem_ctx_add_crl(for_client, certificate("corpus/stranger.crl"))) &&
        set("no check", tlsmem_ctx_set_crl_check(for_client, TLSMEM_CRL_NONE)) &&
        set("version", tlsmem_ctx_set_max_version(for_client, version)) &&
        set("renegotiation", tlsmem_ctx_set_renegotiation(for_server, 1)) &&
        set("renegotiation", tlsmem_ctx_set_renegotiation(for_client, 1)) &&
        set("preset", tlsmem_ctx_set_preset(for_server, TLSMEM_PRESET_INTERMEDIATE)) &&
        set("ciphers", tlsmem_ctx_set_ciphers(for_server, "TLS_AES_128_GCM_SHA256:?NO-SUCH:ECDHE-ECDSA-AES128-GCM-SHA256")) &&
        set("groups", tlsmem_ctx_set_groups(for_client, "?no-such:X25519:P-256")) &&
        set("algorithms", tlsmem_ctx_set_signature_algorithms(for_client, "?no_such:ecdsa_secp256r1_sha256")) &&
        set("protocols", tlsmem_ctx_set_alpn(for_client, "h2,http/1.1")) &&
        set("protocols", tlsmem_ctx_set_alpn(for_server, "http/1.1"))) {
        client = tlsmem_new(for_client, NULL, NULL);
        server = tlsmem_new(for_server, NULL, NULL);
    }
    if (client != NULL && server != NULL && tlsmem_set_server_name(client, "localhost") == TLSMEM_OK)
        good = talk(client, server, version) & come_back(client, for_client);
    fail_at = 0;
    tlsmem_free(client);
    tlsmem_free(server);
    tlsmem_ctx_free(for_client);
    tlsmem_ctx_free(for_server);
    return good;
}

static void sweep(int version, int all)
{
    for (int i = 0; i < 3; i++) {
        situation("TLS %s, all allocations succeed", version == TLSMEM_TLS1_3 ? "1.3" : "1.2");
        CHECK(session(version), "the session did not come to its end");
    }
    long count = allocations, most = setting("ALLOC_MOST", 400);
    long stride = count / most + 1, survived = 0, tried = 0, before = live;
    for (long i = 1; i <= count; i += stride, tried++) {
        situation("TLS %s, allocation %ld of %ld fails%s", version == TLSMEM_TLS1_3 ? "1.3" : "1.2", i, count,
                  all ? ", and all behind it" : "");
        fail_all = all;
        fail_at = i;
        survived += session(version);
        fail_all = 0;
    }
    situation("TLS %s, after the failures", version == TLSMEM_TLS1_3 ? "1.3" : "1.2");
    CHECK(survived < tried, "no failed allocation made a difference: the allocator is not in use");
    for (int i = 0; i < 3; i++)
        CHECK(session(version), "a session after the failures did not come to its end");
    /* Once, a failure may have had OpenSSL look for other decoders, which it keeps: 88 blocks in OpenSSL 3.5. */
    CHECK(live < before + 128, "%ld blocks before, %ld after: something leaks", before, live);
}

/** What waits to be encrypted is wiped before its memory is given back: when it grows, and when it is not needed. */
static void wipes(void)
{
    enum { MANY = 30 }; /* more than are kept for others */
    static tlsmem *each[MANY];
    situation("plaintext that waits");
    wiped = found = 0;
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(ctx != NULL);
    for (int i = 0; i < MANY; i++) {
        MUST((each[i] = tlsmem_new(ctx, NULL, NULL)) != NULL);
        for (int times = 0; times < 1000; times++)
            MUST(tlsmem_write(each[i], text, sizeof text) == sizeof text);
    }
    CHECK(wiped >= MANY, "%ld blocks were wiped while they grew", wiped);
    for (int i = 0; i < MANY; i++) {
        IGNORE(tlsmem_abort(each[i]));
        tlsmem_free(each[i]);
    }
    CHECK(wiped >= MANY + MANY / 2, "%ld blocks were wiped", wiped);
    CHECK(found == 0, "%ld blocks still held it", found);
    tlsmem_ctx_free(ctx);
}

int main(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");
    set_mem_functions *set_functions;
    memcpy(&set_functions, &symbol, sizeof symbol); /* the way from dlsym's pointer that ISO C allows */
    begin("alloc");
    MUST(symbol != NULL && set_functions(allocate, reallocate, release) == 1);
    for (int all = 0; all < 2; all++) {
        sweep(TLSMEM_TLS1_2, all);
        sweep(TLSMEM_TLS1_3, all);
    }
    wipes();
    identities();
    settings();
    nothing_is_spoiled();
    early_data();
    answers();
    test_kit();
    return finish();
}
