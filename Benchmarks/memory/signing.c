/*
 * signing.c - what a handshake costs when the server's key is held elsewhere, against one with a key of the server's own.
 *
 *     signing [ROUNDS]
 *
 * Client and server are in one process, and the processor time of both counts; TLS 1.3, no session is resumed. "asked" signs
 * inside the callback, with the same OpenSSL: what it costs more is the library's part, a stack of its own, and the verification of
 * RSA's. "another" has a child process sign, over a socketpair, one at a time: what that takes is not this process's time.
 */
#include "measure.h"
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <tlsmem.h>
#include <unistd.h>

enum how { OWN, ASKED, ANOTHER, WAYS };
static const char *const names[WAYS] = { "own", "asked", "another" };

struct scene {
    EVP_PKEY *key;
    tlsmem_ctx *server, *client;
    int holder; /* the socket to it; -1: the callback signs */
};

static size_t sign_now(EVP_PKEY *key, int scheme, const void *message, size_t n, unsigned char *signature, size_t room)
{
    int is_rsa = scheme >= 0x0804 && scheme <= 0x0806, is_ecdsa = scheme < 0x0700;
    static const char *const hashes[] = { NULL, NULL, NULL, NULL, "SHA256", "SHA384", "SHA512" };
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *way = NULL;
    const char *hash = is_rsa ? hashes[scheme & 0xff] : is_ecdsa ? hashes[scheme >> 8] : NULL;
    require(EVP_DigestSignInit_ex(ctx, &way, hash, NULL, NULL, key, NULL) == 1, "EVP_DigestSignInit_ex");
    require(!is_rsa || (EVP_PKEY_CTX_set_rsa_padding(way, RSA_PKCS1_PSS_PADDING) > 0
                        && EVP_PKEY_CTX_set_rsa_pss_saltlen(way, RSA_PSS_SALTLEN_DIGEST) > 0), "PSS");
    require(EVP_DigestSign(ctx, signature, &room, message, n) == 1, "EVP_DigestSign");
    EVP_MD_CTX_free(ctx);
    return room;
}

static int on_sign(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    struct scene *s = user;
    unsigned char bytes[4096];
    ssize_t n;
    if (s->holder >= 0) {
        memcpy(bytes, &request->scheme, sizeof request->scheme);
        memcpy(bytes + sizeof request->scheme, request->message, request->message_bytes);
        n = (ssize_t)(sizeof request->scheme + request->message_bytes);
        require(send(s->holder, bytes, (size_t)n, 0) == n && (n = recv(s->holder, bytes, sizeof bytes, 0)) > 0, "the holder");
    } else {
        n = (ssize_t)sign_now(s->key, request->scheme, request->message, request->message_bytes, bytes, sizeof bytes);
    }
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.bytes = bytes;
    reply.length = (size_t)n;
    require(tlsmem_answer(c, request->token, TLSMEM_OK, &reply) == TLSMEM_OK, "tlsmem_answer");
    return TLSMEM_LATER;
}

static int start_holder(EVP_PKEY *key)
{
    int fds[2], scheme;
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0, "socketpair");
    if (fork() == 0) {
        unsigned char message[4096], signature[4096];
        close(fds[0]);
        for (ssize_t n; (n = recv(fds[1], message, sizeof message, 0)) > (ssize_t)sizeof scheme;) {
            memcpy(&scheme, message, sizeof scheme);
            size_t length = sign_now(key, scheme, message + sizeof scheme, (size_t)n - sizeof scheme, signature, sizeof signature);
            send(fds[1], signature, length, MSG_NOSIGNAL);
        }
        _exit(0);
    }
    close(fds[1]);
    return fds[0];
}

static void carry(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK) {
        require(tlsmem_feed(to, bytes, n) == (ptrdiff_t)n, "tlsmem_feed");
        require(tlsmem_outgoing_consume(from, n) == TLSMEM_OK, "tlsmem_outgoing_consume");
    }
}

