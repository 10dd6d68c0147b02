/* Each setter that reads a file, with each file that it cannot use: a code, a sentence, and a context as it was. */
#define _GNU_SOURCE
#include "identity.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/tlsmem-identity-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int next;
    char *at = path[next++ % 4];
    snprintf(at, sizeof path[0], "%s/%s", folder, name);
    return at;
}

/* ---- the setters */

static int cert(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_set_cert_file(ctx, path); }
static int key(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_set_key_file(ctx, path); }
static int p12(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_set_pkcs12(ctx, path, "secret"); }
static int pair_cert(tlsmem_ctx *ctx, const char *path)
{
    return tlsmem_ctx_add_keypair(ctx, NULL, path, certificate("rsa.key"));
}
static int pair_key(tlsmem_ctx *ctx, const char *path)
{
    return tlsmem_ctx_add_keypair(ctx, "a.example", certificate("a-rsa.pem"), path);
}
static int ca(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_set_ca_file(ctx, path); }
static int accepted(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_set_accepted_ca_file(ctx, path); }
static int crl(tlsmem_ctx *ctx, const char *path) { return tlsmem_ctx_add_crl(ctx, path); }

static int cert_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_set_cert_mem(ctx, c.bytes, c.n); }
static int key_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_set_key_mem(ctx, c.bytes, c.n); }
static int p12_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_set_pkcs12_mem(ctx, c.bytes, c.n, "secret"); }
static int pair_cert_mem(tlsmem_ctx *ctx, contents c)
{
    contents good = contents_of(certificate("rsa.key"));
    int status = tlsmem_ctx_add_keypair_mem(ctx, NULL, c.bytes, c.n, good.bytes, good.n);
    free(good.bytes);
    return status;
}
static int pair_key_mem(tlsmem_ctx *ctx, contents c)
{
    contents good = contents_of(certificate("a-rsa.pem"));
    int status = tlsmem_ctx_add_keypair_mem(ctx, "a.example", good.bytes, good.n, c.bytes, c.n);
    free(good.bytes);
    return status;
}
static int ca_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_set_ca_mem(ctx, c.bytes, c.n); }
static int accepted_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_set_accepted_ca_mem(ctx, c.bytes, c.n); }
static int crl_mem(tlsmem_ctx *ctx, contents c) { return tlsmem_ctx_add_crl_mem(ctx, c.bytes, c.n); }

static const struct {
    const char *name;
    int (*file)(tlsmem_ctx *, const char *);
    int (*mem)(tlsmem_ctx *, contents);
    const char *good; /* a file that it could use, to be spoilt */
    int large;        /* takes more than 1 MiB */
} setters[] = {
    { "cert", cert, cert_mem, "server.pem", 0 }, { "key", key, key_mem, "server.key", 0 },
    { "encrypted key", key, key_mem, "server.old-encrypted.pem", 0 }, { "DER key", key, key_mem, "rsa.old.der", 0 },
    { "encrypted DER key", key, key_mem, "server.encrypted.der", 0 }, { "DER cert", cert, cert_mem, "full.der", 0 },
    { "pkcs12", p12, p12_mem, "full.p12", 0 }, { "cert of a pair", pair_cert, pair_cert_mem, "rsa.pem", 0 },
    { "key of a pair", pair_key, pair_key_mem, "a-rsa.key", 0 }, { "ca", ca, ca_mem, "ca.pem", 1 },
    { "accepted ca", accepted, accepted_mem, "ca.pem", 1 }, { "crl", crl, crl_mem, "corpus/stranger.crl", 1 },
};
enum { SETTERS = sizeof setters / sizeof *setters };

/* ---- bad contents */

static const char *write_file(const char *name, const void *bytes, size_t n)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    MUST(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
    return path;
}

static void bad_contents(tlsmem_ctx *ctx, int i)
{
    contents good = contents_of(certificate(setters[i].good));
    char *bytes = good.bytes;
    seeded random = { (uint64_t)i };
    static unsigned char rubbish[3000];
    for (size_t at = 0; at < sizeof rubbish; at++)
        rubbish[at] = (unsigned char)seeded_next(&random);
    static const char text[] = "hello", begun[] = "-----BEGIN PRIVATE KEY-----\n", header[] = "\x30\x82\x0a\x0a";
    static const char huge[] = "\x30\x84\x7f\xff\xff\xff\x02\x01", digit[] = "0 s:CN = somebody";
    static const char headless[] = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ROT-13,00\n\n"
                                   "AAAA\n-----END RSA PRIVATE KEY-----\n";
    char *trailing = malloc(good.n + 7);
    MUST(trailing != NULL);
    memcpy(trailing, bytes, good.n);
    memcpy(trailing + good.n, "\x30\x05hello", 7);
    const struct { const char *what; const void *bytes; size_t n; int is_fine; } bad[] = {
        { "empty", "", 0, 0 }, { "one byte", "x", 1, 0 }, { "text", text, sizeof text, 0 },
        { "rubbish", rubbish, sizeof rubbish, 0 }, { "a beginning", begun, sizeof begun, 0 },
        { "a DER header", header, sizeof header - 1, 0 }, { "a huge DER length", huge, sizeof huge - 1, 0 },
        { "a digit first", digit, sizeof digit, 0 }, { "an unknown cipher", headless, sizeof headless, 0 },
        { "half of it", bytes, good.n / 2, 0 }, { "all but the end", bytes, good.n - 20, 0 },
        { "all but a byte", bytes, good.n - 2, 0 }, { "the second half", bytes + good.n / 2, good.n - good.n / 2, 0 },
        /* behind DER nothing may stand, around PEM anything */
        { "more behind it", trailing, good.n + 7, bytes[0] == '-' },
    };
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        if (bad[b].is_fine)
            continue;
        situation("%s: %s", setters[i].name, bad[b].what);
        const char *path = write_file("contents", bad[b].bytes, bad[b].n);
        REFUSED(ctx, setters[i].file(ctx, path), path, ": ");
        REFUSED(ctx, setters[i].mem(ctx, (contents){ (void *)bad[b].bytes, bad[b].n }), " ", "");
    }
    free(trailing);
    free(good.bytes);
}

