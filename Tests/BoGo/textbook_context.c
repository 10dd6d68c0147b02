/* textbook_context.c - flags as settings of OpenSSL's. */
#include <stdio.h>
#include <string.h>

#include "native.h"
#include "textbook.h"

static int on_client_hello(SSL *ssl, int *alert, void *user)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    (void)user;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return tls->flags->fail_early_callback || tls->flags->fail_ddos_callback ? SSL_CLIENT_HELLO_ERROR : SSL_CLIENT_HELLO_SUCCESS;
}

/* Who the peer is does not matter: the flags say how that ends. */
static int on_verify(X509_STORE_CTX *store, void *user)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls *tls = SSL_get_app_data(ssl);
    (void)user;
    X509_STORE_CTX_set_error(store, tls->flags->verify_fail ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
    return !tls->flags->verify_fail;
}

static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *n, const unsigned char *offered, unsigned offered_n,
                   void *user)
{
    const struct flags *flags = ((const struct tls *)SSL_get_app_data(ssl))->flags;
    const char *wanted = flags->expect_advertised_alpn;
    (void)user;
    if (wanted != NULL && (strlen(wanted) != offered_n || memcmp(wanted, offered, offered_n) != 0)) {
        fprintf(stderr, "not as expected: the protocols that the client offers\n");
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (flags->select_alpn == NULL)
        return flags->reject_alpn ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
    *chosen = (const unsigned char *)flags->select_alpn;
    *n = (unsigned char)strlen(flags->select_alpn);
    return SSL_TLSEXT_ERR_OK;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    SSL_SESSION_free(tls->session);
    tls->session = session;
    return 1; /* it is ours now */
}

static void on_message(int sent, int version, int type, const void *bytes, size_t n, SSL *ssl, void *user)
{
    struct tls *tls = SSL_get_app_data(ssl);
    (void)sent, (void)version, (void)user;
    if (tls != NULL && type == SSL3_RT_HANDSHAKE && n > 0 && *(const unsigned char *)bytes == SSL3_MT_CLIENT_HELLO)
        tls->client_hellos++;
}

/* Counts them, for renegotiations. */
static void on_info(const SSL *ssl, int where, int result)
{
    struct tls *tls = SSL_get_app_data(ssl);
    (void)result;
    if (tls != NULL && (where & SSL_CB_HANDSHAKE_DONE) && SSL_version(ssl) < TLS1_3_VERSION)
        tls->handshakes++;
    if (tls != NULL && tls->handshakes > 1 && tls->flags->renegotiate_once)
        SSL_set_options((SSL *)ssl, SSL_OP_NO_RENEGOTIATION);
}

/* Whoever answers nothing has no name at the end. */
static int on_server_name(SSL *ssl, int *alert, void *user)
{
    (void)ssl, (void)alert, (void)user;
    return SSL_TLSEXT_ERR_OK;
}

static void set_verification(SSL_CTX *ctx, const struct flags *flags)
{
    int mode = SSL_VERIFY_NONE;
    if (flags->verify_peer || (!flags->server && flags->use_custom_verify_callback))
        mode = SSL_VERIFY_PEER;
    if (flags->require_any_client_certificate)
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
}

static void set_server(SSL_CTX *ctx, const struct flags *flags)
{
    static const unsigned char name[] = "bogo";
    if (flags->enable_ocsp_stapling)
        unimplemented("a server that asks for OCSP");
    SSL_CTX_set_session_id_context(ctx, name, sizeof name - 1);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
    if (flags->enable_early_data) {
        SSL_CTX_set_max_early_data(ctx, 16384);
        SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    }
}

static void set_client(SSL_CTX *ctx, const struct flags *flags)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    if (flags->advertise_alpn != NULL &&
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)flags->advertise_alpn, (unsigned)strlen(flags->advertise_alpn)) != 0)
        unimplemented("a malformed list of protocols");
    if (flags->enable_ocsp_stapling)
        SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
}

SSL_CTX *textbook_context(const struct flags *flags)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    native_settings(ctx, flags);
    const char *groups = native_groups(flags), *schemes;
    if (SSL_CTX_set1_groups_list(ctx, groups) != 1)
        unimplemented(groups);
    if ((schemes = native_signature_algorithms(flags)) != NULL && SSL_CTX_set1_sigalgs_list(ctx, schemes) != 1)
        unimplemented(schemes);
    if (flags->cert_file != NULL && SSL_CTX_use_certificate_chain_file(ctx, flags->cert_file) != 1)
        unimplemented(flags->cert_file);
    if (flags->key_file != NULL && SSL_CTX_use_PrivateKey_file(ctx, flags->key_file, SSL_FILETYPE_PEM) != 1)
        unimplemented(flags->key_file);
    if (!flags->renegotiate_once && !flags->renegotiate_freely)
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    if (flags->max_cert_list > 0)
        SSL_CTX_set_max_cert_list(ctx, flags->max_cert_list);
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_info_callback(ctx, on_info);
    set_verification(ctx, flags);
    (flags->server ? set_server : set_client)(ctx, flags);
    return ctx;
}