static void handshake(void *state)
{
    struct scene *s = state;
    tlsmem *client = tlsmem_new(s->client, NULL, NULL), *server = tlsmem_new(s->server, NULL, NULL);
    require(client != NULL && server != NULL && tlsmem_handshake(client) == TLSMEM_AGAIN, "tlsmem_handshake");
    carry(client, server);
    carry(server, client);
    carry(client, server);
    require(tlsmem_is_established(client) && tlsmem_is_established(server), "a handshake");
    tlsmem_free(client);
    tlsmem_free(server);
}

/** Handshakes a second by the clock on the wall, where the holder's time counts too, and each waits for the other. */
static double elapsed_rate(struct scene *s)
{
    enum { COUNT = 500 };
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < COUNT; i++)
        handshake(s);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return COUNT / ((double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
}

static void make(struct scene *s, EVP_PKEY *key, const char *certificate, size_t n, enum how how)
{
    char pem[4096];
    BIO *text = BIO_new(BIO_s_mem());
    s->key = key;
    s->holder = how == ANOTHER ? start_holder(key) : -1;
    s->server = tlsmem_ctx_new(TLSMEM_SERVER);
    s->client = tlsmem_ctx_new(TLSMEM_CLIENT);
    require(tlsmem_ctx_insecure_no_verify(s->client) == TLSMEM_OK
            && tlsmem_ctx_set_min_version(s->client, TLSMEM_TLS1_3) == TLSMEM_OK
            && tlsmem_ctx_set_cert_mem(s->server, certificate, n) == TLSMEM_OK, "contexts");
    require(PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1, "a key");
    int length = BIO_read(text, pem, sizeof pem);
    require(how == OWN ? tlsmem_ctx_set_key_mem(s->server, pem, (size_t)length) == TLSMEM_OK
                       : tlsmem_ctx_set_sign_cb(s->server, on_sign, s) == TLSMEM_OK, "who signs");
    BIO_free(text);
}

static void compare(const char *type, EVP_PKEY *key, int rounds)
{
    char certificate[4096];
    X509 *x = X509_new();
    BIO *text = BIO_new(BIO_s_mem());
    require(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1)
            && X509_gmtime_adj(X509_getm_notBefore(x), -3600) && X509_gmtime_adj(X509_getm_notAfter(x), 86400)
            && X509_set_pubkey(x, key) && X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256())
            && PEM_write_bio_X509(text, x), "a certificate");
    int n = BIO_read(text, certificate, sizeof certificate);
    static struct scene scenes[WAYS];
    static struct way ways[WAYS];
    for (int i = 0; i < WAYS; i++) {
        make(&scenes[i], key, certificate, (size_t)n, (enum how)i);
        ways[i] = (struct way){ names[i], handshake, &scenes[i], 1, { 0 } };
    }
    char about[64];
    snprintf(about, sizeof about, "signing/%s", type);
    measure(about, ways, WAYS, rounds);
    for (int i = 0; i < WAYS; i++) {
        print_line("handshakes/s of CPU", 1e9 / median(ways[i].ns, rounds), "%s/%s", about, names[i]);
        print_line("handshakes/s elapsed", elapsed_rate(&scenes[i]), "%s/%s", about, names[i]);
        tlsmem_ctx_free(scenes[i].server);
        tlsmem_ctx_free(scenes[i].client);
        close(scenes[i].holder);
    }
    print_line("x", ratio(&ways[OWN], &ways[ASKED], rounds), "%s/asked-against-own", about);
    BIO_free(text);
    X509_free(x);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    int rounds = rounds_wanted(argc, argv);
    signal(SIGCHLD, SIG_IGN);
    compare("P-256", EVP_EC_gen("P-256"), rounds);
    compare("RSA-2048", EVP_RSA_gen(2048), rounds);
    compare("Ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), rounds);
    return 0;
}
