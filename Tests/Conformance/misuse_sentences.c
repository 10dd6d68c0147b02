/*
 * Each setter with a value that it refuses, for both roles: the status, a sentence that begins with what is to blame, and a
 * context that is as it was. A setter of the header that is neither in the table nor among those that take anything fails.
 */
#include "misuse.h"

#include <ctype.h>
#include <openssl/ssl.h>

static const char pem[] = "no PEM";
static char lots[514]; /* of "x" */
#define NOWHERE "/nonexistent/file"

static int no_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *request, void *user)
{
    (void)c, (void)request, (void)user;
    return TLSMEM_EINVAL;
}

static int no_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)c, (void)hello, (void)user;
    return TLSMEM_OK;
}

static int limits_with(tlsmem_ctx *ctx, size_t offset, size_t value)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    memcpy((char *)&limits + offset, &value, sizeof value);
    return tlsmem_ctx_set_limits(ctx, &limits);
}

#define SETTERS(X)                                                                                                      \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_cert_file(ctx, NOWHERE))                                            \
    X(BOTH, TLSMEM_ECONFIG, "there is no", tlsmem_ctx_set_cert_mem(ctx, pem, sizeof pem - 1))                           \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_key_file(ctx, NOWHERE))                                             \
    X(BOTH, TLSMEM_ECONFIG, "there is no", tlsmem_ctx_set_key_mem(ctx, pem, sizeof pem - 1))                            \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_pkcs12(ctx, NOWHERE, "secret"))                                     \
    X(BOTH, TLSMEM_ECONFIG, "", tlsmem_ctx_set_pkcs12_mem(ctx, pem, sizeof pem - 1, "secret"))                          \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_add_keypair(ctx, NULL, NOWHERE, NOWHERE))                               \
    X(CLIENT, TLSMEM_EINVAL, "name: only a server", tlsmem_ctx_add_keypair(ctx, "localhost", NOWHERE, NOWHERE))         \
    X(SERVER, TLSMEM_ECONFIG, "a..b: ", tlsmem_ctx_add_keypair(ctx, "a..b", certificate("server.pem"),                  \
                                                              certificate("server.key")))                              \
    X(CLIENT, TLSMEM_EINVAL, "name: only a server", tlsmem_ctx_add_keypair_mem(ctx, "localhost", pem, 1, pem, 1))       \
    X(BOTH, TLSMEM_EINVAL, "key: without one somebody", tlsmem_ctx_add_keypair(ctx, NULL, NOWHERE, NULL))               \
    X(BOTH, TLSMEM_EINVAL, "key: without one somebody", tlsmem_ctx_add_keypair_mem(ctx, NULL, pem, 1, NULL, 0))         \
    X(CLIENT, TLSMEM_EINVAL, "strict: only a server", tlsmem_ctx_set_sni_strict(ctx, 1))                                \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_ca_file(ctx, NOWHERE))                                              \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_ca_dir(ctx, NOWHERE))                                               \
    X(BOTH, TLSMEM_ECONFIG, "there is no", tlsmem_ctx_set_ca_mem(ctx, pem, sizeof pem - 1))                             \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_accepted_ca_file(ctx, NOWHERE))                                     \
    X(CLIENT, TLSMEM_ECONFIG, "only a server", tlsmem_ctx_set_accepted_ca_mem(ctx, pem, sizeof pem - 1))                \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_add_crl(ctx, NOWHERE))                                                  \
    X(BOTH, TLSMEM_ECONFIG, "there is no", tlsmem_ctx_add_crl_mem(ctx, pem, sizeof pem - 1))                            \
    X(SERVER, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_ocsp_response(ctx, NOWHERE))                                     \
    X(SERVER, TLSMEM_ECONFIG, "there is no", tlsmem_ctx_set_ocsp_response_mem(ctx, pem, sizeof pem - 1))               \
    X(CLIENT, TLSMEM_EINVAL, "ocsp_response: only a server", tlsmem_ctx_set_ocsp_response_mem(ctx, pem, 1))            \
    X(SERVER, TLSMEM_EINVAL, "ctx: only a client", tlsmem_ctx_request_ocsp(ctx))                                       \
    X(SERVER, TLSMEM_EINVAL, "ctx: only a client", tlsmem_ctx_require_ocsp(ctx))                                       \
    X(BOTH, TLSMEM_EINVAL, "key: it has fewer", tlsmem_ctx_set_psk(ctx, "somebody", pem, sizeof pem))                  \
    X(BOTH, TLSMEM_EINVAL, "key: it has fewer", tlsmem_ctx_set_psk(ctx, "somebody", NULL, 0))                          \
    X(BOTH, TLSMEM_EINVAL, "key: it has more", tlsmem_ctx_set_psk(ctx, "somebody", lots, 513))                         \
    X(BOTH, TLSMEM_EINVAL, "identity: it is not", tlsmem_ctx_set_psk(ctx, "", lots, 16))                               \
    X(BOTH, TLSMEM_EINVAL, "identity: it is not", tlsmem_ctx_set_psk(ctx, "\xff", lots, 16))                           \
    X(BOTH, TLSMEM_EINVAL, "identity: it is not", tlsmem_ctx_set_psk(ctx, lots, lots, 16))                             \
    X(CLIENT, TLSMEM_EINVAL, "cb: only a server", tlsmem_ctx_set_ocsp_cb(ctx, NULL, NULL))                             \
    X(BOTH, TLSMEM_EINVAL, "3: there is no such tlsmem_crl_check", tlsmem_ctx_set_crl_check(ctx, (tlsmem_crl_check)3))  \
    X(BOTH, TLSMEM_EINVAL, "4: there is no such tlsmem_verify", tlsmem_ctx_set_verify(ctx, (tlsmem_verify)4))           \
    X(CLIENT, TLSMEM_EINVAL, "1: a client's", tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL))                       \
    X(BOTH, TLSMEM_EINVAL, "101: the number of intermediates", tlsmem_ctx_set_verify_depth(ctx, 101))                   \
    X(BOTH, TLSMEM_EINVAL, "-1: there is no such tlsmem_purpose", tlsmem_ctx_set_purpose(ctx, (tlsmem_purpose)-1))      \
    X(BOTH, TLSMEM_EINVAL, "6: the security level is", tlsmem_ctx_set_security_level(ctx, 6))                           \
    X(BOTH, TLSMEM_EINVAL, "-2147483648: the security", tlsmem_ctx_set_security_level(ctx, -2147483647 - 1))            \
    X(BOTH, TLSMEM_ECONFIG, "level 0 takes", tlsmem_ctx_set_security_level(ctx, 0))                                     \
    X(BOTH, TLSMEM_EINVAL, "0: there is no such tlsmem_preset", tlsmem_ctx_set_preset(ctx, (tlsmem_preset)0))           \
    X(BOTH, TLSMEM_EINVAL, "770: the version is", tlsmem_ctx_set_min_version(ctx, 0x0302))                              \
    X(BOTH, TLSMEM_EINVAL, "773: the version is", tlsmem_ctx_set_max_version(ctx, 0x0305))                              \
    X(BOTH, TLSMEM_ECONFIG, "!SHA-1: ", tlsmem_ctx_set_ciphers(ctx, "HIGH:!SHA-1:!kRSAA"))                              \
    X(BOTH, TLSMEM_ECONFIG, "@SECLEVEL=0: level 0", tlsmem_ctx_set_ciphers(ctx, "HIGH:@SECLEVEL=0"))                    \
    X(BOTH, TLSMEM_ECONFIG, ":HIGH: a name", tlsmem_ctx_set_ciphers(ctx, ":HIGH"))                                      \
    X(BOTH, TLSMEM_ECONFIG, "HIGH:?: a name", tlsmem_ctx_set_ciphers(ctx, "HIGH:?"))                                    \
    X(BOTH, TLSMEM_ECONFIG, "X25519:: a name", tlsmem_ctx_set_groups(ctx, "X25519:"))                                   \
    X(BOTH, TLSMEM_ECONFIG, "X25519:?: a name", tlsmem_ctx_set_groups(ctx, "X25519:?"))                                 \
    X(BOTH, TLSMEM_ECONFIG, "no_such: ", tlsmem_ctx_set_signature_algorithms(ctx, "ECDSA+SHA256:no_such"))              \
    X(BOTH, TLSMEM_ECONFIG, "h2,: ", tlsmem_ctx_set_alpn(ctx, "h2,"))                                                   \
    X(BOTH, TLSMEM_EINVAL, "77: there is no such tlsmem_alpn_policy",                                                   \
      tlsmem_ctx_set_alpn_policy(ctx, (tlsmem_alpn_policy)77))                                                          \
    X(BOTH, TLSMEM_EINVAL, "17: the number of tickets is not 0 to 16", tlsmem_ctx_set_tickets(ctx, 17))                 \
    X(SERVER, TLSMEM_EINVAL, "3: there is no such tlsmem_ticket_mode",                                                  \
      tlsmem_ctx_set_ticket_mode(ctx, (tlsmem_ticket_mode)3))                                                           \
    X(CLIENT, TLSMEM_EINVAL, "mode: only a server", tlsmem_ctx_set_ticket_mode(ctx, TLSMEM_TICKETS_NEVER))              \
    X(SERVER, TLSMEM_EINVAL, "size: ", tlsmem_ctx_set_session_callbacks(ctx, &(tlsmem_session_callbacks){ 0 }, NULL))   \
    X(CLIENT, TLSMEM_EINVAL, "callbacks: only a server", tlsmem_ctx_set_session_callbacks(ctx, NULL, NULL))             \
    X(BOTH, TLSMEM_EINVAL, "size: ", tlsmem_ctx_add_ticket_key(ctx, &(tlsmem_ticket_key){ .size = 8 }))                 \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_ticket_keys_file(ctx, NOWHERE))                                     \
    X(BOTH, TLSMEM_ECONFIG, "line 1: ", tlsmem_ctx_set_ticket_keys_mem(ctx, pem, sizeof pem - 1))                       \
    X(SERVER, TLSMEM_EINVAL, "offered: a server asks", tlsmem_ctx_set_post_handshake_auth(ctx, 1))                      \
    X(BOTH, TLSMEM_EINVAL, "3: there is no such tlsmem_renegotiation", tlsmem_ctx_set_renegotiation(ctx, 3))            \
    X(BOTH, TLSMEM_EINVAL, "-1: there is no such", tlsmem_ctx_set_renegotiation(ctx, -1))                               \
    X(CLIENT, TLSMEM_EINVAL, "max_bytes: a client", tlsmem_ctx_set_early_data(ctx, 0))                                  \
    X(SERVER, TLSMEM_EINVAL, "max_bytes: it is not 0 to 2147483647", tlsmem_ctx_set_early_data(ctx, 2147483648u))       \
    X(SERVER, TLSMEM_EINVAL, "max_bytes: it is not 0 to", tlsmem_ctx_set_early_data(ctx, SIZE_MAX))                     \
    X(BOTH, TLSMEM_EINVAL, "size: ", limits_with(ctx, offsetof(tlsmem_limits, size), 8))                                \
    X(BOTH, TLSMEM_EINVAL, "outgoing_max: ", limits_with(ctx, offsetof(tlsmem_limits, outgoing_max), 32767))            \
    X(BOTH, TLSMEM_EINVAL, "outgoing_max: ", limits_with(ctx, offsetof(tlsmem_limits, outgoing_max), SIZE_MAX))         \
    X(BOTH, TLSMEM_EINVAL, "outgoing_low: ", limits_with(ctx, offsetof(tlsmem_limits, outgoing_low), 1048576))          \
    X(BOTH, TLSMEM_EINVAL, "outgoing_low: ", limits_with(ctx, offsetof(tlsmem_limits, outgoing_low), SIZE_MAX))         \
    X(BOTH, TLSMEM_EINVAL, "incoming_max: ", limits_with(ctx, offsetof(tlsmem_limits, incoming_max), 0))                \
    X(BOTH, TLSMEM_EINVAL, "control_max: ", limits_with(ctx, offsetof(tlsmem_limits, control_max), 2147483648))         \
    X(BOTH, TLSMEM_EINVAL, "wake_max: ", limits_with(ctx, offsetof(tlsmem_limits, wake_max), 0))                        \
    X(BOTH, TLSMEM_EINVAL, "cert_list_max: ", limits_with(ctx, offsetof(tlsmem_limits, cert_list_max), SIZE_MAX))       \
    X(BOTH, TLSMEM_ECONFIG, NOWHERE, tlsmem_ctx_set_keylog(ctx, NOWHERE))                                               \
    X(SERVER, TLSMEM_EINVAL, "cb: only a client", tlsmem_ctx_set_client_cert_cb(ctx, NULL, NULL))                       \
    X(CLIENT, TLSMEM_EINVAL, "cb: only a server", tlsmem_ctx_set_client_hello_cb(ctx, no_hello, NULL))                  \
    X(CLIENT, TLSMEM_ECONFIG, "only a server has keys for tickets", tlsmem_ctx_set_ticket_key_cb(ctx, no_ticket_key, NULL))

