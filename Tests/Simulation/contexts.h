/* What a service is: a server's and a client's context that go together, with random settings. */
#ifndef CONTEXTS_H
#define CONTEXTS_H

#include "simulation.h"

/** What contexts may have beside the usual, each of them to be switched off by itself. */
typedef enum setting {
    SETTING_OLD, SETTING_OTHER_KEYS, SETTING_PSK, SETTING_SMALL, SETTING_DEADLINES, SETTING_KEYS, SETTING_RENEGOTIATION,
    SETTING_CLIENT_CERT, SETTING_ALPN, SETTING_EARLY, SETTING_TICKETS, SETTING_STORE, SETTING_HELLO, SETTING_VERDICT,
    SETTING_KEY_ASKED, SETTING_CHOICE, SETTING_MISMATCH, SETTING_BUFFERS, SETTING_RELOAD, SETTING_PAUSES, SETTING_TRACE,
    SETTINGS
} setting;
extern const char *const setting_names[SETTINGS];

typedef struct service {
    tlsmem_ctx *contexts[2];   /* by side: the client's, the server's */
    tlsmem_limits limits[2];
    unsigned has;              /* settings */
    int version;               /* 0 for both */
    tlsmem_session *session;   /* the newest that a client got */
} service;

/** Draws the settings, and makes the contexts. */
void service_begin(service *s);
void service_end(service *s);
/** Puts a fresh context in the place of one that serves. */
void service_reload(service *s, int side);
static inline int service_has(const service *s, setting which) { return (int)(s->has >> which & 1); }

#endif
