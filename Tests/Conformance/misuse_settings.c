/* Settings that are refused leave the context as it was and say why; after the first connection all are refused. */
#define _GNU_SOURCE
#include "misuse.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char garbage[] = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";

static char *contents(const char *name, size_t *n)
{
    FILE *file = fopen(certificate(name), "r");
    MUST(file != NULL);
    char *text = calloc(1, 65536);
    MUST(text != NULL);
    *n = fread(text, 1, 65535, file);
    fclose(file);
    return text;
}

/** And its sentence begins with the one name of a list that is to blame. */
#define REFUSED_NAME(ctx, call, name) refused_name_at(__FILE__, __LINE__, ctx, #call, call, name)
static void refused_name_at(const char *file, int line, tlsmem_ctx *ctx, const char *what, int status, const char *name)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    refused_at(file, line, ctx, what, status);
    IGNORE(tlsmem_ctx_error(ctx, &error));
    check_at(file, line, strncmp(error.sentence, name, strlen(name)) == 0 && error.sentence[strlen(name)] == ':',
             "%s: \"%s\" does not begin with %s", what, error.sentence, name);
}

/** The contract leaves open which of the two a list without sense is: a value out of range, or unparsable. */
#define REFUSED_LIST(call) CHECK_EITHER(call, TLSMEM_ECONFIG, TLSMEM_EINVAL)

/** A FIFO made tlsmem_ctx_set_keylog wait for its reader; and behind a colon other directories were trusted. */
static void odd_files(tlsmem_ctx *ctx)
{
    char folder[] = "/tmp/tlsmem-misuse-XXXXXX", path[64];
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/fifo", folder);
    MUST(mkfifo(path, 0600) == 0);
    for (int has_reader = 0; has_reader < 2; has_reader++) {
        int reader = has_reader ? open(path, O_RDONLY | O_NONBLOCK) : -1;
        REFUSED(ctx, tlsmem_ctx_set_keylog(ctx, path));
        MUST(reader < 0 || close(reader) == 0);
    }
    REFUSED(ctx, tlsmem_ctx_set_keylog(ctx, "/dev/zero"));
    MUST(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/d:e", folder);
    MUST(mkdir(path, 0700) == 0);
    REFUSED(ctx, tlsmem_ctx_set_ca_dir(ctx, path));
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
    CHECK(strstr(error.sentence, "colon") != NULL, "%s", error.sentence);
    MUST(rmdir(path) == 0 && rmdir(folder) == 0);
}

static void files(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    size_t n, key_n;
    char *pem = contents("server.pem", &n), *key = contents("rsa.key", &key_n);
    situation("files and PEM");
    REFUSED(ctx, tlsmem_ctx_set_cert_file(ctx, "/nonexistent/cert.pem"));
    REFUSED(ctx, tlsmem_ctx_set_cert_file(ctx, ""));
    REFUSED(ctx, tlsmem_ctx_set_cert_file(ctx, "/"));
    REFUSED(ctx, tlsmem_ctx_set_cert_file(ctx, certificate("server.key")));
    REFUSED(ctx, tlsmem_ctx_set_cert_mem(ctx, garbage, sizeof garbage - 1));
    REFUSED(ctx, tlsmem_ctx_set_cert_mem(ctx, pem, n / 2));
    REFUSED(ctx, tlsmem_ctx_set_cert_mem(ctx, "", 0));
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, "/nonexistent/key.pem"));
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("server.pem")));
    REFUSED(ctx, tlsmem_ctx_set_key_mem(ctx, key, key_n / 2));
    REFUSED(ctx, tlsmem_ctx_set_key_mem(ctx, "\0\0\0", 3));
    REFUSED(ctx, tlsmem_ctx_set_ca_file(ctx, "/nonexistent/ca.pem"));
    REFUSED(ctx, tlsmem_ctx_set_ca_file(ctx, certificate("server.key")));
    REFUSED(ctx, tlsmem_ctx_set_ca_mem(ctx, garbage, sizeof garbage - 1));
    CHECK_EITHER(tlsmem_ctx_set_ca_dir(ctx, "/nonexistent"), TLSMEM_ECONFIG, TLSMEM_OK); /* it is read when needed */
    REFUSED(ctx, tlsmem_ctx_set_keylog(ctx, "/nonexistent/keylog"));
    odd_files(ctx);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_file(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_dir(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12(ctx, NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, NULL, NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, NULL, "x", NULL), TLSMEM_EINVAL);
    REFUSED(ctx, tlsmem_ctx_add_keypair(ctx, "localhost", "", ""));
    CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, NULL), TLSMEM_EINVAL);
    static const size_t bad[] = { NEGATIVE, TOO_LONG };
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, pem, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_key_mem(ctx, key, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_ca_mem(ctx, pem, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_pkcs12_mem(ctx, pem, bad[i], NULL), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, pem, bad[i], key, key_n), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, pem, n, key, bad[i]), TLSMEM_EINVAL);
    }
    CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_key_mem(ctx, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_mem(ctx, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12_mem(ctx, NULL, 1, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, NULL, 1, key, key_n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, pem, n, NULL, 1), TLSMEM_EINVAL);
    REFUSED_LIST(tlsmem_ctx_set_ca_mem(ctx, NULL, 0));

    situation("a key that does not fit");
    CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, pem, n), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_key_mem(ctx, key, key_n));
    REFUSED(ctx, tlsmem_ctx_set_key_file(ctx, certificate("client.key")));
    CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate("server.key")), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")));
    /* After all these it is still a server that works. */
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0);
    end_open(&client, of_client, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    CHECK(wire_run(&pair_wire, both_established), "the context was changed by what it refused");
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(ctx);
    free(pem);
    free(key);
}