/** These take any value that is not NULL, or NULL, too. */
static const char *const takes_anything[] = {
    "tlsmem_ctx_reload", /* says by its status what is wrong with the other one */
    "tlsmem_ctx_set_password_cb", "tlsmem_ctx_set_ca_system", "tlsmem_ctx_insecure_no_verify", "tlsmem_ctx_add_pin",
    "tlsmem_ctx_set_partial_chain", "tlsmem_ctx_set_verify_cb", "tlsmem_ctx_set_limits",
    "tlsmem_ctx_set_keylog_cb", "tlsmem_ctx_set_trace_cb", "tlsmem_ctx_set_psk_cb",
    "tlsmem_ctx_remove_ticket_key", "tlsmem_ctx_set_key_update",
    "tlsmem_ctx_set_sign_cb", /* it refuses to be taken back: signing.c */
};

/** What OpenSSL would do. */
static const char *portrait(tlsmem_ctx *ctx)
{
    static char text[8192];
    SSL_CTX *native = tlsmem_ctx_native(ctx);
    STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(native));
    int n = snprintf(text, sizeof text, "%ld to %ld, level %d, verify %d %d, %ld bytes, options %lx, mode %lx, %p %p, %d %d, flags %lx:",
                     SSL_CTX_get_min_proto_version(native), SSL_CTX_get_max_proto_version(native),
                     SSL_CTX_get_security_level(native), SSL_CTX_get_verify_mode(native), SSL_CTX_get_verify_depth(native),
                     SSL_CTX_get_max_cert_list(native), (unsigned long)SSL_CTX_get_options(native),
                     (unsigned long)SSL_CTX_get_mode(native), (void *)SSL_CTX_get0_certificate(native),
                     (void *)SSL_CTX_get0_privatekey(native), sk_X509_OBJECT_num(trusted),
                     sk_X509_NAME_num(SSL_CTX_get_client_CA_list(native)),
                     X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(native)));
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(native);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && n < (int)sizeof text - 100; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
    return text;
}

