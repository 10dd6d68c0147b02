/*
 * openssl_user.c - a plugin of plugin_host that speaks OpenSSL by itself, in the same loop and thread as those that load
 * libtlsmem: a handshake of its own, a step every few turns (Tests/Conformance/hosts_openssl.c), and errors of its own, which
 * it leaves in OpenSSL's queue after every turn. It finds nobody else's errors there.
 */
#include "plugin.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

int other_step(const char *cert, const char *key);

static struct plugin_watch watch;
static const struct plugin_host *host;
static int done;
static long turns;

static void fail(const char *what)
{
    host->say("openssl_user: %s", what);
    host->end(PLUGIN_TLS);
}

static void turn(struct plugin_watch *w, int events)
{
    unsigned long error = ERR_peek_error();
    (void)w, (void)events;
    if (error != 0 && ERR_GET_REASON(error) != SSL_R_BAD_LENGTH) {
        fail(ERR_reason_error_string(error));
        return;
    }
    if (done == 0 && turns % 4 == 0) {
        ERR_clear_error();
        done = other_step(host->option("cert"), host->option("key"));
        if (done < 0) {
            fail("its own handshake fails");
            return;
        }
        if (done > 0) { /* and goes on to leave errors */
            printf("openssl_user: its own handshake is done\n");
            host->end(PLUGIN_DONE);
        }
    }
    turns++;
    for (int i = 0; i < 20; i++)
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
}

static void *init(const struct plugin_host *of)
{
    host = of;
    watch = (struct plugin_watch) { -1, 0, 0, turn }; /* at once, and again and again */
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    return host->add(&watch) == 0 ? &watch : NULL;
}

static void teardown(void *self)
{
    host->remove(self);
    ERR_clear_error();
}

__attribute__((visibility("default"))) extern const struct plugin plugin;
const struct plugin plugin = { PLUGIN_ABI, init, teardown };
