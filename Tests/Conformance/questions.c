/*
 * The program answers a ClientHello: it goes on, refuses, changes to another context, chooses a protocol; and does
 * whatever else it likes in the callback: questions_inside.c. Verdicts on certificates are in questions_verdicts.c.
 */
#include "questions.h"

answers said;
static tlsmem_loop *loops[2];

int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    CHECK(user == &said && hello->size == sizeof *hello, "user %p, size %zu", user, hello->size);
    said.hellos++;
    snprintf(said.name, sizeof said.name, "%s", hello->server_name == NULL ? "-" : hello->server_name);
    said.alpn_bytes = hello->alpn_bytes < sizeof said.alpn ? hello->alpn_bytes : sizeof said.alpn;
    memcpy(said.alpn, hello->alpn == NULL ? said.alpn : hello->alpn, said.alpn_bytes);
    said.suites_bytes = hello->cipher_suites_bytes;
    said.version = hello->version;
    if (said.other != NULL)
        said.set_ctx = tlsmem_set_ctx(c, said.other);
    if (said.protocol != NULL)
        said.select_alpn = tlsmem_select_alpn(c, said.protocol);
    if (said.inside != NULL)
        said.inside(c);
    return said.hello;
}

tlsmem_ctx *asking_server(const char *certificate_name, int version, int asks)
{
    char file[64];
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    if (certificate_name != NULL) {
        snprintf(file, sizeof file, "%s.pem", certificate_name);
        MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
        snprintf(file, sizeof file, "%s.key", certificate_name);
        MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    }
    MUST(version == 0 || tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    MUST(version == 0 || tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    MUST(!asks || tlsmem_ctx_set_client_hello_cb(ctx, on_hello, &said) == TLSMEM_OK);
    return ctx;
}

void ask_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, cut_kind how)
{
    for (int i = 0; i < 2; i++)
        MUST((loops[i] = new_loop()) != NULL);
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ how, 1 });
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 20000;
    client.close_when_done = server.close_on_eof = 1;
}

void ask_run(void)
{
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

void ask_close(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong, server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
    memset(&said, 0, sizeof said);
}

void check_whole(void)
{
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
}

tlsmem_ctx *plain_client(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_alpn(ctx, "h2,http/1.1") == TLSMEM_OK);
    return ctx;
}

static void goes_on(int version, face f, face g, cut_kind how)
{
    situation("version %x, %s and %s, %s: a ClientHello goes on", (unsigned)version, face_names[f], face_names[g], cut_names[how]);
    ask_open(plain_client(version), asking_server("server", version, 1), f, g, how);
    ask_run();
    check_whole();
    CHECK(said.hellos == 1 && strcmp(said.name, "localhost") == 0, "asked %d times, about %s", said.hellos, said.name);
    CHECK(said.alpn_bytes == 12 && memcmp(said.alpn, "\2h2\10http/1.1", 12) == 0, "%zu bytes of ALPN", said.alpn_bytes);
    CHECK(said.suites_bytes >= 2 && said.suites_bytes % 2 == 0, "%zu bytes of suites", said.suites_bytes);
    CHECK(said.version == version, "version %x", (unsigned)said.version);
    ask_close();
}

/** The client has to send another key share, and with it a second ClientHello. */
static void asks_once(void)
{
    situation("a HelloRetryRequest asks nothing again");
    tlsmem_ctx *from = plain_client(TLSMEM_TLS1_3), *to = asking_server("server", TLSMEM_TLS1_3, 1);
    MUST(tlsmem_ctx_set_groups(from, "X25519:P-384") == TLSMEM_OK && tlsmem_ctx_set_groups(to, "P-384") == TLSMEM_OK);
    said.protocol = "http/1.1";
    ask_open(from, to, FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    ask_run();
    check_whole();
    const char *name = "";
    size_t n = 0;
    CHECK_STATUS(tlsmem_alpn(client.c, &name, &n), TLSMEM_OK);
    CHECK(said.hellos == 1 && n == 8, "asked %d times, %zu bytes of ALPN", said.hellos, n);
    ask_close();
}

static void refuses(int version, face f, int with, int alert)
{
    situation("version %x, %s: a ClientHello is refused with %d", (unsigned)version, face_names[f], with);
    said.hello = with;
    ask_open(plain_client(version), asking_server("server", version, 1), f, f, CUT_WHOLE);
    ask_run();
    CHECK_ENDED(server, TLSMEM_EREFUSED);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_error(server.c, &error), TLSMEM_OK);
    CHECK(error.alert_sent == alert, "alert %d was sent", error.alert_sent);
    CHECK_STATUS(tlsmem_error(client.c, &error), TLSMEM_OK);
    CHECK(error.alert_received == alert, "alert %d came", error.alert_received);
    ask_close();
}

