/*
 * nested_poll.c - the registry within another loop, here poll: one descriptor and one timeout stand for everything in it.
 *
 * tlsmem_loop_fd is readable when a descriptor in the loop is ready, or another thread has posted something. It does not
 * tell the time: tlsmem_loop_timeout says how long the outer loop may wait, and has to be asked before each wait.
 */
#include "nested.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct nested s;
    int code = EXIT_DONE;
    begin_nested(&s, argc, argv, "sends every byte back, over TLS, in the library's loop within one around poll");
    struct pollfd polled[] = { { stop_descriptor(), POLLIN, 0 },
                               { tlsmem_loop_fd(s.loop), POLLIN, 0 } };
    say_listening(s.all.o.host, (int)s.all.o.port);
    /* manual: loop */
    while (!s.done && polled[0].revents == 0) {
        int timeout = tlsmem_loop_timeout(s.loop);
        if (poll(polled, 2, timeout) < 0 && errno != EINTR) {
            say("poll: %s", strerror(errno));
            code = EXIT_NETWORK;
            break;
        }
        /* Whether a descriptor is ready or the time has come: it finds out. */
        tlsmem_loop_run_once(s.loop, 0);
    }
    /* end of loop */
    end_nested(&s);
    return code;
}
