/*
 * Whom a context lets in. Every chain of Tests/corpus is shown, to a client or to a server, in TLS 1.2 and 1.3, and what
 * comes of it is held against the corpus's manifest; trust_sessions.c tries to come in by sessions.
 */
#include "trust.h"

#include <openssl/ssl.h>

const char *program_path;

void meet(tlsmem_ctx *from, tlsmem_ctx *to, const char *host, const tlsmem_session *offered)
{
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    if (host != NULL)
        MUST(tlsmem_set_server_name(client.c, host) == TLSMEM_OK);
    if (offered != NULL)
        CHECK_STATUS(tlsmem_session_set(client.c, offered), TLSMEM_OK);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 100;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

void part(void)
{
    end_finish(&client);
    end_finish(&server);
}

tlsmem_error_info error_of(const tlsmem *c)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_error(c, &error) == TLSMEM_OK);
    return error;
}

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
