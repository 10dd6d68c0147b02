/*
 * Peers that have a key in common: who is let in by it, what is refused, and what certificates are for beside it.
 */
#include "psk.h"

#include <openssl/ssl.h>

static int version;
static const char key[33] = "0123456789abcdef0123456789ABCDEF", other_key[33] = "another key that nobody else has";

static tlsmem_ctx *bare(tlsmem_role role)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(ctx != NULL && tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *with_key(tlsmem_ctx *ctx, const char *identity, const char *bytes)
{
    CHECK_STATUS(tlsmem_ctx_set_psk(ctx, identity, bytes, 32), TLSMEM_OK);
    return ctx;
}

/** Whether the connection was made, and by which key. */
static void check_meeting(const char *host, tlsmem_ctx *from, tlsmem_ctx *to, const char *identity)
{
    meet(from, to, host, NULL);
    CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
    CHECK_STATUS(error_of(server.c).status, TLSMEM_OK);
    CHECK(client.received == 100 && server.received == 100, "received: %d and %d", (int)client.received, (int)server.received);
    const end *const ends[] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        const char *said = tlsmem_psk_identity(ends[i]->c);
        CHECK((said == NULL) == (identity == NULL) && (said == NULL || strcmp(said, identity) == 0), "identity %s, not %s",
              said != NULL ? said : "none", identity != NULL ? identity : "none");
        CHECK_STATUS(tlsmem_is_resumed(ends[i]->c), 0);
    }
    CHECK_STATUS(tlsmem_peer_certificate(client.c, NULL, 0) > 0, identity == NULL);
    part();
}

int alert_for_wrong_key(int alert)
{
    return alert == 47 && strncmp(tlsmem_openssl_version(), "OpenSSL 3.0", 11) != 0 ? 51 : alert;
}

static void refused(tlsmem_ctx *from, tlsmem_ctx *to, int of_client, int of_server, int alert)
{
    meet(from, to, NULL, NULL);
    tlsmem_error_info at_client = error_of(client.c), at_server = error_of(server.c);
    CHECK(at_client.status == of_client, "client: %s (%s)", tlsmem_status_name(at_client.status), at_client.sentence);
    CHECK(at_server.status == of_server, "server: %s (%s)", tlsmem_status_name(at_server.status), at_server.sentence);
    int said = at_server.alert_sent >= 0 ? at_server.alert_sent : at_client.alert_sent;
    CHECK_STATUS(said, alert_for_wrong_key(alert));
    CHECK(!tlsmem_is_established(server.c), "the server has let it in");
    part();
}

