/*
 * nested_libuv.c - the registry within libuv's loop: a uv_poll_t on its descriptor, and a uv_timer_t for its time.
 *
 * tlsmem_loop_fd is readable when a descriptor in the loop is ready, or another thread has posted something. It does not
 * tell the time: tlsmem_loop_timeout says how long the outer loop may wait. It may have changed with whatever was called
 * since, so it is asked in a uv_prepare_t, just before libuv waits.
 */
#include "nested.h"
#include <signal.h>
#include <uv.h>

static struct nested s;
static uv_poll_t ready;
static uv_timer_t timer;
static uv_prepare_t before_wait;
static uv_signal_t interrupted, terminated;

/* manual: loop */
/* There may be something to do in the library's loop. */
static void run(void)
{
    tlsmem_loop_run_once(s.loop, 0);
    if (s.done)
        uv_stop(uv_default_loop());
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
    run();
}

static void on_time(uv_timer_t *unused)
{
    (void)unused;
    run(); /* a little early perhaps: then there is a timeout still */
}

static void on_wait(uv_prepare_t *prepare)
{
    (void)prepare;
    int left = tlsmem_loop_timeout(s.loop);
    if (left >= 0)
        uv_timer_start(&timer, on_time, (uint64_t)left, 0);
    else
        uv_timer_stop(&timer);
}
/* end of loop */

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static void close_any(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    begin_nested(&s, argc, argv, "sends every byte back, over TLS, in the library's loop within libuv's");
    uv_poll_init(loop, &ready, tlsmem_loop_fd(s.loop));
    uv_poll_start(&ready, UV_READABLE, on_ready);
    uv_timer_init(loop, &timer);
    uv_prepare_init(loop, &before_wait);
    uv_prepare_start(&before_wait, on_wait);
    uv_signal_init(loop, &interrupted);
    uv_signal_init(loop, &terminated);
    uv_signal_start(&interrupted, on_signal, SIGINT);
    uv_signal_start(&terminated, on_signal, SIGTERM);
    say_listening(s.all.o.host, (int)s.all.o.port);
    uv_run(loop, UV_RUN_DEFAULT);

    uv_walk(loop, close_any, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    end_nested(&s); /* and with it the descriptor, which libuv has let go */
    return EXIT_DONE;
}
