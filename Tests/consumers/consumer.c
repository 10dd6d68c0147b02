/*
 * consumer.c - the smallest program of a stranger: C99, C17 and C++17, by every build system that Tests/install tries. It
 * shows that the versions agree (header, library, and TOLD_VERSION, which is what pkg-config or CMake told whoever compiled
 * it), and that a handshake through memory begins.
 */
#include <stdio.h>
#include <string.h>
#include <tlsmem.h>

static int wrong(const char *what)
{
    fprintf(stderr, "consumer: %s\n", what);
    return 1;
}

int main(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", TLSMEM_VERSION_MAJOR, TLSMEM_VERSION_MINOR, TLSMEM_VERSION_PATCH);
    if (strcmp(text, tlsmem_version_string()) != 0)
        return wrong("the header's version is not the library's");
    if (strcmp(text, TOLD_VERSION) != 0)
        return wrong("the header's version is not the one that the build system was told: " TOLD_VERSION);
    if (TLSMEM_VERSION_NUMBER != TLSMEM_VERSION_MAJOR * 65536 + TLSMEM_VERSION_MINOR * 256 + TLSMEM_VERSION_PATCH)
        return wrong("TLSMEM_VERSION_NUMBER is not made of its parts");
    if (tlsmem_version() != TLSMEM_VERSION_NUMBER)
        return wrong("tlsmem_version is not TLSMEM_VERSION_NUMBER");
    if (strncmp(tlsmem_openssl_version(), "OpenSSL ", 8) != 0)
        return wrong("tlsmem_openssl_version names no OpenSSL");

    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (ctx == NULL || tlsmem_ctx_insecure_no_verify(ctx) != TLSMEM_OK)
        return wrong("no context");
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    const void *bytes;
    size_t n;
    if (tlsmem_outgoing_peek(c, &bytes, &n) != TLSMEM_OK)
        return wrong("a client has nothing to say");
    if (n < 5 || memcmp(bytes, "\x16\x03", 2) != 0) /* a TLS record of the handshake */
        return wrong("a client's first bytes are no ClientHello");
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    return 0;
}
