/*
 * NULL for the object of every function, and for the other pointers that are taken with it. This file and
 * misuse_kit.c name every function of the header (misuse_header.c).
 */
#include "misuse.h"

#include <errno.h>
#include <poll.h>

static void null_contexts(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    situation("NULL for a context");
    CHECK(tlsmem_ctx_new((tlsmem_role)0) == NULL && tlsmem_ctx_new((tlsmem_role)3) == NULL
          && tlsmem_ctx_new((tlsmem_role)-1) == NULL, "a context without a role");
    CHECK(tlsmem_ctx_ref(NULL) == NULL, "a reference to nothing");
    tlsmem_ctx_free(NULL);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_cert_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_key_file(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_key_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_password_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12(NULL, "x", "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_pkcs12_mem(NULL, "x", 1, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair(NULL, NULL, "x", "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_keypair_mem(NULL, "x", "x", 1, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_sni_strict(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_file(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_dir(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ca_system(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify(NULL, TLSMEM_VERIFY_REQUIRED), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_insecure_no_verify(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_request_ocsp(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_psk(NULL, "x", "0123456789abcdef", 16), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_psk_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_key_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_psk_identity(NULL) == NULL, "an identity of NULL");
    CHECK_STATUS(tlsmem_ctx_require_ocsp(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_file(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_crl(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_crl_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(NULL, TLSMEM_CRL_CHAIN), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_pin(NULL, (const uint8_t *)"thirty-two bytes, as many as that"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify_depth(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_partial_chain(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_purpose(NULL, TLSMEM_PURPOSE_PEER), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_security_level(NULL, 2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_min_version(NULL, TLSMEM_TLS1_2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_max_version(NULL, TLSMEM_TLS1_3), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ciphers(NULL, "HIGH"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_groups(NULL, "X25519"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_alpn(NULL, "h2"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_alpn_policy(NULL, TLSMEM_ALPN_STRICT), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_preset(NULL, TLSMEM_PRESET_MODERN), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_signature_algorithms(NULL, "ECDSA+SHA256"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_tickets(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_mode(NULL, TLSMEM_TICKETS_NEVER), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(NULL, &(tlsmem_ticket_key)TLSMEM_TICKET_KEY_INIT), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(NULL, (const uint8_t *)"sixteen bytes ..."), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_file(NULL, "/"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_session_callbacks(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_early_data(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_renegotiation(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_verify_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_key_update(NULL, 1, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_post_handshake_auth(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_client_cert_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_sign_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_limits(NULL, &limits), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_keylog(NULL, "x"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_keylog_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_trace_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_error(NULL, &error), TLSMEM_EINVAL);
    CHECK(tlsmem_ctx_native(NULL) == NULL, "an SSL_CTX of nothing");
}

static void null_connections(void)
{
    const void *bytes = &bytes, *untouched = &bytes;
    const char *name = "untouched";
    size_t n = 77;
    char text[8];
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_peer_details peer = TLSMEM_PEER_DETAILS_INIT;
    tlsmem_verify_details verified = TLSMEM_VERIFY_DETAILS_INIT;
    tlsmem_ocsp_details stapled = TLSMEM_OCSP_DETAILS_INIT;
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    situation("NULL for a connection");
    CHECK(tlsmem_new(NULL, NULL, NULL) == NULL && tlsmem_new(NULL, &end_callbacks, NULL) == NULL, "made of nothing");
    tlsmem_free(NULL);
    CHECK_STATUS(tlsmem_set_callbacks(NULL, &end_callbacks, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_user(NULL) == NULL && tlsmem_native(NULL) == NULL, "not NULL");
    CHECK_STATUS(tlsmem_set_server_name(NULL, "localhost"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_ctx(NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_select_alpn(NULL, "h2"), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_answer(NULL, 1, TLSMEM_OK, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_reload(NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_stats(NULL, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_generation(NULL) == 0, "a generation of nothing");
    CHECK_STATUS(tlsmem_handshake(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_want(NULL, &want), TLSMEM_EINVAL);
    CHECK(tlsmem_is_established(NULL) == 0 && tlsmem_is_resumed(NULL) == 0, "not 0");
    CHECK(tlsmem_deadline(NULL) <= 0, "a deadline of nothing");
    CHECK_STATUS(tlsmem_tick(NULL, tlsmem_now()), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_timeout(NULL, TLSMEM_TIMEOUT_IDLE, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_feed(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_feed_eof(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_feed_error(NULL, ECONNRESET), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_unwrap(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_unwrapped(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_outgoing_peek(NULL, &bytes, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_outgoing_consume(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_write(NULL, "x", 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_writev(NULL, NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_cork(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_uncork(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_peek(NULL, &bytes, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_consume(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_fd(NULL, 0), TLSMEM_EINVAL);
    CHECK(tlsmem_fd(NULL) < 0 && tlsmem_take_fd(NULL) < 0, "an fd of nothing");
    CHECK_STATUS(tlsmem_own_fd(NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_on_readable(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_on_writable(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_flush(NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_interest(NULL) == 0 && tlsmem_is_congested(NULL) == 0, "an interest in nothing");
    CHECK_STATUS(tlsmem_pause(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_resume(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_close(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_close_write(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_abort(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_report(NULL, &report), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_key_update(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_renegotiate(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_request_certificate(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_protocol(NULL) == 0, "a protocol of nothing");
    CHECK(tlsmem_cipher_id(NULL) == 0 && tlsmem_group_id(NULL) == 0 && tlsmem_signature_id(NULL) == 0
          && tlsmem_own_signature_id(NULL) == 0, "a number of nothing");
    const char *names[] = { tlsmem_protocol_name(NULL), tlsmem_cipher_name(NULL), tlsmem_group_name(NULL),
                            tlsmem_signature_name(NULL), tlsmem_own_signature_name(NULL) };
    for (int i = 0; i < 5; i++)
        CHECK(names[i] == NULL || names[i][0] == 0, "name %d of nothing: %s", i, names[i]);
    CHECK(tlsmem_server_name(NULL) == NULL, "a server name of nothing");
    CHECK_STATUS(tlsmem_alpn(NULL, &name, &n), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_certificate(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_subject(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_issuer(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_serial(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_pem(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_chain(NULL, 0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_verified_chain(NULL, 0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_san(NULL, 0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_peer_info(NULL, &peer), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_verify_result(NULL, &verified), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ocsp_info(NULL, &stapled), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ocsp_response(NULL, &stapled, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_export_keying_material(NULL, "x", NULL, 0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_channel_binding(NULL, TLSMEM_BINDING_EXPORTER, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_error(NULL, &error), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_stats(NULL, &stats), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trim(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_explain(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_explain(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(NULL, NULL, TLSMEM_TRACE_AS_TEXT, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(NULL, NULL, 1, text, sizeof text), TLSMEM_EINVAL);
    CHECK(bytes == untouched && n == 77 && strcmp(name, "untouched") == 0, "an out-parameter was written on failure");
}

static void null_sessions(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    tlsmem_session *session = (tlsmem_session *)"untouched", *untouched = session;
    char text[8] = "text";
    situation("NULL for a session");
    CHECK(tlsmem_session_get(NULL) == NULL && tlsmem_session_expires(NULL) == 0, "a session of nothing");
    CHECK_STATUS(tlsmem_session_set(NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_set(c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_write_early(NULL, text, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_write_early(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_write_early(c, text, SIZE_MAX), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_early(NULL, text, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_read_early(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_early_data_cb(NULL, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_early_data_cb(c, NULL, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_early_data_status(NULL), TLSMEM_EARLY_NONE);
    CHECK_STATUS(tlsmem_session_to_bytes(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_from_bytes(NULL, 1, &session), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_from_bytes(NULL, 0, &session), TLSMEM_ESESSION);
    CHECK_STATUS(tlsmem_session_from_bytes(text, sizeof text, NULL), TLSMEM_EINVAL);
    tlsmem_session_free(NULL);
    CHECK(session == untouched && strcmp(text, "text") == 0, "an out-parameter was written on failure");
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
}

static void never_called(void *arg)
{
    (void)arg;
    CHECK(0, "called");
}

static void null_loops(void)
{
    tlsmem_loop *loop = tlsmem_loop_new_with(NULL); /* which is tlsmem_loop_new() */
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    situation("NULL for a loop, a listener, a timer");
    CHECK_STATUS(tlsmem_loop_add(NULL, c, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_add(loop, NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_remove(NULL, c), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_remove(loop, NULL), TLSMEM_EINVAL);
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = "127.0.0.1";
    to.port = 443;
    CHECK_STATUS(tlsmem_loop_connect(NULL, c, &to), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_connect(loop, NULL, &to), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_connect(loop, c, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_move(NULL, c), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_move(loop, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_listen(NULL, ctx, &options, &listener), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_listen(loop, NULL, &options, &listener), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, NULL, &listener), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_listener_port(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_listener_add_loop(NULL, loop), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_listener_add_loop(NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_inherited_fd(-1), TLSMEM_EINVAL);
    tlsmem_listener_free(NULL);
    CHECK_STATUS(tlsmem_loop_run(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_run_once(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_stop(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_wake(NULL), TLSMEM_EINVAL);
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_loop_drain(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_drain(loop, -2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_drain(loop, INT64_MIN), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_stats(NULL, &stats), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_trim(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_stats(loop, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_post(NULL, never_called, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_post(loop, NULL, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_loop_fd(NULL) < 0 && tlsmem_loop_timeout(NULL) < 0, "an fd or a timeout of nothing");
    CHECK_STATUS(tlsmem_loop_watch(NULL, 0, POLLIN, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_watch(loop, 0, POLLIN, NULL, NULL), TLSMEM_EINVAL);
    CHECK(tlsmem_loop_timer(NULL, 0, NULL, NULL) == NULL && tlsmem_loop_timer(loop, 0, NULL, NULL) == NULL,
          "a timer of nothing");
    CHECK_STATUS(tlsmem_timer_set(NULL, 0), TLSMEM_EINVAL);
    tlsmem_timer_free(NULL);
    tlsmem_loop_free(NULL);
    CHECK(listener == NULL, "an out-parameter was written on failure");
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    tlsmem_loop_free(loop);
}

/** Every status has a name and a sentence of its own; other numbers have some. */
static void words(void)
{
    char version[32];
    situation("names and sentences");
    for (int status = 0; status >= TLSMEM_ESIGN; status--)
        for (int other = 0; other > status; other--)
            CHECK(strcmp(tlsmem_status_name(status), tlsmem_status_name(other)) != 0
                  && strcmp(tlsmem_strerror(status), tlsmem_strerror(other)) != 0, "%d and %d share words", status, other);
    static const int unknown[] = { 1, TLSMEM_ESIGN - 1, 2147483647, -2147483647 - 1 };
    for (int i = 0; i < 4; i++) {
        CHECK(strcmp(tlsmem_status_name(unknown[i]), "TLSMEM_?") == 0, "%d: %s", unknown[i],
              tlsmem_status_name(unknown[i]));
        CHECK(tlsmem_strerror(unknown[i]) != NULL && tlsmem_strerror(unknown[i])[0] != 0, "%d: no sentence", unknown[i]);
    }
    snprintf(version, sizeof version, "%d.%d.%d", TLSMEM_VERSION_MAJOR, TLSMEM_VERSION_MINOR, TLSMEM_VERSION_PATCH);
    CHECK(strcmp(version, tlsmem_version_string()) == 0, "%s runs, %s is declared", tlsmem_version_string(), version);
    CHECK(tlsmem_version() == TLSMEM_VERSION_NUMBER, "%#x runs", tlsmem_version());
    CHECK(tlsmem_version() >> 16 == TLSMEM_VERSION_MAJOR && (tlsmem_version() >> 8 & 255) == TLSMEM_VERSION_MINOR
          && (tlsmem_version() & 255) == TLSMEM_VERSION_PATCH, "%#x has other parts", tlsmem_version());
    CHECK(strncmp(tlsmem_openssl_version(), "OpenSSL ", 8) == 0, "%s", tlsmem_openssl_version());
}

int main(void)
{
    begin("misuse");
    each_check_is_a_case(1);
    null_contexts();
    null_connections();
    null_sessions();
    null_loops();
    null_kit();
    wrong_arguments();
    wrong_settings();
    wrong_values();
    wrong_trust();
    wrong_texts();
    each_check_is_a_case(0);
    words();
    no_function_is_forgotten(SOURCE_PATH, KIT_PATH, "(");
    wrong_states();
    return finish();
}
