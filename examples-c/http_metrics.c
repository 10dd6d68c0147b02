/* http_metrics.c - what all connections of TLS have counted, as Prometheus reads it; see http.h. */
#include "http.h"

/* manual: metrics */
/* Returns the text, for free(), and its length; or NULL. It is asked for
   again when it has grown since it was asked how long it is. */
static char *metrics(tlsmem_ctx *ctx, ptrdiff_t *length)
{
    ptrdiff_t room, n = tlsmem_metrics(&ctx, NULL, 1, NULL, 0);
    char *text = NULL;
    do {
        room = n + 1;
        free(text);
        text = malloc((size_t)room);
        if (text == NULL)
            return NULL;
        n = tlsmem_metrics(&ctx, NULL, 1, text, (size_t)room);
    } while (n >= room);
    *length = n;
    return text;
}
/* end of metrics */

void answer_with_metrics(struct exchange *x)
{
    ptrdiff_t n;
    char *text = metrics(x->client->worker->server->ctx, &n);
    if (text == NULL) {
        refuse(x, 503);
        return;
    }
    x->status = 200;
    answer_field(x, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    answer_field(x, "Content-Length", "%td", n);
    answer_field(x, "Cache-Control", "no-store");
    keep(&x->body, text, (size_t)n);
    free(text);
}
