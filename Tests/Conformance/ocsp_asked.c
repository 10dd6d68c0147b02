/*
 * Servers whose program says what is stapled (tlsmem_ctx_set_ocsp_cb): at once, later, nothing, and what is no response.
 */
#include "ocsp.h"

static int version;
static struct {
    const char *response; /* a file to answer with; NULL for no bytes */
    int status, is_later, is_answered_late;
    int times;
    tlsmem *c;
    uint64_t token;
} say;

static int answer(void)
{
    size_t n = 0;
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    unsigned char *bytes = say.response != NULL ? contents(say.response, &n) : NULL;
    reply.bytes = bytes;
    reply.length = n;
    int status = tlsmem_answer(say.c, say.token, say.status, &reply);
    free(bytes);
    return status;
}

static int on_ocsp(tlsmem *c, const tlsmem_ocsp_request *asked, void *user)
{
    unsigned char der[8192];
    CHECK(user == &say && asked->size == sizeof *asked, "another user, or size");
    CHECK(asked->server_name != NULL && strcmp(asked->server_name, "localhost") == 0, "for %s", asked->server_name);
    CHECK(asked->certificate_n > 300 && asked->certificate_n < sizeof der, "%zu bytes", asked->certificate_n);
    say.times++;
    say.c = c;
    say.token = asked->token;
    if (say.is_later && !say.is_answered_late)
        CHECK_STATUS(answer(), TLSMEM_OK);
    return say.is_later ? TLSMEM_LATER : say.status;
}

static void gives(tlsmem_ctx *to, const char *expected)
{
    unsigned char der[8192];
    size_t n = 0;
    unsigned char *bytes = expected != NULL ? contents(expected, &n) : NULL;
    tlsmem_ctx *from = asking(version, 0);
    say.times = 0;
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    MUST(tlsmem_set_server_name(client.c, "localhost") == TLSMEM_OK);
    if (say.is_answered_late) {
        wire_settle(&pair_wire);
        CHECK_STATUS(want_of(server.c).waits_for, TLSMEM_QUESTION_OCSP);
        CHECK_STATUS(answer(), TLSMEM_OK);
        CHECK_STATUS(tlsmem_handshake(server.c), TLSMEM_AGAIN);
    }
    client.to_send = client.to_receive = server.to_send = server.to_receive = 100;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_STATUS(failure_of(client.c), TLSMEM_OK);
    CHECK_STATUS(say.times, 1);
    CHECK_STATUS(tlsmem_ocsp_response(client.c, der, sizeof der), expected != NULL ? (long)n : TLSMEM_AGAIN);
    CHECK(expected == NULL || memcmp(der, bytes, n) == 0, "another response");
    part();
    tlsmem_ctx_free(from);
    free(bytes);
}

void asked_for_responses(int of_version)
{
    version = of_version;
    situation("a program that is asked, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *to = server_with("server", version);
    MUST(tlsmem_ctx_set_ocsp_response(to, certificate("server.good.ocsp")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ocsp_cb(to, on_ocsp, &say) == TLSMEM_OK);
    memset(&say, 0, sizeof say);
    gives(to, "server.good.ocsp");
    say.status = TLSMEM_EINVAL;
    gives(to, NULL);
    for (say.is_later = 1; say.is_answered_late < 2; say.is_answered_late++) {
        say.status = TLSMEM_OK;
        say.response = "server.delegate.ocsp";
        gives(to, "server.delegate.ocsp");
        say.response = NULL;
        gives(to, "server.good.ocsp");
        static const char *const bad[] = { "server.expired.ocsp", "rsa.good.ocsp", "server.pem", "server.later.ocsp" };
        for (int i = 0; i < 4; i++) {
            say.response = bad[i];
            gives(to, NULL);
        }
        say.response = "server.delegate.ocsp";
        say.status = 1;
        gives(to, NULL);
    }
    tlsmem_ctx_free(to);
}