static void in_common(void)
{
    situation("nothing but keys, TLS 1.%d", version - 0x0301);
    char longest[257] = { 0 };
    memset(longest, 'i', 255);
    tlsmem_ctx *to = bare(TLSMEM_SERVER);
    static const char *const names[] = { "b", "a", "c", ("b\xc3\xbc" "cher"), "" };
    for (int i = 0; i < 5; i++)
        with_key(to, i < 4 ? names[i] : longest, i % 2 ? key : other_key);
    for (int i = 0; i < 5; i++) {
        tlsmem_ctx *from = with_key(bare(TLSMEM_CLIENT), i < 4 ? names[i] : longest, i % 2 ? key : other_key);
        check_meeting(NULL, from, to, i < 4 ? names[i] : longest);
        check_meeting("localhost", from, to, i < 4 ? names[i] : longest);
        tlsmem_ctx_free(from);
    }
    tlsmem_ctx_free(to);

    to = with_key(with_key(bare(TLSMEM_SERVER), "a", other_key), "a", key);
    tlsmem_ctx *from = with_key(with_key(bare(TLSMEM_CLIENT), "z", other_key), "a", key);
    check_meeting(NULL, from, to, "a"); /* the last of both counts */
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void not_in_common(void)
{
    situation("other keys, other identities, TLS 1.%d", version - 0x0301);
    int is_1_3 = version == TLSMEM_TLS1_3;
    tlsmem_ctx *to = with_key(bare(TLSMEM_SERVER), "a", key);
    tlsmem_ctx *wrong = with_key(bare(TLSMEM_CLIENT), "a", other_key), *unknown = with_key(bare(TLSMEM_CLIENT), "b", key);
    /* In TLS 1.2 nobody can tell one from the other. */
    refused(wrong, to, TLSMEM_EALERT, is_1_3 ? TLSMEM_EPSK : TLSMEM_EPROTOCOL, is_1_3 ? 47 : 20);
    if (is_1_3)
        refused(unknown, to, TLSMEM_ECIPHER, TLSMEM_ECIPHER, 40);
    else
        refused(unknown, to, TLSMEM_EALERT, TLSMEM_EPROTOCOL, 20);
    tlsmem_ctx_free(to);
    to = context(TLSMEM_SERVER, version);
    refused(wrong, to, TLSMEM_EVERIFY, TLSMEM_EREJECTED, 48);
    tlsmem_ctx_free(to);
    to = with_key(bare(TLSMEM_SERVER), "a", key);
    tlsmem_ctx *none = context(TLSMEM_CLIENT, version);
    refused(none, to, TLSMEM_ECIPHER, TLSMEM_ECIPHER, 40);
    tlsmem_ctx_free(none);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(wrong);
    tlsmem_ctx_free(unknown);
}

/** OpenSSL's clients have SHA-384 first, for which the key is not; and TLS 1.2 has names of ciphers. */
static void ciphers(void)
{
    situation("ciphers, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *to = with_key(context(TLSMEM_SERVER, version), "a", key), *from = with_key(bare(TLSMEM_CLIENT), "a", key);
    MUST(SSL_CTX_set_ciphersuites(tlsmem_ctx_native(from), "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256") == 1);
    check_meeting(NULL, from, to, "a");
    MUST(tlsmem_ctx_set_ciphers(to, "ECDHE+AESGCM") == TLSMEM_ESTATE);
    tlsmem_ctx_free(to);
    to = with_key(context(TLSMEM_SERVER, version), "a", key);
    MUST(tlsmem_ctx_set_preset(to, TLSMEM_PRESET_INTERMEDIATE) == TLSMEM_OK);
    check_meeting(NULL, from, to, "a");
    tlsmem_ctx_free(to);
    if (version == TLSMEM_TLS1_2) {
        to = context(TLSMEM_SERVER, version);
        MUST(tlsmem_ctx_set_ciphers(to, "ECDHE+AESGCM") == TLSMEM_OK);
        with_key(to, "a", key); /* the program has named ciphers, of which none is for keys */
        refused(from, to, TLSMEM_EVERIFY, TLSMEM_EREJECTED, 48);
        tlsmem_ctx_free(to);
        STACK_OF(SSL_CIPHER) *offered = SSL_CTX_get_ciphers(tlsmem_ctx_native(from));
        for (int i = 0; i < sk_SSL_CIPHER_num(offered); i++)
            CHECK(strncmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(offered, i)), "RSA-PSK", 7) != 0, "RSA-PSK is offered");
    }
    tlsmem_ctx_free(from);
}

