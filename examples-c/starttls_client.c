/*
 * starttls_client.c - the client of a mail server: it says nothing that matters before TLS is there, and does without a
 * server that does not offer it, for that may be somebody in the middle who has struck the offer out.
 */
#include "starttls_mail.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Prints what is said, and nothing that a terminal would obey. */
static void show(const struct mail *m, const struct talk *t, char who, char *line)
{
    for (char *at = line; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    if (m->verbose)
        say("%s %c: %s", t->c != NULL ? "by TLS:  " : "in plain:", who, line);
}

/* Reads an answer, of one or more lines, that has to begin with this code. Notes in `offers` whether a line has the word. */
static int answer(const struct mail *m, struct talk *t, int code, const char *word, int *offers)
{
    char line[LINE_ROOM];
    do {
        if (talk_line(t, line, sizeof line) != 0)
            return t->why[0] != '\0' ? -1 : talk_fail(t, EXIT_NETWORK, "the server closed");
        show(m, t, 'S', line);
        if (strlen(line) < 3 || atoi(line) != code)
            return talk_fail(t, EXIT_NETWORK, "the server says: %.200s", line);
        if (word != NULL && strlen(line) > 4 && strcasecmp(line + 4, word) == 0)
            *offers = 1;
    } while (line[3] == '-');
    return 0;
}

static int command(const struct mail *m, struct talk *t, int code, const char *format, const char *of)
{
    char line[LINE_ROOM];
    int n = snprintf(line, sizeof line - 2, format, of);
    if (n < 0 || (size_t)n >= sizeof line - 2)
        return talk_fail(t, EXIT_USAGE, "an address is too long");
    show(m, t, 'C', line);
    memcpy(line + n, "\r\n", 2);
    return talk_send(t, line, (size_t)n + 2) != 0 ? -1 : answer(m, t, code, NULL, NULL);
}

/* Sends standard input: a line that begins with a dot gets another (RFC 5321, 4.5.2). */
static int send_message(const struct mail *m, struct talk *t)
{
    struct bytes text = { NULL, 0, 0 };
    int c, at_start = 1;
    if (command(m, t, 250, "MAIL FROM:<%s>", m->from) != 0 || command(m, t, 250, "RCPT TO:<%s>", m->to) != 0
        || command(m, t, 354, "DATA", NULL) != 0)
        return -1;
    while ((c = getchar()) != EOF) {
        if (at_start && c == '.')
            keep(&text, ".", 1);
        at_start = c == '\n';
        char byte = (char)c;
        if (c == '\n')
            keep(&text, "\r\n", 2);
        else if (c != '\r')
            keep(&text, &byte, 1);
    }
    keep(&text, at_start ? ".\r\n" : "\r\n.\r\n", at_start ? 3 : 5);
    int failed = talk_send(t, text.at, text.n);
    drop(&text, text.n);
    return failed ? -1 : answer(m, t, 250, NULL, NULL);
}

static int go_to_tls(const struct mail *m, struct talk *t)
{
    int offers = 0;
    char hello[] = "EHLO localhost";
    show(m, t, 'C', hello);
    if (talk_send(t, "EHLO localhost\r\n", 16) != 0 || answer(m, t, 250, "STARTTLS", &offers) != 0)
        return -1;
    if (!offers)
        return talk_fail(t, EXIT_TLS, "the server does not offer STARTTLS");
    if (command(m, t, 220, "STARTTLS", NULL) != 0 || talk_start_tls(t, m->ctx, m->options.host) != 0)
        return -1;
    if (m->verbose)
        say("%s %s", tlsmem_protocol_name(t->c), tlsmem_cipher_name(t->c));
    return command(m, t, 250, "EHLO %s", "localhost");
}

static int converse(const struct mail *m, struct talk *t)
{
    if (talk_connect(t, m->options.host, m->options.port) != 0 || answer(m, t, 220, NULL, NULL) != 0)
        return -1;
    if (go_to_tls(m, t) != 0)
        return -1;
    if (m->from != NULL && send_message(m, t) != 0)
        return -1;
    if (m->stop_tls && (command(m, t, 220, "XSTOPTLS", NULL) != 0 || talk_stop_tls(t) != 0))
        return -1;
    return command(m, t, 250, "NOOP", NULL) != 0 ? -1 : command(m, t, 221, "QUIT", NULL);
}

int send_mail(struct mail *m)
{
    struct talk talk = { .fd = -1, .wait_ms = m->wait * 1000 };
    int code = converse(m, &talk) == 0 ? EXIT_DONE : talk.code;
    if (code != EXIT_DONE)
        say("%s", talk.why[0] != '\0' ? talk.why : "the server closed");
    talk_end(&talk);
    return code;
}
