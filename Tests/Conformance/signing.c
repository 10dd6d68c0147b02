/*
 * Certificates whose keys are held elsewhere: each type of key, on a server and on a client, signed for at once, later, from a
 * thread, wrongly or not at all.
 */
#include "signing.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };

static void check_whole(void)
{
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
}

static tlsmem_ctx *any_client(int version, const char *algorithms)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_insecure_no_verify(ctx) == TLSMEM_OK);
    MUST(algorithms == NULL || tlsmem_ctx_set_signature_algorithms(ctx, algorithms) == TLSMEM_OK);
    return ctx;
}

/** A server that lets in whoever has that key. */
static tlsmem_ctx *pinning(int version, const char *name)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_add_pin(ctx, held(name)->sha256) == TLSMEM_OK);
    return ctx;
}

static void signs_for_a_server(int version, const char *name, const char *algorithm, int scheme, const char *hash)
{
    situation("version %x: a server's %s signs by %s", (unsigned)version, name, algorithm);
    held_key *k = held(name);
    open_pair(any_client(version, algorithm), keyless(TLSMEM_SERVER, version, name), FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_whole();
    CHECK(signs.asked == 1 && signs.scheme == scheme, "asked %d times, scheme %x", signs.asked, (unsigned)signs.scheme);
    CHECK(strcmp(signs.hash, hash) == 0 && strcmp(signs.key_type, k->type) == 0, "%s, %s", signs.hash, signs.key_type);
    CHECK(tlsmem_signature_id(client.c) == scheme, "the client saw %x", (unsigned)tlsmem_signature_id(client.c));
    CHECK(strcmp(signs.scheme_name, tlsmem_signature_name(client.c)) == 0, "asked by %s", signs.scheme_name);
    close_pair();
}

static void signs_for_a_client(int version, const char *name)
{
    situation("version %x: a client's %s", (unsigned)version, name);
    held(name);
    open_pair(keyless(TLSMEM_CLIENT, version, name), pinning(version, name), FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_whole();
    CHECK(signs.asked == 1, "asked %d times", signs.asked);
    CHECK(tlsmem_peer_certificate(server.c, NULL, 0) > 0, "no certificate of the client");
    close_pair();
}

/** The answer comes when nothing else happens any more. */
static void signs_later(int version, face f)
{
    situation("version %x, %s: a signature that comes later", (unsigned)version, face_names[f]);
    signs.how = SIGNS_LATER;
    open_pair(any_client(version, NULL), keyless(TLSMEM_SERVER, version, "P-256"), f);
    wire_settle(&pair_wire);
    CHECK(signs.asked == 1 && !server.established, "asked %d times", signs.asked);
    CHECK(want_of(server.c).waits_for == TLSMEM_QUESTION_SIGN, "waits for %d", (int)want_of(server.c).waits_for);
    CHECK_STATUS(sign_now(), TLSMEM_OK);
    CHECK_STATUS(sign_now(), TLSMEM_ESTATE);
    if (f == FACE_BUFFERS) /* nothing else would drive it: the client has sent everything */
        CHECK_STATUS(tlsmem_handshake(server.c), TLSMEM_AGAIN);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_whole();
    close_pair();
}

/** What ends while it is waited for leaves nothing behind; valgrind sees to that. */
static void gone_meanwhile(int version, int what)
{
    situation("version %x: the connection is %s while a signature is waited for", (unsigned)version,
              what == 0 ? "freed" : what == 1 ? "aborted" : "closed");
    signs.how = SIGNS_LATER;
    open_pair(any_client(version, NULL), keyless(TLSMEM_SERVER, version, "RSA"), FACE_BUFFERS);
    wire_settle(&pair_wire);
    CHECK(signs.asked == 1, "asked %d times", signs.asked);
    if (what == 0)
        end_free_connection(&server);
    else
        CHECK_STATUS(what == 1 ? tlsmem_abort(server.c) : tlsmem_close(server.c), TLSMEM_OK);
    if (what == 1)
        CHECK_ENDED(server, TLSMEM_EABORTED);
    CHECK_STATUS(sign_now(), what == 2 ? TLSMEM_OK : TLSMEM_ESTATE);
    close_pair();
}

static void how_it_answers(int version, const char *name, signer how, face f)
{
    situation("version %x, %s, %s: the holder %s", (unsigned)version, name, face_names[f], signer_names[how]);
    signs.how = how;
    open_pair(any_client(version, NULL), keyless(TLSMEM_SERVER, version, name), f);
    if (how == FREES) {
        wire_settle(&pair_wire);
        CHECK_STATUS(sign_now(), TLSMEM_ESTATE);
        close_pair();
        return;
    }
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    if (how <= SIGNS_TWICE) {
        check_whole();
    } else if (how == ABORTS) {
        CHECK_ENDED(server, TLSMEM_EABORTED);
    } else {
        CHECK_ENDED(server, TLSMEM_ESIGN);
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        CHECK_STATUS(tlsmem_error(server.c, &error), TLSMEM_OK);
        const char *words = how < ANSWERS_NOTHING ? "has not signed"
            : how <= ANSWERS_TOO_MUCH ? "empty, or too long" : "not one of the certificate's key";
        if (how == RETURNS_OK || how == ANSWERS_NOTHING)
            words = "empty, or too long";
        CHECK(error.alert_sent == 80 && strstr(error.sentence, words) != NULL, "alert %d: %s", error.alert_sent, error.sentence);
    }
    CHECK(signs.asked == 1, "asked %d times", signs.asked);
    close_pair();
}

/** Whoever has signed well once with ECDSA is believed, and it is the peer who finds out; with RSA never. */
static void believed(int version)
{
    static const char *const names[] = { "P-256", "RSA" };
    for (int n = 0; n < 2; n++) {
        tlsmem_ctx *to = keyless(TLSMEM_SERVER, version, names[n]);
        for (int i = 0; i < 2; i++) {
            situation("version %x, %s: signature %d is %s", (unsigned)version, names[n], i + 1, i == 0 ? "good" : "wrong");
            signs.how = i == 0 ? SIGNS : FLIPS_A_BIT;
            open_pair(any_client(version, NULL), tlsmem_ctx_ref(to), FACE_BUFFERS);
            CHECK(wire_run(&pair_wire, both_ended), "stalled");
            CHECK_ENDED(server, i == 0 ? TLSMEM_OK : n == 0 ? TLSMEM_EALERT : TLSMEM_ESIGN);
            CHECK(signs.asked == 1, "asked %d times", signs.asked);
            close_pair();
        }
        tlsmem_ctx_free(to);
    }
}

/** Of several the peer's algorithms choose; a local key may stand beside. */
static void several(int version)
{
    static const struct { const char *algorithm; int scheme, asked; } tries[] = {
        { "RSA-PSS+SHA256:RSA+SHA256", 0x0401, 1 }, { "ecdsa_secp256r1_sha256", 0x0403, 1 }, { "ed25519", 0x0807, 0 },
    };
    for (int i = 0; i < 3; i++) {
        situation("version %x: of three certificates the one for %s", (unsigned)version, tries[i].algorithm);
        tlsmem_ctx *to = keyless(TLSMEM_SERVER, version, "RSA,P-256");
        MUST(tlsmem_ctx_add_keypair(to, NULL, certificate("ed25519.pem"), certificate("ed25519.key")) == TLSMEM_OK);
        open_pair(any_client(version, tries[i].algorithm), to, FACE_BUFFERS);
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        check_whole();
        CHECK(signs.asked == tries[i].asked, "asked %d times", signs.asked);
        int scheme = i == 0 ? 0x0804 : tries[i].scheme;
        CHECK(tlsmem_signature_id(client.c) == scheme, "%x", (unsigned)tlsmem_signature_id(client.c));
        close_pair();
    }
    situation("version %x: a certificate for a name", (unsigned)version);
    tlsmem_ctx *to = keyless(TLSMEM_SERVER, version, "RSA");
    held_key *k = held("localhost");
    CHECK_STATUS(tlsmem_ctx_add_keypair_mem(to, "localhost", k->certificate, k->certificate_bytes, NULL, 0), TLSMEM_OK);
    open_pair(any_client(version, NULL), to, FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_whole();
    char subject[64] = "";
    IGNORE(tlsmem_peer_subject(client.c, subject, sizeof subject));
    CHECK(signs.asked == 1 && strcmp(subject, "CN=localhost") == 0, "asked %d times, for %s", signs.asked, subject);
    close_pair();
}

/** Nobody decrypts: static RSA is not there, whatever the list says. */
static void no_decryption(void)
{
    situation("the server's list has static RSA in front, and its key is held elsewhere");
    for (int both = 0; both < 2; both++) {
        tlsmem_ctx *from = any_client(TLSMEM_TLS1_2, NULL), *to = keyless(TLSMEM_SERVER, TLSMEM_TLS1_2, "RSA");
        MUST(tlsmem_ctx_set_ciphers(to, "AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") == TLSMEM_OK);
        MUST(tlsmem_ctx_set_ciphers(from, both ? "AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256" : "AES128-GCM-SHA256") == TLSMEM_OK);
        open_pair(from, to, FACE_BUFFERS);
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        CHECK_ENDED(server, both ? TLSMEM_OK : TLSMEM_ECIPHER);
        CHECK(signs.asked == both, "asked %d times", signs.asked);
        close_pair();
    }
}

/** A program that makes an SSL of the SSL_CTX by itself has nobody who could be asked. */
static void without_the_library(void)
{
    situation("OpenSSL itself uses the context");
    tlsmem_ctx *to = keyless(TLSMEM_SERVER, 0, "P-256");
    SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
    SSL *ends[2] = { SSL_new(plain), SSL_new(tlsmem_ctx_native(to)) };
    BIO *bios[2];
    MUST(ends[0] != NULL && ends[1] != NULL && BIO_new_bio_pair(&bios[0], 0, &bios[1], 0) == 1);
    for (int i = 0; i < 2; i++)
        SSL_set_bio(ends[i], bios[i], bios[i]);
    SSL_set_connect_state(ends[0]);
    SSL_set_accept_state(ends[1]);
    CHECK(SSL_do_handshake(ends[0]) < 0, "a handshake");
    ERR_clear_error();
    CHECK(SSL_do_handshake(ends[1]) < 0, "a handshake");
    const char *words = ERR_reason_error_string(ERR_peek_error());
    CHECK(words != NULL && strstr(words, "nobody to ask") != NULL, "%s", words == NULL ? "no error" : words);
    ERR_clear_error();
    CHECK(signs.asked == 0, "asked %d times", signs.asked);
    for (int i = 0; i < 2; i++)
        SSL_free(ends[i]);
    SSL_CTX_free(plain);
    tlsmem_ctx_free(to);
}

static void settings(void)
{
    held_key *k = held("P-256");
    situation("certificate first, then who signs; and the other way round");
    for (int first = 0; first < 2; first++) {
        tlsmem_ctx *to = tlsmem_ctx_new(TLSMEM_SERVER);
        MUST(to != NULL && (first || tlsmem_ctx_set_sign_cb(to, on_sign, &signs) == TLSMEM_OK));
        CHECK_STATUS(tlsmem_ctx_set_cert_mem(to, k->certificate, k->certificate_bytes), TLSMEM_OK);
        CHECK_STATUS(first ? tlsmem_ctx_set_sign_cb(to, on_sign, &signs) : TLSMEM_OK, TLSMEM_OK);
        CHECK_STATUS(tlsmem_ctx_set_sign_cb(to, NULL, NULL), TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_set_cert_mem(to, held("RSA")->certificate, held("RSA")->certificate_bytes), TLSMEM_OK);
        open_pair(any_client(0, NULL), to, FACE_BUFFERS);
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        check_whole();
        CHECK(signs.asked == 1 && strcmp(signs.key_type, "RSA") == 0, "asked %d times, %s", signs.asked, signs.key_type);
        close_pair();
    }
    situation("a key that comes after all is used");
    tlsmem_ctx *to = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(tlsmem_ctx_set_sign_cb(to, on_sign, &signs) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_cert_file(to, certificate("server.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_key_file(to, certificate("client.key")), TLSMEM_ECONFIG);
    CHECK_STATUS(tlsmem_ctx_set_key_file(to, certificate("server.key")), TLSMEM_OK);
    open_pair(context(TLSMEM_CLIENT, 0), to, FACE_BUFFERS);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    check_whole();
    CHECK(signs.asked == 0, "asked %d times", signs.asked);
    close_pair();

    situation("what cannot be asked for is refused");
    to = tlsmem_ctx_new(TLSMEM_SERVER);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_ctx_add_keypair_mem(to, NULL, k->certificate, k->certificate_bytes, NULL, 0), TLSMEM_EINVAL);
    CHECK(tlsmem_ctx_error(to, &error) == TLSMEM_OK && strstr(error.sentence, "tlsmem_ctx_set_sign_cb") != NULL, "%s", error.sentence);
    CHECK_STATUS(tlsmem_ctx_set_sign_cb(to, on_sign, &signs), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_sign_cb(to, NULL, NULL), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_sign_cb(to, on_sign, &signs), TLSMEM_OK);
    k = held("RSA-PSS");
    CHECK_STATUS(tlsmem_ctx_set_cert_mem(to, k->certificate, k->certificate_bytes), TLSMEM_ECONFIG);
    CHECK(tlsmem_ctx_error(to, &error) == TLSMEM_OK && strstr(error.sentence, "this type of key") != NULL, "%s", error.sentence);
    tlsmem *c = connection(to, NULL, NULL);
    CHECK_STATUS(tlsmem_ctx_set_sign_cb(to, on_sign, &signs), TLSMEM_ESTATE);
    tlsmem_free(c);
    tlsmem_ctx_free(to);
}

int main(void)
{
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    begin("signing");
    for (int v = 0; v < 2; v++) {
        int version = versions[v];
        signs_for_a_server(version, "RSA", "RSA-PSS+SHA256", 0x0804, "SHA256");
        signs_for_a_server(version, "RSA", "RSA-PSS+SHA512", 0x0806, "SHA512");
        if (version == TLSMEM_TLS1_2) {
            signs_for_a_server(version, "RSA", "RSA+SHA256", 0x0401, "SHA256");
            signs_for_a_server(version, "RSA", "RSA+SHA384", 0x0501, "SHA384");
        }
        signs_for_a_server(version, "P-256", "ECDSA+SHA256", 0x0403, "SHA256");
        signs_for_a_server(version, "compressed", "ECDSA+SHA256", 0x0403, "SHA256");
        signs_for_a_server(version, "P-384", "ECDSA+SHA384", 0x0503, "SHA384");
        signs_for_a_server(version, "Ed25519", "ed25519", 0x0807, "-");
        signs_for_a_server(version, "Ed448", "ed448", 0x0808, "-");
        static const char *const names[] = { "RSA", "P-256", "P-384", "Ed25519", "Ed448" };
        for (int n = 0; n < 5; n++)
            signs_for_a_client(version, names[n]);
        for (int f = 0; f < 3; f++)
            signs_later(version, faces[f]);
        for (int what = 0; what < 3; what++)
            gone_meanwhile(version, what);
        for (int how = 0; how < SIGNERS; how++)
            for (int f = 0; f < 3; f++)
                if (how != SIGNS_LATER && (f == 0 || !short_run()))
                    how_it_answers(version, "P-256", (signer)how, faces[f]);
        for (int how = RETURNS_OK; how <= FLIPS_A_BIT; how++)
            how_it_answers(version, "RSA", (signer)how, FACE_BUFFERS);
        believed(version);
        several(version);
        signing_clients(version);
    }
    no_decryption();
    without_the_library();
    settings();
    held_free();
    return finish();
}
