/*
 * starttls_server.c - a mail server as small as can be, with a thread for each client: RFC 5321 and STARTTLS of RFC 3207;
 * and back to plain, which a client begins by its close_notify, or asks for by XSTOPTLS, as CCC is for FTP (RFC 4217).
 */
#include "starttls_mail.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1 << 20 };

struct client {
    struct talk talk;
    struct mail *mail;
    int done_fd;           /* a pipe: the thread tells it that its client has gone */
    int greeted, from, to; /* said EHLO, MAIL, RCPT */
};

static int reply(struct client *k, const char *text)
{
    char line[256];
    int n = snprintf(line, sizeof line, "%s\r\n", text);
    return talk_send(&k->talk, line, (size_t)n);
}

/* What was said in plain holds no more by TLS, nor the other way round (RFC 3207, 4.2). */
static void forget(struct client *k)
{
    k->greeted = k->from = k->to = 0;
}

static int start_tls(struct client *k)
{
    if (k->talk.c != NULL)
        return reply(k, "503 5.5.1 this is TLS already");
    if (k->talk.in.n > 0)
        reply(k, "554 5.5.0 something came behind STARTTLS: it is not obeyed, and this is the end");
    else if (reply(k, "220 2.0.0 go ahead") != 0)
        return -1;
    forget(k);
    return talk_start_tls(&k->talk, k->mail->ctx, NULL);
}

static int stop_tls(struct client *k)
{
    if (k->talk.c == NULL)
        return reply(k, "503 5.5.1 this is plain already");
    if (reply(k, "220 2.0.0 close_notify is next") != 0)
        return -1;
    forget(k);
    return talk_stop_tls(&k->talk);
}

/* Takes a message, of which each line may begin with one dot too many. It is printed in one piece. */
static int take_message(struct client *k)
{
    char line[LINE_ROOM];
    struct bytes text = { NULL, 0, 0 };
    int failed = reply(k, "354 end with a dot");
    while (!failed && !(failed = talk_line(&k->talk, line, sizeof line)) && strcmp(line, ".") != 0) {
        const char *from = line[0] == '.' ? line + 1 : line;
        if (text.n < MESSAGE_MAX) {
            keep(&text, from, strlen(from));
            keep(&text, "\n", 1);
        }
    }
    k->from = k->to = 0;
    int too_long = text.n >= MESSAGE_MAX;
    if (!failed && !too_long && k->mail->print) {
        fwrite(text.at, 1, text.n, stdout);
        fflush(stdout);
    }
    drop(&text, text.n);
    return failed ? -1 : reply(k, too_long ? "552 5.3.4 too long" : "250 2.0.0 taken");
}

/* Obeys one line. Returns 0 to go on, 1 after QUIT, -1. */
static int obey(struct client *k, const char *line)
{
    size_t n = strcspn(line, " ");
    int is_tls = k->talk.c != NULL;
#define IS(verb) (n == sizeof verb - 1 && strncasecmp(line, verb, n) == 0)
    if (k->mail->verbose)
        say("%s %.*s", is_tls ? "by TLS:  " : "in plain:", (int)n, line);
    if (IS("EHLO") || IS("HELO")) {
        k->greeted = 1;
        if (IS("HELO"))
            return reply(k, "250 starttls");
        return reply(k, is_tls ? "250-starttls\r\n250 XSTOPTLS" : "250-starttls\r\n250 STARTTLS");
    }
    if (IS("STARTTLS"))
        return start_tls(k);
    if (IS("XSTOPTLS"))
        return stop_tls(k);
    if (IS("NOOP"))
        return reply(k, is_tls ? "250 2.0.0 nothing done, by TLS" : "250 2.0.0 nothing done, in plain");
    if (IS("QUIT"))
        return reply(k, "221 2.0.0 goodbye") == 0 ? 1 : -1;
    if (IS("RSET")) {
        k->from = k->to = 0;
        return reply(k, "250 2.0.0 forgotten");
    }
    if (!IS("MAIL") && !IS("RCPT") && !IS("DATA"))
        return reply(k, "502 5.5.1 no such command");
    if (!is_tls)
        return reply(k, "530 5.7.0 STARTTLS first");
    if (!k->greeted || (IS("RCPT") && !k->from) || (IS("DATA") && !k->to))
        return reply(k, "503 5.5.1 not now");
    if (IS("DATA"))
        return take_message(k);
    k->from = 1;
    k->to = IS("RCPT");
#undef IS
    return reply(k, "250 2.1.0 good");
}

/* Reads the next line. A client that has ended TLS, and not the connection, goes on in plain. */
static int next_line(struct client *k, char *line)
{
    int status = talk_line(&k->talk, line, LINE_ROOM);
    if (status == 0 || k->talk.c == NULL || k->talk.why[0] != '\0')
        return status;
    forget(k);
    return talk_stop_tls(&k->talk) != 0 ? -1 : talk_line(&k->talk, line, LINE_ROOM);
}

static void *serve(void *argument)
{
    struct client *k = argument;
    char line[LINE_ROOM];
    int status = reply(k, "220 starttls ESMTP");
    while (status == 0 && (status = next_line(k, line)) == 0)
        status = obey(k, line);
    if (status < 0 && k->talk.why[0] != '\0' && k->mail->verbose)
        say("%s", k->talk.why);
    talk_end(&k->talk);
    pthread_t self = pthread_self();
    if (write(k->done_fd, &self, sizeof self) != sizeof self)
        say("a client that has gone is not counted: %s", strerror(errno));
    free(k);
    return NULL;
}

/* Returns 1 when the client has its thread. */
static int begin(struct mail *m, int fd, int done_fd)
{
    pthread_t thread;
    struct client *k = calloc(1, sizeof *k);
    if (k != NULL) {
        *k = (struct client) { .talk = { .fd = fd, .wait_ms = m->wait * 1000 }, .mail = m, .done_fd = done_fd };
        if (pthread_create(&thread, NULL, serve, k) == 0)
            return 1;
    }
    say("no thread for a client");
    free(k);
    close(fd);
    return 0;
}

int serve_mail(struct mail *m)
{
    int done[2], listener = listen_on(&m->options), signals = stop_descriptor();
    long begun = 0, ended = 0;
    pthread_t thread;
    if (pipe(done) != 0) {
        say("pipe: %s", strerror(errno));
        return EXIT_NETWORK;
    }
    say_listening(m->options.host, (int)m->options.port);
    while (m->max == 0 || ended < m->max) {
        struct pollfd p[] = { { signals, POLLIN, 0 }, { listener, POLLIN, 0 }, { done[0], POLLIN, 0 } };
        if (poll(p, 3, -1) < 0 || p[0].revents != 0)
            break;
        if (p[2].revents != 0 && read(done[0], &thread, sizeof thread) == sizeof thread) {
            pthread_join(thread, NULL);
            ended++;
        }
        int fd = p[1].revents != 0 ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            begun += begin(m, fd, done[1]);
        else if (p[1].revents != 0 && ran_out(errno))
            poll(p, 1, 1000); /* polled again at once, the listener would be ready for ever */
    }
    fflush(stdout);
    if (begun > ended)
        _exit(EXIT_DONE); /* without what exit does: it would take OpenSSL away from their threads */
    return EXIT_DONE;
}
