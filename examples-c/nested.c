/* nested.c - an echo server in the registry; see nested.h. */
#include "nested.h"
#include <errno.h>
#include <string.h>

/* manual: echo */
static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report,
                     void *user)
{
    struct nested *s = user;
    (void)report;
    if (farewell(&s->all, c))
        s->done = 1;
    tlsmem_free(c);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted,
                     void *user)
{
    static const tlsmem_callbacks callbacks = {
        sizeof callbacks, NULL, on_data, on_drain, NULL, on_close
    };
    struct nested *s = user;
    const char *greeting = s->all.greeting;
    (void)listener;
    accepted->callbacks = &callbacks;
    accepted->user = s;
    /* The greeting waits for the handshake by itself. */
    return tlsmem_write(accepted->connection, greeting,
                        strlen(greeting)) < 0;
}
/* end of echo */

void begin_nested(struct nested *s, int argc, char **argv, const char *about)
{
    begin(&s->all, argc, argv, about);
    s->loop = tlsmem_loop_new();
    if (s->loop == NULL) {
        say("the loop failed: %s", strerror(errno));
        exit(EXIT_NETWORK);
    }
    listen_in(&s->loop, 1, s->all.ctx, &s->all.o, on_accept, s);
    explain_at_signal(&s->explaining, &s->loop, 1);
}

void end_nested(struct nested *s)
{
    tlsmem_loop_free(s->loop);
    tlsmem_ctx_free(s->all.ctx);
}
