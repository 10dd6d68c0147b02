/*
 * starttls_postgres.c - asks a PostgreSQL server for TLS, verifies who it is, begins a session, and prints its answer.
 *
 * The request is eight bytes in plain, and the answer one: S, and TLS begins; or N, and it ends here, unless --prefer
 * allows to go on in plain. (PostgreSQL's manual, "Frontend/Backend Protocol", SSL Session Encryption.)
 */
#include "starttls.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

enum { SSL_REQUEST = 80877103, VERSION_3_0 = 196608, AUTHENTICATION_SASL = 10, HEAD = 5, MESSAGE_MAX = 1 << 16 };

/* A server's answers are text for a terminal here. */
static void print(const char *title, const char *text)
{
    printf("%s: ", title);
    for (; *text != '\0'; text++)
        putchar(iscntrl((unsigned char)*text) ? '?' : *text);
    putchar('\n');
}

static void keep_number(struct bytes *b, uint32_t number)
{
    number = htonl(number);
    keep(b, &number, sizeof number);
}

static uint32_t number_at(const char *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return ntohl(number);
}

/* Returns 1 when the server has agreed to TLS, 0 when not, -1. */
static int ask_for_tls(struct talk *t)
{
    struct bytes request = { NULL, 0, 0 };
    keep_number(&request, 8);
    keep_number(&request, SSL_REQUEST);
    int failed = talk_send(t, request.at, request.n);
    drop(&request, request.n);
    if (failed || talk_receive(t) != 0)
        return -1;
    char answer = t->in.at[0];
    drop(&t->in, 1); /* what there is behind it is refused by talk_start_tls */
    if (answer == 'S' || answer == 'N')
        return answer == 'S';
    return talk_fail(t, EXIT_TLS, "the server answers neither yes nor no to the request for TLS"); /* nor is it shown */
}

static int begin_session(struct talk *t, const char *user, const char *database)
{
    struct bytes body = { NULL, 0, 0 }, message = { NULL, 0, 0 };
    keep_number(&body, VERSION_3_0);
    keep(&body, "user", 5);
    keep(&body, user, strlen(user) + 1);
    keep(&body, "database", 9);
    keep(&body, database, strlen(database) + 1);
    keep(&body, "", 1);
    keep_number(&message, (uint32_t)body.n + 4);
    keep(&message, body.at, body.n);
    int failed = talk_send(t, message.at, message.n);
    drop(&body, body.n);
    drop(&message, message.n);
    return failed;
}

/* Waits for a whole message: a letter, and a length that counts itself. Returns how long it is with its letter, or -1. */
static ptrdiff_t receive_message(struct talk *t)
{
    for (size_t whole = HEAD;;) {
        if (t->in.n >= HEAD)
            whole = (size_t)number_at(t->in.at + 1) + 1;
        if (whole < HEAD || whole > MESSAGE_MAX)
            return talk_fail(t, EXIT_NETWORK, "the server's message has no sensible length");
        if (t->in.n >= whole)
            return (ptrdiff_t)whole;
        if (talk_receive(t) != 0)
            return -1;
    }
}

/* What the server wants to know from whom. Its list of mechanisms ends with an empty one. Returns 1 when it is satisfied. */
static int show_authentication(const char *body, size_t n)
{
    uint32_t kind = n >= sizeof kind ? number_at(body) : UINT32_MAX;
    if (kind == AUTHENTICATION_SASL)
        for (const char *name = body + 4; *name != '\0'; name += strlen(name) + 1)
            print("authentication by", name);
    else
        print("authentication", kind == 0   ? "none is asked for"
                                : kind == 3 ? "by password"
                                : kind == 5 ? "by MD5"
                                            : "by other means");
    return kind == 0;
}

/* Prints the fields of an error that matter: severity, code, message. */
static void show_error(const char *body)
{
    for (const char *field = body; *field != '\0'; field += strlen(field) + 1)
        if (*field == 'S' || *field == 'C' || *field == 'M')
            print(*field == 'S' ? "error" : *field == 'C' ? "error code" : "error message", field + 1);
}

/* Prints what the server answers, up to where it wants to know more, or waits for a query. */
static int show_answers(struct talk *t)
{
    static char message[MESSAGE_MAX + 2]; /* with two zeros behind it: whatever is in there, it ends */
    for (;;) {
        ptrdiff_t n = receive_message(t);
        if (n < 0)
            return -1;
        memcpy(message, t->in.at, (size_t)n);
        memset(message + n, 0, 2);
        drop(&t->in, (size_t)n);
        char *body = message + HEAD;
        if (message[0] == 'R' && !show_authentication(body, (size_t)n - HEAD))
            return 0;
        if (message[0] == 'S')
            print(body, body + strlen(body) + 1);
        if (message[0] == 'E')
            return show_error(body), talk_fail(t, EXIT_NETWORK, "the server refuses the session");
        if (message[0] == 'Z') /* ready for a query: there is none */
            return talk_send(t, "X\0\0\0\4", 5);
    }
}

/* Goes over to TLS, or goes on without it where that is allowed. */
static int begin_tls(struct talk *t, const struct options *o, tlsmem_ctx *ctx, int prefer)
{
    if (talk_connect(t, o->host, o->port) != 0)
        return -1;
    int tls = ask_for_tls(t);
    if (tls < 0)
        return -1;
    if (!tls && !prefer)
        return talk_fail(t, EXIT_TLS, "the server has no TLS, and nothing is said in plain without --prefer");
    if (tls && talk_start_tls(t, ctx, o->host) != 0)
        return -1;
    print("connection", tls ? tlsmem_protocol_name(t->c) : "in plain");
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "localhost", .port = 5432 };
    const char *user = "postgres", *database = NULL;
    long prefer = 0, wait = 30;
    const struct own_option own[] = {
        { "user", "NAME", &user, NULL, "begin a session as this user (postgres)" },
        { "database", "NAME", &database, NULL, "in this database (the user's name)" },
        { "prefer", NULL, NULL, &prefer, "go on in plain with a server that has no TLS" },
        { "wait", "S", NULL, &wait, "wait for the server for so many seconds (30)" },
        { 0 },
    };
    parse_options(argc, argv, "asks a PostgreSQL server for TLS, and prints how it answers", &o, own);
    if (wait < 1 || wait > 86400)
        usage_error("--wait: from 1 second to a day");
    struct talk talk = { .fd = -1, .wait_ms = wait * 1000 };
    tlsmem_ctx *ctx = client_context(&o);
    int failed = begin_tls(&talk, &o, ctx, prefer != 0) != 0
                 || begin_session(&talk, user, database != NULL ? database : user) != 0 || show_answers(&talk) != 0;
    if (failed)
        say("%s", talk.why[0] != '\0' ? talk.why : "the server closed");
    talk_end(&talk);
    tlsmem_ctx_free(ctx);
    return failed ? talk.code : EXIT_DONE;
}
