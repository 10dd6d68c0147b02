/*
 * plugin.h - all that plugin_host and its plugins know of each other. There is nothing of TLS in it: the host has none, and
 * each plugin loads libtlsmem for itself, by tlsmem_dynamic.h.
 *
 * A plugin is a shared object that shows one symbol: const struct plugin plugin.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdint.h>

/** Goes up whenever something below changes: a host refuses a plugin that has another number. */
#define PLUGIN_ABI 1

/** What a plugin ends with, in the order of gravity. */
enum { PLUGIN_DONE = 0, PLUGIN_USAGE = 1, PLUGIN_NETWORK = 2, PLUGIN_TLS = 3 };

/** What a plugin waits for. It belongs to the plugin, which changes it as it likes; the host reads it before it waits. */
struct plugin_watch {
    int fd;        /* -1 for none */
    int events;    /* POLLIN, POLLOUT, both; with 0 the host does not look at fd, not for a hang-up either */
    int64_t at_ms; /* of CLOCK_MONOTONIC; -1 for never */
    /** fd is ready for `events`, as poll has them, or the moment has come. It may add and remove any watch, this one too. */
    void (*ready)(struct plugin_watch *watch, int events);
};

/** What the host does for its plugins, in the one thread that it has; valid until teardown has returned. */
struct plugin_host {
    /** Returns what the command line says of an option, "ca" of --ca; NULL when nothing. Valid until teardown has returned. */
    const char *(*option)(const char *name);
    /** Says what an option has become, to the plugins that are loaded later; the text is copied. */
    void (*provide)(const char *name, const char *text);
    /** Waits for it, until it is removed, before teardown has returned. Returns 0, or -1 when there are too many. */
    int (*add)(struct plugin_watch *watch);
    void (*remove)(struct plugin_watch *watch);
    /** Prints one line on stderr. */
    void (*say)(const char *format, ...) __attribute__((format(printf, 1, 2)));
    /** The plugin has nothing left to do; call it once. The host ends when all plugins have, or one with a failure. */
    void (*end)(int code);
};

struct plugin {
    int abi; /* PLUGIN_ABI */
    /** Begins. Returns what teardown is given, or NULL after `say` and `end`, and then nothing is left behind. */
    void *(*init)(const struct plugin_host *host);
    /** Ends, at any moment. No call comes into the plugin after that, and its code is unloaded. */
    void (*teardown)(void *self);
};

#endif
