/*
 * Secrets do not outlive what they belong to: after tlsmem_free, tlsmem_session_free and tlsmem_ctx_free the memory of the
 * process is searched for them, and as a control while they are in use. The peer is another process, whose memory is its own.
 * Secrets are kept here in disguise, so that only others' copies are found; one more is one more call of `remember`.
 */
#define _GNU_SOURCE
#include "wiped.h"

#include <poll.h>
#include <sys/socket.h>

struct secret secrets[SECRETS];
int secret_count;

/** Notes what is to be searched for, at least LENGTH bytes, and clears it, unless it is const. */
static void note(const char *name, const void *bytes, size_t n, int is_brief)
{
    MUST(n >= LENGTH && secret_count < SECRETS);
    struct secret *s = &secrets[secret_count++];
    s->name = name;
    s->is_brief = is_brief;
    for (size_t i = 0; i < LENGTH; i++)
        s->masked[i] = ((const unsigned char *)bytes)[n - LENGTH + i] ^ MASK;
}

void remember(const char *name, void *bytes, size_t n)
{
    note(name, bytes, n, 0);
    OPENSSL_cleanse(bytes, n);
}

/** How often it is in memory that the process can write to. */
static int found(const struct secret *s)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;
    static char buffer[4096]; /* of our own: malloc's would be written over what was freed last */
    MUST(maps != NULL && setvbuf(maps, buffer, _IOFBF, sizeof buffer) == 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char may[5];
        MUST(sscanf(line, "%lx-%lx %4s", &from, &to, may) == 3);
        if (may[0] != 'r' || may[1] != 'w')
            continue;
        for (const volatile unsigned char *p = (const unsigned char *)from; (unsigned long)p + LENGTH <= to; p++) {
            size_t i = 0;
            while (i < LENGTH && (p[i] ^ MASK) == s->masked[i])
                i++;
            count += i == LENGTH;
        }
    }
    fclose(maps);
    return count;
}

void all_are(int there)
{
    for (int i = 0; i < secret_count; i++) {
        int count = found(&secrets[i]);
        if (there && !secrets[i].is_brief)
            CHECK(count > 0, "the search does not find the %s", secrets[i].name);
        else if (!there)
            CHECK(count == 0, "the %s is still there, %d times", secrets[i].name, count);
    }
    secret_count = there ? secret_count : 0;
}

/* ---- a visit */

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (n > 0 && *(const char *)bytes == '?' && tlsmem_write(c, "!", 1) != 1)
        tlsmem_abort(c);
    if (n > 0 && *(const char *)bytes == '!')
        *(int *)user = 1;
}

void turn(tlsmem *c)
{
    struct pollfd p = { tlsmem_fd(c), (short)tlsmem_interest(c), 0 };
    MUST(poll(&p, 1, 10000) > 0);
    if (p.revents & ~POLLOUT)
        IGNORE(tlsmem_on_readable(c) < 0);
    if (p.revents & POLLOUT)
        IGNORE(tlsmem_on_writable(c) < 0);
}

tlsmem *begin_visit(tlsmem_ctx *ctx, int fd, int *answered, const tlsmem_session *session)
{
    static tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    callbacks.on_data = on_data;
    tlsmem *c = connection(ctx, &callbacks, answered);
    if (session != NULL)
        MUST(tlsmem_session_set(c, session) == TLSMEM_OK);
    MUST(tlsmem_set_fd(c, fd) == TLSMEM_OK);
    return c;
}

void ask(tlsmem *c, int *answered)
{
    MUST(tlsmem_write(c, "?", 1) == 1);
    while (!*answered)
        turn(c);
}

void leave(tlsmem *c)
{
    while (state_of(c) != TLSMEM_STATE_CLOSED)
        turn(c);
}

void open_pair(int fds[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
}

void end_peer(pid_t peer)
{
    int status;
    MUST(waitpid(peer, &status, 0) == peer && status == 0);
}

pid_t start_peer(tlsmem_ctx *ctx, int fds[2], int asks)
{
    open_pair(fds);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid > 0) {
        close(fds[1]);
        return pid;
    }
    close(fds[0]);
    int answered = 0;
    tlsmem *c = begin_visit(ctx, fds[1], &answered, NULL);
    if (asks) {
        ask(c, &answered);
        tlsmem_close(c);
    }
    leave(c);
    _exit(0);
}

void remember_session(const char *name, const tlsmem *c)
{
    unsigned char bytes[SSL_MAX_MASTER_KEY_LENGTH];
    size_t n = SSL_SESSION_get_master_key(SSL_get_session(tlsmem_native((tlsmem *)(size_t)c)), bytes, sizeof bytes);
    remember(name, bytes, n);
}

