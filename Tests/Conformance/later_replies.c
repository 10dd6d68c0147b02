/*
 * What an answer may bring along, and what is no answer.
 */
#include "later.h"

static void with_another_context(int version, int can_serve)
{
    situation("version %x: a ClientHello gets another context later, which %s", (unsigned)version, can_serve ? "serves" : "cannot");
    tlsmem_ctx *other = tlsmem_ctx_new(TLSMEM_SERVER);
    if (can_serve) {
        MUST(tlsmem_ctx_set_cert_file(other, certificate("server.pem")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_file(other, certificate("server.key")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_groups(other, "P-384") == TLSMEM_OK);
    }
    later_open(&decisions[0], version, FACE_FD, FACE_REGISTRY, CUT_WHOLE);
    later_wait(&decisions[0]);
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.ctx = other;
    reply.alpn = "http/1.1";
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, &reply), TLSMEM_OK);
    tlsmem_ctx_free(other); /* the answer has an owner of its own */
    if (can_serve) {
        check_whole(&decisions[0]);
        const char *name = "";
        size_t n = 0;
        CHECK_STATUS(tlsmem_alpn(client.c, &name, &n), TLSMEM_OK);
        CHECK(n == 8, "the protocol has %zu bytes", n);
        CHECK(strcmp(tlsmem_group_name(server.c), "secp384r1") == 0, "the group is %s", tlsmem_group_name(server.c));
    } else {
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        CHECK_ENDED(server, TLSMEM_EREFUSED);
    }
    later_close();
}

static void with_a_protocol_not_offered(int version)
{
    situation("version %x: a ClientHello gets a protocol later that it does not offer", (unsigned)version);
    later_open(&decisions[0], version, FACE_FD, FACE_REGISTRY, CUT_WHOLE);
    later_wait(&decisions[0]);
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.alpn = "imap";
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, &reply), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_error(client.c, &error), TLSMEM_OK);
    CHECK(error.alert_received == 120, "alert %d", error.alert_received);
    later_close();
}

/** In the thread of the connection the verbs that the callback has are there until the answer. */
static void with_the_verbs(int version)
{
    situation("version %x: tlsmem_select_alpn while a ClientHello waits", (unsigned)version);
    later_open(&decisions[0], version, FACE_FD, FACE_REGISTRY, CUT_WHOLE);
    later_wait(&decisions[0]);
    CHECK_STATUS(tlsmem_select_alpn(server.c, "imap"), TLSMEM_EALPN);
    CHECK_STATUS(tlsmem_select_alpn(server.c, "h2"), TLSMEM_OK);
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, NULL), TLSMEM_OK);
    check_whole(&decisions[0]);
    later_close();
}

static void is_no_answer(void)
{
    situation("what is no answer");
    later_open(&decisions[0], TLSMEM_TLS1_3, FACE_FD, FACE_FD, CUT_WHOLE);
    later_wait(&decisions[0]);
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_LATER, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_answer(NULL, last.token, TLSMEM_OK, NULL), TLSMEM_EINVAL);
    reply.size--;
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, &reply), TLSMEM_EINVAL);
    reply = (tlsmem_reply)TLSMEM_REPLY_INIT;
    reply.length = 1;
    CHECK_STATUS(tlsmem_answer(last.c, last.token, TLSMEM_OK, &reply), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_answer(last.c, 0, TLSMEM_OK, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_answer(last.c, UINT64_MAX, TLSMEM_OK, NULL), TLSMEM_ESTATE);
    later_close();
}

void later_replies(void)
{
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        with_another_context(version, 1);
        with_another_context(version, 0);
        with_a_protocol_not_offered(version);
        with_the_verbs(version);
    }
    is_no_answer();
}
