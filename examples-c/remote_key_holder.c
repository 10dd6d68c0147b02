/*
 * remote_key_holder.c - the process that holds the key: it reads what to sign, and writes signatures. It knows nothing of TLS,
 * and speaks to nobody but the server; a real one would have another user, or a device.
 */
#include "common.h"
#include "remote_key.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Signs as TLS has it (RFC 8446, 4.2.3). Returns the length, 0 for none. */
static size_t sign(EVP_PKEY *key, int scheme, const void *message, size_t n, unsigned char *signature, size_t room)
{
    static const char *const hashes[] = { NULL, NULL, "SHA1", "SHA224", "SHA256", "SHA384", "SHA512" };
    int is_pss = scheme >= 0x0804 && scheme <= 0x0806, is_old = scheme >= 0x0200 && scheme < 0x0700;
    const char *hash = is_pss ? hashes[scheme & 0xff] : is_old ? hashes[scheme >> 8] : NULL; /* NULL: Ed25519, Ed448 */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    int good = ctx != NULL && EVP_DigestSignInit_ex(ctx, &how, hash, NULL, NULL, key, NULL) == 1;
    if (good && is_pss)
        good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) > 0
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) > 0;
    good = good && EVP_DigestSign(ctx, signature, &room, message, n) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? room : 0;
}

/* Blocks; returns 0 when the server is gone. */
static int receive(int fd, void *bytes, size_t n)
{
    return n == 0 || recv(fd, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

static int answer(int fd, const void *bytes, size_t n)
{
    return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Whether it is the certificate's, too. What is wrong with a certificate says the server. */
static int is_key_of(EVP_PKEY *key, const char *cert_path)
{
    BIO *file = BIO_new_file(cert_path, "r");
    X509 *cert = file != NULL ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    int is_so = cert == NULL || X509_check_private_key(cert, key) == 1;
    X509_free(cert);
    BIO_free(file);
    return is_so;
}

static int hold(int fd, const char *key_path, const char *cert_path)
{
    static unsigned char message[FRAME_MAX], reply[sizeof(struct frame) + 4096];
    BIO *file = BIO_new_file(key_path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_bio_PrivateKey(file, NULL, NULL, NULL) : NULL;
    BIO_free(file);
    if (key == NULL || !is_key_of(key, cert_path)) {
        say(key == NULL ? "%s: there is no private key in it" : "%s: it is not the key of the certificate", key_path);
        EVP_PKEY_free(key);
        return EXIT_TLS;
    }
    struct frame f;
    int goes_on = answer(fd, "", 1);
    while (goes_on && receive(fd, &f, sizeof f) && f.length <= sizeof message && receive(fd, message, f.length)) {
        size_t n = sign(key, f.scheme, message, f.length, reply + sizeof f, sizeof reply - sizeof f);
        f.scheme = n > 0 ? 0 : -1;
        f.length = (uint32_t)n;
        memcpy(reply, &f, sizeof f);
        goes_on = answer(fd, reply, sizeof f + n);
    }
    EVP_PKEY_free(key);
    return EXIT_DONE;
}

int start_holder(const char *key_path, const char *cert_path)
{
    int fds[2];
    char ready;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        usage_error("no socketpair for the holder of the key");
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        signal(SIGINT, SIG_IGN); /* it ends when the server does */
        signal(SIGTERM, SIG_IGN);
        exit(hold(fds[1], key_path, cert_path));
    }
    close(fds[1]);
    if (pid < 0)
        usage_error("nobody can hold the key");
    if (!receive(fds[0], &ready, 1))
        exit(EXIT_TLS); /* and it has said why */
    return fds[0];
}
