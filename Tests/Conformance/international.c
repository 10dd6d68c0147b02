/*
 * Names with letters beyond ASCII: what the DNS is asked for, what is sent as SNI, and what is verified; and what happens
 * where libidn2 is not installed. The library calls the dlopen and the getaddrinfo of this program.
 */
#define _GNU_SOURCE
#include "identity.h"

#include <dlfcn.h>
#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_installed, times_loaded;
static char host_asked_for[256];

void *dlopen(const char *file, int mode)
{
    if (file != NULL && strncmp(file, "libidn2", 7) == 0) {
        times_loaded++;
        if (!is_installed)
            return NULL;
    }
    return ((void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen"))(file, mode);
}

typedef int ask_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int is_name = host != NULL && hints != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0 && strstr(host, "example") != NULL;
    if (is_name)
        snprintf(host_asked_for, sizeof host_asked_for, "%s", host);
    if (is_name && hints->ai_family == AF_INET6)
        return EAI_NONAME;
    return ((ask_function *)dlsym(RTLD_NEXT, "getaddrinfo"))(is_name ? "127.0.0.1" : host, service, hints, found);
}

#define BUECHER "b\xc3\xbc" "cher.example"
#define XN_BUECHER "xn--bcher-kva.example"

static int connect_to(const char *host)
{
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    options.host = host;
    options.port = 9;
    int status = tlsmem_loop_connect(loop, c, &options);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return status;
}

static void not_installed(void)
{
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0), *of_server = nobody();
    tlsmem *c = tlsmem_new(of_client, NULL, NULL);
    situation("libidn2 is not installed");
    CHECK_STATUS(tlsmem_set_server_name(c, "a.example"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(c, XN_BUECHER), TLSMEM_OK);
    CHECK(times_loaded == 0, "loaded for a name in ASCII");
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(tlsmem_set_server_name(c, BUECHER), TLSMEM_EINVAL);
        CHECK_STATUS(connect_to(BUECHER), TLSMEM_EINVAL);
        REFUSED(of_server, tlsmem_ctx_add_keypair(of_server, BUECHER, certificate("idn.pem"), certificate("idn.key")),
                BUECHER, "no host name");
    }
    CHECK(times_loaded == 1, "loaded %d times", times_loaded);
    CHECK(strcmp(tlsmem_server_name(c), XN_BUECHER) == 0, "the name is %s", tlsmem_server_name(c));
    tlsmem_free(c);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(of_server);
}

static void converted(void)
{
    static const char *const good[][2] = {
        { BUECHER, XN_BUECHER }, { "B\xc3\x9c" "CHER.example", XN_BUECHER },
        { "bu\xcc\x88" "cher.example", XN_BUECHER }, /* u and its dots apart */
        { BUECHER ".", XN_BUECHER }, { "b\xc3\xbc" "cher\xe3\x80\x82" "example", XN_BUECHER }, /* an ideographic full stop */
        { "fa\xc3\x9f.de", "xn--fa-hia.de" }, { "\xe4\xbe\x8b\xe3\x81\x88.jp", "xn--r8jz45g.jp" },
        { "\xd7\x90\xd7\x91\xd7\x92.example", "xn--4dbcd.example" }, { "_a.b\xc3\xbc.example", "_a.xn--b-eha.example" },
        { "xn--bcher-kva.b\xc3\xbc.example", "xn--bcher-kva.xn--b-eha.example" },
    };
    static char longest[256], longer[256];
    for (int i = 0; i < 60; i++)
        strcat(longest, "\xc3\xbc");
    for (int i = 0; i < 120; i++)
        strcat(longer, i % 2 ? "\xc3\xbc" : ".");
    const char *const bad[] = {
        "b\xc3\xbc..example", ".b\xc3\xbc.example", "b\xc3\xbc.example..", "b\xfc" "cher.example", "b\xc3", "\xc0\xaf.example",
        "\xed\xa0\x80.example", "\xf4\x90\x80\x80.example", "\xd7\x90" "a.example", "1\xd7\x90.example", "-\xc3\xbc.example",
        "\xc3\xbc-.example", "\xcc\x88u.example", "b\xc3\xbc cher.example", "b\xc3\xbc/.example", "b\xc3\xbc\n.example",
        "\xe2\x84\x80\xc3\xbc.example" /* "a/c" in one sign */, "xn--\xc3\xbc.example", "xn--a.b\xc3\xbc.example",
        "\xe2\x80\x8d.example", "\xe2\x98\x83.example" /* a snowman */, "b\xc3\xbc*.example", longest, longer,
    };
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        situation("\"%s\"", good[i][0]);
        CHECK_STATUS(tlsmem_set_server_name(c, good[i][0]), TLSMEM_OK);
        CHECK(strcmp(tlsmem_server_name(c), good[i][1]) == 0, "it is %s", tlsmem_server_name(c));
    }
    MUST(tlsmem_set_server_name(c, "a.example") == TLSMEM_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        situation("\"%s\", which is no name", bad[i]);
        int status = tlsmem_set_server_name(c, bad[i]);
        CHECK(status == TLSMEM_EINVAL, "%s: it is %s", tlsmem_status_name(status), tlsmem_server_name(c));
        CHECK(strcmp(tlsmem_server_name(c), "a.example") == 0, "it is %s", tlsmem_server_name(c));
        CHECK_STATUS(connect_to(bad[i]), TLSMEM_EINVAL);
    }
    CHECK(times_loaded == 1, "loaded %d times", times_loaded);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
}

