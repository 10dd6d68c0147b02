/*
 * What the programs about keys in common share.
 */
#ifndef PSK_H
#define PSK_H

#include "meeting.h"

/** Keys that programs say when they are asked. */
void asked_for_keys(int version);
/** What a server sends for a key that is not the client's: OpenSSL 3.0 illegal_parameter, newer ones decrypt_error. */
int alert_for_wrong_key(int alert);

#endif
