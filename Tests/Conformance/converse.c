#include "converse.h"

static int accept_one(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    conversation *t = user;
    uint64_t bytes = t->client.to_send;
    (void)listener;
    if (t->server.c != NULL)
        return -1;
    end_adopt(&t->server, accepted->connection, 1);
    t->server.to_send = t->server.to_receive = bytes;
    t->server.close_when_done = 1;
    accepted->callbacks = &end_callbacks;
    accepted->user = &t->server;
    return 0;
}

static void count_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    conversation *t = user;
    (void)listener;
    t->errors++;
    t->last_error = sys_errno;
}

int converse_begin(conversation *t, tlsmem_ctx *client, tlsmem_ctx *server, uint64_t bytes)
{
    tlsmem_listen_options here = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    memset(t, 0, sizeof *t);
    end_adopt(&t->server, NULL, 1);
    if ((t->loop = new_loop()) == NULL)
        return 0;
    here.host = "127.0.0.1";
    here.on_accept = accept_one;
    here.on_error = count_error;
    here.user = t;
    if (tlsmem_loop_listen(t->loop, server, &here, &t->listener) != TLSMEM_OK)
        return 0;
    end_adopt(&t->client, connection(client, &end_callbacks, &t->client), 0);
    t->client.to_send = t->client.to_receive = bytes;
    t->client.close_when_done = 1;
    to.host = here.host;
    to.port = tlsmem_listener_port(t->listener);
    return tlsmem_loop_connect(t->loop, t->client.c, &to) == TLSMEM_OK;
}

int converse_turn(conversation *t, int timeout_ms)
{
    int handled = tlsmem_loop_run_once(t->loop, timeout_ms);
    if (t->client.established)
        end_step(&t->client);
    if (t->server.c != NULL)
        end_step(&t->server);
    return handled;
}

int converse_went_well(const conversation *t)
{
    const end *ends[2] = { &t->client, &t->server };
    for (int i = 0; i < 2; i++)
        if (ends[i]->closes != 1 || ends[i]->wrong != 0 || ends[i]->received != t->client.to_send
            || ends[i]->report.status != TLSMEM_OK)
            return 0;
    return 1;
}

void converse_end(conversation *t)
{
    if (t->client.c != NULL)
        end_finish(&t->client);
    if (t->server.c != NULL)
        end_finish(&t->server);
    tlsmem_loop_free(t->loop);
}

int converse(tlsmem_ctx *client, tlsmem_ctx *server, uint64_t bytes)
{
    conversation *t = calloc(1, sizeof *t); /* larger than some stacks */
    MUST(t != NULL);
    int well = converse_begin(t, client, server, bytes);
    for (int turns = 0; well && turns < 100000 && t->client.closes + t->server.closes < 2; turns++)
        well = converse_turn(t, 1000) >= 0;
    well = well && converse_went_well(t);
    converse_end(t);
    free(t);
    return well;
}
