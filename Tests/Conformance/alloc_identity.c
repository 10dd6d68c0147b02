/* Keys and passwords while OpenSSL runs out of memory, and in the memory that is given back. */
#define _GNU_SOURCE
#include "alloc.h"

static const char text[] = "what nobody is to find in memory";

static ptrdiff_t tell(char *password, size_t size, const char *subject, void *user)
{
    (void)size, (void)subject, (void)user;
    memcpy(password, text, sizeof text - 1);
    return sizeof text - 1;
}

/**
 * Nothing of a key's file stays in memory that is given back, nor a password, not even a wrong one. What OpenSSL's own
 * decoders leave of a key in DER is the same when it does not come from a file.
 */
static void wipes_keys(void)
{
    /* Where something secret is in each: of DER the front is the public key. Of what is encrypted only the password is. */
    static const struct { const char *name; int secret_at; } files[] = {
        { "server.key", 100 }, { "rsa.key", 800 }, { "rsa.old.der", 400 }, { "server.encrypted.pem", 0 },
        { "server.old-encrypted.pem", 0 }, { "rsa.encrypted.der", 0 }, { "full.p12", 0 },
    };
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(ctx != NULL && tlsmem_ctx_set_password_cb(ctx, tell, NULL) == TLSMEM_OK);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        static char bytes[8192];
        situation("%s, and its password", files[i].name);
        const char *path = certificate(files[i].name);
        FILE *file = fopen(path, "rb");
        size_t n = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
        MUST(n > 200 && fclose(file) == 0);
        if (files[i].secret_at > 0) {
            secret = bytes + files[i].secret_at;
            secret_length = 24;
        } else {
            secret = text;
            secret_length = sizeof text - 1;
        }
        found = 0;
        if (strstr(path, ".der") != NULL)
            IGNORE(tlsmem_ctx_set_key_mem(ctx, bytes, n));
        long before = found;
        found = 0;
        IGNORE(strstr(path, "p12") != NULL ? tlsmem_ctx_set_pkcs12(ctx, path, NULL) : tlsmem_ctx_set_key_file(ctx, path));
        CHECK(found == before, "it is still there %ld times, and %ld from memory", found, before);
    }
    tlsmem_ctx_free(ctx);
}

static size_t read_file(const char *name, char *bytes, size_t room)
{
    FILE *file = fopen(certificate(name), "rb");
    size_t n = file != NULL ? fread(bytes, 1, room, file) : 0;
    MUST(n > 0 && n < room && fclose(file) == 0);
    return n;
}

/** Who reads certificates or lists from a file with a key in it passes the key, and left it behind. */
static void wipes_keys_beside_others(void)
{
    static const char *const files[] = { "server.pem", "corpus/stranger.crl" };
    static char bytes[8192], key[256];
    MUST(read_file("server.pkcs8.der", key, sizeof key) > 60);
    secret = key + 36; /* behind the header: the number itself */
    secret_length = 24;
    for (int i = 0; i < 2; i++) {
        situation("%s with a key behind it", files[i]);
        size_t n = read_file(files[i], bytes, sizeof bytes / 2);
        n += read_file("server.key", bytes + n, sizeof bytes / 2);
        tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
        MUST(ctx != NULL);
        found = 0;
        CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, bytes, n), i == 0 ? TLSMEM_OK : TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_set_ca_mem(ctx, bytes, n), i == 0 ? TLSMEM_OK : TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_add_crl_mem(ctx, bytes, n), i == 1 ? TLSMEM_OK : TLSMEM_ECONFIG);
        CHECK(found == 0, "it is still there %ld times", found);
        tlsmem_ctx_free(ctx);
    }
}

/* ---- without memory */

static ptrdiff_t tell_it(char *password, size_t size, const char *subject, void *user)
{
    (void)size, (void)subject, (void)user;
    memcpy(password, "secret", 6);
    return 6;
}

static int sign(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    (void)c, (void)request, (void)user;
    return TLSMEM_ESIGN;
}

/** Gives a context every kind of identity; returns whether it has them all. */
static int give(void)
{
    allocations = failures = 0;
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    int good = ctx != NULL
        && set("callback", tlsmem_ctx_set_password_cb(ctx, tell_it, NULL))
        && set("encrypted key", tlsmem_ctx_set_key_file(ctx, certificate("server.old-encrypted.pem")))
        && set("certificate", tlsmem_ctx_set_cert_file(ctx, certificate("server.der")))
        && set("another", tlsmem_ctx_add_keypair(ctx, NULL, certificate("rsa.pem"), certificate("rsa.encrypted.der")))
        && set("name", tlsmem_ctx_add_keypair(ctx, "b.example", certificate("b.pem"), certificate("b.key")))
        && set("signer", tlsmem_ctx_set_sign_cb(ctx, sign, NULL))
        && set("key elsewhere", tlsmem_ctx_add_keypair(ctx, NULL, certificate("ed25519.pem"), NULL))
        && set("name, key elsewhere", tlsmem_ctx_add_keypair(ctx, "a.example", certificate("a-rsa.pem"), NULL))
        && set("strict", tlsmem_ctx_set_sni_strict(ctx, 1))
        && set("PKCS#12", tlsmem_ctx_set_pkcs12(ctx, certificate("full.p12"), "secret"))
        && set("authorities", tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")));
    fail_at = 0;
    tlsmem_ctx_free(ctx);
    return good;
}

static void sweep(int all)
{
    situation("identities, all allocations succeed");
    for (int i = 0; i < 3; i++)
        CHECK(give(), "it has not all of them");
    long count = allocations, before = live, survived = 0, tried = 0;
    long stride = count / setting("ALLOC_MOST", 400) + 1;
    for (long i = 1; i <= count; i += stride, tried++) {
        situation("identities, allocation %ld of %ld fails%s", i, count, all ? ", and all behind it" : "");
        fail_all = all;
        fail_at = i;
        survived += give();
        fail_all = 0;
    }
    situation("identities, after the failures");
    CHECK(survived < tried, "no failed allocation made a difference");
    CHECK(give(), "it has not all of them");
    CHECK(live < before + 64, "%ld blocks before, %ld after: something leaks", before, live);
}

void identities(void)
{
    sweep(0);
    sweep(1);
    wipes_keys();
    wipes_keys_beside_others();
}
