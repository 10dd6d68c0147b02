/*
 * Names: of servers, and of what was negotiated.
 */
#include "regressions.h"

static void refused_name(void)
{
    char too_long[301];
    memset(too_long, 'a', 300);
    too_long[300] = 0;
    const char *const refused[] = { too_long, "a b", "localhost\n", "a..b", "" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        open_ends(&(ends){ .version = TLSMEM_TLS1_3 }); /* for "localhost" */
        CHECK_STATUS(tlsmem_set_server_name(client.c, refused[i]), TLSMEM_EINVAL);
        wire_settle(&pair_wire);
        CHECK(client.established == 1 && server.established == 1, "no handshake: %s",
              tlsmem_status_name(failure_of(client.c)));
        const char *sent = tlsmem_server_name(server.c);
        CHECK(sent != NULL && strcmp(sent, "localhost") == 0, "the name that was sent is %s", sent != NULL ? sent : "NULL");
        close_ends();
    }
}

static void final_dot(void)
{
    open_ends(&(ends){ .version = TLSMEM_TLS1_3 });
    CHECK_STATUS(tlsmem_set_server_name(client.c, "localhost."), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(client.established == 1, "no handshake: %s", tlsmem_status_name(failure_of(client.c)));
    const char *sent = tlsmem_server_name(server.c);
    CHECK(sent != NULL && strcmp(sent, "localhost") == 0, "the name that was sent is %s", sent != NULL ? sent : "NULL");
    close_ends();
}

/** The program's contexts are gone when the ends are made: the names live as long as the connection all the same. */
static void names_that_go(void)
{
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        char copies[3][64];
        establish_ends(&(ends){ .version = version });
        const char *names[3] = { tlsmem_protocol_name(client.c), tlsmem_cipher_name(client.c), tlsmem_group_name(client.c) };
        for (int i = 0; i < 3; i++) {
            CHECK(names[i][0] != 0, "name %d is empty", i);
            snprintf(copies[i], sizeof copies[i], "%s", names[i]);
        }
        say(&client, 300000);
        wire_settle(&pair_wire);
        server.close_on_eof = 1;
        tlsmem_close(client.c);
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        end_free_connection(&server);
        for (int i = 0; i < 3; i++)
            CHECK(strcmp(names[i], copies[i]) == 0, "%s has become %s", copies[i], names[i]);
        close_ends();
    }
}

const regression name_regressions[] = {
    { "takes half of a server name that it refuses", refused_name },
    { "does not know that localhost. is localhost", final_dot },
    { "lets a name go that it has shown, before the connection", names_that_go },
    { NULL, NULL }
};
