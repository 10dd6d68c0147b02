/* Every form that a certificate and a key may have, and passwords. */
#define _GNU_SOURCE
#include "identity.h"

/** A server with this certificate and this key works. */
static void works(const char *cert, const char *key, const char *subject)
{
    contents c = contents_of(certificate(cert)), k = contents_of(certificate(key));
    for (int way = 0; way < 4; way++) {
        tlsmem_ctx *ctx = nobody();
        situation("%s with %s, %s", cert, key, way == 0 ? "files" : way == 1 ? "memory" : way == 2 ? "a pair of files"
                                                                                                  : "a pair in memory");
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, "secret"), TLSMEM_OK);
        if (way == 0) {
            CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate(key)), TLSMEM_OK);
            CHECK_STATUS(tlsmem_ctx_set_cert_file(ctx, certificate(cert)), TLSMEM_OK);
        } else if (way == 1) {
            CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, c.bytes, c.n), TLSMEM_OK);
            CHECK_STATUS(tlsmem_ctx_set_key_mem(ctx, k.bytes, k.n), TLSMEM_OK);
        } else if (way == 2) {
            CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, NULL, certificate(cert), certificate(key)), TLSMEM_OK);
        } else {
            CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, c.bytes, c.n, k.bytes, k.n), TLSMEM_OK);
        }
        SHOWS(choosy(0, NULL), ctx, "localhost", subject);
        tlsmem_ctx_free(ctx);
    }
    free(c.bytes);
    free(k.bytes);
}

static void pkcs12(const char *name, const char *password, const char *subject)
{
    contents c = contents_of(certificate(name));
    for (int way = 0; way < 4; way++) {
        tlsmem_ctx *ctx = nobody();
        int asks = way & 1;
        situation("%s, %s, %s", name, way & 2 ? "memory" : "a file", asks ? "asking for the password" : "given the password");
        if (asks)
            CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, (void *)(password != NULL ? password : "")), TLSMEM_OK);
        times_asked = 0;
        const char *given = asks ? NULL : password;
        CHECK_STATUS(way & 2 ? tlsmem_ctx_set_pkcs12_mem(ctx, c.bytes, c.n, given)
                             : tlsmem_ctx_set_pkcs12(ctx, certificate(name), given), TLSMEM_OK);
        CHECK(times_asked == asks, "asked %d times", times_asked);
        SHOWS(choosy(0, NULL), ctx, "localhost", subject);
        tlsmem_ctx_free(ctx);
    }
    free(c.bytes);
}

/** What does not decrypt says why, and the context goes on as it was. */
static void passwords(void)
{
    static const char *const encrypted[] = {
        "server.encrypted.pem", "server.encrypted.der", "server.old-encrypted.pem", "rsa.old-encrypted.pem"
    };
    for (size_t i = 0; i < sizeof encrypted / sizeof *encrypted; i++) {
        tlsmem_ctx *ctx = nobody();
        const char *path = certificate(encrypted[i]);
        situation("%s without its password", encrypted[i]);
        REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, path), path, "no password callback is set");
        times_asked = 0;
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, NULL), TLSMEM_OK);
        REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, path), path, "gave no password");
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, "wrong"), TLSMEM_OK);
        REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, path), path, "the password is wrong");
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, ""), TLSMEM_OK);
        REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, path), path, "the password is wrong");
        CHECK(times_asked == 3 && strcmp(asked_for, path) == 0, "asked %d times, for %s", times_asked, asked_for);
        contents c = contents_of(path);
        REFUSED(ctx, tlsmem_ctx_set_key_mem(ctx, c.bytes, c.n), "the password is wrong", "");
        CHECK(strcmp(asked_for, "memory") == 0, "asked for %s", asked_for);
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, NULL, NULL), TLSMEM_OK);
        REFUSED(ctx, tlsmem_ctx_set_key_mem(ctx, c.bytes, c.n / 2), c.n > 1000 || i != 1 ? "it" : "no private key", "");
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, "secret"), TLSMEM_OK);
        CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, path), TLSMEM_OK);
        free(c.bytes);
        tlsmem_ctx_free(ctx);
    }
    tlsmem_ctx *ctx = nobody();
    situation("nobody is asked for what is not encrypted");
    times_asked = 0;
    CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, "secret"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate("server.key")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")), TLSMEM_OK);
    CHECK(times_asked == 0, "asked %d times", times_asked);
    situation("passwords of PKCS#12");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("rsa.p12"), "wrong"), "rsa.p12", "the password is wrong");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("rsa.p12"), ""), "rsa.p12", "it needs a password");
    CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, NULL, NULL), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("rsa.p12"), NULL), "rsa.p12", "it needs a password");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("open.p12"), "one"), "open.p12", "the password is wrong");
    situation("algorithms that OpenSSL has given up");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("rc2.p12"), "secret"), "rc2.p12", "takes for too old");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("rc2.p12"), "wrong"), "rc2.p12", "the password is wrong");
    CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, tell, "secret"), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("rc2.key")), "rc2.key", "takes for too old");
    situation("half a PKCS#12");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("keyless.p12"), "secret"), "keyless.p12", "no private key");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("certless.p12"), "secret"), "certless.p12", "no certificate");
    REFUSED(ctx, tlsmem_ctx_set_pkcs12(ctx, certificate("server.pem"), "secret"), "server.pem", "no PKCS#12");
    situation("after all that");
    SHOWS(choosy(0, NULL), ctx, "localhost", "localhost");
    tlsmem_ctx_free(ctx);
}

