/*
 * What the program answers with, and what it is given to keep: a key in common, and sessions. The program has them in disguise.
 */
#include "wiped.h"

#include <signal.h>

static int is_peer, waits;
static uint64_t token;

/** The key: at once, or later. */
static int say_key(tlsmem *c, uint64_t to)
{
    unsigned char key[32];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * 211 + 97) ^ (unsigned char)(i * i);
    reply.bytes = key;
    reply.length = sizeof key;
    reply.identity = "a";
    int status = tlsmem_answer(c, to, TLSMEM_OK, &reply);
    OPENSSL_cleanse(&reply, sizeof reply);
    if (is_peer)
        OPENSSL_cleanse(key, sizeof key);
    else
        remember("key in common", key, sizeof key);
    return status;
}

static int on_psk(tlsmem *c, const tlsmem_psk_request *asked, void *user)
{
    (void)user;
    token = asked->token;
    if (waits && !is_peer)
        return TLSMEM_LATER;
    CHECK_STATUS(say_key(c, token), TLSMEM_OK);
    if (!is_peer)
        all_are(1);
    return TLSMEM_LATER;
}

static tlsmem_ctx *asking(tlsmem_role role, int version)
{
    tlsmem_ctx *ctx = context(role, version);
    MUST(tlsmem_ctx_set_psk_cb(ctx, on_psk, NULL) == TLSMEM_OK);
    return ctx;
}

/** The other process knows the key too. */
static pid_t start_knowing_peer(tlsmem_ctx *ctx, int fds[2], int asks)
{
    is_peer = 1;
    pid_t peer = start_peer(ctx, fds, asks);
    is_peer = 0;
    return peer;
}

static void key_is_said(int version, tlsmem_role role)
{
    situation("a key in common that a %s is told, TLS 1.%d", role == TLSMEM_SERVER ? "server" : "client", version - 0x0301);
    tlsmem_ctx *ours = asking(role, version);
    tlsmem_ctx *theirs = asking(role == TLSMEM_SERVER ? TLSMEM_CLIENT : TLSMEM_SERVER, version);
    int fds[2], answered = 0;
    pid_t peer = start_knowing_peer(theirs, fds, role == TLSMEM_SERVER);
    tlsmem *c = begin_visit(ours, fds[0], &answered, NULL);
    while (!tlsmem_is_established(c))
        turn(c);
    CHECK_STATUS(secret_count, 1);
    CHECK(tlsmem_psk_identity(c) != NULL, "another handshake");
    struct secret key = secrets[0];
    if (version == TLSMEM_TLS1_2) /* in TLS 1.3 OpenSSL has it in the session */
        all_are(0);
    if (role == TLSMEM_CLIENT) {
        ask(c, &answered);
        tlsmem_close(c);
    }
    leave(c);
    tlsmem_free(c);
    close(fds[0]);
    end_peer(peer);
    secrets[0] = key;
    secret_count = 1;
    all_are(0);
    tlsmem_ctx_free(ours);
    tlsmem_ctx_free(theirs);
}

static void key_is_not_wanted_any_more(int version)
{
    situation("a key in common that a connection is told which ends, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ours = asking(TLSMEM_SERVER, version), *theirs = asking(TLSMEM_CLIENT, version);
    int fds[2], ignored = 0, status;
    waits = 1;
    token = 0;
    pid_t peer = start_knowing_peer(theirs, fds, 1);
    tlsmem *c = begin_visit(ours, fds[0], &ignored, NULL);
    while (token == 0)
        turn(c);
    CHECK_STATUS(say_key(c, token), TLSMEM_OK);
    all_are(1);
    CHECK_STATUS(say_key(c, token), TLSMEM_ESTATE);
    tlsmem_free(c);
    all_are(0);
    waits = 0;
    close(fds[0]);
    MUST(kill(peer, SIGKILL) == 0 && waitpid(peer, &status, 0) == peer);
    tlsmem_ctx_free(ours);
    tlsmem_ctx_free(theirs);
}

/* ---- sessions */

static struct { unsigned char id[32], masked[4096]; size_t id_n, n; struct secret secret; } place;
static struct secret answered_with;

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    MUST(entry->id_length <= sizeof place.id && entry->length <= sizeof place.masked);
    memcpy(place.id, entry->id, place.id_n = entry->id_length);
    place.n = entry->length;
    for (size_t i = 0; i < place.n; i++)
        place.masked[i] = ((const unsigned char *)entry->bytes)[i] ^ MASK;
    remember_session("secret of a session that the program keeps", c);
    place.secret = secrets[secret_count - 1];
    all_are(1);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    static unsigned char bytes[sizeof place.masked];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    (void)user;
    CHECK(entry->id_length == place.id_n && memcmp(entry->id, place.id, place.id_n) == 0, "another id");
    for (size_t i = 0; i < place.n; i++)
        bytes[i] = place.masked[i] ^ MASK;
    reply.bytes = bytes;
    reply.length = place.n;
    CHECK_STATUS(tlsmem_answer(c, entry->token, TLSMEM_OK, &reply), TLSMEM_OK);
    OPENSSL_cleanse(bytes, sizeof bytes);
    secrets[secret_count++] = answered_with = place.secret;
    all_are(1);
    secret_count = 0;
    return TLSMEM_LATER;
}

