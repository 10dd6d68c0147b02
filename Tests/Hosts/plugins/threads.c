/*
 * threads.c - a host that uses a plugin in threads which end before the plugin is unmapped, after it, or unmap it themselves;
 * and in several at once. Whatever the library keeps for a thread is given back at its end, also when nobody has it loaded
 * any more.
 *
 *     threads PLUGIN CERTIFICATES ROUNDS
 */
#define _GNU_SOURCE
#include "talker.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(good) ((good) ? (void)0 : (fprintf(stderr, "threads.c:%d: not so: %s\n", __LINE__, #good), _Exit(1)))

static const char *path, *certs;
static pthread_barrier_t talked, unloaded;

static void *load(__typeof__(talk) **function)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    MUST(plugin != NULL);
    *(void **)function = dlsym(plugin, "talk");
    MUST(*function != NULL);
    return plugin;
}

/* Loads, talks and unloads; then the thread ends. */
static void *alone(void *unused)
{
    __typeof__(talk) *function;
    void *plugin = load(&function);
    MUST(function(certs) && dlclose(plugin) == 0);
    return unused;
}

static void *only_talks(void *function)
{
    MUST((*(__typeof__(talk) **)function)(certs));
    return NULL;
}

/* The thread ends once somebody else has unmapped the plugin. */
static void *outlives(void *function)
{
    MUST((*(__typeof__(talk) **)function)(certs));
    pthread_barrier_wait(&talked);
    pthread_barrier_wait(&unloaded);
    return NULL;
}

static pthread_t begin(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, function, argument) == 0);
    return thread;
}

static void end(pthread_t thread)
{
    MUST(pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
    MUST(argc == 4);
    path = argv[1];
    certs = argv[2];
    MUST(pthread_barrier_init(&talked, NULL, 2) == 0 && pthread_barrier_init(&unloaded, NULL, 2) == 0);
    for (long rounds = strtol(argv[3], NULL, 10); rounds > 0; rounds--) {
        __typeof__(talk) *function;
        pthread_t four[4];
        end(begin(alone, NULL));
        void *plugin = load(&function);
        end(begin(only_talks, &function));
        MUST(function(certs) && dlclose(plugin) == 0);
        plugin = load(&function);
        pthread_t thread = begin(outlives, &function);
        pthread_barrier_wait(&talked);
        MUST(dlclose(plugin) == 0);
        pthread_barrier_wait(&unloaded);
        end(thread);
        for (int i = 0; i < 4; i++)
            four[i] = begin(alone, NULL);
        for (int i = 0; i < 4; i++)
            end(four[i]);
    }
    printf("all threads ended well\n");
    return 0;
}
