/* Contexts with random settings, of which most let two ends meet. */
#include "contexts.h"
#include "identities.h"
#include "questions.h"
#include "simulation.h"
#include "world.h"

const char *const setting_names[SETTINGS] = {
    "old", "other-keys", "psk", "small", "deadlines", "keys", "renegotiation", "client-cert", "alpn", "early", "tickets",
    "store", "hello", "verdict", "key-asked", "choice", "mismatch", "buffers", "reload", "pauses",
    "trace",
};

static const unsigned char shared_key[32] = "a key that both ends have";

/** A setter of the world must not be refused. */
static void must(int status, const char *what, const tlsmem_ctx *ctx)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (status == TLSMEM_OK)
        return;
    if (ctx != NULL)
        tlsmem_ctx_error(ctx, &error);
    fail(-1, "setting", "%s: %s (%s)", what, tlsmem_status_name(status), error.sentence);
}
#define MUST(call) must((call), #call, ctx)

static void draw(service *s)
{
    static const unsigned permille[SETTINGS] = {
        [SETTING_OLD] = 350, [SETTING_OTHER_KEYS] = 150, [SETTING_PSK] = 350, [SETTING_SMALL] = 300,
        [SETTING_DEADLINES] = 200, [SETTING_KEYS] = 150, [SETTING_RENEGOTIATION] = 400, [SETTING_CLIENT_CERT] = 200,
        [SETTING_ALPN] = 200, [SETTING_EARLY] = 300, [SETTING_TICKETS] = 400, [SETTING_STORE] = 150,
        [SETTING_HELLO] = 200, [SETTING_VERDICT] = 200, [SETTING_KEY_ASKED] = 100, [SETTING_CHOICE] = 200,
        [SETTING_MISMATCH] = 60, [SETTING_BUFFERS] = 200, [SETTING_RELOAD] = 200, [SETTING_PAUSES] = 100,
        [SETTING_TRACE] = 150,
    };
    s->has = 0;
    for (int i = 0; i < SETTINGS; i++)
        s->has |= (unsigned)chance_permille(&world_chance, permille[i]) << i;
    s->has &= chosen.settings;
    uint64_t versions = chance_below(&world_chance, 4);
    s->version = !service_has(s, SETTING_OLD) ? TLSMEM_TLS1_3 : versions == 0 ? 0 : TLSMEM_TLS1_2;
    for (int side = 0; side < 2; side++) {
        tlsmem_limits limits = TLSMEM_LIMITS_INIT;
        limits.update_burst = 1000000;
        limits.update_rate = 1000000;
        if (service_has(s, SETTING_SMALL)) {
            limits.outgoing_max = 32768 + chance_size(&world_chance, 65536);
            limits.outgoing_low = chance_below(&world_chance, limits.outgoing_max);
            limits.outgoing_high = limits.outgoing_low + chance_below(&world_chance, limits.outgoing_max);
            limits.incoming_max = 100 + chance_size(&world_chance, 65536);
            limits.incoming_low = chance_below(&world_chance, limits.incoming_max);
            limits.wake_max = 100 + chance_size(&world_chance, 65536);
        }
        if (service_has(s, SETTING_DEADLINES)) {
            limits.handshake_ms = (uint32_t)(500 + chance_size(&world_chance, 20000));
            limits.idle_ms = (uint32_t)chance_below(&world_chance, 2) * (uint32_t)(2000 + chance_size(&world_chance, 20000));
            limits.read_ms = (uint32_t)chance_below(&world_chance, 2) * (uint32_t)(2000 + chance_size(&world_chance, 20000));
            limits.write_ms = (uint32_t)chance_below(&world_chance, 2) * (uint32_t)(2000 + chance_size(&world_chance, 20000));
            limits.close_ms = (uint32_t)(100 + chance_size(&world_chance, 10000));
        }
        if (service_has(s, SETTING_BUFFERS))
            limits.buffers_ms = (uint32_t)chance_size(&world_chance, 5000);
        s->limits[side] = limits;
    }
}

static void set_identity(tlsmem_ctx *ctx, const service *s)
{
    const char *certificate = p256_certificate, *key = p256_key;
    if (service_has(s, SETTING_OTHER_KEYS)) {
        int is_rsa = chance_permille(&world_chance, 250);
        certificate = is_rsa ? rsa_certificate : ed25519_certificate;
        key = is_rsa ? rsa_key : ed25519_key;
    }
    MUST(tlsmem_ctx_set_cert_mem(ctx, certificate, strlen(certificate)));
    MUST(tlsmem_ctx_set_key_mem(ctx, key, strlen(key)));
}

