/* talker.h - the one function of talker.c. */
#ifndef TALKER_H
#define TALKER_H

/** Loads libtlsmem, has two connections talk and close, and gives it back. Returns whether all of it went well. */
int talk(const char *certs);

#endif
