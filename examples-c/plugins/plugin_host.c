/*
 * plugin_host.c - a program that knows nothing of TLS: it loads plugins, and waits for them in its own loop around poll.
 *
 *     plugin_host --port 0 --cert server.pem --key server.key --ca ca.pem --max 1 ./echo.so ./fetch.so
 */
#define _GNU_SOURCE
#include "host_loop.h"
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { USAGE = 1, NETWORK = 2, PLUGINS_MAX = 64 };

static struct known {
    const char *name, *argument, *help, *given;
    char *provided; /* by a plugin, instead of what was given, until the round is over */
} known[] = {
    { "host", "H", "name or address to serve or to connect to (localhost)", "localhost", NULL },
    { "port", "P", "its port (4433); a server takes a free one for 0", "4433", NULL },
    { "cert", "FILE", "a server's certificate and its chain, PEM", NULL, NULL },
    { "key", "FILE", "its private key, PEM", NULL, NULL },
    { "ca", "FILE", "the authorities that a client trusts, PEM", NULL, NULL },
    { "text", "TEXT", "what a client sends (hello)", "hello\n", NULL },
    { "max", "N", "a server ends after N connections have ended", NULL, NULL },
    { "library", "FILE", "the libtlsmem that plugins load (libtlsmem.so.0, as the loader finds it)", NULL, NULL },
    { "rounds", "N", "load, run and unload the plugins N times (1)", "1", NULL },
    { "verbose", NULL, "say why a connection failed", NULL, NULL },
    { "help", NULL, "print this", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static int running, result; /* plugins that have not ended; the gravest code */

static void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("plugin_host: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

static const char *option(const char *name)
{
    for (const struct known *row = known; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row->provided != NULL ? row->provided : row->given;
    return NULL;
}

/* No text takes back what was provided. */
static void provide(const char *name, const char *text)
{
    for (struct known *row = known; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0) {
            free(row->provided);
            row->provided = text != NULL ? strdup(text) : NULL;
        }
}

static void end(int code)
{
    running--;
    if (code > result)
        result = code;
}

static const struct plugin_host host = { option, provide, loop_add, loop_remove, say, end };

struct loaded {
    void *library;
    const struct plugin *plugin;
    void *self;
};

/* Returns 0 when there is a plugin that begins; else it was said why not. */
static int load(struct loaded *l, const char *path)
{
    *l = (struct loaded) { dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL, NULL };
    if (l->library == NULL)
        return say("%s", dlerror()), USAGE;
    l->plugin = dlsym(l->library, "plugin");
    if (l->plugin == NULL || l->plugin->abi != PLUGIN_ABI)
        return say(l->plugin == NULL ? "%s: no plugin" : "%s: a plugin for another host", path), USAGE;
    running++;
    l->self = l->plugin->init(&host);
    return l->self != NULL ? 0 : result != 0 ? result : USAGE;
}

static void unload(struct loaded *l)
{
    if (l->self != NULL)
        l->plugin->teardown(l->self);
    if (l->library != NULL)
        dlclose(l->library);
}

/* Loads all, runs until all have ended, and unloads all, the last one first. Returns 0 when a signal wants the end. */
static int run(char **paths, int count, int signals)
{
    struct loaded loaded[PLUGINS_MAX];
    int n = 0, goes_on = 1;
    while (n < count && result == 0)
        result = load(&loaded[n], paths[n]), n++;
    while (goes_on > 0 && result == 0 && running > 0)
        goes_on = loop_turn(signals);
    if (goes_on < 0)
        say("poll: %s", strerror(errno)), result = NETWORK;
    while (n > 0)
        unload(&loaded[--n]);
    for (const struct known *row = known; row->name != NULL; row++)
        provide(row->name, NULL);
    running = 0;
    return goes_on;
}

static int help(void)
{
    printf("plugin_host: loads plugins, and waits for them\n\nplugin_host [OPTION...] PLUGIN...\n\n");
    for (const struct known *row = known; row->name != NULL; row++)
        printf("  --%-8s %-6s%s\n", row->name, row->argument != NULL ? row->argument : "", row->help);
    printf("\nexit codes: 0 done, 1 usage, 2 network, 3 TLS\n");
    return 0;
}

static int serve(int argc, char **argv)
{
    struct option longs[sizeof known / sizeof known[0]] = { { 0 } };
    sigset_t set;
    int index = 0, found;
    for (size_t i = 0; known[i].name != NULL; i++)
        longs[i] = (struct option) { known[i].name, known[i].argument != NULL ? required_argument : no_argument, NULL, 0 };
    while ((found = getopt_long(argc, argv, "", longs, &index)) == 0)
        known[index].given = optarg != NULL ? optarg : "";
    if (found == -1 && option("help") != NULL)
        return help();
    long rounds = strtol(option("rounds"), NULL, 10);
    if (found != -1 || rounds < 1 || optind == argc || argc - optind > PLUGINS_MAX)
        return say("which plugins, how often? --help lists the options"), USAGE;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a standard output that was closed is an error of write */
    int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    while (signals >= 0 && rounds-- > 0 && run(argv + optind, argc - optind, signals) && result == 0)
        ;
    return signals < 0 ? say("signalfd: %s", strerror(errno)), NETWORK : (close(signals), result);
}

int main(int argc, char **argv)
{
    int code = serve(argc, argv);
    if (code == 0 && (ferror(stdout) || fflush(stdout) != 0))
        return say("cannot write to standard output: %s", strerror(errno)), NETWORK;
    return code;
}
