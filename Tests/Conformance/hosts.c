/*
 * Who else is in the process: this program is linked with the static archive, loads the shared library beside it (and
 * closes it with live connections), speaks OpenSSL by itself, loads another OpenSSL, and two more libraries in Swift, one
 * with Swift's runtime and one without. All of them work at once, and each is as if it were alone.
 *
 * The Makefile says where they are: LIBRARY_PATH, OTHER_OPENSSL, ORDINARY_SWIFT, EMBEDDED_SWIFT.
 */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

/** What is used of a copy of the library: pointers of the functions' own types. */
#define EACH(apply)                                                                                              \
    apply(tlsmem_ctx_new) apply(tlsmem_ctx_free) apply(tlsmem_ctx_set_cert_file) apply(tlsmem_ctx_set_key_file)   \
    apply(tlsmem_ctx_set_ca_file) apply(tlsmem_new) apply(tlsmem_free) apply(tlsmem_set_server_name)              \
    apply(tlsmem_feed) apply(tlsmem_outgoing_peek) apply(tlsmem_outgoing_consume) apply(tlsmem_write)             \
    apply(tlsmem_read) apply(tlsmem_close) apply(tlsmem_want) apply(tlsmem_is_established) apply(tlsmem_loop_new) \
    apply(tlsmem_loop_free) apply(tlsmem_loop_run_once) apply(tlsmem_loop_timer)
typedef struct copy {
#define POINTER(name) __typeof__(&name) name;
    EACH(POINTER)
} copy;

#define OWN(name) .name = name,
static const copy archive = { EACH(OWN) };
static copy shared;

/** A client of one copy, and a server of another. */
typedef struct two {
    const copy *f[2];
    tlsmem_ctx *ctx[2];
    tlsmem *c[2];
} two;

static int leaves_errors;

/** The copy that an end is of. Before it is called the program may leave errors of its own, which are no failures of ours. */
static const copy *of(const two *t, int i)
{
    for (int n = 0; leaves_errors && n < 20; n++)
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    return t->f[i];
}

static void two_open(two *t, const copy *client, const copy *server)
{
    t->f[0] = client;
    t->f[1] = server;
    t->ctx[0] = of(t, 0)->tlsmem_ctx_new(TLSMEM_CLIENT);
    t->ctx[1] = of(t, 1)->tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(of(t, 0)->tlsmem_ctx_set_ca_file(t->ctx[0], certificate("ca.pem")) == TLSMEM_OK);
    MUST(of(t, 1)->tlsmem_ctx_set_cert_file(t->ctx[1], certificate("server.pem")) == TLSMEM_OK);
    MUST(of(t, 1)->tlsmem_ctx_set_key_file(t->ctx[1], certificate("server.key")) == TLSMEM_OK);
    for (int i = 0; i < 2; i++)
        MUST((t->c[i] = of(t, i)->tlsmem_new(t->ctx[i], NULL, NULL)) != NULL);
    MUST(of(t, 0)->tlsmem_set_server_name(t->c[0], "localhost") == TLSMEM_OK);
}

/** Moves half of what waits, each way, so that records come in pieces. Returns whether there was any. */
static int two_move(two *t)
{
    int moved = 0;
    for (int i = 0; i < 2; i++) {
        const void *bytes;
        size_t n;
        if (of(t, i)->tlsmem_outgoing_peek(t->c[i], &bytes, &n) != TLSMEM_OK)
            continue;
        ptrdiff_t taken = of(t, 1 - i)->tlsmem_feed(t->c[1 - i], bytes, (n + 1) / 2);
        CHECK(taken > 0, "%s", taken < 0 ? tlsmem_strerror((int)taken) : "nothing is taken");
        moved |= taken > 0 && of(t, i)->tlsmem_outgoing_consume(t->c[i], (size_t)taken) == TLSMEM_OK;
    }
    return moved;
}

