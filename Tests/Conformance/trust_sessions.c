/*
 * A resumed handshake shows no certificate, so a session must not bring in who would not come in without it. Servers that
 * share the keys of their tickets take each other's sessions if they trust the same, and only then.
 */
#include "trust.h"

#include <openssl/ssl.h>

static int version;

/** A server's context, with the same keys for its tickets as all others. */
static tlsmem_ctx *sharing(void)
{
    unsigned char keys[80];
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    memset(keys, 7, sizeof keys);
    MUST(SSL_CTX_set_tlsext_ticket_keys(tlsmem_ctx_native(ctx), keys, sizeof keys) == 1);
    return ctx;
}

/** The same, which requires a certificate of ca.pem's. */
static tlsmem_ctx *requiring(void)
{
    tlsmem_ctx *ctx = sharing();
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *with_certificate(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    return ctx;
}

/** The session of a visit to a server. */
static tlsmem_session *session_of(tlsmem_ctx *from, tlsmem_ctx *to)
{
    meet(from, to, NULL, NULL);
    CHECK_STATUS(failure_of(server.c), TLSMEM_OK);
    tlsmem_session *session = tlsmem_session_get(client.c);
    part();
    MUST(session != NULL);
    return session;
}

/** Comes with a session to a server that is freed then: what that says, and whether it resumes. */
static void comes(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session, int expected, int resumed)
{
    meet(from, to, NULL, session);
    CHECK_STATUS(failure_of(server.c), expected);
    if (expected == TLSMEM_OK)
        CHECK_STATUS(tlsmem_is_resumed(server.c), resumed);
    part();
    tlsmem_ctx_free(to);
}

static void pinning(tlsmem_ctx *ctx)
{
    pin(ctx, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

static void short_chains(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_verify_depth(ctx, 1) == TLSMEM_OK); }
static void partial(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_partial_chain(ctx, 1) == TLSMEM_OK); }
static void any(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_INSECURE_ANY) == TLSMEM_OK); }
static void strong(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_security_level(ctx, 3) == TLSMEM_OK); }
static void more(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_ca_file(ctx, certificate("other-ca.pem")) == TLSMEM_OK); }
static void directory(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_ca_dir(ctx, "/usr") == TLSMEM_OK); }
static void optional(tlsmem_ctx *ctx) { MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL) == TLSMEM_OK); }

static void versions(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_set_min_version(ctx, TLSMEM_TLS1_2) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_3) == TLSMEM_OK);
}

static void ciphers(tlsmem_ctx *ctx)
{
    const char *list = version == TLSMEM_TLS1_3 ? "TLS_AES_256_GCM_SHA384" : "ECDHE-ECDSA-AES256-GCM-SHA384";
    MUST(tlsmem_ctx_set_ciphers(ctx, list) == TLSMEM_OK);
}

static void signatures(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_set_signature_algorithms(ctx, "ecdsa_secp256r1_sha256") == TLSMEM_OK);
}

static void lists(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_add_crl(ctx, certificate("corpus/stranger.crl")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_crl_check(ctx, TLSMEM_CRL_NONE) == TLSMEM_OK);
}

/** A client that has a certificate is let in again by it, where trust is another; and has a full handshake. */
static void other_trust(tlsmem_ctx *known)
{
    static const struct {
        const char *what;
        void (*change)(tlsmem_ctx *ctx);
        int expected;
    } changes[] = {
        { "nothing", NULL, TLSMEM_OK },          { "shorter chains", short_chains, TLSMEM_OK },
        { "partial chains", partial, TLSMEM_OK }, { "any purpose", any, TLSMEM_OK },
        { "stronger keys", strong, TLSMEM_OK },  { "another authority", more, TLSMEM_OK },
        { "a directory", directory, TLSMEM_OK }, { "a revocation list", lists, TLSMEM_OK },
        { "other versions", versions, TLSMEM_OK }, { "other ciphers", ciphers, TLSMEM_OK },
        { "other signatures", signatures, TLSMEM_OK },
        { "an option", optional, TLSMEM_OK },    { "a pin", pinning, TLSMEM_EPIN },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        situation("a session elsewhere, where trust differs by %s, TLS 1.%d", changes[i].what, version - 0x0301);
        tlsmem_ctx *first = requiring(), *second = requiring();
        tlsmem_session *session = session_of(known, first);
        if (changes[i].change != NULL)
            changes[i].change(second);
        comes(known, second, session, changes[i].expected, changes[i].change == NULL);
        tlsmem_session_free(session);
        tlsmem_ctx_free(first);
    }
}

