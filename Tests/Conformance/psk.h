/*
 * What the programs about keys in common share.
 */
#ifndef PSK_H
#define PSK_H

#include "meeting.h"

/** Keys that programs say when they are asked. */
void asked_for_keys(int version);

#endif
