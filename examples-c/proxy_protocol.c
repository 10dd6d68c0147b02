/*
 * proxy_protocol.c - headers of the PROXY protocol, version 2: see proxy_protocol.h.
 *
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2: a signature of 12 bytes, version and command,
 * family, the length of the rest (big-endian), the addresses, and perhaps more, which is for others to understand.
 */
#define _GNU_SOURCE
#include "proxy_protocol.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SIGNATURE = 12, PREFIX = 16, REST_MOST = 2048,
    VERSION = 0x20, LOCAL = 0, PROXY = 1, /* LOCAL: on the proxy's own behalf, for nobody */
    TCP4 = 0x11, TCP6 = 0x21,
};

/* Bytes of the addresses, by family: unspecified, IPv4, IPv6, Unix. */
static const int addresses[] = { 0, 12, 36, 216 };
enum { FAMILIES = sizeof addresses / sizeof addresses[0], TRANSPORTS = 3 };

static const unsigned char signature[SIGNATURE] = "\r\n\r\n\0\r\nQUIT\n";

/* Adds bytes at the end of the header. */
static void add(unsigned char *header, size_t *n, const void *bytes, size_t count)
{
    memcpy(header + *n, bytes, count);
    *n += count;
}

size_t proxy_header_make(int fd, unsigned char *header)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } from, to;
    socklen_t from_n = sizeof from, to_n = sizeof to;
    size_t n = PREFIX;
    int known = getpeername(fd, &from.any, &from_n) == 0 && getsockname(fd, &to.any, &to_n) == 0;
    int family = !known ? 0 : from.any.sa_family == AF_INET ? TCP4 : from.any.sa_family == AF_INET6 ? TCP6 : 0;
    memcpy(header, signature, SIGNATURE);
    header[12] = VERSION | (family != 0 ? PROXY : LOCAL);
    header[13] = (unsigned char)family;
    if (family == TCP4) {
        add(header, &n, &from.v4.sin_addr, sizeof from.v4.sin_addr);
        add(header, &n, &to.v4.sin_addr, sizeof to.v4.sin_addr);
        add(header, &n, &from.v4.sin_port, sizeof from.v4.sin_port);
        add(header, &n, &to.v4.sin_port, sizeof to.v4.sin_port);
    } else if (family == TCP6) {
        add(header, &n, &from.v6.sin6_addr, sizeof from.v6.sin6_addr);
        add(header, &n, &to.v6.sin6_addr, sizeof to.v6.sin6_addr);
        add(header, &n, &from.v6.sin6_port, sizeof from.v6.sin6_port);
        add(header, &n, &to.v6.sin6_port, sizeof to.v6.sin6_port);
    }
    header[14] = 0;
    header[15] = (unsigned char)(n - PREFIX);
    return n;
}

int proxy_header_missing(const void *bytes, size_t n)
{
    const unsigned char *header = bytes;
    if (n > 0 && memcmp(header, signature, n < SIGNATURE ? n : SIGNATURE) != 0)
        return -1;
    if (n < PREFIX)
        return (int)(PREFIX - n);
    int rest = header[14] << 8 | header[15], command = header[12] & 0x0f, family = header[13] >> 4;
    if ((header[12] & 0xf0) != VERSION || command > PROXY || rest > REST_MOST)
        return -1;
    /* With LOCAL, family and addresses mean nothing. */
    if (command == PROXY && (family >= FAMILIES || (header[13] & 0x0f) >= TRANSPORTS || rest < addresses[family]))
        return -1;
    return PREFIX + rest - (int)n;
}