static void beside_certificates(void)
{
    situation("keys and certificates, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *both = with_key(context(TLSMEM_SERVER, version), "a", key), *with = with_key(context(TLSMEM_CLIENT, version), "a", key);
    tlsmem_ctx *without = context(TLSMEM_CLIENT, version), *unknown = with_key(context(TLSMEM_CLIENT, version), "b", key);
    check_meeting(NULL, with, both, "a");
    check_meeting(NULL, without, both, NULL);
    if (version == TLSMEM_TLS1_3) /* where a client can offer both at once */
        check_meeting(NULL, unknown, both, NULL);
    tlsmem_ctx *plain = context(TLSMEM_SERVER, version);
    check_meeting(NULL, with, plain, NULL);
    tlsmem_ctx_free(plain);

    tlsmem_ctx *strict = with_key(context(TLSMEM_SERVER, version), "a", key);
    MUST(tlsmem_ctx_set_ca_file(strict, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(strict, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    check_meeting(NULL, with, strict, "a");
    meet(without, strict, NULL, NULL);
    CHECK_STATUS(error_of(server.c).status, TLSMEM_ENOCERT);
    part();
    tlsmem_ctx_free(strict);

    tlsmem *nameless = tlsmem_new(with, NULL, NULL);
    CHECK_STATUS(tlsmem_handshake(nameless), TLSMEM_ENAME);
    tlsmem_free(nameless);
    tlsmem_ctx_free(both);
    tlsmem_ctx_free(with);
    tlsmem_ctx_free(without);
    tlsmem_ctx_free(unknown);
}

/** What a key has opened is not kept open by a session, and a session of other keys opens nothing. */
static void sessions(void)
{
    situation("sessions, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *to = with_key(context(TLSMEM_SERVER, version), "a", key), *with = with_key(context(TLSMEM_CLIENT, version), "a", key);
    meet(with, to, NULL, NULL);
    tlsmem_session *session = tlsmem_session_get(client.c);
    CHECK(version == TLSMEM_TLS1_2 || session == NULL, "a ticket for who has a key");
    part();
    if (session != NULL) {
        tlsmem *c = connection(with, NULL, NULL);
        CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_ENOCERT);
        tlsmem_free(c);
        tlsmem_ctx *open = with_key(bare(TLSMEM_CLIENT), "a", key);
        MUST(tlsmem_ctx_insecure_no_verify(open) == TLSMEM_OK);
        meet(open, to, NULL, session);
        CHECK_STATUS(tlsmem_is_resumed(server.c), 1);
        CHECK_STATUS(tlsmem_is_resumed(client.c), 1);
        CHECK(tlsmem_psk_identity(server.c) != NULL && strcmp(tlsmem_psk_identity(server.c), "a") == 0, "no identity");
        part();
        tlsmem_ctx_free(open);
        tlsmem_session_free(session);
    }
    tlsmem_ctx *certified = context(TLSMEM_CLIENT, version), *first = context(TLSMEM_SERVER, version);
    unsigned char keys[80];
    memset(keys, 7, sizeof keys);
    tlsmem_ctx *second = with_key(context(TLSMEM_SERVER, version), "b", key), *third = with_key(context(TLSMEM_SERVER, version), "b", other_key);
    tlsmem_ctx *const all[] = { first, second, third };
    for (int i = 0; i < 3; i++)
        MUST(SSL_CTX_set_tlsext_ticket_keys(tlsmem_ctx_native(all[i]), keys, sizeof keys) == 1);
    meet(certified, second, NULL, NULL);
    session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    part();
    for (int i = 0; i < 3; i++) {
        meet(certified, all[i], NULL, session);
        CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
        CHECK_STATUS(tlsmem_is_resumed(server.c), all[i] == second);
        part();
    }
    tlsmem_session_free(session);
    for (int i = 0; i < 3; i++)
        tlsmem_ctx_free(all[i]);
    tlsmem_ctx_free(certified);
    tlsmem_ctx_free(with);
    tlsmem_ctx_free(to);
}

static tlsmem_ctx *target;

static int change(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)hello, (void)user;
    CHECK_STATUS(tlsmem_set_ctx(c, target), TLSMEM_OK);
    return TLSMEM_OK;
}

/** Keys go with the context that a ClientHello has chosen. */
static void changed(void)
{
    situation("a context that is changed, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *from = with_key(context(TLSMEM_CLIENT, version), "a", key);
    tlsmem_ctx *front = with_key(bare(TLSMEM_SERVER), "a", key), *plain_front = bare(TLSMEM_SERVER);
    MUST(tlsmem_ctx_set_client_hello_cb(front, change, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_client_hello_cb(plain_front, change, NULL) == TLSMEM_OK);
    target = context(TLSMEM_SERVER, version);
    check_meeting(NULL, from, front, NULL);
    tlsmem_ctx_free(target);
    target = with_key(bare(TLSMEM_SERVER), "a", key);
    check_meeting(NULL, from, plain_front, "a");
    tlsmem_ctx_free(target);
    tlsmem_ctx_free(front);
    tlsmem_ctx_free(plain_front);
    tlsmem_ctx_free(from);
}

int main(void)
{
    begin("psk");
    for (version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        in_common();
        not_in_common();
        ciphers();
        beside_certificates();
        sessions();
        changed();
        asked_for_keys(version);
    }
    return finish();
}
