/*
 * Servers that know clients of each other: by the keys of their tickets (fleet_keys.c), which come
 * from files (fleet_files.c); and by a store of sessions (fleet_store.c).
 */
#include "fleet.h"

#include <time.h>

#include "false_clock.h"

static long long beginning; /* of the program, in Unix time */

char *add_line(char *text, known_key key)
{
    char *at = text + strlen(text);
    for (int i = 0; i < 80; i++)
        at += sprintf(at, "%02x", key.byte);
    sprintf(at, " %lld %lld %lld\n", beginning + key.from, beginning + key.until, beginning + key.end);
    return text;
}

tlsmem_ticket_key key_of(known_key key)
{
    tlsmem_ticket_key made = TLSMEM_TICKET_KEY_INIT;
    memset(made.name, key.byte, sizeof made.name);
    memset(made.secret, key.byte, sizeof made.secret);
    made.encrypt_from = beginning + key.from;
    made.encrypt_until = beginning + key.until;
    made.decrypt_until = beginning + key.end;
    return made;
}

tlsmem_ctx *server_with_keys(int version, const known_key *keys, int n)
{
    char text[2048] = "";
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    for (int i = 0; i < n; i++)
        add_line(text, keys[i]);
    MUST(tlsmem_ctx_set_ticket_keys_mem(ctx, text, strlen(text)) == TLSMEM_OK);
    return ctx;
}

tlsmem_ctx *asking_server(int version, const known_key *key)
{
    tlsmem_ctx *ctx = server_with_keys(version, key, 1);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

tlsmem_ctx *known_client(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    return ctx;
}

int main(void)
{
    begin("fleet");
    beginning = (long long)time(NULL);
    fleet_files();
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        fleet_keys(version), fleet_asked(version), fleet_store(version);
    return finish();
}
