#include "setters.h"

#define OWN identity_of(0)

tlsmem_ctx *peer_server(void)
{
    static tlsmem_ctx *ctx;
    if (ctx == NULL)
        ctx = context(TLSMEM_SERVER, 0);
    return ctx;
}

tlsmem_ctx *peer_client(void)
{
    static tlsmem_ctx *ctx;
    if (ctx == NULL)
        ctx = context(TLSMEM_CLIENT, -1);
    return ctx;
}

/**
 * Whether a number could be a count of iterations that takes for ever: who writes an encrypted key says how often its password
 * is hashed, and OpenSSL does as it is told.
 */
static int is_slow(const char *der, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (der[i] == 2 && der[i + 1] >= 3 && der[i + 1] <= 8)
            return 1;
    return 0;
}

static int cert(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)more;
    return tlsmem_ctx_set_cert_mem(ctx, bytes, n);
}

static ptrdiff_t password(char *at, size_t size, const char *subject, void *user)
{
    (void)user;
    MUST(subject == NULL && size >= 4);
    memcpy(at, "fuzz", 4);
    return 4;
}

static int key(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role;
    if (more & 1 && !is_slow(bytes, n))
        MUST(tlsmem_ctx_set_password_cb(ctx, password, NULL) == TLSMEM_OK);
    return tlsmem_ctx_set_key_mem(ctx, bytes, n);
}

static int pkcs12(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role;
    if (is_slow(bytes, n))
        return TLSMEM_OK;
    return tlsmem_ctx_set_pkcs12_mem(ctx, bytes, n, more & 1 ? "fuzz" : NULL);
}

static int ca(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role;
    return more & 1 ? tlsmem_ctx_set_accepted_ca_mem(ctx, bytes, n) : tlsmem_ctx_set_ca_mem(ctx, bytes, n);
}

static int crl(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)more;
    return tlsmem_ctx_add_crl_mem(ctx, bytes, n);
}

static int ocsp(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)more;
    return tlsmem_ctx_set_ocsp_response_mem(ctx, bytes, n);
}

static int keypair(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n;
    const char *name = more & 1 ? bytes : NULL;
    size_t used = more & 1 ? strlen(bytes) : 0;
    if (more & 2) /* only the name is the input's */
        return tlsmem_ctx_add_keypair_mem(ctx, bytes, OWN->cert, strlen(OWN->cert), OWN->key, strlen(OWN->key));
    used += used < n;
    return tlsmem_ctx_add_keypair_mem(ctx, name, bytes + used, n - used, OWN->key, strlen(OWN->key));
}

static int alpn(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n;
    MUST(tlsmem_ctx_set_alpn_policy(ctx, (tlsmem_alpn_policy)(more % 3)) == TLSMEM_OK);
    return tlsmem_ctx_set_alpn(ctx, bytes);
}

static int ciphers(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n;
    if (more & 1)
        MUST(tlsmem_ctx_set_preset(ctx, TLSMEM_PRESET_MODERN) == TLSMEM_OK);
    return tlsmem_ctx_set_ciphers(ctx, bytes);
}

static int groups(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n, (void)more;
    return tlsmem_ctx_set_groups(ctx, bytes);
}

static int algorithms(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n, (void)more;
    return tlsmem_ctx_set_signature_algorithms(ctx, bytes);
}

static int ticket_keys(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)more;
    return tlsmem_ctx_set_ticket_keys_mem(ctx, bytes, n);
}

static int psk(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role;
    size_t used = strlen(bytes);
    return tlsmem_ctx_set_psk(ctx, bytes, more & 1 ? "0123456789abcdef" : bytes + used, more & 1 ? 16 : n - used);
}

static int pin(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    uint8_t sha256[32] = { 0 };
    (void)role, (void)more;
    memcpy(sha256, bytes, n < 32 ? n : 32);
    return tlsmem_ctx_add_pin(ctx, sha256);
}

/** A session: what is taken is written again, and offered. */
static int session(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    tlsmem_session *made = NULL;
    uint8_t again[1 << 16];
    int status = tlsmem_session_from_bytes(bytes, n, &made);
    MUST((status == TLSMEM_OK) == (made != NULL));
    if (made == NULL)
        return status;
    ptrdiff_t length = tlsmem_session_to_bytes(made, again, sizeof again);
    MUST(length > 0 || length == TLSMEM_ELIMIT);
    IGNORE(tlsmem_session_expires(made));
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    if (role == TLSMEM_CLIENT)
        IGNORE(tlsmem_set_server_name(c, "fuzz.example"));
    int offered = tlsmem_session_set(c, made);
    if (offered == TLSMEM_OK && more & 1)
        IGNORE(tlsmem_write_early(c, "early", 5));
    IGNORE(tlsmem_handshake(c));
    ask_everything(c);
    tlsmem_free(c);
    tlsmem_session_free(made);
    return status;
}

static int server_name(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)n, (void)more;
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    int status = tlsmem_set_server_name(c, bytes);
    IGNORE(tlsmem_handshake(c));
    tlsmem_free(c);
    return status;
}

static void ignore_sent(const void *bytes, size_t n, void *user)
{
    (void)user;
    MUST(bytes != NULL && n > 0);
}

static int recording(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    (void)role, (void)more;
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    int status = tlsmem_replay(c, bytes, n, ignore_sent, NULL);
    ask_everything(c);
    tlsmem_free(c);
    return status;
}

static int refuse(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    return 1;
}

/** Only digits, dots, colons and what else addresses are made of: nobody is to be asked for a name. */
static int is_address(const char *text, size_t n)
{
    return n < 80 && strlen(text) == n && strspn(text, "0123456789.:abcdefABCDEF") == n && strchr(text, ':') != NULL;
}

/** Where to listen: addresses of loopback and what is none. */
static int place(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_connect_options target = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_loop *loop = tlsmem_loop_new();
    int status;
    MUST(loop != NULL);
    options.on_accept = refuse;
    if (more & 1)
        options.path = n > 0 && bytes[0] == '@' ? bytes : "@fuzz";
    else
        options.host = is_address(bytes, n) ? bytes : "127.0.0.1";
    if (role == TLSMEM_SERVER)
        status = tlsmem_loop_listen(loop, ctx, &options, NULL);
    else {
        tlsmem *c = tlsmem_new(ctx, NULL, NULL);
        target.host = "::1", target.port = 1, target.bind_host = is_address(bytes, n) ? bytes : "::1";
        status = tlsmem_loop_connect(loop, c, &target);
        tlsmem_free(c);
    }
    tlsmem_loop_free(loop);
    return status;
}

const format formats[] = {
    { "cert", 0, cert }, { "key", 0, key }, { "pkcs12", 0, pkcs12 }, { "ca", 0, ca }, { "crl", 0, crl },
    { "ocsp", 0, ocsp }, { "keypair", 1, keypair }, { "alpn", 1, alpn }, { "ciphers", 1, ciphers },
    { "groups", 1, groups }, { "algorithms", 1, algorithms }, { "ticket_keys", 0, ticket_keys },
    { "psk", 1, psk }, { "pin", 0, pin }, { "session", 0, session }, { "server_name", 1, server_name },
    { "recording", 0, recording }, { "place", 1, place },
};
const unsigned formats_count = sizeof formats / sizeof *formats;
