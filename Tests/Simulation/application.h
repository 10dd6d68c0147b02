/* What applications do, each of them to be switched off by itself. */
#ifndef APPLICATION_H
#define APPLICATION_H

typedef enum deed {
    DEED_WRITE, DEED_READ, DEED_PAUSE, DEED_CORK, DEED_HALF_CLOSE, DEED_CLOSE, DEED_ABORT, DEED_FREE, DEED_FACE, DEED_KEY,
    DEED_RENEGOTIATE, DEED_REQUEST, DEED_TIMEOUT, DEED_ASK, DEED_CALLBACKS, DEED_SESSION, DEED_ANSWER, DEED_RELOAD,
    DEED_DRIVE, DEED_LOOP, DEEDS
} deed;
extern const char *const deed_names[DEEDS];

#endif
