/* loops.c - one loop on one core against two on two: both ends of every connection are in the same loop, so that no client
 * elsewhere limits. Requests of 64 B over socketpairs, a second of wall time a round. */
#include "measure.h"
#include "pair.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOPS = 2, PAIRS = 16, SIZE = 64, ROUND_MS = 1000 };

static struct worker {
    tlsmem_loop *loop;
    struct pair pairs[PAIRS];
    int core;
    long answers;
    double seconds;
} workers[LOOPS];

static void on_request(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    require(tlsmem_write(c, bytes, n) == (ptrdiff_t)n, "tlsmem_write");
}

static void on_answer(tlsmem *c, const void *bytes, size_t n, void *user)
{
    ((struct worker *)user)->answers++;
    require(tlsmem_write(c, bytes, n) == (ptrdiff_t)n, "tlsmem_write");
}

static void enter(struct worker *w, tlsmem *c, int fd, void (*on_data)(tlsmem *, const void *, size_t, void *))
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    callbacks.on_data = on_data;
    require(tlsmem_set_callbacks(c, &callbacks, w) == TLSMEM_OK && tlsmem_own_fd(c, 1) == TLSMEM_OK
                && tlsmem_loop_add(w->loop, c, fd) == TLSMEM_OK,
            "entering a loop");
}

static void make(struct worker *w, int core)
{
    w->core = core;
    w->loop = tlsmem_loop_new();
    require(w->loop != NULL, "tlsmem_loop_new");
    for (int i = 0; i < PAIRS; i++) {
        static const char request[SIZE];
        struct pair *p = &w->pairs[i];
        int ends[2];
        pair_make(p);
        require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        enter(w, p->client, ends[0], on_answer);
        enter(w, p->server, ends[1], on_request);
        require(tlsmem_write(p->client, request, SIZE) == SIZE, "the first request");
    }
}

static void stop(tlsmem_timer *timer, void *loop)
{
    tlsmem_timer_free(timer);
    tlsmem_loop_stop(loop);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(w->core, &one);
    require(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    require(tlsmem_loop_timer(w->loop, ROUND_MS, stop, w->loop) != NULL, "tlsmem_loop_timer");
    w->answers = 0;
    double begun = nanoseconds(CLOCK_MONOTONIC);
    require(tlsmem_loop_run(w->loop) == TLSMEM_OK, "tlsmem_loop_run");
    w->seconds = (nanoseconds(CLOCK_MONOTONIC) - begun) / 1e9;
    return NULL;
}

/** Answers a second of so many loops at once. */
static double round_of(int loops)
{
    pthread_t threads[LOOPS];
    double rate = 0;
    for (int i = 0; i < loops; i++)
        require(pthread_create(&threads[i], NULL, work, &workers[i]) == 0, "pthread_create");
    for (int i = 0; i < loops; i++) {
        pthread_join(threads[i], NULL);
        rate += (double)workers[i].answers / workers[i].seconds;
    }
    return rate;
}

int main(int argc, char **argv)
{
    double one[ROUNDS_MAX], two[ROUNDS_MAX], ratios[ROUNDS_MAX];
    int rounds = rounds_wanted(argc, argv);
    cpu_set_t cores;
    require(sched_getaffinity(0, sizeof cores, &cores) == 0, "sched_getaffinity");
    if (CPU_COUNT(&cores) < LOOPS)
        return 0; /* nothing to say */
    for (int i = 0; i < LOOPS; i++)
        make(&workers[i], i);
    for (int i = 0; i < rounds; i++) {
        one[i] = round_of(1);
        two[i] = round_of(LOOPS);
        ratios[i] = two[i] / one[i];
    }
    print_line("k/s", median(one, rounds) / 1e3, "loops/one");
    print_line("k/s", median(two, rounds) / 1e3, "loops/two");
    print_line("x", median(ratios, rounds), "loops/two-against-one");
    return 0;
}