/** A client that comes back. */
static void come_twice(tlsmem_ctx *from, const int fds[2])
{
    tlsmem_session *session = NULL;
    for (int i = 0; i < 2; i++) {
        int answered = 0;
        tlsmem *c = begin_visit(from, fds[i], &answered, session);
        ask(c, &answered);
        session = tlsmem_session_get(c);
        MUST(session != NULL || i > 0); /* nothing seals the next one where the key is gone */
        tlsmem_close(c);
        leave(c);
    }
    _exit(0);
}

static void sessions(int version)
{
    static const tlsmem_session_callbacks callbacks = { sizeof callbacks, on_new, on_find, NULL };
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_session_callbacks(to, &callbacks, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_tickets(to, 1) == TLSMEM_OK);
    int first[2], second[2], ignored = 0;
    open_pair(first);
    open_pair(second);
    pid_t peer = fork();
    MUST(peer >= 0);
    if (peer == 0)
        come_twice(from, (int[]){ first[1], second[1] });
    for (int again = 0; again < 2; again++) {
        situation("a session that the program %s, TLS 1.%d", again ? "answers with" : "keeps", version - 0x0301);
        tlsmem *c = begin_visit(to, again ? second[0] : first[0], &ignored, NULL);
        leave(c);
        CHECK_STATUS(tlsmem_is_resumed(c), again);
        CHECK(again || secret_count == 1, "%d sessions were kept", secret_count);
        if (again)
            secrets[secret_count++] = answered_with;
        tlsmem_free(c);
        all_are(0);
    }
    end_peer(peer);
    close(first[0]), close(first[1]), close(second[0]), close(second[1]);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/* ---- the key of a ticket */

static const unsigned char key_name[16] = "a key's name";

static void fill_secret(unsigned char *secret)
{
    for (unsigned i = 0; i < 64; i++)
        secret[i] = (unsigned char)(i * 157 + 31) ^ (unsigned char)(i * i * 3);
}

static int on_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *asked, void *user)
{
    unsigned char secret[64];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    (void)user;
    fill_secret(secret);
    reply.bytes = secret;
    reply.length = sizeof secret;
    CHECK_STATUS(tlsmem_answer(c, asked->token, TLSMEM_OK, &reply), TLSMEM_OK);
    remember("secret of a ticket's key", secret, sizeof secret);
    OPENSSL_cleanse(&reply, sizeof reply);
    all_are(1);
    return TLSMEM_LATER;
}

/** While the connection goes on nobody needs it any more. */
static void ticket_key(int version)
{
    tlsmem_ticket_key key = TLSMEM_TICKET_KEY_INIT;
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = context(TLSMEM_CLIENT, version);
    memcpy(key.name, key_name, sizeof key_name);
    fill_secret(key.secret);
    key.encrypt_until = key.decrypt_until = INT64_MAX;
    MUST(tlsmem_ctx_add_ticket_key(to, &key) == TLSMEM_OK && tlsmem_ctx_set_ticket_key_cb(to, on_ticket_key, NULL) == TLSMEM_OK);
    OPENSSL_cleanse(&key, sizeof key);
    int first[2], second[2], ignored = 0;
    open_pair(first);
    open_pair(second);
    pid_t peer = fork();
    MUST(peer >= 0);
    if (peer == 0)
        come_twice(from, (int[]){ first[1], second[1] });
    for (int again = 0; again < 2; again++) {
        situation("a ticket's key that the program %s, TLS 1.%d", again ? "answers with" : "takes away", version - 0x0301);
        tlsmem *c = begin_visit(to, again ? second[0] : first[0], &ignored, NULL);
        if (!again)
            leave(c);
        while (!tlsmem_is_established(c))
            turn(c);
        CHECK_STATUS(tlsmem_is_resumed(c), again);
        CHECK_STATUS(secret_count, again);
        if (again) {
            all_are(0);
            leave(c);
        }
        tlsmem_free(c);
        MUST(tlsmem_ctx_remove_ticket_key(to, key_name) == TLSMEM_OK);
    }
    end_peer(peer);
    close(first[0]), close(first[1]), close(second[0]), close(second[1]);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

void answers_of_the_program(int version)
{
    key_is_said(version, TLSMEM_SERVER);
    key_is_said(version, TLSMEM_CLIENT);
    key_is_not_wanted_any_more(version);
    sessions(version);
    ticket_key(version);
}
