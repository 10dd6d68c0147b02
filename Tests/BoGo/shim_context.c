/* shim_context.c - flags as settings of libtlsmem, and the questions that it asks. */
#include <glob.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "native.h"
#include "shim.h"

static void must(const tlsmem_ctx *ctx, int status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (status == TLSMEM_OK)
        return;
    if (tlsmem_ctx_error(ctx, &error) != TLSMEM_OK || error.sentence[0] == '\0')
        snprintf(error.sentence, sizeof error.sentence, "%s", tlsmem_status_name(status));
    unimplemented(error.sentence);
}

int answered(tlsmem *c, uint64_t token, int answer)
{
    struct tls *tls = tlsmem_user(c);
    if (!tls->flags->async)
        return answer;
    tls->token = token;
    tls->answer = answer;
    tls->insecure_accept = !tls->flags->verify_fail;
    return TLSMEM_LATER;
}

static int on_client_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    const struct flags *flags = ((const struct tls *)tlsmem_user(c))->flags;
    const char *wanted = flags->expect_advertised_alpn;
    int answer = TLSMEM_OK;
    (void)user;
    if (wanted != NULL && (strlen(wanted) != hello->alpn_bytes || memcmp(wanted, hello->alpn, hello->alpn_bytes) != 0)) {
        fprintf(stderr, "not as expected: the protocols that the client offers\n");
        answer = 80;
    }
    if (flags->select_alpn != NULL && flags->select_alpn[0] != '\0' && tlsmem_select_alpn(c, flags->select_alpn) != TLSMEM_OK)
        answer = 120;
    return answered(c, hello->token, flags->fail_early_callback || flags->fail_ddos_callback ? 40 : answer);
}

static int on_verify(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    const struct flags *flags = ((const struct tls *)tlsmem_user(c))->flags;
    (void)user;
    verdict->insecure_accept = !flags->verify_fail;
    return answered(c, verdict->token, flags->verify_fail ? X509_V_ERR_APPLICATION_VERIFICATION : TLSMEM_OK);
}

static void on_trace(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    struct tls *tls = tlsmem_user(c);
    (void)user;
    if (info->kind == TLSMEM_TRACE_MESSAGE && info->handshake_type == 1)
        tls->client_hellos++;
}

/* The runner's certificates are its own, and have run out long ago: their keys are pinned, and nothing else of them counts. */
static void pin_all(tlsmem_ctx *ctx)
{
    glob_t found;
    if (glob("*cert.pem", 0, NULL, &found) != 0)
        unimplemented("pins without certificates");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");
        X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
        unsigned char *der = NULL, sha256[SHA256_DIGEST_LENGTH];
        int n = certificate != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
        if (n > 0)
            must(ctx, tlsmem_ctx_add_pin(ctx, SHA256(der, (size_t)n, sha256)));
        OPENSSL_free(der);
        X509_free(certificate);
        if (file != NULL)
            fclose(file);
    }
    globfree(&found);
}

static void set_verification(tlsmem_ctx *ctx, const struct flags *flags)
{
    if (flags->server && flags->verify_peer && !flags->require_any_client_certificate) {
        must(ctx, tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL));
        must(ctx, tlsmem_ctx_set_ca_dir(ctx, ".")); /* an authority that names nobody to the client */
    } else {
        must(ctx, tlsmem_ctx_insecure_no_verify(ctx));
        if (!flags->verify_peer && !flags->require_any_client_certificate &&
            !(!flags->server && flags->use_custom_verify_callback))
            return;
        if (flags->enable_ocsp_stapling) /* the runner's responses are bytes at random: who verifies refuses them */
            return;
        pin_all(ctx);
    }
    must(ctx, tlsmem_ctx_set_verify_cb(ctx, on_verify, NULL));
}

/* "\3foo\3bar" as "foo,bar". */
static void offer_alpn(tlsmem_ctx *ctx, const char *wire)
{
    char list[1024] = "";
    while (*wire != '\0') {
        size_t n = (unsigned char)*wire++;
        if (n > strlen(wire) || strlen(list) + n + 2 > sizeof list)
            unimplemented("a malformed list of protocols");
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.*s", list[0] != '\0' ? "," : "", (int)n, wire);
        wire += n;
    }
    must(ctx, tlsmem_ctx_set_alpn(ctx, list));
}

static void set_server(tlsmem_ctx *ctx, const struct flags *flags)
{
    if (flags->reject_alpn)
        must(ctx, tlsmem_ctx_set_alpn(ctx, "none-of-them"));
    if (flags->async || flags->use_early_callback || flags->fail_early_callback || flags->install_ddos_callback ||
        flags->expect_advertised_alpn != NULL || flags->select_alpn != NULL)
        must(ctx, tlsmem_ctx_set_client_hello_cb(ctx, on_client_hello, NULL));
    if (flags->async)
        must(ctx, store_sessions(ctx));
    if (flags->enable_early_data)
        must(ctx, tlsmem_ctx_set_early_data(ctx, 16384));
    if (flags->enable_ocsp_stapling)
        unimplemented("a server that asks for OCSP");
}

static void set_client(tlsmem_ctx *ctx, const struct flags *flags)
{
    if (flags->advertise_alpn != NULL)
        offer_alpn(ctx, flags->advertise_alpn);
    if (flags->enable_ocsp_stapling)
        must(ctx, tlsmem_ctx_request_ocsp(ctx));
}

static void set_limits(tlsmem_ctx *ctx, const struct flags *flags)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = limits.close_ms = 0; /* the runner has its own, and tests are no races */
    if (flags->async)
        limits.wake_max = 1; /* of the fd face, which receives byte by byte then */
    if (flags->max_cert_list > 0)
        limits.cert_list_max = (size_t)flags->max_cert_list;
    must(ctx, tlsmem_ctx_set_limits(ctx, &limits));
}

tlsmem_ctx *shim_context(const struct flags *flags)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(flags->server ? TLSMEM_SERVER : TLSMEM_CLIENT);
    if (flags->expect_verify_result && flags->verify_fail && !flags->verify_peer)
        unimplemented("a peer that is found bad, taken, and still called bad"); /* the program's word is the result */
    native_settings(tlsmem_ctx_native(ctx), flags);
    must(ctx, tlsmem_ctx_set_groups(ctx, native_groups(flags)));
    const char *schemes = native_signature_algorithms(flags);
    if (schemes != NULL)
        must(ctx, tlsmem_ctx_set_signature_algorithms(ctx, schemes));
    if (flags->cert_file != NULL)
        must(ctx, tlsmem_ctx_set_cert_file(ctx, flags->cert_file));
    if (flags->key_file != NULL)
        must(ctx, tlsmem_ctx_set_key_file(ctx, flags->key_file));
    set_limits(ctx, flags);
    set_verification(ctx, flags);
    (flags->server ? set_server : set_client)(ctx, flags);
    if (flags->renegotiate_once || flags->renegotiate_freely)
        must(ctx, tlsmem_ctx_set_renegotiation(
                      ctx, flags->renegotiate_once ? TLSMEM_RENEGOTIATE_ONCE : TLSMEM_RENEGOTIATE_ALWAYS));
    if (flags->expect_hrr || flags->expect_no_hrr)
        must(ctx, tlsmem_ctx_set_trace_cb(ctx, on_trace, NULL));
    return ctx;
}
