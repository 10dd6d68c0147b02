/* own_loop.c - options, beginnings and ends of the echo servers that bring their own loop; see own_loop.h. */
#include "own_loop.h"
#include <string.h>
#include <unistd.h>

void begin(struct own_loop *s, int argc, char **argv, const char *about)
{
    const struct own_option own[] = { ECHO_OPTIONS(*s), { 0 } };
    s->o.host = "127.0.0.1";
    s->o.port = 4433;
    s->greeting = "";
    parse_options(argc, argv, about, &s->o, own);
    s->ctx = server_context(&s->o);
}

tlsmem *welcome(struct own_loop *s, int fd, const tlsmem_callbacks *callbacks, void *user)
{
    size_t n = strlen(s->greeting);
    tlsmem *c = tlsmem_new(s->ctx, callbacks, user);
    /* The greeting waits for the handshake by itself. */
    if (c == NULL || tlsmem_write(c, s->greeting, n) != (ptrdiff_t)n
        || (fd >= 0 && tlsmem_set_fd(c, fd) != TLSMEM_OK)) {
        tlsmem_free(c);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    tlsmem_handshake(c);
    return c;
}

void release(tlsmem *c)
{
    int fd = tlsmem_fd(c);
    tlsmem_free(c);
    if (fd >= 0)
        close(fd);
}

int echo(tlsmem *c)
{
    const void *bytes;
    size_t n;
    while (tlsmem_read_peek(c, &bytes, &n) == TLSMEM_OK) {
        ptrdiff_t taken = tlsmem_write(c, bytes, n);
        if (taken == TLSMEM_AGAIN)
            break;
        tlsmem_read_consume(c, taken > 0 ? (size_t)taken : n); /* all, of a client that takes no answers any more */
    }
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(c, &want);
    if (want.peer_closed && !want.has_plaintext)
        tlsmem_close(c); /* after what was written */
    tlsmem_want(c, &want);
    return want.state != TLSMEM_STATE_CLOSED;
}

int farewell(struct own_loop *s, const tlsmem *c)
{
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_report(c, &report);
    if (s->stats)
        print_stats(stdout, c, &report);
    if (s->verbose)
        say_failure(c);
    return ++s->ended == s->max;
}

void *zeroed(size_t n)
{
    void *memory = calloc(1, n);
    if (memory == NULL) {
        say("out of memory");
        exit(EXIT_NETWORK);
    }
    return memory;
}
