/*
 * The library as a plugin's library: loaded by dlopen, everything found by dlsym, and closed again, fifty times, also
 * by a thread that ends after dlclose. LIBRARY_PATH comes from the Makefile; nothing here is linked with it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsmem.h>

#define EACH(apply)                                                                                                \
    apply(tlsmem_version) apply(tlsmem_ctx_new) apply(tlsmem_ctx_free) apply(tlsmem_ctx_set_cert_file)              \
    apply(tlsmem_ctx_set_key_file) apply(tlsmem_ctx_set_ca_file) apply(tlsmem_new) apply(tlsmem_free)               \
    apply(tlsmem_set_server_name) apply(tlsmem_feed) apply(tlsmem_outgoing_peek) apply(tlsmem_outgoing_consume)     \
    apply(tlsmem_write) apply(tlsmem_read) apply(tlsmem_close) apply(tlsmem_is_established) apply(tlsmem_report)    \
    apply(tlsmem_loop_new) apply(tlsmem_loop_run_once) apply(tlsmem_loop_free)

/** The functions that are used, as pointers of their own types. */
typedef struct functions {
#define POINTER(name) __typeof__(&name) name;
    EACH(POINTER)
} functions;

static long not_held;

static void check(int good, const char *what, int line)
{
    not_held += !good;
    if (!good)
        printf("dlopen.c:%d: %s\n", line, what);
}
#define CHECK(good) check((good) ? 1 : 0, #good, __LINE__)

static int find_all(functions *f, void *library)
{
    int missing = 0;
#define FIND(name)                                         \
    *(void **)&f->name = dlsym(library, #name);            \
    missing += f->name == NULL;
    EACH(FIND)
    return missing == 0;
}

static const char *certificate(char *path, size_t n, const char *name)
{
    const char *folder = getenv("TLSMEM_TEST_CERTS");
    snprintf(path, n, "%s/%s", folder != NULL ? folder : ".", name);
    return path;
}

/** Moves all ciphertext from one connection to the other. */
static void move(const functions *f, tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    while (f->tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK) {
        CHECK(f->tlsmem_feed(to, bytes, n) == (ptrdiff_t)n);
        f->tlsmem_outgoing_consume(from, n);
    }
}

static void round_trip(const functions *f)
{
    char path[512], text[32] = "";
    tlsmem_ctx *client_ctx = f->tlsmem_ctx_new(TLSMEM_CLIENT), *server_ctx = f->tlsmem_ctx_new(TLSMEM_SERVER);
    CHECK(f->tlsmem_version() == TLSMEM_VERSION_NUMBER);
    CHECK(f->tlsmem_ctx_set_ca_file(client_ctx, certificate(path, sizeof path, "ca.pem")) == TLSMEM_OK);
    CHECK(f->tlsmem_ctx_set_cert_file(server_ctx, certificate(path, sizeof path, "server.pem")) == TLSMEM_OK);
    CHECK(f->tlsmem_ctx_set_key_file(server_ctx, certificate(path, sizeof path, "server.key")) == TLSMEM_OK);
    tlsmem *client = f->tlsmem_new(client_ctx, NULL, NULL), *server = f->tlsmem_new(server_ctx, NULL, NULL);
    CHECK(f->tlsmem_set_server_name(client, "localhost") == TLSMEM_OK);
    CHECK(f->tlsmem_write(client, "hello", 5) == 5);
    for (int turn = 0; turn < 10; turn++) {
        move(f, client, server);
        move(f, server, client);
    }
    CHECK(f->tlsmem_is_established(client) && f->tlsmem_is_established(server));
    CHECK(f->tlsmem_read(server, text, sizeof text) == 5 && strcmp(text, "hello") == 0);
    f->tlsmem_close(client);
    f->tlsmem_close(server);
    for (int turn = 0; turn < 4; turn++) {
        move(f, client, server);
        move(f, server, client);
    }
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    CHECK(f->tlsmem_report(server, &report) == TLSMEM_OK && report.status == TLSMEM_OK);
    f->tlsmem_free(client);
    f->tlsmem_free(server);
    f->tlsmem_ctx_free(client_ctx);
    f->tlsmem_ctx_free(server_ctx);
    tlsmem_loop *loop = f->tlsmem_loop_new();
    CHECK(loop != NULL && f->tlsmem_loop_run_once(loop, 0) == 0);
    f->tlsmem_loop_free(loop);
}

static void load_use_and_close(void)
{
    functions f;
    void *library = dlopen(LIBRARY_PATH, RTLD_LOCAL | RTLD_NOW);
    CHECK(library != NULL);
    if (library == NULL) {
        printf("dlopen.c: %s\n", dlerror());
        return;
    }
    CHECK(find_all(&f, library));
    round_trip(&f);
    CHECK(dlclose(library) == 0);
}

/** The thread ends after dlclose: what the library left to be done then must still be there. */
static void *in_thread(void *unused)
{
    (void)unused;
    load_use_and_close();
    return NULL;
}

int main(void)
{
    long passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        not_held = 0;
        if (i % 5 != 0) {
            load_use_and_close();
        } else {
            CHECK(pthread_create(&thread, NULL, in_thread, NULL) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
        }
        passed += not_held == 0;
        failed += not_held != 0;
    }
    printf("dlopen: %ld passed, %ld failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
