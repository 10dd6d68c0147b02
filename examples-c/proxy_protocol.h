/* proxy_protocol.h - the PROXY protocol, version 2: who the client is, said before the first byte of its own. */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include <stddef.h>

enum { PROXY_HEADER_MOST = 52 }; /* bytes of a header that we make */

/** Makes the header for a connection that was accepted, of its peer's address and its own. Returns its length. */
size_t proxy_header_make(int fd, unsigned char *header);
/** Returns how many bytes are still missing of a header of which n have come; 0 for none; -1 when it is no header. */
int proxy_header_missing(const void *bytes, size_t n);

#endif