/** Digits are digits in every script: what is an address once it is in ASCII is one, for all purposes. */
static void an_address_went_out_as_a_name(void)
{
    static const char wide[] = "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1"; /* full-width 127 */
    situation("an address in digits beyond ASCII");
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    CHECK_STATUS(tlsmem_set_server_name(c, wide), TLSMEM_OK);
    CHECK(tlsmem_server_name(c) == NULL, "it is sent: %s", tlsmem_server_name(c));
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_loop *loop = tlsmem_loop_new();
    options.host = wide;
    options.port = 9;
    options.bind_host = "::1";
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &options), TLSMEM_EINVAL); /* from another family */
    situation("an address with a final dot");
    CHECK_STATUS(connect_to("127.0.0.1."), TLSMEM_EINVAL);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
}

static void verified(void)
{
    tlsmem_ctx *ctx = nobody();
    situation("verified, and chosen by name");
    const char *cert = certificate("idn.pem"), *key = certificate("idn.key");
    CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, "B\xc3\x9c" "CHER.example", cert, key), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, "*." BUECHER, cert, key), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, "b\xc3\xa4" "cher.example", cert, key), "idn.pem", "other names");
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, "b\xfc" "cher.example", cert, key), "cher.example", "no host name");
    SHOWS(choosy(0, NULL), ctx, BUECHER, "idn");
    SHOWS(choosy(0, NULL), ctx, XN_BUECHER, "idn");
    SHOWS(choosy(0, NULL), ctx, "\xc3\xa4." BUECHER, "idn");
    tlsmem_ctx_free(ctx);
    ctx = context(TLSMEM_SERVER, 0);
    FAILS(choosy(0, NULL), ctx, BUECHER, TLSMEM_EHOST, TLSMEM_EREJECTED);
    tlsmem_ctx_free(ctx);
}

/* ---- connected to by name */

static void on_established(tlsmem *c, void *user)
{
    (void)c;
    ++*(int *)user;
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, NULL, NULL, NULL, on_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static void connected(void)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_listen_options listen = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_listener *listener;
    int established = 0;
    situation("connected to by name");
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_ctx *of_server = nobody(), *of_client = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_add_keypair(of_server, BUECHER, certificate("idn.pem"), certificate("idn.key")) == TLSMEM_OK);
    listen.host = "127.0.0.1";
    listen.on_accept = on_accept;
    MUST(tlsmem_loop_listen(loop, of_server, &listen, &listener) == TLSMEM_OK);
    callbacks.on_established = on_established;
    tlsmem *c = tlsmem_new(of_client, &callbacks, &established);
    options.host = BUECHER;
    options.port = tlsmem_listener_port(listener);
    CHECK_STATUS(tlsmem_loop_connect(loop, c, &options), TLSMEM_OK);
    while (!established && state_of(c) != TLSMEM_STATE_CLOSED)
        MUST(tlsmem_loop_run_once(loop, 1000) >= 0);
    CHECK(established == 1 && failure_of(c) == TLSMEM_OK, "%s", tlsmem_status_name(failure_of(c)));
    CHECK(strcmp(host_asked_for, XN_BUECHER) == 0, "the resolver was asked for %s", host_asked_for);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(of_server);
}

int main(void)
{
    begin("international");
    int status = 0;
    pid_t child = fork(); /* what is found to be missing stays so for the life of the process */
    MUST(child >= 0);
    if (child == 0) {
        not_installed();
        exit(finish());
    }
    MUST(waitpid(child, &status, 0) == child);
    situation("libidn2 is installed");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "what was tried without it failed");
    is_installed = 1;
    converted();
    an_address_went_out_as_a_name();
    verified();
    connected();
    return finish();
}
