// Statically defined probes (USDT) of the provider libtlsmem, for bpftrace, perf, SystemTap and gdb: a nop each, and a note in
// the library about where its arguments are. Without <sys/sdt.h> (Debian: systemtap-sdt-dev) there are none.
// Those of records are in COpenSSL. What each is for, and its arguments: tools/tlsmem.bt.
#ifndef CLINUX_PROBES_H
#define CLINUX_PROBES_H

#include <stdint.h>

#if __has_include(<sys/sdt.h>)
// In registers, where they are: clang would put them into memory.
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#define CLINUX_PROBE(name, count, ...) STAP_PROBE##count(libtlsmem, name, __VA_ARGS__)
#else
#define CLINUX_PROBE(name, count, ...) (void)0
#endif

// The connection, its SSL, its role, its descriptor or -1.
static inline void clinux_probe_handshake_begin(const void *c, const void *ssl, int role, int fd) {
    CLINUX_PROBE(handshake__begin, 4, c, ssl, role, fd);
}
// The connection, TLSMEM_OK or why not, milliseconds.
static inline void clinux_probe_handshake_end(const void *c, int status, int64_t milliseconds) {
    CLINUX_PROBE(handshake__end, 3, c, status, milliseconds);
}
// The connection, its descriptor, the bytes that the socket took (-1: none), the bytes that it was given.
static inline void clinux_probe_flush(const void *c, int fd, int64_t taken, int64_t given) {
    CLINUX_PROBE(flush, 4, c, fd, taken, given);
}
// The connection, and which limit or deadline it has reached: its name in tlsmem_limits.
static inline void clinux_probe_limit(const void *c, const char *name) { CLINUX_PROBE(limit, 2, c, name); }
// The connection, TLSMEM_OK or why it ended, bytes of ciphertext that came and that went.
static inline void clinux_probe_close(const void *c, int status, uint64_t received, uint64_t sent) {
    CLINUX_PROBE(close, 4, c, status, received, sent);
}
// The loop, before it waits.
static inline void clinux_probe_turn(const void *loop) { CLINUX_PROBE(turn, 1, loop); }

#endif
