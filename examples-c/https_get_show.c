/*
 * https_get_show.c - what https_get tells on stderr beside the answer: who the server is, whether it has resumed a session,
 * and how far the body has come.
 */
#include "https_get.h"
#include <unistd.h>

enum { FIRST_MS = 1000, AGAIN_MS = 250, LINE = 48 };

static tlsmem_timer *timer;
static int is_shown;

/* The certificate as PEM, which `openssl x509` reads: dates, names, fingerprints. */
static void print_pem(const unsigned char *der, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputs("-----BEGIN CERTIFICATE-----", stderr);
    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)der[i] << 16 | (i + 1 < n ? (unsigned)der[i + 1] << 8 : 0) | (i + 2 < n ? der[i + 2] : 0);
        fprintf(stderr, "%s%c%c%c%c", i % LINE == 0 ? "\n" : "", letters[bits >> 18], letters[bits >> 12 & 63],
                i + 1 < n ? letters[bits >> 6 & 63] : '=', i + 2 < n ? letters[bits & 63] : '=');
    }
    fputs("\n-----END CERTIFICATE-----\n", stderr);
}

void show_server(const tlsmem *c)
{
    ptrdiff_t subject_n = tlsmem_peer_subject(c, NULL, 0), n = tlsmem_peer_certificate(c, NULL, 0);
    char *subject = subject_n >= 0 ? malloc((size_t)subject_n + 1) : NULL;
    unsigned char *der = n > 0 ? malloc((size_t)n) : NULL;
    if (subject != NULL && tlsmem_peer_subject(c, subject, (size_t)subject_n + 1) == subject_n)
        fprintf(stderr, "subject: %s\n", subject);
    if (der != NULL && tlsmem_peer_certificate(c, der, (size_t)n) == n)
        print_pem(der, (size_t)n);
    free(subject);
    free(der);
}

int tell_resumption(const tlsmem *c, int code)
{
    int resumed = tlsmem_is_resumed(c);
    if (!tlsmem_is_established(c))
        return code; /* and why has been said */
    say(resumed ? "resumed: %s" : "not resumed: the server wanted a full handshake, %s", tlsmem_protocol_name(c));
    return resumed || code != EXIT_DONE ? code : EXIT_TLS;
}

static void on_timer(tlsmem_timer *t, void *user)
{
    const struct answer *a = user;
    if (a->length != UINT64_MAX && a->length > 0)
        fprintf(stderr, "\r%llu of %llu bytes, %d %% ", (unsigned long long)a->got, (unsigned long long)a->length,
                (int)((double)a->got * 100 / (double)a->length));
    else if (a->got > 0)
        fprintf(stderr, "\r%llu bytes ", (unsigned long long)a->got);
    is_shown = is_shown || a->got > 0;
    tlsmem_timer_set(t, AGAIN_MS);
}

/* Not where the body goes to a terminal too: it would be in its midst. */
void begin_progress(tlsmem_loop *loop, struct answer *a)
{
    if (isatty(STDERR_FILENO) && (a->wishes->output != NULL || !isatty(STDOUT_FILENO)))
        timer = tlsmem_loop_timer(loop, FIRST_MS, on_timer, a);
}

void end_progress(void)
{
    if (is_shown)
        fputs("\r\033[K", stderr); /* the line is empty again */
    is_shown = 0;
    tlsmem_timer_free(timer);
    timer = NULL;
}
