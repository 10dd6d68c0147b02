/*
 * https_get_show.c - what https_get tells on stderr beside the answer: whether the server has resumed a session, and how far
 * the body has come.
 */
#include "https_get.h"
#include <unistd.h>

enum { FIRST_MS = 1000, AGAIN_MS = 250 };

static tlsmem_timer *timer;
static int is_shown;

int tell_resumption(const tlsmem *c, int code)
{
    int resumed = tlsmem_is_resumed(c);
    if (!tlsmem_is_established(c))
        return code; /* and why has been said */
    say(resumed ? "resumed: %s" : "not resumed: the server wanted a full handshake, %s", tlsmem_protocol_name(c));
    if (tlsmem_early_data_status(c) != TLSMEM_EARLY_NONE)
        say("early data: %s", tlsmem_early_data_status(c) == TLSMEM_EARLY_ACCEPTED ? "taken" : "refused, and sent again");
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
