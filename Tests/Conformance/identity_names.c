/* Several pairs in one context: which a client is shown, by its algorithms and by the name that it asks for. */
#define _GNU_SOURCE
#include "identity.h"

#include <openssl/ssl.h>

static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };
static const char rsa[] = "RSA+SHA256:RSA-PSS+SHA256", ecdsa[] = "ECDSA+SHA256", eddsa[] = "ed25519";

static void add(tlsmem_ctx *ctx, const char *name, const char *pair)
{
    char cert[64], key[64];
    snprintf(cert, sizeof cert, "%s.pem", pair);
    snprintf(key, sizeof key, "%s.key", pair);
    CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, name, certificate(cert), certificate(key)), TLSMEM_OK);
}

/** From now on a server takes only such certificates of its clients. */
static void clients_sign(tlsmem_ctx *of_server, const char *algorithms)
{
    MUST(SSL_CTX_set1_client_sigalgs_list(tlsmem_ctx_native(of_server), algorithms) == 1);
}

static void by_algorithm(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    situation("TLS %x: a pair for each type of key", version);
    add(ctx, NULL, "rsa");
    add(ctx, NULL, "a-ed25519");
    SHOWS(careless(version, rsa), ctx, "localhost", "localhost");
    SHOWS(careless(version, eddsa), ctx, "localhost", "a-ed25519");
    SHOWS(choosy(version, ecdsa), ctx, "localhost", "localhost");
    tlsmem_ctx_free(ctx);

    situation("TLS %x: a pair in place of one of its type", version);
    ctx = context(TLSMEM_SERVER, 0);
    add(ctx, NULL, "rsa");
    add(ctx, NULL, "a-ecdsa"); /* in place of what set_cert and set_key have set */
    SHOWS(careless(version, ecdsa), ctx, "localhost", "a-ecdsa");
    SHOWS(careless(version, rsa), ctx, "localhost", "localhost");
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    add(ctx, NULL, "a-ecdsa");
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("server.key")), "server.key", "does not belong");
    CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate("a-ecdsa.key")), TLSMEM_OK);
    add(ctx, NULL, "a-rsa");
    add(ctx, NULL, "rsa");
    SHOWS(careless(version, rsa), ctx, "localhost", "localhost");
    SHOWS(careless(version, ecdsa), ctx, "localhost", "a-ecdsa");
    tlsmem_ctx_free(ctx);

    situation("TLS %x: PKCS#12 in place of a pair of another type", version);
    ctx = context(TLSMEM_SERVER, 0);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12(ctx, certificate("rsa.p12"), "secret"), TLSMEM_OK);
    SHOWS(choosy(version, rsa), ctx, "localhost", "localhost");
    FAILS(choosy(version, ecdsa), ctx, "localhost", TLSMEM_ECIPHER, TLSMEM_ECIPHER);
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    add(ctx, NULL, "a-rsa");
    CHECK_STATUS(tlsmem_ctx_set_pkcs12(ctx, certificate("rsa.p12"), "secret"), TLSMEM_OK);
    add(ctx, NULL, "a-ed25519");
    SHOWS(careless(version, rsa), ctx, "localhost", "localhost");
    SHOWS(careless(version, eddsa), ctx, "localhost", "a-ed25519");
    FAILS(careless(version, ecdsa), ctx, "localhost", TLSMEM_ECIPHER, TLSMEM_ECIPHER);
    tlsmem_ctx_free(ctx);
}

