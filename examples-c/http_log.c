/* http_log.c - the access log, a line for each request in the common log format. */
#include "http.h"
#include <string.h>
#include <time.h>

/* A client must not be able to write lines of its own, nor to the terminal of whoever reads them. */
static void escape(struct bytes *line, const char *text)
{
    char code[8];
    for (; *text != '\0'; text++) {
        int plain = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';
        int n = snprintf(code, sizeof code, plain ? "%c" : "\\x%02x", (unsigned char)*text);
        keep(line, code, (size_t)n);
    }
}

void log_exchange(const struct exchange *x)
{
    FILE *log = x->client->worker->server->log;
    const char *method = request_field(x, ":method"), *target = request_field(x, ":path");
    struct bytes request = { NULL, 0, 0 };
    struct tm parts;
    char when[40], bytes[24] = "-";
    time_t now = time(NULL);
    if (log == NULL)
        return;
    if (method != NULL && target != NULL) {
        escape(&request, method);
        keep(&request, " ", 1);
        escape(&request, target);
        keep(&request, " ", 1);
        escape(&request, x->version);
    } else {
        keep(&request, "-", 1);
    }
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S %z", localtime_r(&now, &parts));
    if (x->sent > 0)
        snprintf(bytes, sizeof bytes, "%lld", x->sent);
    fprintf(log, "%s - - [%s] \"%.*s\" %d %s\n", x->client->host, when, (int)request.n, request.at, x->status, bytes);
    drop(&request, request.n);
}
