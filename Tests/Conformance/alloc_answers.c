/* An answer of the program's while OpenSSL runs out of memory: it is refused, the question stays open, and nothing of it is left. */
#include "alloc.h"

static uint64_t token;
static int asked;

static int on_psk(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    (void)c, (void)user;
    token = request->token;
    asked++;
    return TLSMEM_LATER;
}

static int answer(tlsmem *c, int fails)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.bytes = secret;
    reply.length = secret_length;
    reply.identity = "a";
    allocations = failures = 0;
    fail_at = fails;
    int status = tlsmem_answer(c, token, TLSMEM_OK, &reply);
    fail_at = 0;
    return status;
}

void answers(void)
{
    situation("no memory for an answer");
    const void *bytes;
    size_t n;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0);
    MUST(tlsmem_ctx_set_psk_cb(from, on_psk, NULL) == TLSMEM_OK);
    tlsmem *c = connection(from, NULL, NULL);
    CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
    CHECK_STATUS(asked, 1);
    found = 0;
    CHECK_STATUS(answer(c, 1), TLSMEM_ENOMEM);
    CHECK_STATUS(failures, 1);
    CHECK_STATUS(want_of(c).waits_for, TLSMEM_QUESTION_PSK);
    CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
    CHECK_STATUS(answer(c, 0), TLSMEM_OK);
    CHECK_STATUS(answer(c, 0), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
    CHECK_STATUS(want_of(c).waits_for, TLSMEM_QUESTION_NONE);
    CHECK_STATUS(tlsmem_outgoing_peek(c, &bytes, &n), TLSMEM_OK);
    tlsmem_free(c);
    tlsmem_ctx_free(from);
    CHECK(found == 0, "the key was in %ld blocks that were given back", found);
}
