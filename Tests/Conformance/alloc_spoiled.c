/*
 * What is read while OpenSSL runs out of memory is read whole, or refused. OpenSSL goes on without what it could not find
 * room for, such as how many bits a key has, and then the object is no good for ever: no handshake succeeds with it.
 */
#include "alloc.h"

enum { CERTIFICATE, KEY, RSA_CERTIFICATE, RSA_KEY, PKCS12, AUTHORITY, SESSION, KINDS };
static const char *const names[] = { "certificate", "key", "RSA certificate", "RSA key", "PKCS#12", "authority", "session" };
static tlsmem_ctx *from, *to; /* one of them with what was read */
static tlsmem_session *session;
static unsigned char kept[16384]; /* one as bytes */
static ptrdiff_t kept_bytes;

static int move(tlsmem *one, tlsmem *other)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    for (; tlsmem_outgoing_peek(one, &bytes, &n) == TLSMEM_OK; moved = 1) {
        IGNORE(tlsmem_feed(other, bytes, n) < 0);
        MUST(tlsmem_outgoing_consume(one, n) == TLSMEM_OK);
    }
    return moved;
}

/** Goes there, with the session if there is one. Returns the status; and in *newest what to come back with. */
static int visit(tlsmem_session **newest)
{
    tlsmem *client = connection(from, NULL, NULL), *server = connection(to, NULL, NULL);
    int status = session != NULL ? tlsmem_session_set(client, session) : TLSMEM_OK;
    if (status == TLSMEM_OK) {
        MUST(tlsmem_write(client, "x", 1) == 1 && tlsmem_write(server, "x", 1) == 1);
        while (move(client, server) + move(server, client) > 0)
            ;
        status = failure_of(client) != TLSMEM_OK ? failure_of(client) : failure_of(server);
    }
    if (newest != NULL)
        *newest = tlsmem_session_get(client);
    tlsmem_free(client);
    tlsmem_free(server);
    return status;
}

static int read_it(int kind, tlsmem_ctx *ctx)
{
    switch (kind) {
    case CERTIFICATE: return tlsmem_ctx_set_cert_file(ctx, certificate("server.pem"));
    case KEY: return tlsmem_ctx_set_key_file(ctx, certificate("server.key"));
    case RSA_CERTIFICATE: return tlsmem_ctx_set_cert_file(ctx, certificate("rsa.pem"));
    case RSA_KEY: return tlsmem_ctx_set_key_file(ctx, certificate("rsa.key"));
    case PKCS12: return tlsmem_ctx_set_pkcs12(ctx, certificate("full.p12"), "secret");
    case AUTHORITY: return tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem"));
    default: return tlsmem_session_from_bytes(kept, (size_t)kept_bytes, &session);
    }
}

/** Reads it with one allocation failing, once more if it is refused, and uses it. */
static void try(int kind, long at)
{
    tlsmem_ctx *fresh = tlsmem_ctx_new(kind == AUTHORITY ? TLSMEM_CLIENT : TLSMEM_SERVER), *usual = NULL;
    MUST(fresh != NULL);
    IGNORE(kind == KEY && read_it(CERTIFICATE, fresh));
    IGNORE(kind == RSA_KEY && read_it(RSA_CERTIFICATE, fresh));
    allocations = failures = 0;
    fail_at = at;
    int status = read_it(kind, fresh);
    fail_at = 0;
    long count = allocations;
    if (status != TLSMEM_OK && failures > 0)
        status = read_it(kind, fresh);
    CHECK_STATUS(status, TLSMEM_OK);
    IGNORE(kind == CERTIFICATE && read_it(KEY, fresh));
    IGNORE(kind == RSA_CERTIFICATE && read_it(RSA_KEY, fresh));
    if (kind != SESSION) {
        usual = context(kind == AUTHORITY ? TLSMEM_SERVER : TLSMEM_CLIENT, 0);
        from = kind == AUTHORITY ? fresh : usual;
        to = kind == AUTHORITY ? usual : fresh;
    }
    CHECK_STATUS(visit(NULL), TLSMEM_OK);
    allocations = count;
    tlsmem_session_free(session);
    session = NULL;
    tlsmem_ctx_free(usual);
    tlsmem_ctx_free(fresh);
}

static void keep_one(void)
{
    tlsmem_session *newest;
    from = context(TLSMEM_CLIENT, 0), to = context(TLSMEM_SERVER, 0);
    MUST(visit(&newest) == TLSMEM_OK && newest != NULL);
    MUST((kept_bytes = tlsmem_session_to_bytes(newest, kept, sizeof kept)) > 0);
    tlsmem_session_free(newest);
}

void nothing_is_spoiled(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        if (kind == SESSION)
            keep_one();
        situation("%s, read with memory", names[kind]);
        try(kind, 0);
        /* What it looks up of a key comes behind everything else. */
        long count = allocations, most = setting("ALLOC_MOST", 60);
        for (long i = count > most ? count - most + 1 : 1; i <= count; i++) {
            situation("%s, allocation %ld of %ld fails", names[kind], i, count);
            try(kind, i);
        }
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
