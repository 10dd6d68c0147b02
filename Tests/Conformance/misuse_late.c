/* Settings that come too late: once a connection was made of a context it takes no more of them. */
#include "misuse.h"

void late_settings(void)
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
        CHECK_STATUS(tlsmem_ctx_set_ticket_mode(ctx, TLSMEM_TICKETS_NEVER), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_early_data(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_renegotiation(ctx, 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_limits(ctx, &limits), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_keylog(ctx, "/dev/null"), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_keylog_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_trace_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_psk(ctx, "x", "0123456789abcdef", 16), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_key_update(ctx, 0, 0), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_client_hello_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_verify_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_psk_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_ticket_key_cb(ctx, NULL, NULL), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_ctx_set_session_callbacks(ctx, NULL, NULL), TLSMEM_ESTATE);
        tlsmem_free(c); /* freeing the connection does not thaw it */
        c = NULL;
    }
    CHECK(tlsmem_ctx_native(ctx) != NULL && tlsmem_ctx_ref(ctx) == ctx, "native, ref");
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(ctx);
}
