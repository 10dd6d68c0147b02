/* Random numbers of a seed, and OpenSSL's and the system's in their place. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "simulation.h"

#include <openssl/rand.h>
#include <sys/random.h>

chance kernel_chance, world_chance, application_chance, crypto_chance;

uint64_t chance_next(chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void chance_begin(uint64_t seed)
{
    chance all = { seed * 0x2545f4914f6cdd1d + 0x632be59bd9b4e019 };
    kernel_chance.state = chance_next(&all);
    world_chance.state = chance_next(&all);
    application_chance.state = chance_next(&all);
    crypto_chance.state = chance_next(&all);
}

uint64_t chance_below(chance *c, uint64_t below)
{
    return below < 2 ? 0 : chance_next(c) % below;
}

int chance_permille(chance *c, unsigned permille)
{
    return permille > 0 && chance_below(c, 1000) < permille;
}

size_t chance_size(chance *c, size_t most)
{
    unsigned bits = 1;
    while (bits < 63 && (size_t)1 << bits < most)
        bits++;
    size_t size = (size_t)1 << chance_below(c, bits + 1);
    size += chance_below(c, size);
    return size > most ? most : size;
}

static int fill(unsigned char *bytes, int n)
{
    for (int i = 0; i < n; i += 8) {
        uint64_t next = chance_next(&crypto_chance);
        memcpy(bytes + i, &next, n - i < 8 ? (size_t)(n - i) : 8);
    }
    return 1;
}

static int always(void)
{
    return 1;
}

void chance_replaces_openssl(void)
{
    static const RAND_METHOD method = { .bytes = fill, .pseudorand = fill, .status = always };
    if (RAND_set_rand_method(&method) != 1)
        abort();
}

/* The system's own, which Swift's hash tables and OpenSSL ask for. */
ssize_t getrandom(void *bytes, size_t n, unsigned flags)
{
    (void)flags;
    fill(bytes, (int)n);
    return (ssize_t)n;
}

int getentropy(void *bytes, size_t n)
{
    return fill(bytes, (int)n) - 1;
}
