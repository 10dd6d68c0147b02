/* explain.c - SIGUSR1 has a server say how everything stands; see explain.h. */
#include "explain.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* manual: loop */
/* One signal's: the loop that is the last to be done says that it was
   all. One that hangs, or runs no more, leaves that unsaid. */
struct round {
    long left, lines;
    struct part {
        struct round *round;
        tlsmem_loop *loop;
        long number;
    } parts[];
};

/* Threads may speak at once: each line is printed in one piece. */
static void print_line(const char *text, void *user)
{
    fprintf(stderr, "loop %ld: %s\n", *(long *)user, text);
}

static void done(struct round *r)
{
    if (__sync_sub_and_fetch(&r->left, 1) > 0)
        return;
    explain_end((size_t)r->lines);
    free(r);
}

/* In the loop's thread, to which it was posted. */
static void explain_part(void *arg)
{
    struct part *p = arg;
    struct round *r = p->round;
    ptrdiff_t lines = tlsmem_loop_explain(p->loop, print_line, &p->number);
    __sync_add_and_fetch(&r->lines, lines);
    done(r);
}
/* end of loop */

void explain_loops(tlsmem_loop *const *loops, long n)
{
    struct round *r = calloc(1, sizeof *r + (size_t)n * sizeof r->parts[0]);
    if (r == NULL)
        return;
    r->left = n;
    for (long i = 0; i < n; i++) {
        r->parts[i] = (struct part) { r, loops[i], i + 1 };
        if (tlsmem_loop_post(loops[i], explain_part, &r->parts[i]) != TLSMEM_OK) {
            say("loop %ld cannot be asked", i + 1);
            done(r);
        }
    }
}

/* manual: one */
void explain_one(const tlsmem *c)
{
    char text[2048];
    if (tlsmem_explain(c, text, sizeof text) >= 0)
        fprintf(stderr, "%s\n", text);
}
/* end of one */

void explain_end(size_t lines)
{
    say("that is all: %zu lines", lines);
}

int explain_descriptor(void)
{
    return signal_descriptor((const int[]){ SIGUSR1, 0 });
}

int explain_begin(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info;
}

static void on_signal(tlsmem_loop *loop, int fd, int events, void *user)
{
    const struct explaining *e = user;
    (void)loop, (void)events;
    if (explain_begin(fd))
        explain_loops(e->loops, e->n);
}

void explain_at_signal(struct explaining *e, tlsmem_loop *const *loops, long n)
{
    *e = (struct explaining) { loops, n };
    watch(loops[0], explain_descriptor(), POLLIN, on_signal, e);
}