/** A callback that returns what cannot be. */
static ptrdiff_t boast(char *password, size_t size, const char *subject, void *user)
{
    (void)password, (void)subject;
    return *(int *)user ? PTRDIFF_MIN : (ptrdiff_t)size + 1;
}

/** A callback that sets another key while it is asked for the password of one. */
static ptrdiff_t meddle(char *password, size_t size, const char *subject, void *user)
{
    (void)subject, (void)size;
    CHECK_STATUS(tlsmem_ctx_set_cert_file(user, certificate("server.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(user, certificate("server.key")), TLSMEM_OK);
    memcpy(password, "secret", 6);
    return 6;
}

static void odd_callbacks(void)
{
    int negative = 0;
    tlsmem_ctx *ctx = nobody();
    situation("callbacks that return what cannot be");
    CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, boast, &negative), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("server.encrypted.pem")), "gave no password", "");
    negative = 1;
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("server.encrypted.pem")), "gave no password", "");
    situation("a callback that sets what it is asked for");
    CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, meddle, ctx), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate("server.encrypted.pem")), TLSMEM_OK);
    SHOWS(choosy(0, NULL), ctx, "localhost", "localhost");
    tlsmem_ctx_free(ctx);
}

void forms(void)
{
    static const char *const keys[][2] = {
        { "server", "server.pkcs8.der" }, { "server", "server.old.pem" }, { "server", "server.old.der" },
        { "server", "server.encrypted.pem" }, { "server", "server.encrypted.der" },
        { "server", "server.old-encrypted.pem" }, { "server", "parameters.key" }, { "rsa", "rsa.key" },
        { "rsa", "rsa.pkcs8.der" }, { "rsa", "rsa.old.pem" }, { "rsa", "rsa.old.der" }, { "rsa", "rsa.encrypted.pem" },
        { "rsa", "rsa.encrypted.der" }, { "rsa", "rsa.old-encrypted.pem" }, { "ed25519", "ed25519.key" },
        { "ed25519", "ed25519.pkcs8.der" }, { "ed25519", "ed25519.encrypted.der" },
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char cert[64];
        snprintf(cert, sizeof cert, "%s.pem", keys[i][0]);
        works(cert, keys[i][1], strcmp(keys[i][0], "ed25519") == 0 ? "ed25519" : "localhost");
    }
    works("server.der", "server.key", "localhost");
    works("full.der", "full.key", "localhost"); /* the intermediate is needed */
    works("full.pem", "full.key", "localhost");
    works("both.pem", "both.pem", "localhost");
    pkcs12("rsa.p12", "secret", "localhost");
    pkcs12("full.p12", "secret", "localhost");
    pkcs12("open.p12", NULL, "localhost");
    pkcs12("open.p12", "", "localhost");
    pkcs12("null.p12", NULL, "localhost");
    passwords();
    odd_callbacks();
}
