/*
 * settings_answers.c - the words by which a program answers with bytes: OCSP responses, keys.
 */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key {
    char identity[256];
    uint8_t bytes[64];
    size_t n;
};

static struct key key_of(const char *value)
{
    struct key key = { .n = 0 };
    size_t length = strcspn(value, ":");
    snprintf(key.identity, sizeof key.identity, "%.*s", (int)length, value);
    for (const char *at = value + length; strlen(at) > 2 && key.n < sizeof key.bytes; at += 2)
        key.bytes[key.n++] = (uint8_t)strtoul((char[]) { at[1], at[2], '\0' }, NULL, 16);
    return key;
}

int psk(tlsmem_ctx *ctx, const char *value)
{
    struct key key = key_of(value);
    return tlsmem_ctx_set_psk(ctx, key.identity, key.bytes, key.n);
}

static int answer_key(tlsmem *c, const tlsmem_psk_request *asked, void *value)
{
    struct key key = key_of(value);
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    if (asked->identity != NULL && strcmp(asked->identity, key.identity) != 0)
        return TLSMEM_OK;
    reply.bytes = key.bytes;
    reply.length = key.n;
    reply.identity = key.identity;
    tlsmem_answer(c, asked->token, TLSMEM_OK, &reply);
    return TLSMEM_LATER;
}

int psk_cb(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_psk_cb(ctx, answer_key, (void *)(size_t)value);
}

static int answer_response(tlsmem *c, const tlsmem_ocsp_request *asked, void *path)
{
    char response[8192];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.length = read_file(path, response, sizeof response);
    reply.bytes = response;
    tlsmem_answer(c, asked->token, TLSMEM_OK, &reply);
    return TLSMEM_LATER;
}

int staple_cb(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_ocsp_cb(ctx, answer_response, (void *)(size_t)value);
}