/* ---- bad files */

static void bad_kinds(tlsmem_ctx *ctx, int i)
{
    const char *fifo = in_folder("fifo"), *large = in_folder("large"), *loop = in_folder("loop");
    const struct { const char *path, *reason; } bad[] = {
        { in_folder("missing"), "No such file" }, { folder, "no regular file" }, { fifo, "no regular file" },
        { "/dev/zero", "no regular file" }, { "/dev/null", "no regular file" }, { "/dev/tty", "" },
        { large, "larger than 1" }, { loop, "symbolic links" },
    };
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        situation("%s: %s", setters[i].name, bad[b].path);
        int64_t began = tlsmem_now();
        REFUSED(ctx, setters[i].file(ctx, bad[b].path), bad[b].path, bad[b].reason);
        CHECK(tlsmem_now() - began < 5000, "it took %d ms", (int)(tlsmem_now() - began));
        MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
        CHECK((error.sys_errno != 0) == (strstr(error.sentence, "cannot be opened") != NULL), "errno %d: %s",
              error.sys_errno, error.sentence);
    }
    situation("%s: unreadable", setters[i].name);
    const char *path = write_file("unreadable", "x", 1);
    MUST(chmod(path, 0) == 0 && chmod(folder, 0755) == 0 && (geteuid() != 0 || seteuid(65534) == 0));
    int status = setters[i].file(ctx, path);
    MUST(getuid() != 0 || seteuid(0) == 0);
    /* of a pair the other file, which nobody may read here either, comes first or second */
    REFUSED(ctx, status, "Permission denied", "");
    situation("%s: a little more than it may have", setters[i].name);
    path = write_file("limit", "x", 1);
    MUST(truncate(path, (setters[i].large ? 16 << 20 : 1 << 20) + 1) == 0);
    REFUSED(ctx, setters[i].file(ctx, path), path, setters[i].large ? "larger than 16 MiB" : "larger than 1 MiB");
    MUST(truncate(path, setters[i].large ? 16 << 20 : 1 << 20) == 0);
    int taken = setters[i].file(ctx, path);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
    CHECK(taken == TLSMEM_ECONFIG && strstr(error.sentence, "larger") == NULL, "%s", error.sentence);
    size_t most = setters[i].large ? 16 << 20 : 1 << 20;
    void *zeros = calloc(1, most + 1);
    MUST(zeros != NULL);
    REFUSED(ctx, setters[i].mem(ctx, (contents){ zeros, most + 1 }), "larger than 1", "");
    free(zeros);
}

/** The whole child of `prompts`: without a terminal OpenSSL would ask on its standard input. Returns how many asked. */
static int asked_in_child(void)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ", body[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    static const char *const names[] = { "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL", "PRIVATE KEY" };
    static const char answers[] = "secret\nsecret\n";
    int input[2], asked = 0, left = 0;
    MUST(setsid() > 0 && pipe(input) == 0 && dup2(input[0], STDIN_FILENO) == STDIN_FILENO);
    MUST(write(input[1], answers, sizeof answers - 1) == sizeof answers - 1);
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    for (int i = 0; i < SETTERS; i++)
        for (int n = 0; n < 4; n++) {
            char text[512];
            int length = snprintf(text, sizeof text,
                                  "%s%s-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
                                  "000102030405060708090A0B0C0D0E0F\n\n%s\n%s%s-----\n",
                                  begin, names[n], body, end, names[n]);
            asked += setters[i].mem(ctx, (contents){ text, (size_t)length }) != TLSMEM_ECONFIG;
            MUST(ioctl(STDIN_FILENO, FIONREAD, &left) == 0);
            asked += left != sizeof answers - 1;
        }
    tlsmem_ctx_free(ctx);
    return asked;
}

/** An encrypted revocation list, say, had OpenSSL ask for its password. */
static void prompts(void)
{
    int status = 0;
    situation("something encrypted, without a password callback");
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0)
        _exit(asked_in_child() > 0);
    MUST(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "somebody was asked, or it was taken");
}

void bad_files(void)
{
    prompts();
    MUST(mkdtemp(folder) != NULL && mkfifo(in_folder("fifo"), 0600) == 0);
    MUST(symlink("loop", in_folder("loop")) == 0);
    MUST(truncate(write_file("large", "x", 1), 100 << 20) == 0);
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_password_cb(ctx, tell, "secret") == TLSMEM_OK);
    for (int i = 0; i < SETTERS; i++) {
        bad_contents(ctx, i);
        bad_kinds(ctx, i);
    }
    situation("after all bad files");
    SHOWS(choosy(0, NULL), ctx, "localhost", "localhost");
    FAILS(choosy(0, "RSA+SHA256:RSA-PSS+SHA256"), ctx, "localhost", TLSMEM_ECIPHER, TLSMEM_ECIPHER);
    tlsmem_ctx_free(ctx);
    static const char *const made[] = { "fifo", "loop", "large", "contents", "unreadable", "limit" };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        MUST(unlink(in_folder(made[i])) == 0);
    MUST(rmdir(folder) == 0);
}