static void set_server(tlsmem_ctx *ctx, const service *s)
{
    if (!service_has(s, SETTING_PSK) || chance_permille(&world_chance, 500))
        set_identity(ctx, s);
    if (service_has(s, SETTING_TICKETS)) {
        MUST(tlsmem_ctx_set_tickets(ctx, (int)chance_below(&world_chance, 5)));
        MUST(tlsmem_ctx_set_ticket_mode(ctx, (tlsmem_ticket_mode)chance_below(&world_chance, 3)));
    }
    if (service_has(s, SETTING_EARLY))
        MUST(tlsmem_ctx_set_early_data(ctx, 16384));
    if (service_has(s, SETTING_CLIENT_CERT)) {
        tlsmem_verify kinds[] = { TLSMEM_VERIFY_OPTIONAL, TLSMEM_VERIFY_REQUIRED, TLSMEM_VERIFY_LATER };
        MUST(tlsmem_ctx_set_ca_mem(ctx, authority, strlen(authority)));
        MUST(tlsmem_ctx_set_verify(ctx, kinds[chance_below(&world_chance, 3)]));
    }
    if (service_has(s, SETTING_HELLO))
        MUST(tlsmem_ctx_set_client_hello_cb(ctx, hello_asked, NULL));
    if (service_has(s, SETTING_STORE))
        MUST(tlsmem_ctx_set_session_callbacks(ctx, &store_callbacks, NULL));
}

static void set_client(tlsmem_ctx *ctx, const service *s)
{
    if (!service_has(s, SETTING_PSK) || chance_permille(&world_chance, 700))
        MUST(tlsmem_ctx_set_ca_mem(ctx, authority, strlen(authority)));
    if (service_has(s, SETTING_CLIENT_CERT)) {
        MUST(tlsmem_ctx_set_post_handshake_auth(ctx, 1));
        if (!service_has(s, SETTING_MISMATCH)) {
            MUST(tlsmem_ctx_set_cert_mem(ctx, client_certificate, strlen(client_certificate)));
            MUST(tlsmem_ctx_set_key_mem(ctx, client_key, strlen(client_key)));
        }
    }
    if (service_has(s, SETTING_CHOICE))
        MUST(tlsmem_ctx_set_client_cert_cb(ctx, certificate_asked, NULL));
}

static tlsmem_ctx *make(const service *s, int side)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(side == 0 ? TLSMEM_CLIENT : TLSMEM_SERVER);
    if (ctx == NULL)
        fail(-1, "context", "there is none");
    if (s->version != 0) {
        MUST(tlsmem_ctx_set_min_version(ctx, s->version));
        MUST(tlsmem_ctx_set_max_version(ctx, s->version));
    }
    if (side == 0)
        set_client(ctx, s);
    else
        set_server(ctx, s);
    if (service_has(s, SETTING_PSK) && service_has(s, SETTING_KEY_ASKED) && side == 1)
        MUST(tlsmem_ctx_set_psk_cb(ctx, key_asked, NULL));
    else if (service_has(s, SETTING_PSK))
        MUST(tlsmem_ctx_set_psk(ctx, "both", shared_key, sizeof shared_key));
    if (service_has(s, SETTING_ALPN)) {
        int is_other = service_has(s, SETTING_MISMATCH) && side == 0;
        MUST(tlsmem_ctx_set_alpn(ctx, is_other ? "other" : "simulated,http/1.1"));
        MUST(tlsmem_ctx_set_alpn_policy(ctx, (tlsmem_alpn_policy)chance_below(&world_chance, 3)));
    }
    if (service_has(s, SETTING_RENEGOTIATION))
        MUST(tlsmem_ctx_set_renegotiation(ctx, TLSMEM_RENEGOTIATE_ALWAYS));
    if (service_has(s, SETTING_KEYS))
        MUST(tlsmem_ctx_set_key_update(ctx, chance_size(&world_chance, 100000), (uint32_t)chance_below(&world_chance, 3)));
    if (service_has(s, SETTING_VERDICT))
        MUST(tlsmem_ctx_set_verify_cb(ctx, verdict_asked, NULL));
    if (service_has(s, SETTING_TRACE))
        MUST(tlsmem_ctx_set_trace_cb(ctx, traced, NULL));
    MUST(tlsmem_ctx_set_limits(ctx, &s->limits[side]));
    return ctx;
}

void service_begin(service *s)
{
    draw(s);
    for (int side = 0; side < 2; side++)
        s->contexts[side] = make(s, side);
    s->session = NULL;
}

void service_reload(service *s, int side)
{
    tlsmem_ctx *ctx = make(s, side);
    int status = tlsmem_ctx_reload(s->contexts[side], ctx);
    note("reload", side, status, 0);
    must(status, "tlsmem_ctx_reload", NULL);
    tlsmem_ctx_free(ctx);
}

void service_end(service *s)
{
    for (int side = 0; side < 2; side++) {
        tlsmem_ctx_stats_info stats = TLSMEM_CTX_STATS_INFO_INIT;
        tlsmem_ctx_stats(s->contexts[side], &stats);
        if (stats.connections + stats.connections_old != 0)
            fail(-1, "leaked connection", "%llu connections of the context of side %d were not freed",
                 (unsigned long long)(stats.connections + stats.connections_old), side);
        tlsmem_ctx_free(s->contexts[side]);
    }
    tlsmem_session_free(s->session);
    s->session = NULL;
}