static void expect(tlsmem_ctx *ctx, const char *call, int status, int expected, const char *begins, const char *before)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK(status == expected, "%s: %s, expected %s", call, tlsmem_status_name(status), tlsmem_status_name(expected));
    CHECK(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK && error.status == expected && error.sentence[0] != 0
          && strncmp(error.sentence, begins, strlen(begins)) == 0,
          "%s: %s, \"%s\", expected \"%s...\"", call, tlsmem_status_name(error.status), error.sentence, begins);
    CHECK(strcmp(before, portrait(ctx)) == 0, "%s has changed \"%s\" to \"%s\"", call, before, portrait(ctx));
}

static void refuse_all(tlsmem_role role)
{
    enum { BOTH = 0, CLIENT = TLSMEM_CLIENT, SERVER = TLSMEM_SERVER };
    tlsmem_ctx *ctx = context(role, 0), *other = context(role == TLSMEM_CLIENT ? TLSMEM_SERVER : TLSMEM_CLIENT, 0);
    char *before = strdup(portrait(ctx));
    MUST(before != NULL);
    memset(lots, 'x', sizeof lots - 1);
    situation("each setter of a %s refuses something", role == TLSMEM_CLIENT ? "client" : "server");
#define TRY(who, expected, begins, call)  \
    if (who == BOTH || who == (int)role) \
        expect(ctx, #call, call, expected, begins, before);
    SETTERS(TRY)
    end_open(&client, role == TLSMEM_CLIENT ? ctx : other, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, role == TLSMEM_CLIENT ? other : ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    CHECK(wire_run(&pair_wire, both_established), "it was changed by what it refused");
    end_finish(&client);
    end_finish(&server);
    CHECK_STATUS(tlsmem_ctx_set_tickets(ctx, 17), TLSMEM_ESTATE); /* other threads may read it now */
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(other);
    free(before);
}

/** A bound as high as can be is one that is never reached. */
static void no_bound(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    situation("outgoing_high and incoming_low of SIZE_MAX");
    CHECK_STATUS(limits_with(ctx, offsetof(tlsmem_limits, incoming_low), SIZE_MAX), TLSMEM_OK);
    CHECK_STATUS(limits_with(ctx, offsetof(tlsmem_limits, outgoing_high), SIZE_MAX), TLSMEM_OK);
    tlsmem *c = connection(ctx, NULL, NULL);
    CHECK(tlsmem_write(c, "x", 1) == 1 && tlsmem_is_congested(c) == 0, "one byte is too much");
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
}

/** Every setter that the header declares is in the table, or takes anything. */
static void nothing_is_forgotten(void)
{
#define CALL(who, expected, begins, call) #call " "
    static const char table[] = SETTERS(CALL);
    static char line[4096];
    FILE *header = fopen(HEADER_PATH, "r");
    int setters = 0;
    MUST(header != NULL);
    situation("every setter of the header is tried here");
    while (fgets(line, sizeof line, header) != NULL) {
        char name[80];
        if (sscanf(line, "int %79[a-z0-9_](tlsmem_ctx *", name) != 1 || strncmp(line + 4 + strlen(name), "(tlsmem_ctx *", 13) != 0)
            continue;
        int found = 0;
        for (size_t i = 0; i < sizeof takes_anything / sizeof *takes_anything; i++)
            found = found || strcmp(takes_anything[i], name) == 0;
        strcat(name, "(");
        setters++;
        CHECK(found || strstr(table, name) != NULL, "%s) is not tried", name);
    }
    CHECK(setters > 35, "only %d setters were found", setters);
    fclose(header);
}

void wrong_values(void)
{
    refuse_all(TLSMEM_CLIENT);
    refuse_all(TLSMEM_SERVER);
    no_bound();
    nothing_is_forgotten();
}
