/* A connection, or a loop, in which a thread is while another one comes. */
#include "told.h"

#include <pthread.h>

static tlsmem_loop *loop;
static tlsmem *inside, *in_loop;
static tlsmem_timer *timer;

/** Whatever the other thread may not do while this one stands in a callback, and what it may. */
static void *intrude(void *unused)
{
    static const char sentence[] = "another thread is inside this connection";
    static const char loops[] = "another thread is inside the loop of this connection";
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    char text[8];
    (void)unused;
    if (inside != NULL) {
        TOLD(tlsmem_write(inside, "x", 1), TLSMEM_EINVAL, sentence);
        TOLD(tlsmem_read(inside, text, 1), TLSMEM_EINVAL, sentence);
        TOLD(tlsmem_stats(inside, &stats), TLSMEM_EINVAL, sentence);
        TOLD(tlsmem_close(inside), TLSMEM_EINVAL, sentence);
        tlsmem_free(inside);
        check_told(__FILE__, __LINE__, "tlsmem_free(inside)", sentence);
        TOLD(tlsmem_answer(inside, 1, TLSMEM_OK, NULL), TLSMEM_ESTATE, NULL); /* any thread may */
    }
    if (loop != NULL) {
        TOLD(tlsmem_loop_run_once(loop, 0), TLSMEM_EINVAL, "another thread is inside this loop");
        TOLD(tlsmem_loop_add(loop, in_loop, 0), TLSMEM_EINVAL, "another thread is inside this loop");
        TOLD(tlsmem_write(in_loop, "x", 1), TLSMEM_EINVAL, loops);
        TOLD(tlsmem_timer_set(timer, 1), TLSMEM_EINVAL, "another thread is inside the loop of this timer");
        tlsmem_loop_free(loop);
        check_told(__FILE__, __LINE__, "tlsmem_loop_free(loop)", "another thread is inside this loop");
        TOLD(tlsmem_loop_wake(loop), TLSMEM_OK, NULL);
        TOLD(tlsmem_loop_stop(loop), TLSMEM_OK, NULL);
    }
    return NULL;
}

static void let_in_another(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, intrude, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void within_data(end *e, event what)
{
    if (what != EVENT_DATA || inside != NULL)
        return;
    inside = e->c;
    let_in_another();
    CHECK_STATUS(tlsmem_write(e->c, "x", 1), 1); /* our own thread goes in again as it likes */
    check_told(__FILE__, __LINE__, "tlsmem_write(e->c)", NULL);
}

static void *write_here(void *c)
{
    TOLD(tlsmem_write(c, "x", 1), 1, NULL);
    return NULL;
}

static void on_timer(tlsmem_timer *which, void *unused)
{
    (void)which, (void)unused;
    let_in_another();
    CHECK_STATUS(tlsmem_write(in_loop, "x", 1), 1);
    CHECK_STATUS(tlsmem_loop_run_once(loop, 0), TLSMEM_ESTATE);
    check_told(__FILE__, __LINE__, "tlsmem_loop_run_once(loop)", NULL);
}

void two_threads(void)
{
    pthread_t thread;
    scene s = { "a connection inside of which another thread is", TLSMEM_TLS1_3, FACE_BUFFERS, FACE_BUFFERS, NULL };
    pair_establish(&s);
    server.hook = within_data;
    client.to_send = 100;
    wire_settle(&pair_wire);
    CHECK(inside != NULL && !server.freed && server.received >= 100, "it was not inside, or has not gone on");
    situation("a connection inside of which another thread was");
    MUST(pthread_create(&thread, NULL, write_here, server.c) == 0 && pthread_join(thread, NULL) == 0);
    inside = NULL;
    end_finish(&client);
    end_finish(&server);

    scene t = { "a loop inside of which another thread is", TLSMEM_TLS1_3, FACE_BUFFERS, FACE_REGISTRY, NULL };
    pair_establish(&t);
    loop = server.loop;
    in_loop = server.c;
    timer = tlsmem_loop_timer(loop, 0, on_timer, NULL);
    MUST(timer != NULL && tlsmem_loop_run(loop) == TLSMEM_OK);
    situation("a loop inside of which another thread was");
    MUST(pthread_create(&thread, NULL, write_here, in_loop) == 0 && pthread_join(thread, NULL) == 0);
    tlsmem_timer_free(timer);
    end_finish(&client);
    end_finish(&server);
}
