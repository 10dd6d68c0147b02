// The probes of records, as those in CLinux.
#ifndef COPENSSL_PROBES_H
#define COPENSSL_PROBES_H

#if __has_include(<sys/sdt.h>)
// In registers, where they are: clang would put them into memory.
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#define COPENSSL_PROBE2(name, one, other) STAP_PROBE2(libtlsmem, name, one, other)
#else
#define COPENSSL_PROBE2(name, one, other) (void)0
#endif

// The SSL of the connection, and the five bytes of the record's header (RFC 8446, 5.1).
static inline void copenssl_probe_record_in(const void *ssl, const void *header) { COPENSSL_PROBE2(record__in, ssl, header); }
static inline void copenssl_probe_record_out(const void *ssl, const void *header) { COPENSSL_PROBE2(record__out, ssl, header); }

#endif