/** Clients have pairs, too: the server's algorithms decide. */
static void of_a_client(int version)
{
    tlsmem_ctx *of_server = context(TLSMEM_SERVER, version);
    CHECK_STATUS(tlsmem_ctx_set_ca_file(of_server, certificate("ca.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_verify(of_server, TLSMEM_VERIFY_REQUIRED), TLSMEM_OK);
    tlsmem_ctx *of_client = choosy(version, NULL);
    situation("TLS %x: the pairs of a client", version);
    CHECK_STATUS(tlsmem_ctx_add_keypair(of_client, "a.example", certificate("a-rsa.pem"), certificate("a-rsa.key")),
                 TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(of_client, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(of_client, certificate("a-ecdsa.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(of_client, certificate("a-ecdsa.key")), TLSMEM_OK);
    add(of_client, NULL, "a-rsa");
    outcome o;
    if (version == TLSMEM_TLS1_3) { /* before, OpenSSL's clients show the one that was set last, or none */
        clients_sign(of_server, ecdsa);
        o = meet(of_client, of_server, "localhost");
        CHECK(o.server == TLSMEM_OK && strcmp(o.clients_subject, "CN=a-ecdsa") == 0, "%s, %s", o.clients_subject, o.sentence);
    }
    clients_sign(of_server, rsa);
    o = meet(of_client, of_server, "localhost");
    CHECK(o.server == TLSMEM_OK && strcmp(o.clients_subject, "CN=a-rsa") == 0, "%s, %s", o.clients_subject, o.sentence);
    tlsmem_ctx_free(of_client);
    of_client = choosy(version, NULL);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(of_client, certificate("a-ecdsa.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(of_client, certificate("a-ecdsa.key")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12(of_client, certificate("a-rsa.p12"), "secret"), TLSMEM_OK);
    o = meet(of_client, of_server, "localhost");
    CHECK(o.server == TLSMEM_OK && strcmp(o.clients_subject, "CN=a-rsa") == 0, "%s, %s", o.clients_subject, o.sentence);
    clients_sign(of_server, ecdsa); /* of that type it has none any more */
    o = meet(of_client, of_server, "localhost");
    CHECK(o.server == TLSMEM_ENOCERT && o.clients_subject[0] == 0, "%s, %s", o.clients_subject, o.sentence);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(of_server);
}

void pairs(void)
{
    for (int i = 0; i < 2; i++) {
        by_algorithm(versions[i]);
        of_a_client(versions[i]);
    }
}

static void add_names(tlsmem_ctx *ctx)
{
    add(ctx, "a.example", "a-rsa");
    add(ctx, "A.Example", "a-ecdsa");
    add(ctx, "a.example.", "a-ed25519"); /* absolute, as in tlsmem_set_server_name */
    add(ctx, "*.b.example", "b-wild");
    add(ctx, "X.Y.b.example", "deep");
    add(ctx, "b.example", "b");
}

static void by_name(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    situation("TLS %x: by name", version);
    add_names(ctx);
    SHOWS(choosy(version, rsa), ctx, "a.example", "a-rsa");
    SHOWS(choosy(version, ecdsa), ctx, "A.EXAMPLE", "a-ecdsa");
    SHOWS(choosy(version, eddsa), ctx, "a.example", "a-ed25519");
    SHOWS(choosy(version, NULL), ctx, "b.example", "b");
    SHOWS(choosy(version, NULL), ctx, "c.b.example", "b-wild");
    SHOWS(choosy(version, NULL), ctx, "X.B.example", "b-wild");
    SHOWS(choosy(version, NULL), ctx, "x.y.b.example", "deep");
    SHOWS(choosy(version, NULL), ctx, "localhost", "localhost");
    SHOWS(choosy(version, NULL), ctx, "127.0.0.1", "localhost"); /* an address is not sent as SNI */
    SHOWS(careless(version, NULL), ctx, NULL, "localhost");
    SHOWS(careless(version, NULL), ctx, "other.example", "localhost");
    SHOWS(careless(version, NULL), ctx, "z.y.b.example", "localhost"); /* a wildcard is one label */
    SHOWS(careless(version, NULL), ctx, "example", "localhost");
    FAILS(choosy(version, rsa), ctx, "c.b.example", TLSMEM_ECIPHER, TLSMEM_ECIPHER); /* it has no such pair */
    situation("TLS %x: a name's pair in place of one of its type", version);
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    add(ctx, "b.example", "b-wild");
    add(ctx, "B.example", "b");
    SHOWS(choosy(version, NULL), ctx, "b.example", "b");
    tlsmem_ctx_free(ctx);

    situation("TLS %x: strict", version);
    ctx = context(TLSMEM_SERVER, 0);
    add_names(ctx);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(ctx, 1), TLSMEM_OK);
    outcome o = FAILS(careless(version, NULL), ctx, "other.example", TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
    CHECK(o.alert == 112 && strstr(o.sentence, "name that the client asks for") != NULL, "alert %d, %s", o.alert, o.sentence);
    FAILS(choosy(version, NULL), ctx, "localhost", TLSMEM_EALERT, TLSMEM_ENOIDENTITY); /* the default's is no entry */
    SHOWS(choosy(version, NULL), ctx, "c.b.example", "b-wild");
    SHOWS(careless(version, NULL), ctx, NULL, "localhost");
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(ctx, 7), TLSMEM_OK);
    FAILS(choosy(version, NULL), ctx, "localhost", TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(ctx, 1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(ctx, 0), TLSMEM_OK);
    SHOWS(choosy(version, NULL), ctx, "localhost", "localhost");
    tlsmem_ctx_free(ctx);

    situation("TLS %x: names and nothing else", version);
    ctx = nobody();
    add(ctx, "a.example", "a-ecdsa");
    SHOWS(choosy(version, NULL), ctx, "a.example", "a-ecdsa");
    o = FAILS(careless(version, NULL), ctx, "other.example", TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
    CHECK(o.alert == 112, "alert %d", o.alert);
    FAILS(careless(version, NULL), ctx, NULL, TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
    tlsmem_ctx_free(ctx);
}

static void refusals(void)
{
    static const char *const bad[] = { "", ".", "*", "*.", "*a.example", "a.*.example", "a..example", ".example",
                                       "a example", "a.example..", "**.b.example", "\xff.example", "127.0.0.1",
                                       "*.0.0.1", "\xef\xbc\x91.2.3.4" };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    situation("names that are none");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, bad[i], certificate("a-rsa.pem"), certificate("a-rsa.key")), bad[i],
                "no host name");
    situation("certificates that are for other names");
    static const char *const other[][2] = { { "b.example", "a-rsa" }, { "*.a.example", "a-rsa" },
                                            { "*.example", "a-rsa" }, { "d.c.b.example", "b-wild" },
                                            { "*.c.b.example", "b-wild" } };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        char cert[64], key[64];
        snprintf(cert, sizeof cert, "%s.pem", other[i][1]);
        snprintf(key, sizeof key, "%s.key", other[i][1]);
        REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, other[i][0], certificate(cert), certificate(key)), cert, "other names");
    }
    /* its subject is the authority's common name, and it has no other name (RFC 9525, 2) */
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, "common.example", certificate("common.pem"), certificate("common.key")),
            "common.pem", "other names");
    situation("pairs that are none");
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, "a.example", certificate("a-rsa.pem"), certificate("rsa.key")), "rsa.key",
            "does not belong");
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, NULL, certificate("a-rsa.pem"), certificate("a-ecdsa.key")), "a-ecdsa.key",
            "does not belong");
    SHOWS(choosy(0, NULL), ctx, "localhost", "localhost");
    SHOWS(careless(0, NULL), ctx, "a.example", "localhost");
    FAILS(choosy(0, rsa), ctx, "localhost", TLSMEM_ECIPHER, TLSMEM_ECIPHER);
    tlsmem_ctx_free(ctx);
}

