/*
 * leaving.c - a host whose plugin is unmapped while its connections live: in their handshake, open, and in a loop with a
 * timer of the host's. They go on, for the library stays; and nothing that the plugin freed calls into where it was.
 *
 *     leaving PLUGIN CERTIFICATES ROUNDS
 */
#define _GNU_SOURCE
#include "leaving.h"
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static tlsmem_api tls;

static int mapped(const char *name)
{
    FILE *file = fopen("/proc/self/maps", "r");
    int found = 0;
    MUST(file != NULL);
    for (char line[4096]; fgets(line, sizeof line, file) != NULL;)
        found |= strstr(line, name) != NULL;
    fclose(file);
    return found;
}

static void on_timer(tlsmem_timer *timer, void *user)
{
    ++*(int *)user;
    tls.timer_free(timer);
}

/* A word each way, and both ends close. */
static void talk(struct two *t)
{
    char heard[16];
    for (int i = 0; i < 2; i++) {
        MUST(tls.write(t->c[i], "word", 4) == 4);
        while (move(&tls, t))
            ;
        MUST(tls.read(t->c[1 - i], heard, sizeof heard) == 4 && memcmp(heard, "word", 4) == 0);
    }
    for (int i = 0; i < 2; i++)
        MUST(tls.close(t->c[i]) == TLSMEM_OK);
    while (move(&tls, t))
        ;
    for (int i = 0; i < 2; i++) {
        tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
        MUST(tls.report(t->c[i], &report) == TLSMEM_OK && report.status == TLSMEM_OK && report.close_notify_received);
        tls.free(t->c[i]);
    }
}

static void go_on_in_the_loop(struct left *left)
{
    int ticks = 0;
    char heard[16];
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    MUST(tls.loop_timer(left->loop, 1, on_timer, &ticks) != NULL);
    MUST(tls.write(left->looped.c[0], "word", 4) == 4);
    while (!want.has_plaintext || ticks == 0) {
        MUST(tls.loop_run_once(left->loop, 10000) > 0);
        MUST(tls.want(left->looped.c[1], &want) == TLSMEM_OK);
    }
    MUST(tls.read(left->looped.c[1], heard, sizeof heard) == 4 && memcmp(heard, "word", 4) == 0);
    for (int i = 0; i < 2; i++)
        MUST(tls.close(left->looped.c[i]) == TLSMEM_OK);
    for (int i = 0; i < 2; i++) {
        while (tls.want(left->looped.c[i], &want) == TLSMEM_OK && want.state != TLSMEM_STATE_CLOSED)
            MUST(tls.loop_run_once(left->loop, 10000) > 0);
        tls.free(left->looped.c[i]);
    }
    tls.loop_free(left->loop);
    close(left->wire);
}

static void round_trip(const char *path, const char *certs)
{
    struct left left = { 0 };
    char heard[16];
    void (*leave)(struct left *, const char *);
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    MUST(plugin != NULL);
    *(void **)&leave = dlsym(plugin, "leave");
    leave(&left, certs);
    MUST(mapped("leaver.so") && dlclose(plugin) == 0);
    MUST(!mapped("leaver.so") && mapped("libtlsmem.so")); /* the plugin is gone, the library is not */
    long called = left.called;
    MUST(tlsmem_load(NULL, &tls) == TLSMEM_OK);
    talk(&left.begun);
    MUST(tls.read(left.open.c[1], heard, sizeof heard) == 4 && memcmp(heard, "kept", 4) == 0);
    talk(&left.open);
    go_on_in_the_loop(&left);
    MUST(left.called == called);
    tlsmem_unload(&tls);
}

int main(int argc, char **argv)
{
    MUST(argc == 4);
    for (long rounds = strtol(argv[3], NULL, 10); rounds > 0; rounds--)
        round_trip(argv[1], argv[2]);
    printf("all of them went on\n");
    return 0;
}
