/* shim_store.c - where the shim keeps a server's sessions with -async, as if somebody else had to be asked for each. */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum { SESSIONS_MOST = 64 };

static struct kept {
    uint8_t id[32];
    size_t id_length;
    void *bytes;
    size_t length;
} kept[SESSIONS_MOST];

static struct kept *find(const tlsmem_session_entry *entry)
{
    for (int i = 0; i < SESSIONS_MOST; i++)
        if (kept[i].bytes != NULL && kept[i].id_length == entry->id_length &&
            memcmp(kept[i].id, entry->id, entry->id_length) == 0)
            return &kept[i];
    return NULL;
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    for (int i = 0; i < SESSIONS_MOST; i++)
        if (kept[i].bytes == NULL && (kept[i].bytes = malloc(entry->length)) != NULL) {
            memcpy(kept[i].id, entry->id, entry->id_length);
            memcpy(kept[i].bytes, entry->bytes, entry->length);
            kept[i].id_length = entry->id_length;
            kept[i].length = entry->length;
            return;
        }
}

static void on_remove(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    struct kept *one = find(entry);
    (void)c, (void)user;
    if (one != NULL) {
        free(one->bytes);
        memset(one, 0, sizeof *one);
    }
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    struct kept *one = find(entry);
    struct tls *tls = tlsmem_user(c);
    (void)user;
    free(tls->answer_bytes);
    tls->answer_bytes = one != NULL ? malloc(one->length) : NULL;
    tls->answer_length = tls->answer_bytes != NULL ? one->length : 0;
    if (tls->answer_bytes != NULL)
        memcpy(tls->answer_bytes, one->bytes, one->length);
    if (entry->once)
        on_remove(c, entry, user);
    return answered(c, entry->token, tls->answer_bytes != NULL ? TLSMEM_OK : TLSMEM_ESESSION);
}

int store_sessions(tlsmem_ctx *ctx)
{
    tlsmem_session_callbacks callbacks = TLSMEM_SESSION_CALLBACKS_INIT;
    callbacks.on_new = on_new;
    callbacks.on_find = on_find;
    callbacks.on_remove = on_remove;
    return tlsmem_ctx_set_session_callbacks(ctx, &callbacks, NULL);
}
