/* talker.c - a plugin with one function: it loads libtlsmem, has a client and a server talk, and gives it back. */
#include "talker.h"
#include <stdlib.h>
#include <tlsmem_dynamic.h>

static int speak(const tlsmem_api *tls, tlsmem_pair *pair)
{
    char heard[2][8] = { "", "" };
    int good = tls->set_server_name(tls->pair_end(pair, 0), "localhost") == TLSMEM_OK;
    for (int i = 0; i < 2; i++)
        good &= tls->write(tls->pair_end(pair, i), "word", 4) == 4;
    good &= tls->pair_run(pair, INT64_MAX) == TLSMEM_PAIR_STALLED; /* until nobody has anything left to say */
    for (int i = 0; i < 2; i++)
        good &= tls->read(tls->pair_end(pair, i), heard[i], sizeof heard[i]) == 4 && strcmp(heard[i], "word") == 0;
    for (int i = 0; i < 2; i++)
        good &= tls->close(tls->pair_end(pair, i)) == TLSMEM_OK;
    return good & (tls->pair_run(pair, INT64_MAX) == TLSMEM_PAIR_DONE);
}

__attribute__((visibility("default"))) int talk(const char *certs)
{
    tlsmem_api tls; /* each thread its own */
    char path[3][4096];
    int good = 0;
    if (tlsmem_load(NULL, &tls) != TLSMEM_OK)
        return fprintf(stderr, "%s\n", tls.sentence), 0;
    tlsmem_ctx *client = tls.ctx_new(TLSMEM_CLIENT), *server = tls.ctx_new(TLSMEM_SERVER);
    snprintf(path[0], sizeof path[0], "%s/ca.pem", certs);
    snprintf(path[1], sizeof path[1], "%s/server.pem", certs);
    snprintf(path[2], sizeof path[2], "%s/server.key", certs);
    if (tls.ctx_set_ca_file(client, path[0]) == TLSMEM_OK && tls.ctx_set_cert_file(server, path[1]) == TLSMEM_OK
        && tls.ctx_set_key_file(server, path[2]) == TLSMEM_OK) {
        tlsmem_pair *pair = tls.pair_new(client, server);
        good = pair != NULL && speak(&tls, pair);
        tls.pair_free(pair);
    }
    tls.ctx_free(client);
    tls.ctx_free(server);
    tlsmem_unload(&tls);
    return good;
}