/** The order in which authorities are trusted is no difference, nor is what is trusted twice. */
static void same_trust(tlsmem_ctx *known)
{
    situation("the same trust in another order, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *first = requiring(), *second = sharing();
    more(first);
    more(second), more(second);
    MUST(tlsmem_ctx_set_verify(second, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(second, certificate("ca.pem")) == TLSMEM_OK);
    tlsmem_session *session = session_of(known, first);
    comes(known, second, session, TLSMEM_OK, 1);
    tlsmem_session_free(session);
    tlsmem_ctx_free(first);
}

/** Somebody without a certificate, who was let in where none is asked for, does not come in where one is. */
static void without_certificate(void)
{
    tlsmem_ctx *nobody = context(TLSMEM_CLIENT, version), *open = sharing();
    situation("a session of a server that asks for nothing, TLS 1.%d", version - 0x0301);
    tlsmem_session *session = session_of(nobody, open);
    comes(nobody, requiring(), session, TLSMEM_ENOCERT, 0);
    comes(nobody, sharing(), session, TLSMEM_OK, 1);

    situation("a session of a server that does without, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *lenient = requiring();
    optional(lenient);
    tlsmem_session *other = session_of(nobody, lenient);
    comes(nobody, requiring(), other, TLSMEM_ENOCERT, 0);
    tlsmem_session_free(session);
    tlsmem_session_free(other);
    tlsmem_ctx_free(nobody);
    tlsmem_ctx_free(open);
    tlsmem_ctx_free(lenient);
}

void print_session(int of_version)
{
    version = of_version;
    tlsmem_ctx *known = with_certificate(), *to = requiring();
    tlsmem_session *session = session_of(known, to);
    unsigned char bytes[8192];
    ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
    MUST(n > 0 && fwrite(bytes, 1, (size_t)n, stdout) == (size_t)n);
    fflush(stdout);
    tlsmem_session_free(session);
    tlsmem_ctx_free(known);
    tlsmem_ctx_free(to);
}

static void another_process(tlsmem_ctx *known)
{
    unsigned char bytes[8192];
    char command[600];
    tlsmem_session *session;
    situation("a session of another process, TLS 1.%d", version - 0x0301);
    snprintf(command, sizeof command, "'%s' %d", program_path, version);
    FILE *process = popen(command, "r");
    MUST(process != NULL);
    size_t n = fread(bytes, 1, sizeof bytes, process);
    MUST(pclose(process) == 0);
    MUST(tlsmem_session_from_bytes(bytes, n, &session) == TLSMEM_OK);
    comes(known, requiring(), session, TLSMEM_OK, 1);
    tlsmem_session_free(session);
}

/** A pin holds for sessions, too: a client without verification takes none of a server whose key is another. */
static void pinned_sessions(void)
{
    situation("a session of a server that is not pinned, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *careless = tlsmem_ctx_new(TLSMEM_CLIENT), *careful = context(TLSMEM_CLIENT, version), *to = sharing();
    MUST(tlsmem_ctx_insecure_no_verify(careless) == TLSMEM_OK);
    tlsmem_session *session = session_of(careless, to);
    pinning(careful);
    tlsmem_ctx *only_pin = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_insecure_no_verify(only_pin) == TLSMEM_OK);
    pinning(only_pin);
    tlsmem_ctx *const contexts[] = { careful, only_pin };
    for (int i = 0; i < 2; i++) {
        tlsmem *c = connection(contexts[i], NULL, NULL);
        CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_EPIN);
        CHECK_STATUS(failure_of(c), TLSMEM_OK);
        tlsmem_free(c);
        meet(contexts[i], to, NULL, NULL);
        CHECK_STATUS(failure_of(client.c), TLSMEM_EPIN);
        part();
        tlsmem_ctx_free(contexts[i]);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(careless);
    tlsmem_ctx_free(to);
}

void sessions_and_trust(int of_version)
{
    version = of_version;
    tlsmem_ctx *known = with_certificate();
    without_certificate();
    other_trust(known);
    same_trust(known);
    another_process(known);
    pinned_sessions();
    tlsmem_ctx_free(known);
}
