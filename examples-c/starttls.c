/*
 * starttls.c - plain first, TLS on the same socket after, and back to plain: a small mail server, and its client.
 *
 * The conversation is in starttls_talk.c, its two changes, which are what this is about, in starttls_change.c. TLS is
 * driven in the fd face, on a socket that has carried plain text, and ended by tlsmem_unwrap, which leaves the socket
 * open and swallows not one byte of what follows in plain.
 */
#include "starttls_mail.h"
#include <string.h>

int main(int argc, char **argv)
{
    static struct mail m = { .options = { .host = "127.0.0.1", .port = 2525 }, .mode = "server", .wait = 30 };
    const struct own_option own[] = {
        { "mode", "server|client", &m.mode, NULL, "which of the two to be (server)" },
        { "wait", "S", NULL, &m.wait, "wait for the peer for so many seconds (30)" },
        { "verbose", NULL, NULL, &m.verbose, "print on stderr what is said, and how" },
        { "max", "N", NULL, &m.max, "server: end after N clients have gone" },
        { "print", NULL, NULL, &m.print, "server: print the messages" },
        { "from", "ADDRESS", &m.from, NULL, "client: send the message on standard input" },
        { "to", "ADDRESS", &m.to, NULL, "client: to this address" },
        { "stop-tls", NULL, NULL, &m.stop_tls, "client: go back to plain before the end, by XSTOPTLS" },
        { 0 },
    };
    parse_options(argc, argv, "changes from plain to TLS and back, as a mail server or its client", &m.options, own);
    int is_client = strcmp(m.mode, "client") == 0;
    if (!is_client && strcmp(m.mode, "server") != 0)
        usage_error("--mode: %s is neither server nor client", m.mode);
    if ((m.from == NULL) != (m.to == NULL))
        usage_error("--from and --to go together");
    if (m.wait < 1 || m.wait > 86400)
        usage_error("--wait: from 1 second to a day");
    m.ctx = is_client ? client_context(&m.options) : server_context(&m.options);
    int code = is_client ? send_mail(&m) : serve_mail(&m);
    tlsmem_ctx_free(m.ctx); /* threads that are still there have it too */
    return code;
}
