/* tls_options.c - the contexts of the example programs; see common.h. */
#include "questions.h"
#include "settings.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int set_tls_options(tlsmem_ctx *ctx, const struct options *o)
{
    int status = apply_settings(ctx, o);
    if (status == TLSMEM_OK)
        status = tlsmem_ctx_set_limits(ctx, &o->limits);
    if (status == TLSMEM_OK && o->sites != NULL && (status = ask_for_site(ctx, o)) == TLSMEM_EINVAL)
        usage_error("--sites: this is not for a client");
    if (status == TLSMEM_OK && o->alpn != NULL)
        status = tlsmem_ctx_set_alpn(ctx, o->alpn);
    if (status == TLSMEM_OK && o->keylog != NULL)
        status = tlsmem_ctx_set_keylog(ctx, o->keylog);
    return status;
}

int has_identity(const struct options *o)
{
    return (o->cert != NULL && o->key != NULL) || is_given(o, "pkcs12") || is_given(o, "psk") || o->sites != NULL;
}

int trusts_system(const struct options *o)
{
    return o->ca == NULL && !o->insecure && !is_given(o, "ca-dir") && !is_given(o, "psk");
}

static void say_refusal(tlsmem_ctx *ctx)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    int known = tlsmem_ctx_error(ctx, &error) == TLSMEM_OK;
    say("%s", known ? error.sentence : tlsmem_strerror(TLSMEM_ENOMEM));
    tlsmem_ctx_free(ctx);
}

void context_refused(tlsmem_ctx *ctx)
{
    say_refusal(ctx);
    exit(EXIT_TLS);
}

tlsmem_ctx *new_context(tlsmem_role role, const struct options *o)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    int client = role == TLSMEM_CLIENT;
    if ((!client && o->ca && tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL)) /* --client-verify has the last word */
        || set_tls_options(ctx, o) || (client && o->insecure && tlsmem_ctx_insecure_no_verify(ctx))
        || (o->ca && tlsmem_ctx_set_ca_file(ctx, o->ca)) || (client && trusts_system(o) && tlsmem_ctx_set_ca_system(ctx))
        || (o->cert && tlsmem_ctx_set_cert_file(ctx, o->cert)) || (o->key && tlsmem_ctx_set_key_file(ctx, o->key))
        || set_responses(ctx, o)) {
        say_refusal(ctx);
        return NULL;
    }
    return ctx;
}

tlsmem_ctx *server_context(const struct options *o)
{
    if (!has_identity(o))
        usage_error("--cert and --key are needed, or --pkcs12, --psk or --sites");
    tlsmem_ctx *ctx = new_context(TLSMEM_SERVER, o);
    if (ctx == NULL)
        exit(EXIT_TLS);
    return ctx;
}

/* What is refused changes nothing: those who come are served as before. */
static void on_hangup(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct signalfd_siginfo info;
    const struct reloading *r = user;
    (void)loop, (void)events;
    if (read(fd, &info, sizeof info) < 0)
        return;
    tlsmem_ctx *fresh = new_context(TLSMEM_SERVER, r->options);
    int status = fresh != NULL ? tlsmem_ctx_reload(r->ctx, fresh) : TLSMEM_ECONFIG;
    tlsmem_ctx_free(fresh);
    say("%s", status == TLSMEM_OK ? "all is read anew, for new connections" : "all stays as it was");
}

void reload_at_hangup(struct reloading *r, tlsmem_loop *loop, tlsmem_ctx *ctx, const struct options *o)
{
    r->ctx = ctx;
    r->options = o;
    watch(loop, signal_descriptor((const int[]){ SIGHUP, 0 }), POLLIN, on_hangup, r);
}
