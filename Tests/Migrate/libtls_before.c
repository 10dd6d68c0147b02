/* libtls_before.c - libtls, LibreSSL's own interface, with a socket that blocks. */
#include "client.h"
#include <stdio.h>
#include <tls.h>

/* manual: ask */
static int again(ssize_t n)
{
    return n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT;
}

static int talk(struct tls *t)
{
    char text[4096];
    ssize_t n;
    while ((n = tls_write(t, "hello\n", 6)) != 6)
        if (!again(n))
            return 1;
    do {
        while ((n = tls_read(t, text, sizeof text)) <= 0)
            if (!again(n))
                return 1;
    } while (!heard(text, n));
    while ((n = tls_close(t)) != 0)
        if (!again(n))
            return 1;
    return 0;
}

int ask(const char *host, const char *port, const char *authorities)
{
    struct tls_config *config = tls_config_new();
    struct tls *t = tls_client();
    int code = 1;
    if (tls_config_set_ca_file(config, authorities) == 0
        && tls_configure(t, config) == 0
        && tls_connect(t, host, port) == 0)
        code = talk(t);
    if (code != 0 && tls_error(t) != NULL)
        fprintf(stderr, "%s\n", tls_error(t));
    tls_free(t);
    tls_config_free(config);
    return code;
}
/* end of ask */