static void values(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0), *of_client = context(TLSMEM_CLIENT, 0);
    char list[600];
    situation("values");
    CHECK_STATUS(tlsmem_ctx_set_verify(of_client, TLSMEM_VERIFY_NONE), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify(of_client, TLSMEM_VERIFY_OPTIONAL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify(of_client, TLSMEM_VERIFY_REQUIRED), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_verify(ctx, (tlsmem_verify)4), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify(ctx, (tlsmem_verify)-1), TLSMEM_EINVAL);
    static const int versions[] = { 0, -1, 0x0300, 0x0301, 0x0302, 0x0305, 0x7f000304, 2147483647 };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        CHECK_STATUS(tlsmem_ctx_set_min_version(ctx, versions[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_max_version(ctx, versions[i]), TLSMEM_EINVAL);
    }
    CHECK_STATUS(tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_min_version(ctx, TLSMEM_TLS1_3));
    CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, 17), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, 16), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, 0), TLSMEM_OK);
    situation("lists");
    CHECK_STATUS(tlsmem_ctx_set_ciphers(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_groups(ctx, NULL), TLSMEM_EINVAL);
    REFUSED_LIST(tlsmem_ctx_set_ciphers(ctx, ""));
    REFUSED_LIST(tlsmem_ctx_set_ciphers(ctx, "NO-SUCH-CIPHER"));
    REFUSED_LIST(tlsmem_ctx_set_ciphers(ctx, "TLS_NO_SUCH_SUITE"));
    REFUSED_LIST(tlsmem_ctx_set_groups(ctx, ""));
    REFUSED_LIST(tlsmem_ctx_set_groups(ctx, "?NO-SUCH-GROUP"));
    CHECK_STATUS(tlsmem_ctx_set_signature_algorithms(ctx, NULL), TLSMEM_EINVAL);
    REFUSED_LIST(tlsmem_ctx_set_signature_algorithms(ctx, ""));
    REFUSED_NAME(ctx, tlsmem_ctx_set_ciphers(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:NO-SUCH-CIPHER"), "NO-SUCH-CIPHER");
    REFUSED_NAME(ctx, tlsmem_ctx_set_ciphers(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ADH-AES128-SHA256"), "ADH-AES128-SHA256");
    REFUSED_NAME(ctx, tlsmem_ctx_set_groups(ctx, "X25519:NO-SUCH-GROUP:P-256"), "NO-SUCH-GROUP");
    REFUSED_NAME(ctx, tlsmem_ctx_set_signature_algorithms(ctx, "ECDSA+SHA256:NO+SUCH"), "NO+SUCH");
    REFUSED(ctx, tlsmem_ctx_set_ciphers(ctx, "TLS_AES_128_GCM_SHA256")); /* it speaks no TLS 1.3 any more */
    CHECK_STATUS(tlsmem_ctx_set_ciphers(ctx, "?NO-SUCH-CIPHER:ECDHE-ECDSA-AES128-GCM-SHA256"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_groups(ctx, "?NO-SUCH-GROUP:X25519"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_signature_algorithms(ctx, "?no_such:ecdsa_secp256r1_sha256"), TLSMEM_OK);
    situation("presets and policies");
    static const unsigned unknown[] = { 3, 77, (unsigned)-1 };
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(tlsmem_ctx_set_preset(ctx, (tlsmem_preset)unknown[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_alpn_policy(ctx, (tlsmem_alpn_policy)unknown[i]), TLSMEM_EINVAL);
    }
    CHECK_STATUS(tlsmem_ctx_set_preset(ctx, (tlsmem_preset)0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_preset(ctx, TLSMEM_PRESET_MODERN), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_ciphers(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    REFUSED(ctx, tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2));
    CHECK_STATUS(tlsmem_ctx_set_preset(ctx, TLSMEM_PRESET_INTERMEDIATE), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_ciphers(ctx, "TLS_AES_128_GCM_SHA256"), TLSMEM_OK);
    REFUSED(ctx, tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2)); /* its one cipher is for TLS 1.3 */
    for (int policy = TLSMEM_ALPN_STRICT; policy <= TLSMEM_ALPN_REQUIRED; policy++)
        CHECK_STATUS(tlsmem_ctx_set_alpn_policy(ctx, (tlsmem_alpn_policy)policy), TLSMEM_OK);
    situation("lists of protocols");
    memset(list, 'a', sizeof list);
    list[256] = 0;
    REFUSED_LIST(tlsmem_ctx_set_alpn(ctx, list));
    list[255] = 0;
    CHECK_STATUS(tlsmem_ctx_set_alpn(ctx, list), TLSMEM_OK);
    REFUSED_LIST(tlsmem_ctx_set_alpn(ctx, ","));
    REFUSED_LIST(tlsmem_ctx_set_alpn(ctx, "h2,"));
    REFUSED_LIST(tlsmem_ctx_set_alpn(ctx, "h2,,http/1.1"));
    CHECK_STATUS(tlsmem_ctx_set_alpn(ctx, NULL), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_alpn(ctx, ""), TLSMEM_OK);
    char *endless = malloc(70002); /* more than a TLS extension can carry */
    MUST(endless != NULL);
    for (int i = 0; i < 70001; i++)
        endless[i] = i % 2 ? ',' : 'a';
    endless[70001] = 0;
    REFUSED_LIST(tlsmem_ctx_set_alpn(ctx, endless));
    free(endless);
    situation("limits");
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 32767;
    CHECK_STATUS(tlsmem_ctx_set_limits(ctx, &limits), TLSMEM_EINVAL);
    limits.outgoing_max = 0;
    CHECK_STATUS(tlsmem_ctx_set_limits(ctx, &limits), TLSMEM_EINVAL);
    limits = (tlsmem_limits)TLSMEM_LIMITS_INIT;
    CHECK_STATUS(tlsmem_ctx_set_limits(ctx, &limits), TLSMEM_OK);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(of_client);
}

/** Limits at the ends of their ranges do not trap; a connection with them lives or has a status. */
static void extreme_limits(void)
{
    for (int i = 0; i < 2; i++) {
        size_t large = i == 0 ? SIZE_MAX : 0;
        tlsmem_limits limits = { sizeof limits, SIZE_MAX, large, large, large, large, large, (uint32_t)large,
                                 (uint32_t)large, (uint32_t)large, (uint32_t)large, (uint32_t)large,
                                 (uint32_t)large, (uint32_t)large, large, large,
                                 (uint32_t)large };
        situation("limits of %zu", large);
        tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
        int status = tlsmem_ctx_set_limits(ctx, &limits);
        CHECK(status == TLSMEM_OK || status == TLSMEM_EINVAL, "%s", tlsmem_status_name(status));
        tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0);
        end_open(&client, of_client, FACE_BUFFERS, NULL, 0, 0);
        end_open(&server, ctx, FACE_BUFFERS, NULL, 1, 0);
        wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
        client.to_send = server.to_send = 100000;
        wire_settle(&pair_wire);
        CHECK(client.wrong == 0 && server.wrong == 0, "wrong bytes");
        status = tlsmem_tick(server.c, INT64_MAX);
        CHECK(status <= TLSMEM_OK && status >= TLSMEM_EINTERNAL, "tick: %d", status);
        end_finish(&client);
        end_finish(&server);
        tlsmem_ctx_free(ctx);
        tlsmem_ctx_free(of_client);
    }
}

static void frozen(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    situation("setters after the first connection");
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_cert_mem(ctx, "x", 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_key_file(ctx, certificate("server.key")), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_key_mem(ctx, "x", 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_password_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_pkcs12(ctx, certificate("full.p12"), "secret"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_pkcs12_mem(ctx, "x", 1, "secret"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_add_keypair(ctx, NULL, certificate("server.pem"), certificate("server.key")), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, "b.example", "x", 1, "x", 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_sni_strict(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_sign_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ca_dir(ctx, "/"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ca_mem(ctx, "x", 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ca_system(ctx), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_NONE), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_insecure_no_verify(ctx), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_request_ocsp(ctx), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_require_ocsp(ctx), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_min_version(ctx, TLSMEM_TLS1_2), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_3), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ciphers(ctx, "HIGH"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_groups(ctx, "X25519"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_alpn(ctx, "h2"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_alpn_policy(ctx, TLSMEM_ALPN_LENIENT), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_preset(ctx, TLSMEM_PRESET_MODERN), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_signature_algorithms(ctx, "ECDSA+SHA256"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_early_data(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ticket_mode(ctx, TLSMEM_TICKETS_NEVER), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_renegotiation(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_key_update(ctx, 1, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_post_handshake_auth(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_limits(ctx, &limits), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, "/dev/null"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_keylog_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_trace_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        tlsmem_free(c); /* freeing the connection does not thaw it */
        c = NULL;
    }
    CHECK(tlsmem_ctx_native(ctx) != NULL && tlsmem_ctx_ref(ctx) == ctx, "native, ref");
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(ctx);
}

static void names(void)
{
    static const char *const bad[] = { "", " ", "a b", "host\n", ".", "..", "a..b", "[::1", "\xff\xfe",
                                       "127.0.0.1.", "1.2.3.256", "a.1", "7" };
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0), *of_server = context(TLSMEM_SERVER, 0);
    tlsmem *c = tlsmem_new(of_client, NULL, NULL), *s = tlsmem_new(of_server, NULL, NULL);
    char longest[300];
    situation("server names");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(tlsmem_set_server_name(c, bad[i]) == TLSMEM_EINVAL, "\"%s\" passes for a name", bad[i]);
    memset(longest, 'a', sizeof longest);
    longest[299] = 0;
    CHECK_STATUS(tlsmem_set_server_name(c, longest), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_server_name(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_server_name(s, "localhost"), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_set_server_name(c, "localhost"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(c, "127.0.0.1"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(c, "::1"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_server_name(c, "xn--bcher-kva.example"), TLSMEM_OK);
    tlsmem_free(c);
    tlsmem_free(s);
    tlsmem_ctx_free(of_client);
    tlsmem_ctx_free(of_server);
}

void wrong_settings(void)
{
    files();
    values();
    extreme_limits();
    frozen();
    names();
}
