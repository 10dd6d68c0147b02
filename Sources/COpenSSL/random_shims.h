// Where random numbers come from, for tests: deprecated in 3.0, and in 3.5 still the only way.
#ifndef COPENSSL_RANDOM_SHIMS_H
#define COPENSSL_RANDOM_SHIMS_H

#include <openssl/rand.h>

#ifndef OPENSSL_NO_DEPRECATED_3_0
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static inline int copenssl_set_random(const RAND_METHOD *method) { return RAND_set_rand_method(method); }
#pragma clang diagnostic pop
#else
static inline int copenssl_set_random(const RAND_METHOD *method) { return 0; }
#endif

#endif