/** A client: a full handshake, a session that goes through bytes, and a resumed handshake. */
static void client_visits(int version)
{
    situation("a client's secrets, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = context(TLSMEM_CLIENT, version);
    tlsmem_session *session = NULL, *again = NULL;
    int fds[2];
    for (int resumes = 0; resumes < 2; resumes++) {
        pid_t server = start_peer(to, fds, 0);
        int answered = 0;
        tlsmem *c = begin_visit(from, fds[0], &answered, again);
        ask(c, &answered);
        CHECK_STATUS(tlsmem_is_resumed(c), resumes);
        remember_session(resumes ? "secret of the second session" : "secret of the first session", c);
        all_are(1);
        unsigned char exported[32];
        MUST(tlsmem_export_keying_material(c, "EXPERIMENTAL tlsmem", NULL, 0, exported, sizeof exported) == TLSMEM_OK);
        OPENSSL_cleanse(exported, sizeof exported);
        tlsmem_session_free(session);
        session = tlsmem_session_get(c);
        MUST(session != NULL);
        unsigned char bytes[8192];
        ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
        tlsmem_session_free(again);
        MUST(n > 0 && tlsmem_session_from_bytes(bytes, (size_t)n, &again) == TLSMEM_OK);
        OPENSSL_cleanse(bytes, sizeof bytes);
        tlsmem_close(c);
        leave(c);
        tlsmem_free(c);
        close(fds[0]);
        end_peer(server);
    }
    struct secret last = secrets[1];
    secret_count = version == TLSMEM_TLS1_3; /* in TLS 1.2 a session that is resumed keeps its secret */
    all_are(0);
    secrets[secret_count++] = last;
    all_are(1);
    tlsmem_session_free(session);
    all_are(1);
    tlsmem_session_free(again);
    all_are(0);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** Notes a secret of the key log, and its digits: the library shows them, and keeps them no longer. */
static void on_secret(tlsmem *c, const char *line, void *user)
{
    const char *digits = strrchr(line, ' ') + 1;
    unsigned char bytes[64];
    size_t n = strlen(digits) / 2;
    (void)c, (void)user;
    MUST(n <= sizeof bytes);
    for (size_t i = 0; i < n; i++) {
        char two[3] = { digits[2 * i], digits[2 * i + 1], '\0' };
        bytes[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    if (strncmp(line, "CLIENT_RANDOM ", 14) == 0) /* those of TLS 1.3 OpenSSL leaves where its own object was */
        remember("master secret", bytes, n);
    OPENSSL_cleanse(bytes, sizeof bytes);
    note("line of a secret", digits, 2 * n, 1);
}

/** What a server knows of one connection. Without tickets: of what OpenSSL writes into one it leaves a copy in memory that it
 *  gives back. */
static void server_is_visited(int version)
{
    situation("a server's secrets, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *to = context(TLSMEM_SERVER, version), *from = context(TLSMEM_CLIENT, version);
    SSL_CTX_set_options(tlsmem_ctx_native(to), SSL_OP_NO_TICKET);
    MUST(tlsmem_ctx_set_keylog_cb(to, on_secret, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_tickets(to, 0) == TLSMEM_OK);
    int fds[2], ignored = 0;
    pid_t peer = start_peer(from, fds, 1);
    tlsmem *c = begin_visit(to, fds[0], &ignored, NULL);
    while (!tlsmem_is_established(c))
        turn(c);
    CHECK(secret_count == (version == TLSMEM_TLS1_2 ? 2 : 5), "%d secrets", secret_count);
    all_are(1);
    leave(c);
    tlsmem_free(c);
    close(fds[0]);
    end_peer(peer);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
    all_are(0);
}

/** The keys that a server encrypts its tickets with. */
static void ticket_keys(void)
{
    situation("a server's ticket keys");
    unsigned char keys[80];
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    MUST(SSL_CTX_get_tlsext_ticket_keys(tlsmem_ctx_native(ctx), keys, sizeof keys) == 1);
    remember("key that signs tickets", keys + 16, 32);
    remember("key that encrypts tickets", keys + 48, 32);
    all_are(1);
    tlsmem_ctx_free(ctx);
    all_are(0);
}

int main(void)
{
    begin("wiped");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        client_visits(version), server_is_visited(version), keys_of_the_program(version), answers_of_the_program(version);
    ticket_keys();
    keys_of_files();
    return finish();
}
