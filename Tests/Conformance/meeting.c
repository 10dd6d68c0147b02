#include "meeting.h"

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
