/*
 * Sessions as bytes: they resume as what they were made of, and nothing else is taken for one. A changed one that is taken
 * does no harm: the handshake is full, resumed or refused, and ends with a status.
 */
#include "sessions.h"

#include <openssl/ssl.h>
#include <time.h>

/** What was done to the bytes, for the line about a check that does not hold. */
static char change[80] = "nothing";

static tlsmem_session *from_bytes(const void *bytes, size_t n, int expected)
{
    tlsmem_session *const untouched = (tlsmem_session *)"untouched", *made = untouched;
    int status = tlsmem_session_from_bytes(bytes, n, &made);
    if (expected <= 0)
        CHECK(status == expected, "%s: %s", tlsmem_status_name(status), change);
    else
        CHECK(status == TLSMEM_OK || status == TLSMEM_ESESSION, "%s: %s", tlsmem_status_name(status), change);
    CHECK((made == untouched) == (status != TLSMEM_OK), "%s, and *session says otherwise: %s", tlsmem_status_name(status),
          change);
    return status == TLSMEM_OK ? made : NULL;
}

static void there_and_back(int version, const char *certificate)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = server_with(certificate, version);
    situation("to bytes and back, four times, %s, TLS 1.%d", certificate, version - 0x0301);
    tlsmem_session *session = visit(from, to, NULL, 0);
    MUST(session != NULL);
    for (int i = 0; i < 4; i++) {
        size_t n, again_n;
        unsigned char *bytes = bytes_of(session, &n);
        int64_t expires = tlsmem_session_expires(session);
        tlsmem_session_free(session);
        tlsmem_session *made = from_bytes(bytes, n, TLSMEM_OK);
        MUST(made != NULL);
        unsigned char *again = bytes_of(made, &again_n);
        CHECK(n == again_n && memcmp(bytes, again, n) == 0, "other bytes come of it");
        CHECK(tlsmem_session_expires(made) == expires, "it expires at another time");
        memset(again, 7, again_n);
        CHECK_STATUS(tlsmem_session_to_bytes(made, again, n - 1), n);
        CHECK(again[0] == 7 && again[n - 2] == 7, "written without room for it");
        memset(bytes, 0, n); /* they were copied */
        session = visit(from, to, made, 1);
        MUST(session != NULL);
        tlsmem_session_free(made);
        free(bytes);
        free(again);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void wrong_arguments(const tlsmem_session *session, const void *bytes, size_t n)
{
    static unsigned char byte, large[(1 << 20) + 1];
    tlsmem_session *made = NULL;
    situation("lengths and pointers");
    CHECK_STATUS(tlsmem_session_to_bytes(NULL, &byte, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_to_bytes(session, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_to_bytes(session, &byte, SIZE_MAX), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_to_bytes(session, &byte, 1), n);
    CHECK_STATUS(byte, 0);
    CHECK_STATUS(tlsmem_session_from_bytes(NULL, 1, &made), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_from_bytes(bytes, SIZE_MAX, &made), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_from_bytes(bytes, n, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_session_from_bytes(NULL, 0, &made), TLSMEM_ESESSION);
    memcpy(large, bytes, n);
    CHECK_STATUS(tlsmem_session_from_bytes(large, sizeof large, &made), TLSMEM_ESESSION);
    CHECK(made == NULL, "something was made");
    CHECK_STATUS(tlsmem_session_expires(NULL), 0);
    tlsmem_session_free(NULL);
}

/** Random bytes, alone and behind the beginning of a real one. */
static void garbage(const unsigned char *real, size_t n)
{
    unsigned char bytes[1024];
    seeded random = { 1 };
    situation("garbage");
    for (size_t length = 0; length <= 600; length++)
        for (size_t kept = 0; kept <= length && kept <= 128; kept += kept < 32 ? 4 : 32) {
            snprintf(change, sizeof change, "%zu bytes of garbage behind %zu of a session", length - kept, kept);
            for (size_t i = 0; i < length; i++)
                bytes[i] = i < kept && i < n ? real[i] : (unsigned char)seeded_next(&random);
            from_bytes(bytes, length, TLSMEM_ESESSION);
        }
}

/** Whatever it is, a connection survives it. */
static void offer(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session)
{
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    int status = tlsmem_session_set(client.c, session);
    CHECK(status <= 0 && status != TLSMEM_EINTERNAL && status != TLSMEM_ESTATE, "%s: %s",
          tlsmem_status_name(status), change);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 10;
    client.close_when_done = server.close_on_eof = 1;
    wire_run(&pair_wire, both_ended);
    CHECK(client.closes == 1, "on_close %d times: %s", client.closes, change);
    CHECK(client.report.status == TLSMEM_OK ? client.received == 10 : failure_of(client.c) != TLSMEM_OK, "ended with %s: %s",
          tlsmem_status_name(client.report.status), change);
    CHECK(failure_of(client.c) != TLSMEM_EINTERNAL, "it is our own fault: %s", change);
    tlsmem_session_free(tlsmem_session_get(client.c));
    visit_end();
}

static void mutated(tlsmem_ctx *from, tlsmem_ctx *to, const unsigned char *real, size_t n)
{
    unsigned char *bytes = malloc(n + 1);
    seeded random = { 2 };
    MUST(bytes != NULL);
    memcpy(bytes, real, n);
    bytes[n] = 0;
    situation("bytes behind the end, and missing at it");
    from_bytes(bytes, n + 1, TLSMEM_ESESSION);
    snprintf(change, sizeof change, "a part of it");
    for (size_t length = 0; length < n; length++)
        from_bytes(bytes, length, TLSMEM_ESESSION);
    long taken = 0;
    situation("each byte changed");
    for (size_t i = 0; i < n; i++)
        for (int kind = 0; kind < 4; kind++) {
            static const unsigned char values[] = { 0x00, 0xff, 0x80 };
            if (short_run() && (i + (size_t)kind) % 16 != 0)
                continue;
            unsigned char value = kind < 3 ? values[kind] : (unsigned char)seeded_next(&random);
            snprintf(change, sizeof change, "byte %zu is 0x%02x instead of 0x%02x", i, value, real[i]);
            bytes[i] = value;
            tlsmem_session *made = from_bytes(bytes, n, 1);
            bytes[i] = real[i];
            taken += made != NULL;
            if (made != NULL && (kind == 3 || i % 4 == 0))
                offer(from, to, made);
            tlsmem_session_free(made);
        }
    CHECK(taken > 0, "none of them was taken, so nothing was tried");
    snprintf(change, sizeof change, "nothing");
    free(bytes);
}

/** A server that is no server of ours says three months (RFC 8446, 4.6.1: a week at the most). */
static void too_long(void)
{
    static const unsigned char week[] = { 2, 3, 0x09, 0x3a, 0x80 }, months[] = { 2, 3, 0x7f, 0x3a, 0x80 };
    tlsmem_ctx *from = context(TLSMEM_CLIENT, TLSMEM_TLS1_3), *to = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    situation("a ticket for three months is kept for a week");
    SSL_CTX_set_timeout(tlsmem_ctx_native(to), 604800);
    tlsmem_session *session = visit(from, to, NULL, 0);
    MUST(session != NULL);
    size_t n;
    int changed = 0;
    unsigned char *bytes = bytes_of(session, &n);
    for (size_t i = 0; i + sizeof week <= n; i++)
        if (memcmp(bytes + i, week, sizeof week) == 0) {
            memcpy(bytes + i, months, sizeof months);
            changed++;
        }
    CHECK(changed > 0, "there is no lifetime of a week");
    tlsmem_session *made = from_bytes(bytes, n, TLSMEM_OK);
    MUST(made != NULL);
    int64_t left = tlsmem_session_expires(made) - (int64_t)time(NULL);
    CHECK(left > 604800 - 3600 && left <= 604800, "it is good for %lld seconds", (long long)left);
    tlsmem_session_free(made);
    tlsmem_session_free(session);
    free(bytes);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

void sessions_as_bytes(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    size_t n;
    there_and_back(version, "server");
    there_and_back(version, "full");
    if (version == TLSMEM_TLS1_3)
        too_long();
    situation("a session to be changed");
    tlsmem_session *session = visit(from, to, NULL, 0);
    MUST(session != NULL);
    unsigned char *bytes = bytes_of(session, &n);
    wrong_arguments(session, bytes, n);
    garbage(bytes, n);
    mutated(from, to, bytes, n);
    free(bytes);
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