/** Thousands of names are added, and found, in no time. */
static void many(void)
{
    enum { MANY = 1000 };
    tlsmem_ctx *ctx = nobody();
    contents cert = contents_of(certificate("b-wild.pem")), key = contents_of(certificate("b-wild.key"));
    char name[64];
    int n = short_run() ? 100 : MANY;
    situation("%d names", n);
    int64_t began = tlsmem_now();
    for (int i = 0; i < n; i++) { /* in no order */
        snprintf(name, sizeof name, "n%d.b.example", i * 7919 % n);
        if (tlsmem_ctx_add_keypair_mem(ctx, name, cert.bytes, cert.n, key.bytes, key.n) != TLSMEM_OK)
            MUST(!"a name was refused");
    }
    add(ctx, "b.example", "b");
    printf("identity: %d names were added in %d ms\n", n, (int)(tlsmem_now() - began));
    for (int i = 0; i < n; i += n / 20) {
        snprintf(name, sizeof name, "N%d.b.example", i);
        SHOWS(choosy(0, NULL), ctx, name, "b-wild");
    }
    SHOWS(choosy(0, NULL), ctx, "b.example", "b");
    snprintf(name, sizeof name, "n%d.b.example", n);
    FAILS(choosy(0, NULL), ctx, name, TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
    free(cert.bytes);
    free(key.bytes);
    tlsmem_ctx_free(ctx);
}

static int go_on_with(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)hello;
    return user == NULL ? 112 : tlsmem_set_ctx(c, user) == TLSMEM_OK ? TLSMEM_OK : 80;
}

/** A ClientHello that changes the context: the names of the one that it changes to count, and its strictness. */
static void other_context(int version)
{
    for (int strict = 0; strict < 2; strict++) {
        tlsmem_ctx *first = context(TLSMEM_SERVER, 0), *second = context(TLSMEM_SERVER, 0);
        situation("TLS %x: another context, %s", version, strict ? "from lax to strict" : "from strict to lax");
        add(first, "c.b.example", "b-wild");
        add_names(second);
        CHECK_STATUS(tlsmem_ctx_set_sni_strict(strict ? second : first, 1), TLSMEM_OK);
        CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(first, go_on_with, second), TLSMEM_OK);
        SHOWS(choosy(version, rsa), first, "a.example", "a-rsa");
        SHOWS(choosy(version, NULL), first, "x.y.b.example", "deep");
        if (strict)
            FAILS(careless(version, NULL), first, "other.example", TLSMEM_EALERT, TLSMEM_ENOIDENTITY);
        else
            SHOWS(careless(version, NULL), first, "other.example", "localhost");
        tlsmem_ctx_free(first);
        tlsmem_ctx_free(second);
    }
    situation("TLS %x: from a context with names to one without", version);
    tlsmem_ctx *first = nobody(), *second = context(TLSMEM_SERVER, 0);
    add(first, "b.example", "b");
    CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(first, go_on_with, second), TLSMEM_OK);
    SHOWS(careless(version, NULL), first, "b.example", "localhost");
    tlsmem_ctx_free(first);
    tlsmem_ctx_free(second);
    situation("TLS %x: the program's own refusal with the same alert is its own", version);
    first = context(TLSMEM_SERVER, 0);
    CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(first, go_on_with, NULL), TLSMEM_OK);
    outcome o = FAILS(careless(version, NULL), first, "b.example", TLSMEM_EALERT, TLSMEM_EREFUSED);
    CHECK(o.alert == 112, "alert %d", o.alert);
    tlsmem_ctx_free(first);
}

void names_asked(void)
{
    other_context(TLSMEM_TLS1_2);
    other_context(TLSMEM_TLS1_3);
    by_name(TLSMEM_TLS1_2);
    by_name(TLSMEM_TLS1_3);
    refusals();
    many();
}
