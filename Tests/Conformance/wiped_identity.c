/*
 * Private keys: the text of a file and its password are gone once the setter has returned, and the key itself with its context.
 * Whoever looks for them must not have them, so another process reads the files, and tells in disguise. Not looked for is the
 * number as DER has it: OpenSSL's decoder gives back the memory of a copy as it is, and no call reads a key without it.
 */
#define _GNU_SOURCE
#include "wiped.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/mman.h>

enum { TEXT = 24, NUMBER = 32 };

/** A key file in memory that is not mapped, and what is to be looked for, each byte masked. */
typedef struct found {
    unsigned char text[TEXT];     /* of the file, from its second line */
    unsigned char number[NUMBER]; /* that makes it private, its low end, as OpenSSL's numbers are in memory: that first */
} found;

static const char *const kinds[] = { "server", "rsa" };
static char password[] = /* masked */
    "\x34\x35\x38\x35\x3e\x23\x7a\x2d\x35\x2f\x36\x3e\x7a\x3d\x2f\x3f\x29\x29\x7a\x2e\x32\x3b\x2e\x7a"
    "\x2e\x32\x33\x29\x7a\x35\x34\x3f\x7a\x35\x2a\x3f\x34\x29\x7a\x3b\x7a\x31\x3f\x23\x7a\x3c\x33\x36\x3f";
enum { PASSWORD = sizeof password - 1 };

static void mask(void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)bytes)[i] ^= MASK;
}

static ptrdiff_t tell_password(char *to, size_t size, const char *subject, void *user)
{
    (void)subject, (void)user;
    MUST(size >= PASSWORD);
    memcpy(to, password, PASSWORD);
    mask(to, PASSWORD);
    return PASSWORD;
}

/** In another process: reads the key of this name, writes it to a file, encrypted or not, and reports. */
static void read_key(const char *name, int is_encrypted, int to, int report)
{
    char path[64], word[PASSWORD + 1] = "", text[8192];
    found f;
    BIGNUM *number = NULL;
    FILE *file = fopen(certificate(name), "r");
    MUST(file != NULL);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    MUST(key != NULL);
    const char *which = EVP_PKEY_is_a(key, "RSA") ? OSSL_PKEY_PARAM_RSA_FACTOR1 : OSSL_PKEY_PARAM_PRIV_KEY;
    MUST(EVP_PKEY_get_bn_param(key, which, &number) == 1);
    unsigned char whole[512];
    int n = BN_bn2binpad(number, whole, BN_num_bytes(number) < NUMBER ? NUMBER : BN_num_bytes(number));
    MUST(n >= NUMBER);
    for (int i = 0; i < NUMBER; i++)
        f.number[i] = whole[n - 1 - i];
    tell_password(word, PASSWORD, NULL, NULL);
    snprintf(path, sizeof path, "/proc/self/fd/%d", to);
    file = fopen(path, "w+");
    MUST(file != NULL);
    const EVP_CIPHER *cipher = is_encrypted ? EVP_aes_256_cbc() : NULL;
    MUST(PEM_write_PKCS8PrivateKey(file, key, cipher, word, is_encrypted ? PASSWORD : 0, NULL, NULL));
    rewind(file);
    MUST(fgets(text, sizeof text, file) != NULL && fgets(text, sizeof text, file) != NULL && strlen(text) > TEXT);
    memcpy(f.text, text, TEXT);
    fclose(file);
    mask(&f, sizeof f);
    _exit(write(report, &f, sizeof f) == sizeof f ? 0 : 1);
}

static void remember_masked(const char *name, const unsigned char *masked, size_t n)
{
    unsigned char bytes[PASSWORD];
    memcpy(bytes, masked, n);
    mask(bytes, n);
    remember(name, bytes, n);
}

static void key_file(const char *kind, int is_encrypted)
{
    found f;
    char name[64], path[64];
    int status, report[2], file = memfd_create("key", 0);
    situation("the key of a file, %s, %s", kind, is_encrypted ? "encrypted" : "in plain");
    snprintf(name, sizeof name, "%s.key", kind);
    IGNORE(certificate(name) == NULL);
    MUST(file >= 0 && pipe(report) == 0);
    pid_t reader = fork();
    MUST(reader >= 0);
    if (reader == 0)
        read_key(name, is_encrypted, file, report[1]);
    MUST(waitpid(reader, &status, 0) == reader && status == 0 && read(report[0], &f, sizeof f) == sizeof f);
    close(report[0]), close(report[1]);

    snprintf(name, sizeof name, "%s.pem", kind);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    tlsmem_ctx *to = tlsmem_ctx_new(TLSMEM_SERVER), *from = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_cert_file(to, certificate(name)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_password_cb(to, tell_password, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(to, path) == TLSMEM_OK);
    close(file);
    remember_masked("text of the file", f.text, TEXT);
    remember_masked("password", (unsigned char *)password, PASSWORD);
    all_are(0);
    remember_masked("number", f.number, NUMBER);
    kept_until_freed(to, from);
}

void keys_of_files(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int is_encrypted = 0; is_encrypted < 2; is_encrypted++)
            key_file(kinds[i], is_encrypted);
}
