/* Faults that are there on purpose, one by its name: a watcher that does not see it would see no other either. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsmem.h>

static tlsmem_ctx *ctx;
static int refused;

/* Memory that was given back, for the library to read. */
static void freed(void)
{
    char *volatile text = malloc(64); /* the compilers look through it otherwise */
    if (text == NULL)
        return;
    memset(text, '0', 64);
    free(text);
    refused += tlsmem_ctx_set_ca_mem(ctx, text, 64) != TLSMEM_OK;
}

/* The same, read by no function of C's that a sanitizer takes the place of. */
static void freed_limits(void)
{
    tlsmem_limits usual = TLSMEM_LIMITS_INIT;
    tlsmem_limits *volatile limits = malloc(sizeof *limits);
    if (limits == NULL)
        return;
    *limits = usual;
    free(limits);
    refused += tlsmem_ctx_set_limits(ctx, limits) != TLSMEM_OK;
}

/* Something of the library's that nobody gives back. */
static void lost(void) { refused += tlsmem_ctx_new(TLSMEM_SERVER) == NULL; }

static void overflown(void)
{
    volatile int number = INT_MAX;
    number = number + 1;
}

static void *set_often(void *unused)
{
    for (int i = 0; i < 2000; i++)
        if (tlsmem_ctx_set_renegotiation(ctx, TLSMEM_RENEGOTIATE_NEVER) != TLSMEM_OK)
            return ctx;
    return unused;
}

/* A context that two threads change at once. */
static void raced(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, set_often, NULL) != 0)
        return;
    refused += set_often(NULL) != NULL;
    pthread_join(other, NULL);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*commit)(void);
    } faults[] = { { "freed", freed }, { "freed_limits", freed_limits }, { "lost", lost }, { "overflown", overflown }, { "raced", raced } };
    ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (ctx == NULL || count < 2)
        return 0;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (strcmp(arguments[1], faults[i].name) == 0)
            faults[i].commit();
    tlsmem_ctx_free(ctx);
    printf("%d refused\n", refused);
    return 0; /* unless a watcher says otherwise */
}