/** The alerts that the header names. */
static int is_sent(int alert)
{
    return alert == 40 || (alert >= 42 && alert <= 51) || alert == 70 || alert == 71 || alert == 80 || alert == 112
        || alert == 115 || alert == 120;
}

static void changes_context(int version, face f)
{
    situation("version %x, %s: a ClientHello changes to another context", (unsigned)version, face_names[f]);
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    said.other = asking_server("server", version, 0);
    limits.outgoing_max = 40000;
    limits.outgoing_low = 1000;
    MUST(tlsmem_ctx_set_limits(said.other, &limits) == TLSMEM_OK && tlsmem_ctx_set_alpn(said.other, "http/1.1") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_groups(said.other, "P-384") == TLSMEM_OK);
    ask_open(plain_client(version), asking_server(NULL, version, 1), f, f, CUT_WHOLE);
    tlsmem_ctx *other = said.other;
    ask_run();
    check_whole();
    const char *name = "";
    size_t n = 0;
    CHECK(said.hellos == 1, "asked %d times", said.hellos);
    CHECK_STATUS(said.set_ctx, TLSMEM_OK);
    CHECK_STATUS(tlsmem_alpn(client.c, &name, &n), TLSMEM_OK);
    CHECK(n == 8 && memcmp(name, "http/1.1", 8) == 0, "the protocol is %.*s", (int)n, name);
    CHECK(strcmp(tlsmem_group_name(server.c), "secp384r1") == 0, "the group is %s", tlsmem_group_name(server.c));
    CHECK_STATUS(tlsmem_ctx_set_alpn(other, "h2"), TLSMEM_ESTATE);
    ask_close();
    tlsmem_ctx_free(other);
}