static void two_say(two *t, const char *words)
{
    for (int i = 0; i < 2; i++) {
        char heard[64] = "";
        CHECK(of(t, i)->tlsmem_write(t->c[i], words, strlen(words)) == (ptrdiff_t)strlen(words), "it takes no words");
        while (two_move(t))
            ;
        CHECK(of(t, 1 - i)->tlsmem_read(t->c[1 - i], heard, sizeof heard - 1) > 0 && strcmp(heard, words) == 0,
              "\"%s\" was heard", heard);
    }
}

static void two_close(two *t)
{
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(of(t, i)->tlsmem_close(t->c[i]), TLSMEM_OK);
    while (two_move(t))
        ;
    for (int i = 0; i < 2; i++) {
        tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
        CHECK(of(t, i)->tlsmem_want(t->c[i], &want) == TLSMEM_OK && want.state == TLSMEM_STATE_CLOSED, "state %d",
              (int)want.state);
        of(t, i)->tlsmem_free(t->c[i]);
        of(t, i)->tlsmem_ctx_free(t->ctx[i]);
    }
}

static void talk(const copy *client, const copy *server)
{
    two t;
    two_open(&t, client, server);
    two_say(&t, "hello");
    two_close(&t);
}

/* ---- two copies of the library */

static void *load_shared(void)
{
    void *library = dlopen(LIBRARY_PATH, RTLD_LOCAL | RTLD_NOW);
    MUST(library != NULL);
#define FIND(name)                                                         \
    *(void **)&shared.name = dlsym(library, #name);                        \
    MUST(shared.name != NULL && (void *)shared.name != (void *)archive.name);
    EACH(FIND)
    return library;
}

static void two_copies(void)
{
    situation("the archive and the shared library in one process");
    void *library = load_shared();
    talk(&archive, &archive);
    talk(&shared, &shared);
    talk(&archive, &shared);
    talk(&shared, &archive);
    CHECK(dlclose(library) == 0, "%s", dlerror());
}

static int ticks;

static void tick(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
    ticks++;
}

static void closed_while_alive(void)
{
    two t;
    situation("dlclose with live connections and a loop");
    void *library = load_shared();
    two_open(&t, &shared, &shared);
    two_move(&t);
    tlsmem_loop *loop = shared.tlsmem_loop_new();
    MUST(loop != NULL && shared.tlsmem_loop_timer(loop, 1, tick, NULL) != NULL);
    CHECK(dlclose(library) == 0, "%s", dlerror());
    MUST((library = dlopen(LIBRARY_PATH, RTLD_NOLOAD | RTLD_NOW)) != NULL && dlclose(library) == 0);
    two_say(&t, "still here");
    while (ticks == 0)
        MUST(shared.tlsmem_loop_run_once(loop, 1000) >= 0);
    shared.tlsmem_loop_free(loop);
    two_close(&t);
    load_shared();
    talk(&shared, &shared);
}

/* ---- OpenSSL's other users */

/** A handshake that this program does by itself, piece by piece, with a client that trusts nobody. */
typedef struct own {
    SSL_CTX *ctx[2];
    SSL *ssl[2];
} own;

static void own_open(own *o, OSSL_LIB_CTX *where)
{
    BIO *a, *b;
    o->ctx[0] = SSL_CTX_new_ex(where, NULL, TLS_client_method());
    o->ctx[1] = SSL_CTX_new_ex(where, NULL, TLS_server_method());
    MUST(o->ctx[0] != NULL && o->ctx[1] != NULL && BIO_new_bio_pair(&a, 0, &b, 0) == 1);
    MUST(SSL_CTX_use_certificate_file(o->ctx[1], certificate("server.pem"), SSL_FILETYPE_PEM) == 1);
    MUST(SSL_CTX_use_PrivateKey_file(o->ctx[1], certificate("server.key"), SSL_FILETYPE_PEM) == 1);
    for (int i = 0; i < 2; i++) {
        MUST((o->ssl[i] = SSL_new(o->ctx[i])) != NULL);
        SSL_set_bio(o->ssl[i], i == 0 ? a : b, i == 0 ? a : b);
    }
    SSL_set_connect_state(o->ssl[0]);
    SSL_set_accept_state(o->ssl[1]);
}

static void own_step(own *o)
{
    for (int i = 0; i < 2; i++) {
        ERR_clear_error();
        int done = SSL_do_handshake(o->ssl[i]), error = SSL_get_error(o->ssl[i], done);
        CHECK(done == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE, "its own handshake says %d", error);
    }
}

static void own_close(own *o)
{
    CHECK(SSL_is_init_finished(o->ssl[0]) && SSL_is_init_finished(o->ssl[1]), "its own handshake is not done");
    for (int i = 0; i < 2; i++) {
        SSL_free(o->ssl[i]);
        SSL_CTX_free(o->ctx[i]);
    }
}

static void beside_openssl(OSSL_LIB_CTX *where, const char *what)
{
    own o;
    two t;
    situation("OpenSSL beside it, in %s", what);
    own_open(&o, where);
    leaves_errors = 1;
    two_open(&t, &archive, &archive);
    for (int step = 0; step < 20; step++) {
        own_step(&o);
        two_move(&t);
    }
    two_say(&t, "beside errors");
    two_close(&t);
    leaves_errors = 0;
    CHECK(ERR_peek_error() == 0 || ERR_GET_REASON(ERR_peek_error()) == SSL_R_BAD_LENGTH, "it has left an error: %s",
          ERR_reason_error_string(ERR_peek_error()));
    own_close(&o);
    ERR_clear_error();
}

static void beside_other_openssl(void)
{
    void *other = dlopen(OTHER_OPENSSL, RTLD_LOCAL | RTLD_NOW);
    situation("another OpenSSL");
    if (!CHECK(other != NULL, "%s", other == NULL ? dlerror() : ""))
        return;
    int (*step)(const char *, const char *);
    const char *(*version)(void);
    *(void **)&step = dlsym(other, "other_step");
    *(void **)&version = dlsym(other, "other_version");
    MUST(step != NULL && version != NULL);
    CHECK(version() != OpenSSL_version(OPENSSL_VERSION), "it is the same");
    int done = 0;
    two t;
    two_open(&t, &archive, &archive);
    for (int i = 0; i < 10 && done == 0; i++) {
        done = step(certificate("server.pem"), certificate("server.key"));
        two_move(&t);
    }
    CHECK(done == 1, "its handshake came to %d", done);
    two_say(&t, "beside another");
    two_close(&t);
    CHECK(dlclose(other) == 0, "%s", dlerror());
    talk(&archive, &archive);
}

/* ---- Swift's other users */

static void beside_swift(const char *path, const char *what)
{
    situation("a library in Swift, %s", what);
    void *other = dlopen(path, RTLD_GLOBAL | RTLD_NOW); /* whatever it shows, may be taken for ours */
    if (!CHECK(other != NULL, "%s", other == NULL ? dlerror() : ""))
        return;
    int (*work)(int);
    *(void **)&work = dlsym(other, "other_work");
    MUST(work != NULL);
    two t;
    void *library = load_shared();
    two_open(&t, &shared, &archive);
    for (int i = 1; i < 50; i++) {
        CHECK(work(i) == i * (i + 1) / 2, "it made %d of %d", work(i), i);
        two_say(&t, "beside Swift");
    }
    two_close(&t);
    CHECK(dlclose(library) == 0, "%s", dlerror());
}

int main(void)
{
    begin("hosts");
    beside_swift(EMBEDDED_SWIFT, "embedded");
    beside_swift(ORDINARY_SWIFT, "with its runtime");
    two_copies();
    closed_while_alive();
    beside_openssl(NULL, "the context of all");
    OSSL_LIB_CTX *where = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(where, "default");
    MUST(provider != NULL);
    beside_openssl(where, "a context of its own");
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(where);
    talk(&archive, &shared);
    beside_other_openssl();
    return finish();
}
