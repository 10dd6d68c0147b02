/*
 * Whom a context lets in. Every chain of Tests/corpus is shown, to a client or to a server, in TLS 1.2 and 1.3, and what
 * comes of it is held against the corpus's manifest; trust_sessions.c tries to come in by sessions.
 */
#include "trust.h"

#include <openssl/ssl.h>

const char *program_path;

void without_scruples(tlsmem_ctx *ctx)
{
    SSL_CTX_set_security_level(tlsmem_ctx_native(ctx), 0);
}

void pin(tlsmem_ctx *ctx, const char *digits)
{
    uint8_t digest[32];
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        MUST(sscanf(digits + 2 * i, "%2x", &byte) == 1);
        digest[i] = (uint8_t)byte;
    }
    MUST(tlsmem_ctx_add_pin(ctx, digest) == TLSMEM_OK);
}

int main(int count, char **arguments)
{
    begin("trust");
    program_path = arguments[0];
    if (count == 2) {
        print_session(atoi(arguments[1]));
        return 0;
    }
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        corpus(version);
        sessions_and_trust(version);
        who_comes_again(version);
        changes_of_trust(version);
        names_told(version);
        kept_contexts(version);
    }
    return finish();
}
