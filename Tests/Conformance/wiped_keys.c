/*
 * Keys that the program sets: those that seal tickets, when they are taken away, replaced, or at their end; and those that two
 * peers have in common.
 */
#define _GNU_SOURCE
#include "wiped.h"

#include <sys/mman.h>
#include <time.h>

/** Bytes that are nowhere else. */
static void make_secret(unsigned seed, unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(seed * 40503u >> (i % 7)) ^ (unsigned char)(i * 167 + 13);
}

static void make_key(unsigned seed, tlsmem_ticket_key *key)
{
    key->size = sizeof *key;
    memset(key->name, (int)seed, sizeof key->name);
    make_secret(seed, key->secret, sizeof key->secret);
    key->encrypt_from = time(NULL) - 100;
    key->encrypt_until = key->decrypt_until = key->encrypt_from + 1000;
}

static void remember_key(unsigned seed)
{
    tlsmem_ticket_key key;
    make_key(seed, &key);
    remember("key that signs tickets", key.secret, 32);
    remember("key that encrypts tickets", key.secret + 32, 32);
}

static void add_key(tlsmem_ctx *ctx, unsigned seed, int is_over)
{
    tlsmem_ticket_key key;
    make_key(seed, &key);
    if (is_over)
        key.encrypt_until = key.decrypt_until = key.encrypt_from + 1;
    MUST(tlsmem_ctx_add_ticket_key(ctx, &key) == TLSMEM_OK);
    OPENSSL_cleanse(&key, sizeof key);
}

/** A file in memory that is not mapped. */
static void set_file(tlsmem_ctx *ctx, unsigned seed)
{
    tlsmem_ticket_key key;
    char line[256], path[64];
    size_t n = 0;
    make_key(seed, &key);
    for (size_t i = 0; i < 80; i++)
        n += (size_t)sprintf(line + n, "%02x", i < 16 ? key.name[i] : key.secret[i - 16]);
    n += (size_t)sprintf(line + n, " %lld %lld %lld\n", (long long)key.encrypt_from, (long long)key.encrypt_until,
                         (long long)key.decrypt_until);
    int fd = memfd_create("keys", 0);
    MUST(fd >= 0 && write(fd, line, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    MUST(tlsmem_ctx_set_ticket_keys_file(ctx, path) == TLSMEM_OK);
    close(fd);
    remember("digits of a key in a file", line, 160);
    secrets[secret_count - 1].is_brief = 1;
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(line, sizeof line);
}

void visited(tlsmem_ctx *to, tlsmem_ctx *from)
{
    int fds[2], ignored = 0;
    pid_t peer = start_peer(from, fds, 1);
    tlsmem *c = begin_visit(to, fds[0], &ignored, NULL);
    leave(c);
    tlsmem_free(c);
    close(fds[0]);
    end_peer(peer);
}

void kept_until_freed(tlsmem_ctx *to, tlsmem_ctx *from)
{
    all_are(1);
    visited(to, from);
    all_are(1);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
    all_are(0);
}

static void ticket_keys(int version)
{
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = context(TLSMEM_CLIENT, version);
    situation("a ticket key that is taken away, TLS 1.%d", version - 0x0301);
    add_key(to, 1, 0);
    remember_key(1);
    all_are(1);
    unsigned char name[16];
    memset(name, 1, sizeof name);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, name), TLSMEM_OK);
    all_are(0);
    situation("a ticket key that is over, TLS 1.%d", version - 0x0301);
    add_key(to, 2, 1);
    remember_key(2);
    all_are(1);
    add_key(to, 3, 0);
    visited(to, from);
    all_are(0);
    situation("a ticket key that others take the place of, TLS 1.%d", version - 0x0301);
    remember_key(3);
    all_are(1);
    set_file(to, 4);
    all_are(0);
    situation("ticket keys of a context that is freed, TLS 1.%d", version - 0x0301);
    visited(to, from);
    add_key(to, 5, 0);
    remember_key(4);
    remember_key(5);
    all_are(1);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
    all_are(0);
}

static void set_psk(tlsmem_ctx *ctx, unsigned seed)
{
    unsigned char key[32];
    make_secret(seed, key, sizeof key);
    MUST(tlsmem_ctx_set_psk(ctx, "a", key, sizeof key) == TLSMEM_OK);
    remember("key in common", key, sizeof key);
}

static void preshared_keys(int version)
{
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = tlsmem_ctx_new(TLSMEM_CLIENT);
    situation("a key in common that another takes the place of, TLS 1.%d", version - 0x0301);
    set_psk(from, 6);
    all_are(1);
    unsigned char key[32];
    make_secret(7, key, sizeof key);
    MUST(tlsmem_ctx_set_psk(from, "a", key, sizeof key) == TLSMEM_OK);
    OPENSSL_cleanse(key, sizeof key);
    all_are(0);
    situation("keys in common of contexts that are freed, TLS 1.%d", version - 0x0301);
    set_psk(to, 7);
    kept_until_freed(to, from);
}

void keys_of_the_program(int version)
{
    ticket_keys(version);
    preshared_keys(version);
}