/** The other context speaks one version only, asks for a client certificate, and has its own ciphers. */
static void takes_everything_over(int version)
{
    situation("another context that only speaks %x, and wants a certificate", (unsigned)version);
    tlsmem_ctx *other = said.other = asking_server("server", version, 0);
    MUST(tlsmem_ctx_set_ca_file(other, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(other, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ciphers(other, version == TLSMEM_TLS1_2 ? "ECDHE-ECDSA-CHACHA20-POLY1305" : "TLS_AES_128_GCM_SHA256") == TLSMEM_OK);
    ask_open(context(TLSMEM_CLIENT, 0), asking_server("wronghost", 0, 1), FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    ask_run();
    CHECK_ENDED(server, TLSMEM_ENOCERT);
    CHECK(tlsmem_protocol(client.c) == 0 || tlsmem_protocol(client.c) == version, "version %x", (unsigned)tlsmem_protocol(client.c));
    ask_close();

    said.other = other;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_cert_file(from, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(from, certificate("client.key")) == TLSMEM_OK);
    ask_open(from, asking_server("wronghost", 0, 1), FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    ask_run();
    check_whole();
    CHECK(tlsmem_protocol(server.c) == version, "version %x", (unsigned)tlsmem_protocol(server.c));
    CHECK(strstr(tlsmem_cipher_name(server.c), version == TLSMEM_TLS1_2 ? "CHACHA20" : "AES_128") != NULL, "cipher %s",
          tlsmem_cipher_name(server.c));
    CHECK(tlsmem_peer_certificate(server.c, NULL, 0) > 0, "no certificate of the client");
    ask_close();
    tlsmem_ctx_free(other);
}

/** What the other context asks of ALPN holds, too. */
static void takes_the_policy_over(int version)
{
    situation("version %x: another context that insists on a protocol", (unsigned)version);
    said.other = asking_server("server", version, 0);
    MUST(tlsmem_ctx_set_alpn(said.other, "h2") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_alpn_policy(said.other, TLSMEM_ALPN_REQUIRED) == TLSMEM_OK);
    tlsmem_ctx *other = said.other;
    ask_open(context(TLSMEM_CLIENT, version), asking_server("server", version, 1), FACE_BUFFERS, FACE_FD, CUT_WHOLE);
    ask_run();
    CHECK_ENDED(server, TLSMEM_EALPN);
    CHECK_ENDED(client, TLSMEM_EALPN);
    ask_close();
    tlsmem_ctx_free(other);
}

static void selects(int version, const char *protocol, int expected)
{
    situation("version %x: the protocol %s is selected", (unsigned)version, protocol);
    said.protocol = protocol;
    tlsmem_ctx *to = asking_server("server", version, 1);
    MUST(expected == TLSMEM_OK || tlsmem_ctx_set_alpn(to, "h2") == TLSMEM_OK);
    ask_open(plain_client(version), to, FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    ask_run();
    check_whole();
    CHECK_STATUS(said.select_alpn, expected);
    const char *name = "";
    size_t n = 0;
    CHECK_STATUS(tlsmem_alpn(client.c, &name, &n), TLSMEM_OK);
    const char *got = expected == TLSMEM_OK ? protocol : "h2";
    CHECK(n == strlen(got) && memcmp(name, got, n) == 0, "the client has %.*s", (int)n, name);
    ask_close();
}

static void is_refused_outside(void)
{
    situation("what is for the callback is refused outside of it");
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = asking_server("server", 0, 1);
    tlsmem_ctx *empty = tlsmem_ctx_new(TLSMEM_SERVER);
    CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(from, on_hello, NULL), TLSMEM_EINVAL);
    tlsmem *c = connection(to, NULL, NULL);
    CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(to, NULL, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_verify_cb(to, NULL, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_set_ctx(c, to), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_set_ctx(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_select_alpn(c, "h2"), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_select_alpn(c, NULL), TLSMEM_EINVAL);
    tlsmem_free(c);

    situation("a context that cannot serve is refused, and goes on being set up");
    said.other = empty;
    ask_open(tlsmem_ctx_ref(from), asking_server(NULL, 0, 1), FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    ask_run();
    CHECK_STATUS(said.set_ctx, TLSMEM_ENOIDENTITY);
    CHECK_ENDED(server, TLSMEM_ENOIDENTITY);
    CHECK_STATUS(tlsmem_ctx_set_tickets(empty, 1), TLSMEM_OK);
    ask_close();

    situation("contexts that cannot serve are refused");
    for (int i = 0; i < 2; i++) {
        said.other = i == 0 ? empty : from;
        ask_open(tlsmem_ctx_ref(from), tlsmem_ctx_ref(to), FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
        ask_run();
        check_whole();
        CHECK_STATUS(said.set_ctx, i == 0 ? TLSMEM_ENOIDENTITY : TLSMEM_EINVAL);
        ask_close();
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(empty);
}

int main(void)
{
    static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    begin("questions");
    for (int v = 0; v < 2; v++) {
        int version = versions[v];
        for (int f = 0; f < 3; f++) {
            for (int g = 0; g < 3; g++)
                goes_on(version, faces[f], faces[g], CUT_WHOLE);
            goes_on(version, faces[f], faces[f], CUT_BYTES);
            refuses(version, faces[f], 112, 112);
            refuses(version, faces[f], -5, 80);
            refuses(version, faces[f], 1000, 80);
            changes_context(version, faces[f]);
        }
        for (int alert = 1; alert <= 255; alert++)
            refuses(version, FACE_BUFFERS, alert, is_sent(alert) ? alert : 80);
        takes_everything_over(version);
        takes_the_policy_over(version);
        selects(version, "http/1.1", TLSMEM_OK);
        selects(version, "h2", TLSMEM_OK);
        selects(version, "smtp", TLSMEM_EALPN);
        selects(version, "", TLSMEM_EALPN);
        questions_of_verdicts(version);
        questions_held(version);
    }
    asks_once();
    is_refused_outside();
    questions_inside();
    return finish();
}
